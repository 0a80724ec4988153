// Bundles on a machine of level 4, in the words of its shell.
import type { Change, Config } from "../native/oci.js";
import type { Machine } from "./machine.js";

/** What `podrt spec` says, without a terminal, on the machine's root file system for containers. */
export async function machineConfig(machine: Machine): Promise<Config> {
  const base: Config = JSON.parse(await machine.run("cd /tmp && podrt spec && cat config.json"));
  base.process.terminal = false;
  base.root = { path: "/rootfs", readonly: false };
  return base;
}

let count = 0;

/** The words that make a new bundle at $b, for the container $id with the cgroup $cg below $all, and run or start it. */
export function machineBundle(base: Config, args: readonly string[], resources: object, change: Change = () => {}): string {
  const id = `c${count++}`;
  const config = structuredClone(base);
  config.process.args = [...args];
  config.linux["resources"] = resources;
  config.linux["cgroupsPath"] = `/tests/${id}`;
  change(config);
  return `id=${id} b=/tmp/${id} all=/sys/fs/cgroup cg=tests/${id}
    mkdir $b
    cat > $b/config.json << 'END'\n${JSON.stringify(config)}\nEND
    run() { podrt run --bundle $b $id; }
    start() { podrt run --detach --bundle $b $id < /dev/null > $b/out 2> $b/err || { cat $b/err >&2; exit 99; }; }
  `;
}
