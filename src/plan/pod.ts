// One pod: every decision put together.
import type { Container } from "../model/types.js";
import { capabilitySet } from "./capabilities.js";
import { type PodContext, refuse } from "./context.js";
import { planEnv } from "./env.js";
import { planVolumes } from "./mounts.js";
import { containerUnit, infraUnit, podSlice, podUnit, UNIT_NAME_MAX, uplinkUnit } from "./names.js";
import { bundleFolder, memoryFolder, podFolders, upperFolder } from "./paths.js";
import { type Claim, planPorts } from "./ports.js";
import { planArgs, planCwd, planStopSignal, planUser } from "./process.js";
import { planResources } from "./resources.js";
import type { PlannedContainer, PodPlan } from "./types.js";

/** Plans a pod. What is wrong is in the context's diagnostics; the plan is then not to be used. */
export function planPod(context: PodContext, source: string, claimed: Claim[]): PodPlan {
  const { pod, facts } = context;
  const specs = [...pod.initContainers, ...pod.containers];
  const containers = specs.flatMap((spec) => planContainer(context, spec) ?? []);
  const names = specs.map((c) => c.name);
  const ports = planPorts(context, claimed);
  const emptyDirs = pod.volumes.flatMap((v) => (v.source.kind === "emptyDir" ? [{ name: v.name, medium: v.source.medium }] : []));
  const onDisk = emptyDirs.filter((v) => v.medium === "").map((v) => v.name);
  const inMemory = emptyDirs.filter((v) => v.medium === "Memory").map((v) => v.name);
  checkNames(
    context,
    specs,
    ports.map((p) => p.unit),
  );
  return {
    name: pod.name,
    source,
    restartPolicy: pod.restartPolicy,
    graceSeconds: pod.terminationGracePeriodSeconds,
    hostNetwork: pod.hostNetwork,
    uplink: !pod.hostNetwork && facts.pasta !== undefined,
    containers,
    ports,
    memoryVolumes: inMemory.map((name) => memoryFolder(facts.paths, pod.name, name)),
    data: [...context.data.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    folders: podFolders(facts.paths, pod.name, names, onDisk),
  };
}

function planContainer(context: PodContext, spec: Container): PlannedContainer | undefined {
  const { pod, facts } = context;
  const image = context.images.get(spec.image);
  if (image === undefined) {
    refuse(context, "image-unknown", spec.imageAt, `nothing is known of image ${spec.image}`);
    return undefined;
  }
  const { env, secretEnv, declared } = planEnv(context, spec, image.config);
  const capabilities = capabilitySet(spec.security.capabilitiesAdd, spec.security.capabilitiesDrop);
  for (const name of capabilities.unknown)
    refuse(context, "unknown-capability", spec.at, `container "${spec.name}": there is no capability "${name}"`, "see capabilities(7)");
  return {
    name: spec.name,
    init: spec.init,
    unit: containerUnit(pod.name, spec.name),
    bundle: bundleFolder(facts.paths, pod.name, spec.name),
    image,
    pullPolicy: spec.imagePullPolicy,
    args: planArgs(context, spec, image, declared),
    env,
    secretEnv,
    cwd: planCwd(spec, image),
    ...planUser(spec, image),
    capabilities: capabilities.names,
    readOnlyRoot: spec.security.readOnlyRootFilesystem,
    terminal: spec.tty,
    ...planVolumes(context, spec),
    upper: upperFolder(facts.paths, pod.name, spec.name),
    stopSignal: planStopSignal(context, spec, image),
    ...planResources(context, spec),
  };
}

/** systemd refuses names beyond its limit, and Kubernetes' names may be long. */
function checkNames(context: PodContext, specs: readonly Container[], ports: readonly string[]): void {
  const { pod } = context;
  const ofPod = [podUnit(pod.name), infraUnit(pod.name), uplinkUnit(pod.name), podSlice(pod.name), ...ports.map((p) => `${p}.service`)];
  const named = [
    ...ofPod.map((unit) => ({ unit, at: pod.at })),
    ...specs.map((c) => ({ unit: containerUnit(pod.name, c.name), at: c.at })),
  ];
  const long = named.find(({ unit }) => unit.length > UNIT_NAME_MAX);
  if (long === undefined) return;
  const message = `unit name ${long.unit} has ${long.unit.length} characters`;
  refuse(context, "name-too-long", long.at, message, `systemd allows ${UNIT_NAME_MAX}: choose a shorter name`);
}
