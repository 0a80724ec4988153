// One container: its fields with Kubernetes' defaults.
import type { Reader } from "../../spec/reader.js";
import type { Container, ContainerSecurity, EnvFrom, EnvVar, Port, PullPolicy, Resources, VolumeMount } from "../types.js";
import { annotationOf } from "./annotations.js";
import { normaliseCapabilities } from "./capabilities.js";
import { readDevices } from "./devices.js";
import { readDownward } from "./downward.js";
import { readLifecycle } from "./hooks.js";
import { defaultPullPolicy, formatImage, parseImage } from "./image.js";
import { integersOf } from "./integers.js";
import { readProbes } from "./probes.js";
import { cpuMillis, memoryBytes } from "./quantity.js";
import { readRestart } from "./restart.js";
import { parseUlimits } from "./ulimits.js";

/** Where Kubernetes, and so podrt, has the file for a container's last words. */
const MESSAGE_PATH = "/dev/termination-log";

/**
 * `podSecurity` is the pod's securityContext, whose user and group hold where the container gives none; `annotations` are the pod's. */
export function readContainer(
  reader: Reader,
  init: boolean,
  podSecurity: Reader | undefined,
  annotations: Readonly<Record<string, string>>,
): Container {
  const name = reader.text("name") ?? "";
  const image = readImage(reader);
  const command = reader.texts("command");
  const args = reader.texts("args");
  const workingDir = reader.text("workingDir");
  const ports = reader.objects("ports").map(readPort);
  const resources = reader.object("resources");
  return {
    name,
    init,
    ...readRestart(reader, init),
    ...image,
    // An empty list means the image's own, as in Kubernetes.
    ...(command === undefined || command.length === 0 ? {} : { command }),
    ...(args === undefined || args.length === 0 ? {} : { args }),
    ...optional("workingDir", workingDir),
    env: reader.objects("env").map(readEnv),
    envFrom: reader.objects("envFrom").flatMap((r) => readEnvFrom(r) ?? []),
    ports,
    volumeMounts: reader.objects("volumeMounts").map(readMount),
    limits: readResources(resources?.object("limits")),
    requests: readResources(resources?.object("requests")),
    ...readBounds(annotations, name),
    ...devicesOf(resources?.object("limits")),
    tty: reader.flag("tty") ?? false,
    ...(annotationOf(annotations, "logDriver", name) === "none" ? { noLog: true as const } : {}),
    ...(reader.flag("stdin") && !reader.flag("tty") ? { stdin: reader.flag("stdinOnce") ? ("once" as const) : ("open" as const) } : {}),
    ...readMessage(reader),
    ...readLifecycle(reader.object("lifecycle"), ports),
    ...readProbes(reader, ports),
    security: readSecurity(reader.object("securityContext"), podSecurity, annotationOf(annotations, "apparmor", name)),
    at: reader.place("name").at,
    imageAt: reader.place("image").at,
  };
}

function devicesOf(limits: Reader | undefined): Pick<Container, "devices"> {
  const devices = readDevices(limits);
  return devices.length === 0 ? {} : { devices };
}

function readBounds(
  annotations: Readonly<Record<string, string>>,
  container: string,
): Pick<Container, "pidsLimit" | "cpuset" | "memoryNodes" | "ulimits"> {
  const pids = annotationOf(annotations, "pidsLimit", container);
  const ulimits = parseUlimits(annotationOf(annotations, "ulimit", container) ?? "");
  return {
    ...(pids === undefined ? {} : { pidsLimit: Math.max(0, Number(pids)) }),
    ...optional("cpuset", annotationOf(annotations, "cpuset", container)),
    ...optional("memoryNodes", annotationOf(annotations, "memoryNodes", container)),
    ...("limits" in ulimits ? { ulimits: ulimits.limits } : {}),
  };
}

/** An empty path is the default's, as in Kubernetes, and so is that of podrt itself. */
function readMessage(reader: Reader): Pick<Container, "messagePath" | "messageFromLogs"> {
  const path = reader.text("terminationMessagePath") ?? "";
  return {
    ...(path === "" || path === MESSAGE_PATH ? {} : { messagePath: path }),
    ...(reader.text("terminationMessagePolicy") === "FallbackToLogsOnError" ? { messageFromLogs: true as const } : {}),
  };
}

/** A container's image, or a volume's (`fields`: how its reference and its policy are called). */
export function readImage(
  reader: Reader,
  fields: { readonly image: string; readonly policy: string } = { image: "image", policy: "imagePullPolicy" },
): { image: string; imagePullPolicy: PullPolicy } {
  const text = reader.text(fields.image) ?? "";
  const parsed = parseImage(text);
  const policy = reader.text(fields.policy) as PullPolicy | undefined;
  if ("image" in parsed) return { image: formatImage(parsed.image), imagePullPolicy: policy ?? defaultPullPolicy(parsed.image) };
  const { short } = parsed;
  return {
    image: short ?? text,
    imagePullPolicy: policy ?? (short === undefined ? "IfNotPresent" : defaultPullPolicy({ kind: "short", text: short })),
  };
}

/** `at` is the name of the ConfigMap or Secret referred to, else the variable's name. */
function readEnv(reader: Reader): EnvVar {
  const name = reader.text("name") ?? "";
  const from = reader.object("valueFrom");
  for (const [field, kind] of [
    ["configMapKeyRef", "configMapKey"],
    ["secretKeyRef", "secretKey"],
  ] as const) {
    const ref = from?.object(field);
    if (ref === undefined) continue;
    const source = { kind, name: ref.text("name") ?? "", key: ref.text("key") ?? "", optional: ref.flag("optional") ?? false };
    return { name, source, at: ref.place("name").at };
  }
  const file = from?.object("fileKeyRef");
  if (file !== undefined) {
    const [volume, path, key] = [file.text("volumeName") ?? "", file.text("path") ?? "", file.text("key") ?? ""];
    return {
      name,
      source: { kind: "fileKey", volume, path, key, optional: file.flag("optional") ?? false },
      at: file.place("volumeName").at,
    };
  }
  const downward = readDownward(from);
  if (downward !== undefined) {
    const { at, ...source } = downward;
    return { name, source, at: at.node.place.at };
  }
  return { name, source: { kind: "value", value: reader.text("value") ?? "" }, at: reader.place("name").at };
}

function readEnvFrom(reader: Reader): EnvFrom | undefined {
  for (const [field, kind] of [
    ["configMapRef", "configMap"],
    ["secretRef", "secret"],
  ] as const) {
    const ref = reader.object(field);
    if (ref === undefined) continue;
    return {
      kind,
      name: ref.text("name") ?? "",
      prefix: reader.text("prefix") ?? "",
      optional: ref.flag("optional") ?? false,
      at: ref.place("name").at,
    };
  }
  return undefined;
}

function readPort(reader: Reader): Port {
  const name = reader.text("name");
  const hostPort = reader.integer("hostPort");
  return {
    ...(name === undefined ? {} : { name }),
    containerPort: reader.integer("containerPort") ?? 0,
    ...(hostPort === undefined ? {} : { hostPort }),
    hostIP: reader.text("hostIP") ?? "",
    protocol: reader.text("protocol") === "UDP" ? "UDP" : "TCP",
    at: reader.place(hostPort === undefined ? "containerPort" : "hostPort").at,
  };
}

function readMount(reader: Reader): VolumeMount {
  const recursive = reader.text("recursiveReadOnly");
  return {
    name: reader.text("name") ?? "",
    mountPath: reader.text("mountPath") ?? "",
    readOnly: reader.flag("readOnly") ?? false,
    subPath: reader.text("subPath") ?? "",
    ...optional("subPathExpr", reader.text("subPathExpr") || undefined),
    ...(reader.text("mountPropagation") === "HostToContainer" ? { fromHost: true as const } : {}),
    ...(recursive === "Enabled" || recursive === "IfPossible" ? { recursiveReadOnly: true as const } : {}),
    at: reader.place("mountPath").at,
  };
}

/** Amounts as written: a request that is not given stays away (planning knows what the kubelet makes of that). */
export function readResources(reader: Reader | undefined): Resources {
  const cpu = cpuMillis(reader?.quantity("cpu"));
  const memory = memoryBytes(reader?.quantity("memory"));
  return { ...(cpu === undefined ? {} : { cpuMillis: cpu }), ...(memory === undefined ? {} : { memoryBytes: memory }) };
}

function readSecurity(own: Reader | undefined, pod: Reader | undefined, annotated: string | undefined): ContainerSecurity {
  const user = own?.integer("runAsUser") ?? pod?.integer("runAsUser");
  const group = own?.integer("runAsGroup") ?? pod?.integer("runAsGroup");
  const capabilities = own?.object("capabilities");
  const nonRoot = own?.flag("runAsNonRoot") ?? pod?.flag("runAsNonRoot");
  const fsGroup = pod?.integer("fsGroup");
  const groups = [...new Set([...integersOf(pod?.get("supplementalGroups")), ...(fsGroup === undefined ? [] : [fsGroup])])];
  return {
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(group === undefined ? {} : { runAsGroup: group }),
    readOnlyRootFilesystem: own?.flag("readOnlyRootFilesystem") ?? false,
    ...(nonRoot ? { nonRoot } : {}),
    ...(own?.flag("allowPrivilegeEscalation") === false ? { noNewPrivileges: true as const } : {}),
    ...readProfiles(own, pod, annotated),
    ...(own?.flag("privileged") ? { privileged: true as const } : {}),
    ...(groups.length === 0 ? {} : { groups }),
    ...(pod?.text("supplementalGroupsPolicy") === "Strict" ? { strictGroups: true as const } : {}),
    procMount: own?.text("procMount") === "Unmasked" ? "Unmasked" : "Default",
    capabilitiesAdd: normaliseCapabilities(capabilities?.texts("add") ?? []),
    capabilitiesDrop: normaliseCapabilities(capabilities?.texts("drop") ?? []),
  };
}

type Profiles = Pick<ContainerSecurity, "unconfined" | "seccompFile" | "apparmor" | "selinux">;

/** The container's own words, else the pod's; of AppArmor the old annotation's between the two. A privileged one is unconfined, whatever the pod says. */
function readProfiles(own: Reader | undefined, pod: Reader | undefined, annotated: string | undefined): Profiles {
  const privileged = own?.flag("privileged") === true;
  const seccomp = own?.object("seccompProfile") ?? pod?.object("seccompProfile");
  const file = seccomp?.text("type") === "Localhost" ? (seccomp.text("localhostProfile") ?? "") : undefined;
  const ownProfile = own?.object("appArmorProfile");
  const podProfile = privileged ? undefined : pod?.object("appArmorProfile");
  const profile = ownProfile ?? (annotated === undefined ? podProfile : undefined);
  const apparmor = profile === undefined ? annotatedProfile(annotated) : readAppArmor(profile);
  const label = own?.object("seLinuxOptions") ?? pod?.object("seLinuxOptions");
  return {
    ...(privileged || seccomp?.text("type") === "Unconfined" ? { unconfined: true } : file === undefined ? {} : { seccompFile: file }),
    ...(apparmor === undefined ? {} : { apparmor }),
    ...(label === undefined || label.node.entries.size === 0 ? {} : { selinux: true }),
  };
}

function readAppArmor(profile: Reader): ContainerSecurity["apparmor"] {
  const type = profile.text("type");
  if (type === "Localhost") return { kind: "loaded", name: profile.text("localhostProfile") ?? "" };
  return type === "RuntimeDefault" ? { kind: "default" } : undefined;
}

function annotatedProfile(words: string | undefined): ContainerSecurity["apparmor"] {
  if (words?.startsWith("localhost/")) return { kind: "loaded", name: words.slice("localhost/".length) };
  return words === "runtime/default" ? { kind: "default" } : undefined;
}

/** A field that is left out where it has no value. */
function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, string>);
}
