// What a pod's annotations ask for a container of systemd's protocol for services (sd_notify(3), sd_listen_fds(3)).
import type { Container } from "../types.js";
import { annotationOf, namesIn } from "./annotations.js";

export type ServiceWishes = Pick<Container, "notify" | "watchdogSeconds" | "sockets">;

/** Nothing for an init container, and none of it where it was not asked for: that is podgen's own way. */
export function readService(annotations: Readonly<Record<string, string>>, container: string, init: boolean): ServiceWishes {
  if (init) return {};
  const watchdog = annotationOf(annotations, "watchdogSec", container);
  const sockets = annotationOf(annotations, "socketActivation", container);
  return {
    ...(annotationOf(annotations, "sdnotify", container) === "container" ? { notify: true as const } : {}),
    ...(watchdog === undefined ? {} : { watchdogSeconds: Number(watchdog) }),
    ...(sockets === undefined ? {} : { sockets: namesIn(sockets) }),
  };
}
