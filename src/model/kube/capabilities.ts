// Linux capabilities by name (capabilities(7), linux/capability.h).
import { suggest } from "../../base/suggest.js";
import type { Problem } from "../../spec/report.js";

/** In the order of their numbers, 0 to 40. */
export const CAPABILITIES: readonly string[] = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");
const KNOWN = new Set([...CAPABILITIES, "ALL"]);

function bare(text: string): string {
  return text.toUpperCase().replace(/^CAP_/, "");
}

/** A capability with or without `CAP_`, in any case, or `ALL`. */
export function capabilityName(text: string): Problem | undefined {
  const name = bare(text);
  if (KNOWN.has(name) && !(name === "ALL" && text.length > 3)) return undefined;
  const near = suggest(name, KNOWN);
  return { problem: `is not a capability${near === undefined ? "" : `, did you mean "${near.word}"?`}` };
}

/** `CAP_NET_ADMIN` for each way to write it, as OCI bundles have it; `ALL` stays. Unknown names are left out. */
export function normaliseCapabilities(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const all = names.filter((n) => capabilityName(n) === undefined).map((n) => (bare(n) === "ALL" ? "ALL" : `CAP_${bare(n)}`));
  return [...new Set(all)].sort();
}
