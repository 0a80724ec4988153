// How a change set and a report look, as text and as JSON.
import type { ApplyReport, ContainerFailure, ObjectReport } from "../apply/types.js";
import { isPodKey, shownKey } from "../base/service.js";
import { containersOf } from "../diff/containers.js";
import type { ChangeSet, FileChange, PodChange, Rollout } from "../diff/types.js";
import { shownSecret, unifiedDiff } from "../diff/unified.js";
import { json, printable } from "./print.js";

const text = new TextDecoder();

/** Unified diffs of all files, then a verdict and its reasons per unit. Secrets are shown by digest only. */
export function showChanges(changes: ChangeSet): string {
  const parts = [...changes.shared, ...changes.pods.flatMap((p) => p.files)].map(showFile);
  for (const pod of changes.pods) parts.push(showPod(pod));
  for (const rollout of changes.rollouts ?? []) parts.push(showRollout(rollout));
  for (const key of changes.resourced) parts.push(`${objectName(key)} is now from ${changes.objects[key]?.source ?? ""}\n`);
  return parts.join("");
}

function showFile(file: FileChange): string {
  if (file.secret) return `${file.path}: ${shownSecret(file)}\n`;
  const before = file.before === undefined ? undefined : text.decode(file.before);
  const after = file.after === undefined ? undefined : text.decode(file.after);
  return unifiedDiff(file.path, before, after);
}

function showPod(pod: PodChange): string {
  const units = pod.units.filter((u) => u.verdict !== "unchanged");
  const head = `${entryName(pod.name)} ${pod.verdict}\n`;
  const containers = pod.verdict === "unchanged" ? [] : containersOf(pod).map((c) => `${c.name} ${c.verdict}`);
  return (
    head +
    units.map((u) => `  ${u.unit}: ${u.verdict}${u.reasons.length > 0 ? ` (${u.reasons.join("; ")})` : ""}\n`).join("") +
    (containers.length === 0 ? "" : `  containers: ${containers.join(", ")}\n`)
  );
}

/** In which order a workload's pods change, a step per line. */
function showRollout({ name, steps, surge, minReadySeconds }: Rollout): string {
  const passing = new Set(surge.map((s) => s.change.name));
  const lines = steps.map(({ stop, up, remove }) => {
    const parts = [
      stop.length === 0 ? "" : `${stop.join(", ")} stop`,
      up.length === 0 ? "" : `${up.join(", ")} up and ready${up.every((p) => passing.has(p)) ? ", meanwhile" : ""}`,
      remove.length === 0 ? "" : `${remove.join(", ")} removed`,
    ];
    return parts.filter((part) => part !== "").join("; then ");
  });
  const stays = minReadySeconds === 0 ? "" : `, each ready for ${minReadySeconds} s`;
  return `${name} in ${steps.length} ${steps.length === 1 ? "step" : "steps"}${stays}\n${lines.map((line, i) => `  ${i + 1}. ${line}\n`).join("")}`;
}

/** What people should know of a change set, for standard error. */
export function showNotes(changes: ChangeSet): string {
  return (changes.notes ?? []).map((note) => `note: ${note}\n`).join("");
}

/** Paths and verdicts as data; contents are left out, secrets could be among them. `more`: members beside. */
export function changesJson(changes: ChangeSet, more: Readonly<Record<string, unknown>> = {}): string {
  const files = (list: readonly FileChange[]) => list.map((f) => ({ path: f.path, action: f.action, kind: f.kind }));
  return json("ChangeSet", {
    changed: !changes.empty,
    ...more,
    forgotten: changes.forgotten,
    shared: files(changes.shared),
    notes: changes.notes ?? [],
    rollouts: (changes.rollouts ?? []).map(({ name, steps }) => ({ name, steps })),
    pods: changes.pods.map((p) => ({
      name: p.name,
      verdict: p.verdict,
      files: files(p.files),
      containers: containersOf(p),
      units: p.units.map((u) => ({ unit: u.unit, role: u.role, container: u.container, verdict: u.verdict, reasons: u.reasons })),
    })),
  });
}

/** kubectl's way: one line per pod, and per ConfigMap and Secret that was to go. */
export function showReport(report: ApplyReport): string {
  const pods = report.pods.map((p) => `${entryName(p.name)} ${p.outcome === "rolled-back" ? "rolled back" : p.outcome}\n`);
  return [...pods, ...report.objects.map(showObject)].join("");
}

/** `pod/web`, `service/web`: what is no pod has its kind in its name. */
export function entryName(name: string): string {
  return isPodKey(name) ? `pod/${name}` : name;
}

export function showObject(object: ObjectReport): string {
  const name = objectName(object.name);
  if (object.outcome === "not-found") return `${name} not found\n`;
  if (object.outcome === "deleted") return `${name} deleted\n`;
  if (object.name.startsWith("PersistentVolumeClaim/") && object.pods.length === 0)
    return `${name} kept, with its files: podgen volume rm ${object.name.slice(object.name.indexOf("/") + 1)}\n`;
  return `${name} kept: pod ${object.pods.join(", ")} refers to it\n`;
}

/** `secret/login` for `Secret/login`, as kubectl writes it. */
function objectName(key: string): string {
  return key.replace(/^[^/]+/, (kind) => kind.toLowerCase());
}

/** What went wrong, with the last lines and the next step; warnings first, since they may be why. */
export function showFailures(report: ApplyReport): string {
  return (
    report.warnings.map((text) => `warning: ${text}\n`).join("") + report.pods.flatMap((pod) => pod.failures.map(showFailure)).join("")
  );
}

function showFailure(failure: ContainerFailure): string {
  const { pod, container, lastLines, hint } = failure;
  const reason = printable(failure.reason);
  if (container === undefined) return `error: ${isPodKey(pod) ? `pod ${pod}` : shownKey(pod)}: ${reason}\n  next: ${hint}\n`;
  const lines = lastLines.map((line) => `    | ${printable(line.replaceAll("\t", "    "))}\n`).join("");
  return (
    `error: pod ${pod}, container ${container}: ${reason}\n` +
    (lines === "" ? "  it has written nothing\n" : `  its last lines:\n${lines}`) +
    `  next: ${hint}\n`
  );
}

export function reportJson(report: ApplyReport): string {
  return json("ApplyReport", {
    changed: report.changed,
    exitCode: report.exitCode,
    warnings: report.warnings,
    pods: report.pods,
    objects: report.objects,
  });
}
