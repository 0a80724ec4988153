// Fields of probes and lifecycle hooks.

import { list, object } from "../../../spec/schema.js";
import { headerName, headerValue, probeHost, requestPath, serviceName, signalName } from "../formats.js";

/** systemd's time spans are far larger; 68 years are enough. */
const MAX_SECONDS = 2147483647;

const EXEC = object("ExecAction", { command: { type: list("string") } });
const MAX_PORT = 65535;
const GRPC = object("GRPCAction", {
  port: { type: "integer", required: true, min: 1, max: MAX_PORT },
  service: { type: "string", check: serviceName },
});
const HTTP_HEADER = object("HTTPHeader", {
  name: { type: "string", required: true, check: headerName },
  value: { type: "string", required: true, check: headerValue },
});
const HOST_NOTE = "An address. Without one the pod itself is asked: at 127.0.0.1, else ::1, else the pod's own address.";
const HTTP_GET = object("HTTPGetAction", {
  host: { type: "string", check: probeHost, note: HOST_NOTE },
  httpHeaders: { type: list(HTTP_HEADER) },
  path: { type: "string", check: requestPath },
  port: { type: "integerOrString", required: true },
  scheme: { type: "string", values: ["HTTP", "HTTPS"], note: "The certificate may be anybody's, as in Kubernetes." },
});
const TCP_SOCKET = object("TCPSocketAction", {
  host: { type: "string", check: probeHost, note: HOST_NOTE },
  port: { type: "integerOrString", required: true },
});
const SLEEP = object("SleepAction", { seconds: { type: "integer", required: true, min: 0, max: MAX_SECONDS } });

/** As Kubernetes: 0 is the default. */
const COUNT = { type: "integer", min: 0, max: MAX_SECONDS } as const;

export const PROBE = object("Probe", {
  exec: { type: EXEC, presence: true },
  failureThreshold: COUNT,
  grpc: { type: GRPC, since: "1.23" },
  httpGet: { type: HTTP_GET },
  initialDelaySeconds: COUNT,
  periodSeconds: COUNT,
  successThreshold: { ...COUNT, note: "1 for liveness and startup." },
  tcpSocket: { type: TCP_SOCKET },
  terminationGracePeriodSeconds: {
    type: "integer",
    min: 1,
    max: MAX_SECONDS,
    since: "1.21",
    note: "Not for readiness, which ends nothing.",
  },
  timeoutSeconds: COUNT,
});

const HOOK = object("LifecycleHandler", {
  exec: { type: EXEC, presence: true },
  httpGet: { type: HTTP_GET, note: "Asked once. Any answer is a success, whatever its status, as in Kubernetes." },
  sleep: { type: SLEEP, since: "1.29" },
  tcpSocket: { type: TCP_SOCKET, refused: "Kubernetes has never connected to it either", hint: "use exec" },
});

export const LIFECYCLE = object("Lifecycle", {
  postStart: { type: HOOK, note: "The container is not ready before it has ended. Its failure stops the container, with its preStop." },
  preStop: { type: HOOK, note: "It and the stop have terminationGracePeriodSeconds together. Without any there is no time for it." },
  stopSignal: { type: "string", since: "1.33", check: signalName, hint: "write it like SIGTERM" },
});
