// Probes: one handler each, ports that are there, and no more than their kind can say; on containers that run beside others.
import { quote } from "../../../spec/quote.js";
import type { Reader } from "../../../spec/reader.js";
import type { Container, ProbeKind } from "../../types.js";
import { PROBE_FIELDS, PROBE_HANDLERS, portOf } from "../probes.js";
import type { PodView } from "../view.js";

type Report = PodView["report"];

export function probes({ containers, report }: PodView): void {
  for (const { model, reader } of containers)
    for (const [kind, field] of PROBE_FIELDS) {
      const probe = reader.object(field);
      if (probe === undefined) continue;
      if (model.init && model.sidecar !== true) {
        const problem = "an init container has no probes: it runs to its end before the others start";
        report.error("misplaced-field", reader.keyPlace(field), reader.pathOf(field), problem, "remove it");
        continue;
      }
      oneHandler(probe, reader, field, report);
      for (const name of ["httpGet", "tcpSocket"]) port(probe.object(name), model, report);
      ofItsKind(probe, kind, report);
    }
}

function oneHandler(probe: Reader, container: Reader, field: string, report: Report): void {
  const [first, second] = PROBE_HANDLERS.filter((handler) => probe.get(handler) !== undefined);
  const hint = "write exec, httpGet, tcpSocket or grpc";
  if (first === undefined) report.error("missing-field", container.keyPlace(field), container.pathOf(field), "says nothing to do", hint);
  else if (second !== undefined)
    report.error("contradiction", probe.keyPlace(second), probe.pathOf(second), `${first} is given too`, "keep one of them");
  const exec = probe.object("exec");
  if (exec !== undefined && (exec.texts("command") ?? []).length === 0)
    report.error("missing-field", exec.keyPlace("command"), exec.pathOf("command"), "is empty or missing", "say what to execute");
}

/** The port of a handler that is given is a number, or the name of one of the container's. */
export function port(handler: Reader | undefined, container: Container, report: Report): void {
  const written = handler?.text("port") ?? handler?.integer("port");
  if (handler === undefined || written === undefined || portOf(handler, container.ports) !== undefined) return;
  const named = container.ports.flatMap((p) => (p.name === undefined ? [] : [p.name]));
  const numeric = typeof written === "number" || /^\d+$/.test(written);
  const problem = numeric ? `${written} must be from 1 to 65535` : `the container has no port named ${quote(String(written))}`;
  const hint = numeric
    ? undefined
    : named.length === 0
      ? "name one in ports, or write the number"
      : `its ports are named ${named.join(", ")}`;
  report.error("bad-value", handler.place("port"), handler.pathOf("port"), problem, hint);
}

/** As Kubernetes: what has started has started, and what is not ready is not ended. */
function ofItsKind(probe: Reader, kind: ProbeKind, report: Report): void {
  const successes = probe.integer("successThreshold") ?? 0;
  if (kind !== "readiness" && successes > 1)
    report.error(
      "bad-value",
      probe.place("successThreshold"),
      probe.pathOf("successThreshold"),
      `must be 1 for a ${kind} probe`,
      "remove it",
    );
  const grace = "terminationGracePeriodSeconds";
  if (kind === "readiness" && probe.get(grace) !== undefined)
    report.error("misplaced-field", probe.keyPlace(grace), probe.pathOf(grace), "a readiness probe ends nothing", "remove it");
}
