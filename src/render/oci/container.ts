// A container's config.json (OCI runtime-spec 1.2; the annotations are native/README.md's).
import type { HostFacts, ImageFacts } from "../../base/facts.js";
import { mapsJson } from "../../base/userns.js";
import { INFRA, runDir } from "../../plan/names.js";
import { layerFolder, shiftedFolder } from "../../plan/paths.js";
import { passedSockets } from "../../plan/ports.js";
import { isGated } from "../../plan/probes.js";
import type { PlannedContainer, PlannedFiles, PlannedMount, PodPlan } from "../../plan/types.js";
import { sha256 } from "../digest.js";
import { objectOf } from "../origin.js";
import { type Bundle, finishBundle, OCI_VERSION } from "./bundle.js";
import { askedOf } from "./http.js";
import type { Json } from "./json.js";
import { MASKED_PATHS, READONLY_PATHS } from "./masks.js";

/** The bundle of a container or init container. */
export function containerBundle(pod: PodPlan, container: PlannedContainer, facts: HostFacts): Bundle {
  const config: Record<string, Json> = {
    ociVersion: OCI_VERSION,
    process: processOf(container),
    root: { path: "rootfs", readonly: container.readOnlyRoot },
    mounts: container.mounts.map((mount) => mountOf(mount, pod, facts)),
    linux: {
      namespaces: [{ type: "mount" }, ...(pod.processes === undefined ? [{ type: "pid" }] : []), { type: "cgroup" }],
      // As the kubelet does: Unmasked is both lists, empty.
      maskedPaths: container.maskedPaths ? [...MASKED_PATHS] : [],
      readonlyPaths: container.maskedPaths ? [...READONLY_PATHS] : [],
    },
  };
  // The unit's Restart= is read when the container ends, and so is this: another policy is no reason to restart.
  const loose: Record<string, string> = {
    ...(container.restartPolicy === "Never" && container.restartCodes === undefined ? {} : { "io.podgen.backoff": "true" }),
    ...liveFilesOf(container),
    // Probes that come or go with a running container make and remove its mark themselves.
    ...(isGated(container) ? { "io.podgen.gated": "true" } : {}),
  };
  return finishBundle({ config, annotations: annotationsOf(pod, container, facts), loose }, pod.source, objectOf(pod));
}

function hookOf(key: string, hook: PlannedContainer["preStop"]): Record<string, string> {
  if (hook === undefined) return {};
  if (hook.kind === "httpGet") return { [key]: JSON.stringify({ httpGet: askedOf(hook) }) };
  return { [key]: JSON.stringify(hook.kind === "exec" ? { exec: hook.command } : { sleep: hook.seconds }) };
}

function mountOf(mount: PlannedMount, pod: PodPlan, facts: HostFacts): Json {
  const { destination, type, options } = mount;
  if (mount.type === "image") {
    const layers = layersOf(pod, mount.image, facts).map((layer) => `x-podgen.layer=${layer}`);
    return { destination, type: "x-podgen.image", source: mount.image.reference, options: [...options, ...layers] };
  }
  return { destination, type, source: mount.type === "bind" ? mount.source : "tmpfs", options: [...options] };
}

function processOf(container: PlannedContainer): Json {
  const capabilities = [...container.capabilities];
  return {
    terminal: container.terminal,
    user: { uid: container.uid, gid: container.gid, ...(container.groups === undefined ? {} : { additionalGids: [...container.groups] }) },
    args: [...container.args],
    env: [...container.env],
    cwd: container.cwd,
    // Not inheritable and not ambient: what executes as another user than root starts without any, as in Kubernetes.
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges: container.noNewPrivileges,
    ...(container.ulimits === undefined ? {} : { rlimits: container.ulimits.map(rlimit) }),
    ...(container.apparmor === undefined ? {} : { apparmorProfile: container.apparmor }),
  };
}

function rlimit({ name, soft, hard }: NonNullable<PlannedContainer["ulimits"]>[number]): Json {
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
}

function annotationsOf(pod: PodPlan, container: PlannedContainer, facts: HostFacts): Record<string, string> {
  const secretEnv = Object.entries(container.secretEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  const sockets = passedSockets(pod, container);
  return {
    "io.podgen.pod": pod.name,
    "io.podgen.container": container.name,
    "io.podgen.unit": container.unit,
    "io.podgen.identifier": `${pod.name}/${container.name}`,
    "io.podgen.log-fields": JSON.stringify({ POD_NAME: pod.name, CONTAINER_NAME: container.name, IMAGE_NAME: container.image.reference }),
    "io.podgen.run-dir": runDir(pod.name, container.name),
    "io.podgen.join": runDir(pod.name, INFRA),
    "io.podgen.rootfs": JSON.stringify({
      driver: facts.storageDriver ?? "auto",
      layers: layersOf(pod, container.image, facts),
      upper: container.upper,
    }),
    ...(pod.userns === undefined ? {} : { "io.podgen.userns": mapsJson(pod.userns) }),
    ...(container.userName === undefined ? {} : { "io.podgen.user": container.userName }),
    ...(pod.processes === undefined ? {} : { "io.podgen.pid": pod.processes === "host" ? "host" : "pod" }),
    ...(pod.hostIPC ? { "io.podgen.ipc": "host" } : {}),
    ...(container.strictGroups ? { "io.podgen.groups": "strict" } : {}),
    ...(secretEnv.length === 0 ? {} : { "io.podgen.secret-env": JSON.stringify(Object.fromEntries(secretEnv)) }),
    ...(container.fileEnv.length === 0 ? {} : { "io.podgen.file-env": JSON.stringify(container.fileEnv) }),
    ...filesOf(container),
    "io.podgen.seccomp": container.unconfined ? "unconfined" : "default",
    ...(container.seccomp === undefined ? {} : { "io.podgen.seccomp-profile": container.seccomp }),
    ...(container.noLog ? { "io.podgen.log": "none" } : {}),
    ...(container.stdin === undefined ? {} : { "io.podgen.stdin": container.stdin }),
    ...(container.messagePath === undefined ? {} : { "io.podgen.message": container.messagePath }),
    ...(container.messageFromLogs ? { "io.podgen.message-logs": "true" } : {}),
    ...(container.addresses ? { "io.podgen.addresses": "true" } : {}),
    ...(container.privileged ? { "io.podgen.privileged": "true" } : {}),
    ...(container.writableCgroup ? { "io.podgen.cgroup": "rw" } : {}),
    ...hookOf("io.podgen.post-start", container.postStart),
    ...hookOf("io.podgen.pre-stop", container.preStop),
    ...(container.notify ? { "io.podgen.notify": "container" } : {}),
    ...(sockets.length === 0 ? {} : { "io.podgen.sockets": sockets.join(" ") }),
  };
}

/**
 * Bottom first. Of a layer that an image has twice (the empty one, say) the upper one stays: it covers all that the
 * lower one does, and overlay refuses one folder in two places.
 */
function layersOf({ userns }: PodPlan, { layers }: ImageFacts, facts: HostFacts): string[] {
  const folder = (layer: string): string =>
    userns === undefined ? layerFolder(facts.paths, layer) : shiftedFolder(facts.paths, layer, userns.digest);
  return layers.filter((layer, i) => layers.lastIndexOf(layer) === i).map(folder);
}

/** What changes while the container runs is no part of the digest; where it is mounted is. */
function filesOf(container: PlannedContainer): Record<string, string> {
  const fixed = container.files.filter((f) => f.live === undefined);
  const live = container.files.filter((f) => f.live === true);
  return {
    ...(fixed.length === 0 ? {} : { "io.podgen.files": listOf(fixed) }),
    ...(live.length === 0 ? {} : { "io.podgen.live-mounts": JSON.stringify(live.map((f) => f.destination)) }),
  };
}

function liveFilesOf(container: PlannedContainer): Record<string, string> {
  const live = container.files.filter((f) => f.live === true);
  if (live.length === 0) return {};
  const list = listOf(live);
  const signal = container.reloadSignal;
  return {
    "io.podgen.live-files": list,
    "io.podgen.live-digest": sha256(list),
    ...(signal === undefined ? {} : { "io.podgen.reload-signal": String(signal) }),
  };
}

function listOf(files: readonly PlannedFiles[]): string {
  return JSON.stringify(
    files.map((f) => ({
      destination: f.destination,
      ...(f.subPath === undefined ? {} : { subPath: f.subPath }),
      readOnly: f.readOnly,
      ...(f.group === undefined ? {} : { group: f.group }),
      items: f.items.map((i) => ({ path: i.path, source: i.source, mode: i.mode })),
    })),
  );
}
