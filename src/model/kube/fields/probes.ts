// Fields of probes and lifecycle hooks: known, and refused where they are used until podgen runs them.

import { list, names, object } from "../../../spec/schema.js";
import { signalName } from "../formats.js";

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
const SLEEP = object("SleepAction", { seconds: { type: "integer" } });

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
  exec: { type: EXEC },
  httpGet: { type: HTTP_GET },
  sleep: { type: SLEEP, since: "1.29" },
  tcpSocket: { type: TCP_SOCKET },
});

const NO_HOOKS = "podgen runs no lifecycle hooks yet";

export const LIFECYCLE = object("Lifecycle", {
  postStart: { type: HOOK, refused: NO_HOOKS },
  preStop: { type: HOOK, refused: NO_HOOKS },
  stopSignal: { type: "string", since: "1.33", check: signalName, hint: "write it like SIGTERM" },
});
