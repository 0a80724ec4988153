// Fields of containers, init containers and ephemeral containers.
import { type Fields, list, names, object, refuseAll } from "../../../spec/schema.js";
import { absolutePath, dnsLabel, hostAddress, mountPath, notEmpty, portName, relativePath } from "../formats.js";
import { imageReference } from "../image.js";
import { ENV, ENV_FROM } from "./env.js";
import { LIFECYCLE, PROBE } from "./probes.js";
import { RESOURCES } from "./resources.js";
import { SECURITY } from "./security.js";

const MAX_PORT = 65535;

const PORT = object("ContainerPort", {
  containerPort: { type: "integer", required: true, min: 1, max: MAX_PORT, aka: ["port", "targetPort"] },
  hostPort: { type: "integer", min: 1, max: MAX_PORT, aka: ["nodePort"] },
  hostIP: { type: "string", check: hostAddress },
  name: { type: "string", check: portName },
  protocol: { type: "string", values: ["TCP", "UDP"] },
});

const VOLUME_MOUNT = object("VolumeMount", {
  name: { type: "string", required: true },
  mountPath: { type: "string", required: true, check: mountPath, aka: ["path", "mount"] },
  readOnly: { type: "boolean" },
  subPath: { type: "string", check: relativePath },
  subPathExpr: { type: "string", check: relativePath, note: "Variables of env and envFrom; one that is not there is an error." },
  mountPropagation: {
    type: "string",
    values: ["None", "HostToContainer"],
    hint: "what is mounted in a user namespace the host never sees: Bidirectional is not possible",
    note: "HostToContainer: what is mounted on the host later, below a mount that is shared there, as systemd makes them. Not Bidirectional.",
  },
  recursiveReadOnly: {
    type: "string",
    since: "1.30",
    values: ["Disabled", "IfPossible", "Enabled"],
    note: "Only beside readOnly: true; IfPossible is Enabled, for every kernel that podgen runs on can.",
  },
});

const EXIT_CODE = { type: "integer", min: 0, max: 255 } as const;
const RESTART_RULE = object("ContainerRestartRule", {
  action: { type: "string", required: true, values: ["Restart"], hint: "podgen starts no whole pods anew by exit code" },
  exitCodes: {
    type: object("ContainerRestartRuleOnExitCodes", {
      operator: { type: "string", required: true, values: ["In", "NotIn"] },
      values: { type: list(EXIT_CODE) },
    }),
    required: true,
  },
});

const FIELDS: Fields = {
  name: { type: "string", required: true, check: dnsLabel },
  image: { type: "string", required: true, check: imageReference },
  imagePullPolicy: { type: "string", values: ["Always", "IfNotPresent", "Never"], aka: ["pullPolicy"] },
  command: { type: list("string"), aka: ["entrypoint", "cmd", "exec"] },
  args: { type: list("string"), aka: ["arguments"] },
  workingDir: { type: "string", check: absolutePath, aka: ["workdir", "cwd", "working_dir"] },
  env: { type: list(ENV), aka: ["environment"] },
  envFrom: { type: list(ENV_FROM), aka: ["env_file"] },
  ports: { type: list(PORT), aka: ["publish", "expose"] },
  resources: { type: RESOURCES },
  volumeMounts: { type: list(VOLUME_MOUNT), aka: ["mounts"] },
  securityContext: { type: SECURITY },
  tty: { type: "boolean" },
  livenessProbe: { type: PROBE, presence: true, aka: ["healthcheck"] },
  readinessProbe: {
    type: PROBE,
    presence: true,
    note: "The pod's unit becomes active, and an apply succeeds, when it has passed. A container that is not ready any more stays up.",
  },
  startupProbe: { since: "1.16", type: PROBE, presence: true },
  lifecycle: { type: LIFECYCLE },
  restartPolicy: {
    since: "1.28",
    type: "string",
    values: ["Always", "OnFailure", "Never"],
    note: "Always makes an init container a sidecar; all else is of Kubernetes 1.34.",
  },
  restartPolicyRules: {
    since: "1.34",
    type: list(RESTART_RULE),
    note: "Only beside restartPolicy. Killed by a signal counts as 128 and its number. An init container that has succeeded is done in any case.",
  },
  resizePolicy: {
    since: "1.27",
    type: list(names("ContainerResizePolicy", "resourceName restartPolicy")),
    noEffect: "podgen restarts a container whose resources change",
  },
  stdin: {
    type: "boolean",
    note: "podgen attach writes to it; until then nothing is there to be read. With tty: true nobody types at the terminal.",
  },
  stdinOnce: { type: "boolean", note: "It ends with the first who has attached. Not beside tty: true." },
  terminationMessagePath: {
    type: "string",
    check: mountPath,
    note: "Default: /dev/termination-log. Its last 4096 bytes count; podgen status shows them.",
  },
  terminationMessagePolicy: {
    type: "string",
    values: ["File", "FallbackToLogsOnError"],
    note: "FallbackToLogsOnError: of a container that has failed and left no message the end of its log, 80 lines or 2048 bytes. Default: File.",
  },
  volumeDevices: {
    type: list(names("VolumeDevice", "devicePath name")),
    refused: "claims are folders, and a block device of its own takes root",
    hint: "mount a device that the user may open with hostPath of type BlockDevice",
  },
};

export const CONTAINER = object("Container", FIELDS);

export const EPHEMERAL_CONTAINER = object("EphemeralContainer", {
  ...refuseAll(FIELDS, "debugging containers are not part of a pod's file"),
  targetContainerName: { type: "string", check: notEmpty },
});
