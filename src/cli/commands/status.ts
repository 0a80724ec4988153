// podgen status: pods, and for a named one its containers; and the Services; exit 3 when a named one does not run (LSB, as systemctl).

import { ownerName } from "../../base/owner.js";
import type { ContainerStatus, PodStatus, ServiceStatus } from "../../status/types.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { printListing } from "../listing.js";
import { manifestOf, type PodTarget, parseTarget, podsOf, serviceName, serviceStatuses, statuses } from "../pods.js";
import { age, printable, table } from "../print.js";
import { watchStatus } from "../status-watch.js";

export async function run(args: Args, context: Context): Promise<number> {
  if (args.flag("watch")) return watchStatus(args, context, (drawn) => show(args, drawn));
  return show(args, context);
}

async function show(args: Args, context: Context): Promise<number> {
  const words = args.list("pods");
  const names = words.filter((word) => serviceName(word) === undefined);
  const pods = words.length > 0 && names.length === 0 ? [] : await statuses(context, names);
  const services =
    names.length > 0 && names.length === words.length
      ? []
      : await serviceStatuses(
          context,
          words.flatMap((w) => serviceName(w) ?? []),
        );
  const now = Date.now();
  const format = args.text("output");
  if (words.length > 0 && format === "text") {
    context.out.write(pods.map((p) => describe(p, now)).join("\n"));
    if (services.length > 0) context.out.write(`${pods.length > 0 ? "\n" : ""}${table(serviceRows(services))}`);
  } else
    await printListing(args, context, {
      kind: "PodList",
      items: pods,
      ...(services.length === 0 ? {} : { beside: { services }, more: serviceRows(services) }),
      names: [...pods.map((p) => `pod/${p.name}`), ...services.map((s) => `service/${s.name}`)],
      rows: (wide) => [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "PORTS", ...(wide ? ["BOOT", "WORKLOAD", "SOURCE"] : [])],
        ...pods.map((p) => [
          p.name,
          `${p.ready}/${p.total}`,
          p.held ? `${p.phase} (held)` : p.phase,
          String(p.restarts),
          ageOf(p.startedAt, now),
          p.ports.join(","),
          ...(wide ? [p.enabled ? "enabled" : "disabled", p.owner === undefined ? "-" : ownerName(p.owner), p.source] : []),
        ]),
      ],
    });
  if (words.length === 0) return EXIT.done;
  const manifest = await manifestOf(context);
  const targets = names.flatMap((name) => podsOf(manifest, parseTarget(name)));
  const served = words.length === names.length || services.every((s) => s.closed.length === 0 && s.pods.some((p) => p.ready));
  return served && targets.every((target) => isFine(target, pods)) ? EXIT.done : EXIT.notRunning;
}

function serviceRows(services: readonly ServiceStatus[]): string[][] {
  return [
    ["SERVICE", "TYPE", "PORTS", "READY", "PODS"],
    ...services.map((s) => [
      s.name,
      s.type,
      s.ports.map((port) => (s.closed.includes(port) ? `${port} (closed)` : port)).join(","),
      `${s.pods.filter((p) => p.ready).length}/${s.pods.length}`,
      s.pods.map((p) => (p.ready ? p.name : `${p.name} (not ready)`)).join(","),
    ]),
  ];
}

/** True when the named pod, or the named container alone, runs or has done its work. */
function isFine(target: PodTarget, pods: readonly PodStatus[]): boolean {
  const pod = pods.find((p) => p.name === target.pod);
  if (target.container === undefined) return pod?.phase === "Running" || pod?.phase === "Succeeded";
  const phase = pod?.containers.find((c) => c.name === target.container)?.phase;
  return phase === "Running" || phase === "Completed";
}

function ageOf(startedAt: number | undefined, now: number): string {
  return startedAt === undefined ? "-" : age(now - startedAt);
}

function describe(pod: PodStatus, now: number): string {
  const head = [
    ["Pod:", pod.name],
    ...(pod.owner === undefined ? [] : [["Workload:", ownerName(pod.owner)]]),
    [
      "Status:",
      `${pod.phase}${pod.reason === undefined ? "" : ` (${pod.reason})`}${pod.waitsFor === undefined ? "" : ` for ${pod.waitsFor}`}`,
    ],
    ...(pod.held ? [["Held:", `yes: podgen release ${pod.name} starts it`]] : []),
    ["Ready:", `${pod.ready}/${pod.total}`],
    ["Unit:", `pod-${pod.name}.service (${pod.enabled ? "starts at boot" : "not enabled"})`],
    ["Source:", pod.source],
    ["Ports:", pod.ports.length > 0 ? pod.ports.join(", ") : "none"],
  ];
  const rows = pod.containers.map((c) => [
    c.init ? `${c.name} (init)` : c.sidecar ? `${c.name} (sidecar)` : c.name,
    c.phase === "Running" && !c.ready ? "Running, not ready" : c.phase,
    String(c.restarts),
    ageOf(c.startedAt, now),
    lastEnd(c),
    c.image,
    printable(c.message),
  ]);
  const containers = table([["CONTAINER", "STATUS", "RESTARTS", "AGE", "LAST END", "IMAGE", ""], ...rows]);
  return [table(head), containers, ...probeTable(pod), ...pod.containers.flatMap(lastWords)].join("\n");
}

/** Nothing where no container that runs has probes. */
function probeTable(pod: PodStatus): string[] {
  const rows = pod.containers.flatMap((c) =>
    Object.entries(c.probes ?? {}).map(([name, probe]) => [
      c.name,
      name,
      probe.state,
      probe.last === "unknown" ? "-" : `${probe.last} (${probe.run} in a row)`,
      printable(probe.message),
    ]),
  );
  return rows.length === 0 ? [] : [table([["CONTAINER", "PROBE", "STATE", "LAST", ""], ...rows])];
}

/** Who wrote them is not to be trusted: each line is shown as what it is. */
function lastWords({ name, terminationMessage }: ContainerStatus): string[] {
  if (terminationMessage === undefined) return [];
  const lines = terminationMessage.replace(/\n$/, "").split("\n");
  return [`Termination message of ${name}:\n${lines.map((line) => `  ${printable(line)}\n`).join("")}`];
}

function lastEnd(container: ContainerStatus): string {
  const { reason, exitCode, signal } = container;
  const how = exitCode === undefined ? signal : `exit ${exitCode}`;
  if (reason === "OOMKilled" || reason === "Watchdog") return how === undefined ? reason : `${reason} (${how})`;
  return how ?? reason ?? "-";
}
