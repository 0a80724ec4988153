// The units of containers and init containers.
import containerTemplate from "../../../templates/container.service";
import initTemplate from "../../../templates/init.service";
import type { HostFacts } from "../../base/facts.js";
import { gateUnit, infraUnit, podSlice, podUnit, probeUnit, runDir, uplinkUnit } from "../../plan/names.js";
import { passedSockets } from "../../plan/ports.js";
import { isGated } from "../../plan/probes.js";
import { before, follows } from "../../plan/sequence.js";
import type { PlannedContainer, PlannedResources, PodPlan } from "../../plan/types.js";
import { execLine, unitList, unitValue } from "./escape.js";
import { finalWords, RESTART, restartForce, restartInit } from "./restart.js";
import { fill, type Values } from "./template.js";

/** `pod-web_app.service`. */
export function containerBody(pod: PodPlan, container: PlannedContainer, facts: HostFacts): string {
  return fill(containerTemplate, {
    ...common(pod, container, facts, passedSockets(pod, container)),
    DESCRIPTION: unitValue(`Pod ${pod.name}: container ${container.name}`),
    EXEC_START: execLine([facts.paths.podrt, "run", "--bundle", container.bundle]),
    RESTART: RESTART[container.restartPolicy],
    NOTIFY_ACCESS: notifyAccess(container),
    EXEC_START_POST: startPost(pod, container, facts),
    DRAIN: drain(pod, container, facts),
    EXEC_STOP: preStop(pod, container, facts),
    WATCHDOG: text(container.watchdogSeconds),
    PROBE: container.probes === undefined ? undefined : probeUnit(pod.name, container.name),
    PROBED: probed(pod, container, facts),
    SOCKETS: unitList(passedSockets(pod, container)),
    RESTART_FORCE: restartForce(container),
  });
}

/**
 * A payload that speaks for itself may have helpers speak for it, as podman lets them; a hook after the start says why it has failed.
 * podrt needs `main` alone.
 */
function notifyAccess(container: PlannedContainer): string {
  return container.notify ? "all" : container.postStart === undefined ? "main" : "exec";
}

/** What makes the mark `ready` where podrt run does not: it is not ready before it says so, or before its hook has ended. */
function startPost(pod: PodPlan, container: PlannedContainer, { paths }: HostFacts): string | undefined {
  // A failure ends the container, and for that it has to know how, where there is a preStop.
  const stop = container.preStop === undefined ? [] : graceWords(pod, container);
  if (container.postStart !== undefined) return execLine([paths.podrt, "hook", "--post-start", ...stop, "--bundle", container.bundle]);
  return container.notify && !isGated(container) ? execLine([paths.podrt, "mark", "--ready", runDir(pod.name, container.name)]) : undefined;
}

/** Where the manager starts it again only if it has failed, or says how the pod ended: a clean end that a probe asked for is none. */
function probed(pod: PodPlan, container: PlannedContainer, { paths }: HostFacts): string | undefined {
  const ends = container.probes?.liveness !== undefined || container.probes?.startup !== undefined;
  return ends && container.restartPolicy !== "Always"
    ? execLine([paths.podrt, "mark", "--probed", runDir(pod.name, container.name)])
    : undefined;
}

/** What it cannot do the manager's own signals do: no failure of the container's. */
function preStop(pod: PodPlan, container: PlannedContainer, { paths }: HostFacts): string | undefined {
  if (!stopsItself(pod, container)) return undefined;
  return `-${execLine([paths.podrt, "hook", "--pre-stop", ...stopWords(pod, container), "--bundle", container.bundle])}`;
}

/** It stops all the same where this fails. */
function drain({ name, drainSeconds }: PodPlan, container: PlannedContainer, { paths }: HostFacts): string | undefined {
  if (drainSeconds === undefined) return undefined;
  return `-${execLine([paths.podrt, "drain", "--seconds", String(drainSeconds), runDir(name, container.name)])}`;
}

/** A sidecar stops after the others, and has what they have left of the pod's grace. */
function stopWords(pod: PodPlan, container: PlannedContainer): string[] {
  return [...graceWords(pod, container), ...(container.sidecar ? ["--shared"] : [])];
}

function graceWords(pod: PodPlan, container: PlannedContainer): string[] {
  return ["--grace", String(pod.graceSeconds), "--signal", container.stopSignal];
}

/** By podrt, which knows of what else the grace is for; else by the manager's signals alone. */
function stopsItself(pod: PodPlan, container: PlannedContainer): boolean {
  return container.preStop !== undefined || (container.sidecar === true && pod.graceSeconds > 0);
}

/** An init container's unit. */
export function initBody(pod: PodPlan, container: PlannedContainer, facts: HostFacts): string {
  return fill(initTemplate, {
    ...common(pod, container, facts),
    DESCRIPTION: unitValue(`Pod ${pod.name}: init container ${container.name}`),
    WANTS: unitList(follows(pod, container).map((c) => c.unit)),
    EXEC_START: execLine([facts.paths.podrt, "oneshot", "--bundle", container.bundle]),
    ...restartInit(container),
  });
}

/** What both have. */
function common(pod: PodPlan, container: PlannedContainer, facts: HostFacts, sockets: readonly string[] = []): Values {
  const infra = infraUnit(pod.name);
  const { all, init, sidecars } = before(pod, container);
  const { podrt } = facts.paths;
  const gate = pod.after === undefined ? [] : [gateUnit(pod.name)];
  return {
    INFRA: infra,
    GATE: unitList(gate),
    REQUISITE: init?.unit,
    AFTER: unitList([infra, ...gate, ...(pod.uplink ? [uplinkUnit(pod.name)] : []), ...all.map((c) => c.unit), ...sockets]),
    // After= is not enough: a start that fails is over, too.
    EXEC_START_PRE:
      sidecars.length === 0 ? undefined : execLine([podrt, "wait", "--started", ...sidecars.map((c) => runDir(pod.name, c.name))]),
    POD: podUnit(pod.name),
    SLICE: unitValue(podSlice(pod.name)),
    // No grace is no chance to end: SIGKILL at once (to systemd, a time-out of 0 is none at all).
    KILL_SIGNAL: pod.graceSeconds === 0 ? "SIGKILL" : container.stopSignal,
    TIMEOUT_STOP: String(stopSeconds(pod, container)),
    // What it could not record is no failure of the container's.
    EXEC_STOP_POST: `-${execLine([podrt, "mark", "--ended", ...finalWords(container), runDir(pod.name, container.name)])}`,
    ...limitValues(container),
    TASKS_MAX: container.tasksMax === undefined ? undefined : String(container.tasksMax),
    ALLOWED_CPUS: container.allowedCpus,
    ALLOWED_MEMORY_NODES: container.allowedMemoryNodes,
  };
}

/** systemd.resource-control(5) of a container's unit, or of a pod's slice. */
export function limitValues(resources: PlannedResources): Values {
  return {
    CPU_QUOTA: resources.cpuQuotaPercent === undefined ? undefined : `${resources.cpuQuotaPercent}%`,
    CPU_WEIGHT: text(resources.cpuWeight),
    MEMORY_MAX: text(resources.memoryMax),
    MEMORY_MIN: text(resources.memoryMin),
  };
}

/** After a hook that took all of the grace a container has two seconds more, and podrt, who waits for it, needs some for itself. */
const HOOK_SECONDS = 8;

/** How long a container may take from the beginning of its stop to its end. */
export function stopSeconds(pod: PodPlan, container: PlannedContainer): number {
  if (stopsItself(pod, container)) return pod.graceSeconds + HOOK_SECONDS;
  return pod.graceSeconds === 0 ? 10 : pod.graceSeconds;
}

/** How long all of a pod's containers may take: they stop at the same time, and then the sidecars one after the other, with two seconds each at least. */
export function podStopSeconds(pod: PodPlan): number {
  const sidecars = pod.containers.filter((c) => c.sidecar);
  const others = pod.containers.filter((c) => !c.sidecar);
  return (
    (pod.drainSeconds ?? 0) +
    Math.max(...others.map((c) => stopSeconds(pod, c))) +
    sidecars.length * (pod.graceSeconds === 0 ? 10 : HOOK_SECONDS)
  );
}

function text(number: number | undefined): string | undefined {
  return number === undefined ? undefined : String(number);
}
