// What the manager remarks on units of pods, as events of pods and containers; pure.
import type { Remark } from "../ports/journal.js";

export type EventType = "Started" | "Ready" | "Ended" | "Stopped" | "Failed" | "Restarting" | "OOMKilled" | "Note";

export interface PodEvent {
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly type: EventType;
  /** Absent: of a Job, a CronJob or a Service, by its unit. */
  readonly pod?: string;
  /** Absent: of the pod as a whole. */
  readonly container?: string;
  readonly unit: string;
  readonly exitCode?: number;
  readonly signal?: string;
  /** How often it was started again by itself. */
  readonly restarts?: number;
  /** The manager's, or podrt's, own words. */
  readonly message: string;
}

/** MESSAGE_ID of systemd's catalog (sd-messages.h) -> what has happened to a unit. */
const TYPES: Readonly<Record<string, EventType>> = {
  "39f53479d3a045ac8e11786248231fbf": "Started",
  be02cf6855d2428ba40df7e9d022f03d: "Failed",
  "9d1aaa27d60140bd96365438aad20286": "Stopped",
  "98e322203f7a4ed290d09fe03c09fe15": "Ended",
  "7ad2d189f7e94e70a38c781354912448": "Ended",
  d9b373ed55a64feb8242e02dbe79a49c: "Failed",
  "5eb03494b6584870a536b337290809b3": "Restarting",
  fe6faa94e7774663a0da52717891d8ef: "OOMKilled",
};

/** `pod-web.service`, `pod-web_app.service`, `pod-web__infra.service`, `pod-web__8080-tcp.socket`. */
const POD_UNIT = /^pod-([a-z0-9.-]+?)(?:_([a-z0-9-]+)|__(.+))?\.(?:service|socket|timer)$/;
const OTHER_UNIT = /^podgen-(?:job|cron|svc)-.+\.(?:service|socket|timer)$/;
/** Parts of a pod come and go with it: only their failures say more. */
const OF_PARTS: ReadonlySet<EventType> = new Set(["Failed", "OOMKilled", "Note"]);

/** Undefined for what is no event of a pod, a Job, a CronJob or a Service. */
export function eventOf(remark: Remark): PodEvent | undefined {
  const type = remark.identifier === "podrt" ? "Note" : TYPES[remark.messageId];
  if (type === undefined) return undefined;
  const { time, unit, message } = remark;
  const [matched, pod, container, part] = POD_UNIT.exec(unit) ?? [];
  if (matched === undefined || pod === undefined)
    return OTHER_UNIT.test(unit) ? { time, type, unit, message, ...details(remark) } : undefined;
  if (part !== undefined && !OF_PARTS.has(type)) return undefined;
  // The pod's own unit starts when all its containers are ready, and has no process that could end.
  if (container === undefined && part === undefined && type === "Ended") return undefined;
  const shown = container === undefined && part === undefined && type === "Started" ? "Ready" : type;
  return { time, type: shown, pod, ...(container === undefined ? {} : { container }), unit, message, ...details(remark) };
}

/** Of a process that was killed EXIT_STATUS is the signal's number or name, by the version. */
function details({ exitCode, exitStatus, restarts }: Remark): Pick<PodEvent, "exitCode" | "signal" | "restarts"> {
  const status = exitStatus.replace(/\/.*$/, "");
  return {
    ...(exitCode === "exited" && /^\d+$/.test(status) ? { exitCode: Number(status) } : {}),
    ...((exitCode === "killed" || exitCode === "dumped") && status !== "" ? { signal: signalOf(status) } : {}),
    ...(/^\d+$/.test(restarts) ? { restarts: Number(restarts) } : {}),
  };
}

function signalOf(status: string): string {
  return /^\d+$/.test(status) ? status : `SIG${status.replace(/^SIG/, "")}`;
}
