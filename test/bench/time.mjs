// What benches share: the time of a command that must succeed, and medians.
import { spawnSync } from "node:child_process";

/** Milliseconds that a command takes; throws when it fails. */
export function timeOf(argv, env) {
  const from = process.hrtime.bigint();
  const result = spawnSync(argv[0], argv.slice(1), { encoding: "utf8", env });
  const took = Number(process.hrtime.bigint() - from) / 1e6;
  if (result.status !== 0) throw new Error(`${argv.join(" ")}: ${result.status}\n${result.stdout}${result.stderr}`);
  return took;
}

/** The middle one, the upper of two. */
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
