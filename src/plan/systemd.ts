// A container whose command is an init: what systemd, as its PID 1, wants of who starts it.
import type { ImageFacts } from "../base/facts.js";
import { cleanPath, parentsFirst } from "./paths.js";
import type { PlannedContainer, PlannedMount } from "./types.js";

/** podman-run(1), --systemd=true, which is the default of podman kube play: these, and whatever is called systemd. */
const INITS = ["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"];

/** What systemd would mount itself, had it the right to (podman-run(1), --systemd); sizes are the kernel's default. */
const TMPFS: readonly PlannedMount[] = [
  { destination: "/run", type: "tmpfs", options: ["nosuid", "nodev", "mode=755"] },
  { destination: "/run/lock", type: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=1777"] },
  { destination: "/tmp", type: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] },
  { destination: "/var/log/journal", type: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=755"] },
];

/**
 * Whether a container's words start an init, as podman decides it. A shell's -c is looked through, because that is what an image's
 * CMD in shell form is made of.
 */
export function startsInit(args: readonly string[]): boolean {
  const inShell = args.length > 2 && args[0] === "/bin/sh" && args[1] === "-c";
  const command = (inShell ? args[2] : args[0]) ?? "";
  return INITS.includes(command) || command.split("/").at(-1) === "systemd";
}

/**
 * Changes a container that starts an init; others stay as they are. By systemd's docs/CONTAINER_INTERFACE.md: `container` says that it is
 * in one, the cgroup is its own to divide, SIGRTMIN+3 shuts it down (of SIGTERM it executes itself anew). What image or spec say goes first.
 */
export function withInit(container: PlannedContainer, image: ImageFacts, saidSignal: boolean): PlannedContainer {
  if (!startsInit(container.args)) return container;
  const { env, secretEnv, mounts, files } = container;
  const named = "container" in secretEnv || env.some((line) => line.startsWith("container="));
  const taken = new Set([...mounts, ...files].map((m) => cleanPath(m.destination)));
  return {
    ...container,
    env: named ? env : [...env, "container=podgen"],
    mounts: parentsFirst([...mounts, ...TMPFS.filter((m) => !taken.has(m.destination))]),
    stopSignal: image.config.stopSignal === "" && !saidSignal ? "SIGRTMIN+3" : container.stopSignal,
    writableCgroup: true,
  };
}
