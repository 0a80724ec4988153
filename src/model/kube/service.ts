// What a pod's annotations ask for a container: of systemd's protocol for services (sd_notify(3), sd_listen_fds(3)), of its files.
import type { Container } from "../types.js";
import { annotationOf, namesIn, signalNumber } from "./annotations.js";

export type ServiceWishes = Pick<Container, "notify" | "watchdogSeconds" | "sockets" | "updatesFiles" | "reloadSignal">;

/** Of an init container how its files change alone, and none of it where it was not asked for: that is podgen's own way. */
export function readService(annotations: Readonly<Record<string, string>>, container: string, init: boolean): ServiceWishes {
  const files = annotationOf(annotations, "configReload", container) === "update" ? { updatesFiles: true as const } : {};
  if (init) return files;
  const signal = signalNumber(annotationOf(annotations, "reloadSignal", container) ?? "");
  const watchdog = annotationOf(annotations, "watchdogSec", container);
  const sockets = annotationOf(annotations, "socketActivation", container);
  return {
    ...files,
    ...(signal === undefined ? {} : { reloadSignal: signal }),
    ...(annotationOf(annotations, "sdnotify", container) === "container" ? { notify: true as const } : {}),
    ...(watchdog === undefined ? {} : { watchdogSeconds: Number(watchdog) }),
    ...(sockets === undefined ? {} : { sockets: namesIn(sockets) }),
  };
}
