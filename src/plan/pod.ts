// One pod: every decision put together.
import { hostnameOf } from "../model/kube/hostname.js";
import type { Container } from "../model/types.js";
import { hasAddress } from "./addresses.js";
import { withDevices } from "./cdi.js";
import { claimKey } from "./claim-objects.js";
import { planConfinement } from "./confinement.js";
import { type PodContext, refuse } from "./context.js";
import { planNames } from "./dns.js";
import { planEnv } from "./env.js";
import { planHooks } from "./hooks.js";
import { checkBundle, checkLayers } from "./limits.js";
import { planVolumes } from "./mounts.js";
import { containerUnit, podSlice, podUnit, probeUnit, UNIT_NAME_MAX, uplinkUnit } from "./names.js";
import { bundleFolder, cleanPath, memoryFolder, podFolders, upperFolder } from "./paths.js";
import { planDrain, planPorts } from "./ports.js";
import { planProbes } from "./probes.js";
import { checkNonRoot, planArgs, planCwd, planStopSignal, planUser } from "./process.js";
import { keepPullSecrets } from "./pull-secrets.js";
import { noQuota } from "./quota.js";
import { ofContainer, planResources } from "./resources.js";
import { planRestart } from "./restart.js";
import { servedPod } from "./services.js";
import { withInit } from "./systemd.js";
import type { PlannedContainer, PlannedPort, PodPlan } from "./types.js";
import { keptIds, type PlannedUserns } from "./userns.js";

/** Plans a pod. What is wrong is in the context's diagnostics; the plan is then not to be used. */
export function planPod(context: PodContext, source: string): PodPlan {
  const { pod, facts } = context;
  const specs = [...pod.initContainers, ...pod.containers];
  const userns = context.userns.plan(context);
  const containers = specs.flatMap((spec) => planContainer(context, spec, userns) ?? []);
  const names = specs.map((c) => c.name);
  const ports = planPorts(context);
  const drainSeconds = planDrain(context);
  const serve = servedPod(pod);
  const emptyDirs = pod.volumes.flatMap((v) => (v.source.kind === "emptyDir" ? [{ name: v.name, at: v.at, ...v.source }] : []));
  const onDisk = emptyDirs.filter((v) => v.medium === "");
  const inMemory = emptyDirs.filter((v) => v.medium === "Memory");
  for (const { name, at, sizeLimit } of onDisk)
    if (sizeLimit !== undefined) context.unenforced.push(noQuota(`volume "${name}" of pod "${pod.name}"`, "its size limit", at));
  checkNames(context, ports);
  for (const { source } of pod.volumes) if (source.kind === "persistentVolumeClaim") context.used.add(claimKey(source.claimName));
  keepPullSecrets(context);
  return {
    name: pod.name,
    source,
    ...(pod.owner === undefined ? {} : { owner: pod.owner }),
    restartPolicy: pod.restartPolicy,
    graceSeconds: pod.terminationGracePeriodSeconds,
    ...(drainSeconds === undefined ? {} : { drainSeconds }),
    ...(pod.activeDeadlineSeconds === undefined ? {} : { deadlineSeconds: pod.activeDeadlineSeconds }),
    hostNetwork: pod.hostNetwork,
    ...(pod.processes === undefined ? {} : { processes: pod.processes }),
    ...(pod.hostIPC ? { hostIPC: true } : {}),
    hostname: hostnameOf(pod),
    ...planNames(pod),
    ...(pod.sysctls === undefined ? {} : { sysctls: pod.sysctls }),
    resources: planResources(context, { what: "pod", limits: pod.limits ?? {}, requests: pod.requests ?? {}, at: pod.at }),
    ...(userns === undefined ? {} : { userns }),
    uplink: !pod.hostNetwork && facts.pasta !== undefined,
    ...(serve === undefined ? {} : { serve }),
    ...(context.after === undefined || context.after.length === 0 ? {} : { after: context.after }),
    containers,
    ports,
    imageVolumes: planImages(context),
    memoryVolumes: inMemory.map(({ name, sizeLimit }) => {
      const path = memoryFolder(facts.paths, pod.name, name);
      return sizeLimit === undefined ? path : { path, size: sizeLimit };
    }),
    data: [...context.data.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    folders: podFolders(
      facts.paths,
      pod.name,
      names,
      onDisk.map((v) => v.name),
      userns?.digest,
    ),
    objects: [...context.used].sort(),
  };
}

/** Volumes that are images, mounted or not: all are pulled and kept with the pod. */
function planImages(context: PodContext): PodPlan["imageVolumes"] {
  return context.pod.volumes.flatMap(({ name, source, at }) => {
    if (source.kind !== "image") return [];
    const image = context.images.get(source.image);
    if (image === undefined) refuse(context, "image-unknown", source.imageAt, `nothing is known of image ${source.image}`);
    else checkLayers(context, `volume "${name}"`, image, at);
    return image === undefined ? [] : [{ name, image }];
  });
}

function planContainer(context: PodContext, spec: Container, userns: PlannedUserns | undefined): PlannedContainer | undefined {
  const { pod, facts } = context;
  const image = context.images.get(spec.image);
  if (image === undefined) {
    refuse(context, "image-unknown", spec.imageAt, `nothing is known of image ${spec.image}`);
    return undefined;
  }
  const user = planUser(spec, image, userOf(context));
  checkNonRoot(context, spec, image, user);
  const { env, secretEnv, fileEnv, declared } = planEnv(context, spec, image.config, userns?.digest);
  const stated: PlannedContainer = {
    name: spec.name,
    ...planRestart(pod, spec),
    unit: containerUnit(pod.name, spec.name),
    bundle: bundleFolder(facts.paths, pod.name, spec.name),
    image,
    pullPolicy: spec.imagePullPolicy,
    args: planArgs(context, spec, image, declared),
    env,
    secretEnv,
    fileEnv,
    cwd: planCwd(spec, image),
    ...user,
    ...(spec.security.groups === undefined ? {} : { groups: spec.security.groups }),
    ...(spec.security.strictGroups ? { strictGroups: true } : {}),
    readOnlyRoot: spec.security.readOnlyRootFilesystem,
    ...planConfinement(context, spec),
    terminal: spec.tty,
    ...(spec.noLog ? { noLog: true } : {}),
    ...(spec.stdin === undefined ? {} : { stdin: spec.stdin }),
    ...(spec.messagePath === undefined ? {} : { messagePath: cleanPath(spec.messagePath) }),
    ...(spec.messageFromLogs ? { messageFromLogs: true } : {}),
    ...planVolumes(context, spec, declared, userns?.digest),
    upper: upperFolder(facts.paths, pod.name, spec.name),
    stopSignal: planStopSignal(context, spec, image),
    ...planHooks(context, spec),
    ...planProbes(context, spec),
    notify: spec.notify === true,
    ...(spec.reloadSignal === undefined ? {} : { reloadSignal: spec.reloadSignal }),
    ...(spec.watchdogSeconds === undefined ? {} : { watchdogSeconds: spec.watchdogSeconds }),
    ...(spec.ulimits === undefined ? {} : { ulimits: spec.ulimits }),
    ...planResources(context, ofContainer(spec)),
  };
  const late = [...stated.args, ...stated.env].some(hasAddress) ? { ...stated, addresses: true } : stated;
  const planned = withInit(withDevices(context, spec, late), image, spec.stopSignal !== undefined);
  checkBundle(context, planned, spec.at);
  return planned;
}

/** Who a container runs as whose spec and image say nothing: in keep-id the user, as with podman. */
function userOf({ pod, facts }: PodContext): { uid: number; gid: number } | undefined {
  return pod.userns?.mode === "keep-id" ? keptIds(pod.userns, facts) : undefined;
}

/** systemd refuses names beyond its limit. Containers' units are the model's rule; these are names that planning makes. */
function checkNames(context: PodContext, ports: readonly PlannedPort[]): void {
  const { pod } = context;
  const probed = pod.containers.filter((c) => c.probes !== undefined).map((c) => probeUnit(pod.name, c.name));
  const units = [podUnit(pod.name), uplinkUnit(pod.name), podSlice(pod.name), ...probed, ...ports.map((p) => `${p.unit}.service`)];
  const long = units.find((unit) => unit.length > UNIT_NAME_MAX);
  if (long === undefined) return;
  const message = `makes a unit name of ${long.length} characters (${long}); systemd takes ${UNIT_NAME_MAX}`;
  refuse(context, "name-too-long", pod.at, message, "choose a shorter name for the pod, with fewer dashes");
}
