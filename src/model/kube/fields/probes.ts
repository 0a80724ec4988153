// Fields of probes and lifecycle hooks. Probes are known, and refused where they are used until podgen runs them.

import { list, names, object } from "../../../spec/schema.js";
import { signalName } from "../formats.js";

/** systemd's time spans are far larger; 68 years are enough. */
const MAX_SECONDS = 2147483647;

const EXEC = object("ExecAction", { command: { type: list("string") } });
const GRPC = object("GRPCAction", { port: { type: "integer" }, service: { type: "string" } });
const HTTP_HEADER = names("HTTPHeader", "name value");
const HTTP_GET = object("HTTPGetAction", {
  host: { type: "string" },
  httpHeaders: { type: list(HTTP_HEADER) },
  path: { type: "string" },
  port: { type: "integerOrString" },
  scheme: { type: "string", values: ["HTTP", "HTTPS"] },
});
const TCP_SOCKET = object("TCPSocketAction", { host: { type: "string" }, port: { type: "integerOrString" } });
const SLEEP = object("SleepAction", { seconds: { type: "integer", required: true, min: 0, max: MAX_SECONDS } });

export const PROBE = object("Probe", {
  exec: { type: EXEC },
  failureThreshold: { type: "integer" },
  grpc: { type: GRPC, since: "1.23" },
  httpGet: { type: HTTP_GET },
  initialDelaySeconds: { type: "integer" },
  periodSeconds: { type: "integer" },
  successThreshold: { type: "integer" },
  tcpSocket: { type: TCP_SOCKET },
  terminationGracePeriodSeconds: { type: "integer", since: "1.21" },
  timeoutSeconds: { type: "integer" },
});

const HOOK = object("LifecycleHandler", {
  exec: { type: EXEC, presence: true },
  httpGet: { type: HTTP_GET, refused: "podgen's hooks ask no web servers yet", hint: "use exec" },
  sleep: { type: SLEEP, since: "1.29" },
  tcpSocket: { type: TCP_SOCKET, refused: "Kubernetes has never connected to it either", hint: "use exec" },
});

export const LIFECYCLE = object("Lifecycle", {
  postStart: { type: HOOK, note: "The container is not ready before it has ended. Its failure stops the container." },
  preStop: { type: HOOK, note: "It and the stop have terminationGracePeriodSeconds together. Without any there is no time for it." },
  stopSignal: { type: "string", since: "1.33", check: signalName, hint: "write it like SIGTERM" },
});
