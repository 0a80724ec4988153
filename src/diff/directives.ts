// Which changes of a unit file a running unit takes from a reload, and which need it to be started anew.

/** A unit file as directives: `Section.Key` -> values in order. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/** Reads a generated unit file. Ours have one directive per line and no continuation lines. */
export function parseDirectives(bytes: Uint8Array): Directives {
  const result = new Map<string, string[]>();
  let section = "";
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    if (/^\s*[#;]/.test(line)) continue;
    const head = /^\[(.+)\]$/.exec(line);
    if (head !== null) {
      section = head[1] ?? "";
      continue;
    }
    const cut = line.indexOf("=");
    if (cut < 0) continue;
    const key = `${section}.${line.slice(0, cut)}`;
    result.set(key, [...(result.get(key) ?? []), line.slice(cut + 1)]);
  }
  return result;
}

/** The keys whose values differ, sorted. */
export function changedDirectives(before: Directives, after: Directives): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key))).sort();
}

/**
 * What the manager takes from a daemon-reload: descriptions, relations (used when the next job is queued), what is read
 * at the next stop or restart, and resource control, which it writes to the cgroup at once. Everything else, and what
 * is not known here, takes a new start.
 */
const BY_RELOAD = new Set([
  "Unit.Description",
  "Unit.Documentation",
  "Unit.Wants",
  "Unit.Requires",
  "Unit.After",
  "Unit.BindsTo",
  "Unit.Before",
  "Unit.PartOf",
  "Unit.StopPropagatedFrom",
  "Unit.OnSuccess",
  "Unit.OnFailure",
  "Unit.StartLimitIntervalSec",
  "Service.ExecStartPost",
  "Service.ExecStartPre",
  "Service.ExecStop",
  "Service.ExecStopPost",
  "Service.FileDescriptorStoreMax",
  "Service.SuccessExitStatus",
  "Service.TimeoutStartSec",
  "Service.TimeoutStopSec",
  "Service.KillMode",
  "Service.KillSignal",
  "Service.Restart",
  "Service.RestartForceExitStatus",
  "Service.RestartMode",
  "Service.RestartPreventExitStatus",
  "Service.RestartSec",
  "Service.CPUQuota",
  "Service.CPUWeight",
  "Service.MemoryMax",
  "Service.MemoryMin",
  "Service.TasksMax",
  "Service.AllowedCPUs",
  "Service.AllowedMemoryNodes",
  "Slice.CPUQuota",
  "Slice.CPUWeight",
  "Slice.MemoryMax",
  "Slice.MemoryMin",
  "Socket.TriggerLimitIntervalSec",
  "Install.WantedBy",
]);

/** Those of the changed keys that need a new start. */
export function needRestart(changed: readonly string[]): string[] {
  return changed.filter((key) => !BY_RELOAD.has(key));
}
