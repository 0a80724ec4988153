// Capability sets: the field's default, and Kubernetes' add and drop on top of it.

/** The default of containers-common (containers.conf, default_capabilities). */
const DEFAULT = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** All of capabilities(7), by number. */
const ALL = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");

/** `CAP_NET_ADMIN`, `net_admin` and `NET_ADMIN` are the same. */
function bare(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

/**
 * The container's set. ALL is taken first, whichever list it is in, dropping winning; then each name to add, then each
 * to drop: `drop: [ALL], add: [CHOWN]` is CHOWN alone, `add: [ALL], drop: [CHOWN]` is all but CHOWN. `CAP_…`, sorted;
 * that the names exist is the model's rule.
 */
export function capabilitySet(add: readonly string[], drop: readonly string[]): string[] {
  const adds = add.map(bare);
  const drops = drop.map(bare);
  const set = new Set(drops.includes("ALL") ? [] : adds.includes("ALL") ? ALL : DEFAULT);
  for (const name of adds) if (name !== "ALL") set.add(name);
  for (const name of drops) set.delete(name);
  return [...set].sort().map((name) => `CAP_${name}`);
}
