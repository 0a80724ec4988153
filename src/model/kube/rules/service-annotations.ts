// What annotations ask of systemd must fit the container they speak for: who pings must be heard, who gets sockets must have such ports.
import { quote } from "../../../spec/quote.js";
import type { AnnotationName } from "../annotations.js";
import { annotationKey, annotationOf } from "../annotations.js";
import type { ContainerView, PodView } from "../view.js";

export function serviceAnnotations(view: PodView): void {
  for (const container of view.containers) {
    reload(view, container);
    if (container.model.init && container.model.sidecar !== true) continue;
    healthy(view, container);
    watchdog(view, container);
    sockets(view, container);
  }
}

/** Reports at the annotation that speaks for the container in this matter. */
function reportAt(view: PodView, { model }: ContainerView, name: AnnotationName, problem: string, hint: string): void {
  const annotations = view.reader.object("metadata")?.object("annotations");
  const key = annotationKey(view.model.annotations, name, model.name);
  if (annotations === undefined || key === undefined) return;
  view.report.error("bad-annotation", annotations.place(key), annotations.pathOf(key), problem, hint);
}

function reload(view: PodView, container: ContainerView): void {
  const { updatesFiles, reloadSignal } = container.model;
  if (updatesFiles && view.model.userns !== undefined) {
    const problem = 'is "update", and podgen updates no files in a user namespace of the pod\'s own';
    reportAt(
      view,
      container,
      "configReload",
      problem,
      "write restart, or let the pod have the user's namespace (podgen.io/userns: shared)",
    );
  }
  if (reloadSignal !== undefined && !updatesFiles)
    reportAt(view, container, "reloadSignal", "says nothing where files are not updated", "write podgen.io/config-reload: update too");
}

function healthy(view: PodView, container: ContainerView): void {
  const { name, probes } = container.model;
  if (
    annotationOf(view.model.annotations, "sdnotify", name) !== "healthy" ||
    probes?.startup !== undefined ||
    probes?.readiness !== undefined
  )
    return;
  reportAt(view, container, "sdnotify", `container ${quote(name)} has no startup or readiness probe that could say so`, "give it one");
}

function watchdog(view: PodView, container: ContainerView): void {
  const { name, watchdogSeconds, notify } = container.model;
  if (watchdogSeconds === undefined || notify === true) return;
  const problem = `container ${quote(name)} would be ended: without sdnotify "container" nothing that it says is heard`;
  reportAt(view, container, "watchdogSec", problem, `add sdnotify.podgen.io/${name}: container`);
}

function sockets(view: PodView, container: ContainerView): void {
  const { name, sockets: wanted, ports } = container.model;
  if (wanted === undefined) return;
  const fail = (problem: string, hint: string): void => reportAt(view, container, "socketActivation", problem, hint);
  if (view.model.hostNetwork) fail("a pod in the host's network publishes no ports", "take hostNetwork or the annotation out");
  if (view.model.restartPolicy !== "Always")
    fail(`with restartPolicy ${view.model.restartPolicy} a connection would start what has ended for good`, "write restartPolicy: Always");
  for (const wish of wanted) {
    if (wish === "") continue;
    const port = ports.find((p) => p.name === wish);
    if (port === undefined) fail(`container ${quote(name)} has no port named ${quote(wish)}`, "ports are given by their name");
    else if (port.hostPort === undefined) fail(`port ${quote(wish)} has no hostPort that systemd could listen on`, "give it one");
    else if (sharedWithInit(view, port.hostPort, port.protocol))
      fail(`host port ${port.hostPort} of ${quote(wish)} is an init container's too`, "give them different ones");
  }
}

/** Host addresses that clash are another rule's matter, and those that do not may go on. */
function sharedWithInit(view: PodView, hostPort: number, protocol: string): boolean {
  return view.model.initContainers.some((c) => c.ports.some((p) => p.hostPort === hostPort && p.protocol === protocol));
}
