// Why a pod is not as it should be: from what is seen to what it comes from, each with the next step. Pure.
import type { ManifestPod, PodFailure, ProbeKill, UnitState } from "../base/installed.js";
import { readSocketUnit } from "../base/socket-unit.js";
import type { ContainerStatus, PodStatus } from "./types.js";

/** One link of the chain; the one after it is why. */
export interface Cause {
  readonly what: string;
  /** Whose last lines tell more. */
  readonly unit?: string;
  /** A command, or what to change. */
  readonly next?: string;
  /** The pod whose own chain goes on from here. */
  readonly pod?: string;
}

/** What is known of a pod beside its status. */
export interface WhyFacts {
  readonly entry: ManifestPod;
  readonly units: ReadonlyMap<string, UnitState>;
  readonly failure: PodFailure | undefined;
  /** By container: of those whose last process a probe has ended. */
  readonly killed: ReadonlyMap<string, ProbeKill>;
  /** By container: what of its image is not in the store. */
  readonly missing: ReadonlyMap<string, string>;
  /** A version of it was tried, failed, and is not tried again. */
  readonly rejected: boolean;
}

/** The chain, what is seen first; empty where the pod does what it is for. */
export function causesOf(pod: PodStatus, facts: WhyFacts): Cause[] {
  const causes = [...held(pod), ...ended(pod, facts)];
  if (causes.length > 0) return causes;
  const chain = [...unusable(facts), ...waiting(pod), ...sockets(facts), ...helpers(pod, facts), ...containers(pod, facts)];
  if (chain.length === 0 && pod.phase === "Stopped")
    chain.push({ what: "it is stopped, and nothing of it has failed", next: `podgen start ${pod.name}` });
  const wrong = chain.length > 0 ? [{ what: symptom(pod) }, ...chain] : [];
  return facts.rejected ? [...wrong, rejected(pod)] : wrong;
}

function symptom({ name, phase, reason, ready, total }: PodStatus): string {
  return `pod ${name} is ${phase}${reason === undefined ? "" : ` (${reason})`}, ${ready} of ${total} containers ready`;
}

function held({ name, held: is }: PodStatus): Cause[] {
  return is === true ? [{ what: `pod ${name} is held: a person has stopped it`, next: `podgen release ${name}` }] : [];
}

/** What podrt has ended by itself. */
function ended(pod: PodStatus, { failure }: WhyFacts): Cause[] {
  if (failure === undefined) return [];
  const next =
    failure.reason === "DeadlineExceeded" ? `a longer activeDeadlineSeconds, or podgen start ${pod.name}` : `podgen start ${pod.name}`;
  return [{ what: symptom(pod) }, { what: `it was ended: ${failure.reason}: ${failure.message}`, next }];
}

const UNUSABLE: ReadonlySet<string> = new Set(["bad-setting", "error", "masked"]);

/** Units that the manager cannot read: a drop-in with a mistake, say. */
function unusable({ units, entry }: WhyFacts): Cause[] {
  return entry.units.flatMap((name): Cause[] => {
    const unit = units.get(name);
    if (unit === undefined) return [];
    if (unit.loadState === "not-found")
      return [{ what: `the file of ${name} is gone`, next: `podgen apply ${entry.source} brings it back` }];
    if (!UNUSABLE.has(unit.loadState)) return [];
    return [{ what: `systemd cannot use ${name}: ${unit.loadError ?? unit.loadState}`, next: `systemctl --user cat ${name}` }];
  });
}

/** Other pods come first. */
function waiting({ waitsFor }: PodStatus): Cause[] {
  if (waitsFor === undefined) return [];
  const pod = /^pod (\S+) to be /.exec(waitsFor)?.[1];
  return [{ what: `it waits for ${waitsFor}`, ...(pod === undefined ? {} : { pod, next: `podgen why ${pod}` }) }];
}

function sockets({ units, entry }: WhyFacts): Cause[] {
  return entry.units.flatMap((name): Cause[] => {
    const port = readSocketUnit(name);
    if (port === undefined || units.get(name)?.activeState !== "failed") return [];
    const { hostPort, protocol } = port;
    const tool = `ss -H${protocol === "UDP" ? "lunp" : "ltnp"} 'sport = :${hostPort}'`;
    return [{ what: `host port ${hostPort}/${protocol} cannot be opened: another program may listen on it`, next: tool }];
  });
}

/** Infra and the uplink: without them no container starts. */
function helpers({ name }: PodStatus, { units }: WhyFacts): Cause[] {
  return ["infra", "uplink"].flatMap((role): Cause[] => {
    const unit = `pod-${name}__${role}.service`;
    const state = units.get(unit);
    // The uplink's word for a machine without pasta is a status of its own, and no failure.
    if (state?.activeState !== "failed") return [];
    return [
      { what: `${unit} has failed (${state.service?.result ?? "unknown"})`, unit, next: `journalctl --user-unit ${unit}; podgen doctor` },
    ];
  });
}

/** The first container that holds the others back, or each that is not well. */
function containers(pod: PodStatus, facts: WhyFacts): Cause[] {
  const stopped = pod.phase === "Stopped" || pod.phase === "Waiting";
  const bad = pod.containers.filter((c) => !isWell(c) && !(stopped && (c.phase === "Stopped" || c.phase === "Missing")));
  const first = bad.find((c) => c.init || c.sidecar);
  return (first === undefined ? bad.filter((c) => c.phase !== "Missing" || bad.length === 1) : [first]).flatMap((c) =>
    container(pod, c, facts),
  );
}

function isWell({ phase, ready }: ContainerStatus): boolean {
  return phase === "Completed" || (phase === "Running" && ready);
}

function container(pod: PodStatus, c: ContainerStatus, facts: WhyFacts): Cause[] {
  const name = `${c.init ? "init container" : c.sidecar ? "sidecar" : "container"} ${c.name}`;
  const unit = c.unit;
  if (c.phase === "Running") return [{ what: `${name} runs and is not ready` }, ...probes(pod, c)];
  const where = c.message === "" ? c.phase : c.message;
  const state: Cause = { what: `${name}: ${where}${c.restarts > 0 ? `, started again ${c.restarts} times` : ""}` };
  const missing = facts.missing.get(c.name);
  if (missing !== undefined)
    return [
      state,
      {
        what: `its image ${c.image} is not whole in the store: ${missing}`,
        next: `podgen image fsck --repair; podgen apply ${pod.source}`,
      },
    ];
  if (c.phase === "Starting" && c.reason === undefined) return [state, ...probes(pod, c)];
  if (c.phase === "Missing" || (c.phase === "Stopped" && c.reason === undefined)) return [{ ...state, next: `podgen start ${pod.name}` }];
  const kill = facts.killed.get(c.name);
  const by: Cause[] =
    kill === undefined
      ? []
      : [
          {
            what: `its ${kill.probe} probe has ended it: ${kill.message}`,
            next: `what the probe asks for, or its timing: podgen explain pod.spec.containers.${kill.probe}Probe`,
          },
        ];
  return [state, { what: `it ${howEnded(c)}`, unit, next: by.length > 0 ? "" : advice(pod, c) }, ...by].map(withoutEmpty);
}

function withoutEmpty({ next, ...cause }: Cause): Cause {
  return next === undefined || next === "" ? cause : { ...cause, next };
}

function probes(pod: PodStatus, { name, probes: found = {}, unit }: ContainerStatus): Cause[] {
  const failing = (["startup", "readiness"] as const).find((probe) => found[probe] !== undefined && found[probe]?.state !== "ok");
  const probe = failing === undefined ? undefined : found[failing];
  if (failing === undefined || probe === undefined)
    return [{ what: "it has not said yet that it is ready", unit, next: `podgen logs -f ${pod.name}/${name}` }];
  const tries =
    probe.last === "failed" ? `has failed ${probe.run} times in a row: ${probe.message}` : "has not been asked often enough yet";
  return [{ what: `its ${failing} probe ${tries}`, unit, next: `podgen exec ${pod.name}/${name} -- COMMAND, to ask as the probe does` }];
}

function howEnded({ reason, exitCode, signal }: ContainerStatus): string {
  if (reason === "OOMKilled") return "was killed for its memory (OOMKilled): it took more than resources.limits.memory";
  if (reason === "Watchdog") return "was ended by its watchdog: it had not said in time that it is alive";
  if (signal !== undefined) return `was ended by ${signal}`;
  return exitCode === undefined ? "has ended" : `exited with status ${exitCode}${EXITS[exitCode] ?? ""}`;
}

/** podrt's own codes (native/README.md). */
const EXITS: Readonly<Record<number, string>> = {
  125: ": podrt could not make the container",
  126: ": its command cannot be executed",
  127: ": its command is not in the image",
};

function advice(pod: PodStatus, c: ContainerStatus): string {
  if (c.reason === "OOMKilled") return "a higher resources.limits.memory, or a program that needs less";
  if (c.exitCode === 127 || c.exitCode === 126) return `command and args of its spec; podgen image inspect store:${c.image}`;
  if (c.exitCode === 125) return `journalctl --user-unit ${c.unit}; podgen doctor`;
  return `podgen logs ${pod.name}/${c.name}`;
}

function rejected({ name, source }: PodStatus): Cause {
  return {
    what: `another version of pod ${name} has failed, or was left by a rollback, and watch does not try it again until it changes`,
    next: `podgen diff ${source}`,
  };
}
