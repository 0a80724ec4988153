// podgen status: pods, and for a named one its containers; and Services, Jobs and CronJobs; exit 3 when a named one does not run (LSB, as systemctl).

import { cronKey } from "../../base/cron.js";
import { isDriven } from "../../base/job.js";
import { ownerName } from "../../base/owner.js";
import type { ContainerStatus, JobStatus, PodStatus, ServiceStatus } from "../../status/types.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { cronRows, describeCron } from "../cron-rows.js";
import { cronStatuses } from "../crons.js";
import { EXIT } from "../exit.js";
import { describeJob, isFineJob, jobRows } from "../job-rows.js";
import { printListing } from "../listing.js";
import { jobName, jobStatuses, manifestOf, type PodTarget, parseTarget, podsOf, serviceName, serviceStatuses, statuses } from "../pods.js";
import { age, printable, table } from "../print.js";
import { watchStatus } from "../status-watch.js";
import { cronName } from "../targets.js";

export async function run(args: Args, context: Context): Promise<number> {
  if (args.flag("watch")) return watchStatus(args, context, (drawn) => show(args, drawn));
  return show(args, context);
}

async function show(args: Args, context: Context): Promise<number> {
  const words = args.list("pods");
  const manifest = await manifestOf(context);
  const jobNames = words.flatMap((w) => jobName(manifest, w) ?? []);
  const cronNames = words.flatMap((w) => cronName(manifest, w) ?? []);
  const names = words.filter((w) => [serviceName(w), jobName(manifest, w), cronName(manifest, w)].every((name) => name === undefined));
  const served = words.flatMap((w) => serviceName(w) ?? []);
  const all = words.length === 0;
  const pods = all || names.length > 0 ? await statuses(context, names) : [];
  const services = all || served.length > 0 ? await serviceStatuses(context, served) : [];
  const jobs = all || jobNames.length > 0 ? await jobStatuses(context, jobNames) : [];
  const crons = all || cronNames.length > 0 ? await cronStatuses(context, cronNames) : [];
  const now = Date.now();
  if (!all && args.text("output") === "text") {
    const made = jobs.length === 0 ? [] : await statuses(context, []);
    const ofJob = (job: JobStatus): PodStatus[] => made.filter((p) => isDriven(p.owner) && p.owner?.name === job.name);
    const parts = [
      ...pods.map((p) => describe(p, now)),
      ...jobs.map((job) => describeJob(job, podRows(ofJob(job), false, now), now)),
      ...crons.map((cron) => describeCron(cron, now)),
      ...(services.length > 0 ? [table(serviceRows(services))] : []),
    ];
    context.out.write(parts.join("\n"));
  } else
    await printListing(args, context, {
      kind: "PodList",
      items: pods,
      beside: {
        ...(services.length === 0 ? {} : { services }),
        ...(jobs.length === 0 ? {} : { jobs }),
        ...(crons.length === 0 ? {} : { crons }),
      },
      more: [
        ...(crons.length === 0 ? [] : [cronRows(crons, now)]),
        ...(jobs.length === 0 ? [] : [jobRows(jobs, now)]),
        ...(services.length === 0 ? [] : [serviceRows(services)]),
      ],
      names: [
        ...pods.map((p) => `pod/${p.name}`),
        ...services.map((s) => `service/${s.name}`),
        ...jobs.map((j) => `job/${j.name}`),
        ...crons.map((c) => cronKey(c.name)),
      ],
      rows: (wide) => podRows(pods, wide, now),
    });
  if (all) return EXIT.done;
  const targets = names.flatMap((name) => podsOf(manifest, parseTarget(name)));
  const open = services.every((s) => s.closed.length === 0 && s.pods.some((p) => p.ready));
  return open && jobs.every(isFineJob) && crons.every((c) => !c.stopped) && targets.every((target) => isFine(target, pods))
    ? EXIT.done
    : EXIT.notRunning;
}

function podRows(pods: readonly PodStatus[], wide: boolean, now: number): string[][] {
  return [
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
  ];
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
