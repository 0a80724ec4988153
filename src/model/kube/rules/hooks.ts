// Lifecycle hooks: one handler each, on containers that run beside others, and no longer than the pod waits for their end.
import type { Reader } from "../../../spec/reader.js";
import { HANDLERS } from "../hooks.js";
import type { PodView } from "../view.js";
import { port } from "./probes.js";

export function hooks({ model, containers, report }: PodView): void {
  for (const { model: container, reader } of containers) {
    const lifecycle = reader.object("lifecycle");
    for (const name of ["postStart", "preStop"] as const) {
      const hook = lifecycle?.object(name);
      if (lifecycle === undefined || hook === undefined) continue;
      if (container.init && container.sidecar !== true) {
        const problem = "an init container has hooks only with restartPolicy: Always";
        report.error("misplaced-field", lifecycle.keyPlace(name), lifecycle.pathOf(name), problem, "remove it");
      } else {
        oneHandler(hook, lifecycle, name, report);
        port(hook.object("httpGet"), container, report);
        timely(hook, model.terminationGracePeriodSeconds, report);
      }
    }
  }
}

type Report = PodView["report"];

function oneHandler(hook: Reader, lifecycle: Reader, name: string, report: Report): void {
  const given = HANDLERS.filter((handler) => hook.get(handler) !== undefined);
  const [first, second] = given;
  if (first === undefined)
    report.error("missing-field", lifecycle.keyPlace(name), lifecycle.pathOf(name), "says nothing to do", "write exec, httpGet or sleep");
  else if (second !== undefined)
    report.error("contradiction", hook.keyPlace(second), hook.pathOf(second), `${first} is given too`, "keep one of them");
  const exec = hook.object("exec");
  if (exec !== undefined && (exec.texts("command") ?? []).length === 0)
    report.error("missing-field", exec.keyPlace("command"), exec.pathOf("command"), "is empty or missing", "say what to execute");
}

/** As Kubernetes: a wait that the end of the container would cut short is a mistake. */
function timely(hook: Reader, grace: number, report: Report): void {
  const sleep = hook.object("sleep");
  const seconds = sleep?.integer("seconds");
  if (sleep === undefined || seconds === undefined || seconds <= grace) return;
  const problem = `is longer than terminationGracePeriodSeconds (${grace})`;
  report.error("bad-value", sleep.place("seconds"), sleep.pathOf("seconds"), problem, "make it shorter, or the grace longer");
}
