// What the checks of the network need to know; the last one asks a name server from inside a running pod.
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { parseState } from "../../native/state.js";
import { run } from "../../process/run.js";
import { isAlive } from "../../process/stat.js";
import type { Subject } from "../outcome.js";
import { hasDefaultRoute, parseNameservers, type UplinkFacts } from "../rules/network.js";
import { readText } from "./files.js";

const ASK_TIMEOUT = 5000;

/**
 * Asks each server of argv for the root's name servers and prints the first that answers, whatever it answers. Run by
 * our own node in the pod's network namespace.
 */
const ASK = `
const query = Buffer.from("1234010000010000000000000000020001", "hex");
for (const server of process.argv.slice(1)) {
  const socket = require("node:dgram").createSocket(server.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {});
  socket.on("message", () => { console.log(server); process.exit(0); });
  socket.send(query, 53, server);
}
setTimeout(() => process.exit(1), 3000);
`;

export async function readUplink(subject: Subject): Promise<UplinkFacts> {
  const [resolv = "", pod] = await Promise.all([readText("/etc/resolv.conf"), findPod(subject)]);
  const hostNameservers = parseNameservers(resolv);
  if (!pod) return { hostNameservers, pod: undefined };
  const [route = "", route6 = "", inner = ""] = await Promise.all([
    readText(`/proc/${pod.pid}/net/route`),
    readText(`/proc/${pod.pid}/net/ipv6_route`),
    readText(join(subject.paths.run, "pods", pod.name, "_infra/resolv.conf")),
  ]);
  const nameservers = parseNameservers(inner);
  const defaultRoute = hasDefaultRoute(route, route6);
  const answer =
    defaultRoute && nameservers.length > 0 ? await ask(subject, pod.pid, nameservers) : { answered: undefined, error: undefined };
  return { hostNameservers, pod: { name: pod.name, defaultRoute, nameservers, ...answer } };
}

/** A pod whose infra container lives, and which is not in the host's network. */
async function findPod({ paths }: Subject): Promise<{ name: string; pid: number } | undefined> {
  const ours = await networkOf("self");
  for (const name of (await readdir(join(paths.run, "pods")).catch(() => [])).sort()) {
    const state = parseState((await readText(join(paths.run, "pods", name, "_infra/state.json"))) ?? "");
    if (!state || !(await isAlive(state.pid, state.startTime))) continue;
    if ((await networkOf(state.pid)) !== ours) return { name, pid: state.pid };
  }
  return undefined;
}

/** `net:[4026532254]`; undefined when the process is gone. */
function networkOf(pid: number | "self"): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

/** podrt enters the user namespace that owns the pod's network namespace, nsenter the latter. */
async function ask({ podrt, env }: Subject, pid: number, servers: readonly string[]) {
  const inside = ["nsenter", "--target", String(pid), "--net", "--", process.execPath, "-e", ASK, ...servers];
  const result = await run([podrt, "unshare", "--", ...inside], ASK_TIMEOUT, env);
  const answered = result.stdout.trim() || undefined;
  // Exit code 1 without a word is the script's own: nobody answered.
  const silent = result.code === 1 && result.stderr.trim() === "";
  const error =
    answered !== undefined || silent ? undefined : result.stderr.trim().split("\n").at(-1) || result.failure || `exit code ${result.code}`;
  return { answered, error };
}
