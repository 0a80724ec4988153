// Builders of models, facts and images for tests: say only what the test is about.
import type { CdiFile } from "../../src/base/cdi.js";
import type { Location } from "../../src/base/diagnostic.js";
import type { HostFacts, ImageConfig, ImageFacts } from "../../src/base/facts.js";
import type { ClaimModel, ConfigMapModel, Container, Model, PodModel, Port, SecretModel, VolumeMount } from "../../src/model/types.js";
import { makePlan } from "../../src/plan/index.js";
import { type AppliedObjects, NO_OBJECTS } from "../../src/plan/objects.js";
import type { Plan } from "../../src/plan/types.js";
import type { InstalledUserns } from "../../src/plan/userns.js";
import { renderPlan } from "../../src/render/index.js";
import type { Rendered } from "../../src/render/types.js";

/** A place in web.yaml. */
export function at(line = 1, column = 1): Location {
  return { file: "web.yaml", line, column };
}

/** Alice's machine: Debian 12 with pasta and all controllers, unless said otherwise. */
export function hostFacts(over: Partial<HostFacts> = {}, home = "/home/alice"): HostFacts {
  const data = `${home}/.local/share/podgen`;
  return {
    paths: {
      home,
      units: `${home}/.config/systemd/user`,
      data,
      state: `${home}/.local/state/podgen`,
      run: "/run/user/1000/podgen",
      settings: `${home}/.config/podgen`,
      podrt: `${data}/bin/podrt`,
    },
    user: "alice",
    uid: 1000,
    gid: 1000,
    subordinateIds: { uids: 65536, gids: 65536 },
    systemdVersion: 252,
    pasta: "/usr/bin/pasta",
    unprivilegedPortStart: 1024,
    controllers: ["cpu", "memory", "pids"],
    memoryProtected: true,
    lsm: { apparmor: false, selinux: false },
    machine: { name: "host.test", cpus: 4, memoryBytes: 8 * 1024 ** 3 },
    ...over,
  };
}

export const IMAGE = "registry.test/app:1";

/** An image of two layers whose digest and layers follow from `seed`. */
export function imageFacts(reference = IMAGE, config: Partial<ImageConfig> = {}, seed = "a"): ImageFacts {
  return {
    reference,
    digest: `sha256:${seed.repeat(64)}`,
    layers: [`sha256:${"0".repeat(64)}`, `sha256:${seed.repeat(63)}1`],
    config: {
      entrypoint: [],
      cmd: ["/bin/app"],
      env: [],
      user: "",
      workingDir: "",
      stopSignal: "",
      ...config,
    },
  };
}

export function container(name: string, over: Partial<Container> = {}): Container {
  return {
    name,
    init: false,
    image: IMAGE,
    imagePullPolicy: "IfNotPresent",
    env: [],
    envFrom: [],
    ports: [],
    volumeMounts: [],
    limits: {},
    requests: {},
    tty: false,
    security: { readOnlyRootFilesystem: false, procMount: "Default", capabilitiesAdd: [], capabilitiesDrop: [] },
    at: at(),
    imageAt: at(),
    ...over,
  };
}

export function initContainer(name: string, over: Partial<Container> = {}): Container {
  return container(name, { init: true, ...over });
}

export function port(containerPort: number, hostPort: number | undefined, over: Partial<Port> = {}): Port {
  return { containerPort, ...(hostPort === undefined ? {} : { hostPort }), hostIP: "", protocol: "TCP", at: at(), ...over };
}

export function volumeMount(name: string, mountPath: string, over: Partial<VolumeMount> = {}): VolumeMount {
  return { name, mountPath, readOnly: false, subPath: "", at: at(), ...over };
}

export function pod(name: string, over: Partial<PodModel> = {}): PodModel {
  return {
    kind: "Pod",
    name,
    namespace: "default",
    labels: {},
    annotations: {},
    at: at(),
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    hostNetwork: false,
    initContainers: [],
    containers: [container("app")],
    volumes: [],
    ...over,
  };
}

type Texts = Readonly<Record<string, string | Uint8Array>>;

function bytesOf(data: Texts): Map<string, Uint8Array> {
  return new Map(Object.entries(data).map(([key, value]) => [key, typeof value === "string" ? new TextEncoder().encode(value) : value]));
}

export function configMap(name: string, data: Texts): ConfigMapModel {
  return { kind: "ConfigMap", name, namespace: "default", labels: {}, annotations: {}, at: at(), data: bytesOf(data) };
}

export function secret(name: string, data: Texts): SecretModel {
  return { kind: "Secret", name, namespace: "default", labels: {}, annotations: {}, at: at(), type: "Opaque", data: bytesOf(data) };
}

export function claim(name: string, over: Partial<ClaimModel> = {}): ClaimModel {
  const common = { name, namespace: "default", labels: {}, annotations: {}, at: at(30) };
  return { kind: "PersistentVolumeClaim", ...common, accessModes: ["ReadWriteOnce"], ...over };
}

/** A model of pods, ConfigMaps, Secrets and claims in any order. */
export function modelOf(...objects: readonly (PodModel | ConfigMapModel | SecretModel | ClaimModel)[]): Model {
  return {
    pods: objects.filter((o) => o.kind === "Pod"),
    configMaps: objects.filter((o) => o.kind === "ConfigMap"),
    secrets: objects.filter((o) => o.kind === "Secret"),
    services: [],
    claims: objects.filter((o) => o.kind === "PersistentVolumeClaim"),
  };
}

export interface Given {
  readonly facts?: HostFacts;
  readonly images?: readonly ImageFacts[];
  readonly objects?: AppliedObjects;
  readonly source?: string;
  /** Of the secret store; one of zeros when absent, none when null. */
  readonly secretKey?: Uint8Array | null;
  readonly userns?: InstalledUserns;
  /** Seccomp profiles by path. */
  readonly profiles?: ReadonlyMap<string, Uint8Array>;
  /** Files of CDI; none when absent. */
  readonly cdi?: readonly CdiFile[];
  /** All that are named, when absent. */
  readonly zones?: ReadonlySet<string>;
}

/** Runs the planner. */
export function planOf(model: Model, given: Given = {}): ReturnType<typeof makePlan> {
  return makePlan({
    model,
    sources: new Map([["web.yaml", given.source ?? "/home/alice/web.yaml"]]),
    facts: given.facts ?? hostFacts(),
    images: new Map((given.images ?? [imageFacts()]).map((i) => [i.reference, i])),
    objects: given.objects ?? NO_OBJECTS,
    secretKey: given.secretKey === null ? undefined : (given.secretKey ?? new Uint8Array(32)),
    profiles: given.profiles ?? new Map(),
    ...(given.cdi === undefined ? {} : { cdi: given.cdi }),
    zones: given.zones ?? new Set((model.crons ?? []).flatMap((cron) => cron.timeZone ?? [])),
    userns: given.userns ?? {},
  });
}

/** A plan without errors, or a failure that names them. */
export function goodPlan(model: Model, given: Given = {}): Plan {
  const { value, diagnostics } = planOf(model, given);
  if (value === undefined) throw new Error(`no plan: ${diagnostics.map((d) => `${d.code}: ${d.message}`).join("; ")}`);
  return value;
}

/** From model to bytes. */
export function renderOf(model: Model, given: Given = {}): Rendered {
  return renderPlan(goodPlan(model, given), given.facts ?? hostFacts());
}

/** Codes of all findings, in order. */
export function codesOf(model: Model, given: Given = {}): string[] {
  return planOf(model, given).diagnostics.map((d) => d.code);
}
