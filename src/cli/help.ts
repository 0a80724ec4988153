// `podgen --help`: the command table as text. A command's own help is yargs' (usage.ts), which takes longer to load.
import { COMMANDS } from "./commands.js";

/** One line per command, as they stand in the table. */
export function overview(): string {
  const name = (spec: (typeof COMMANDS)[number]): string => [spec.name, spec.positionals].filter(Boolean).join(" ");
  const width = Math.max(...COMMANDS.map((c) => name(c).length)) + 2;
  const lines = COMMANDS.map((c) => `  podgen ${name(c).padEnd(width)}${c.describe}\n`);
  return [
    "podgen COMMAND\n\nKubernetes pod YAML, run by systemd. No daemon, no engine.\n\nCommands:\n",
    ...lines,
    `  podgen ${"completion".padEnd(width)}print a completion script for bash or zsh\n`,
    "\nEvery command has --help and a page: man podgen-COMMAND\n",
  ].join("");
}
