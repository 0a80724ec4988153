// What is installed after an apply that went well; tests change what their case is about.
import type { Installed, ManifestPod, OwnedObject, RunState, UnitState } from "../../src/base/installed.js";
import { manifestPod, sha256 } from "../../src/diff/manifest.js";
import type { ChangeSet, PodChange } from "../../src/diff/types.js";
import type { Rendered, RenderedUnit } from "../../src/render/types.js";

/** Installed, with maps that a test may write to. */
export interface World extends Installed {
  readonly manifest: { version: 1; pods: Record<string, ManifestPod>; objects: Record<string, OwnedObject> };
  readonly files: Map<string, Uint8Array>;
  readonly units: Map<string, UnitState>;
  readonly running: Map<string, RunState>;
  readonly foreign: Map<string, string>;
}

export const NOTHING: World = worldOf({ pods: [], shared: [], objects: {} });

/** Everything rendered is written, loaded, enabled and runs. */
export function worldOf(rendered: Rendered): World {
  const files = [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)];
  const bytes = new Map(files.map((f) => [f.path, f.bytes]));
  return {
    manifest: {
      version: 1,
      pods: Object.fromEntries(rendered.pods.map((p) => [p.name, manifestPod(p)])),
      objects: Object.fromEntries(
        Object.entries(rendered.objects).map(([key, { path, source }]) => [
          key,
          { path, sha256: sha256(bytes.get(path) ?? new Uint8Array()), source },
        ]),
      ),
    },
    files: bytes,
    units: new Map(rendered.pods.flatMap((p) => p.units.map((u) => [u.name, unitState(u.name, stateOf(u))]))),
    running: new Map(
      rendered.pods.flatMap((p) =>
        p.units.flatMap((u): [string, RunState][] =>
          u.digest === undefined
            ? []
            : [
                [
                  `${p.name}/${u.container}`,
                  {
                    pid: 7,
                    startTime: "1",
                    digest: u.digest,
                    alive: u.role !== "init",
                    ...(u.liveFiles === undefined ? {} : { files: u.liveFiles }),
                  },
                ],
              ],
        ),
      ),
    ),
    foreign: new Map(),
  };
}

function stateOf(unit: RenderedUnit): Partial<UnitState> {
  if (unit.role === "forward") return { activeState: "inactive", subState: "dead" };
  if (unit.role === "pod") return { subState: "exited", unitFileState: "enabled" };
  return unit.role === "init" ? { subState: "exited" } : {};
}

type Service = NonNullable<UnitState["service"]>;

/** A unit that is active, unless said otherwise. */
export function unitState(name: string, over: Partial<UnitState> = {}, service: Partial<Service> = {}): UnitState {
  return {
    name,
    loadState: "loaded",
    activeState: "active",
    subState: "running",
    unitFileState: "static",
    fragmentPath: `/home/alice/.config/systemd/user/${name}`,
    needDaemonReload: false,
    service: { result: "success", mainPid: 7, execMainCode: 0, execMainStatus: 0, restarts: 0, statusText: "", activeEnter: 1, ...service },
    ...over,
  };
}

/** Verdicts that are not `unchanged`, by unit without the pod's name: `app: restart (bundle changed)`. */
export function acts(pod: PodChange | undefined): string[] {
  return (pod?.units ?? [])
    .filter((u) => u.verdict !== "unchanged")
    .map((u) => `${u.unit}: ${u.verdict}${u.reasons.length > 0 ? ` (${u.reasons.join("; ")})` : ""}`);
}

/** A change set as lines for a golden file; paths without the home. */
export function describe(changes: ChangeSet): string {
  const lines = [`empty ${changes.empty}, reload ${changes.reload}`];
  const file = (f: { action: string; path: string }): string => `  ${f.action} ${f.path.replace("/home/alice/", "~/")}`;
  if (changes.shared.length > 0) lines.push("shared", ...changes.shared.map(file));
  for (const pod of changes.pods) {
    lines.push(`pod/${pod.name} ${pod.verdict}`, ...pod.files.map(file));
    for (const u of pod.units)
      if (u.verdict !== "unchanged" || u.reasons.length > 0)
        lines.push(`  ${u.unit}: ${u.verdict}${u.reasons.length > 0 ? ` (${u.reasons.join("; ")})` : ""}`);
    for (const name of ["enable", "disable", "folders"] as const)
      if (pod[name].length > 0) lines.push(`  ${name} ${pod[name].map((p) => p.replace("/home/alice/", "~/")).join(" ")}`);
  }
  return `${lines.join("\n")}\n`;
}
