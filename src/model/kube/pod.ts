// A Pod: typed, defaulted, judged by the rules that need no other object.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";
import type { PodModel, RestartPolicy, UsernsWish, Volume } from "../types.js";
import { readPullSecrets } from "./account.js";
import { annotationOf } from "./annotations.js";
import { readContainer, readResources } from "./container.js";
import { readNames } from "./dns.js";
import { readMetadata } from "./metadata.js";
import { readOrder } from "./order.js";
import { containerNames } from "./rules/container-names.js";
import { devices } from "./rules/devices.js";
import { dns } from "./rules/dns.js";
import { drain } from "./rules/drain.js";
import { envSources } from "./rules/env-sources.js";
import { escalation } from "./rules/escalation.js";
import { hooks } from "./rules/hooks.js";
import { hostNames } from "./rules/host-names.js";
import { hostNamespaces } from "./rules/host-namespaces.js";
import { hostNetworkPorts } from "./rules/host-network-ports.js";
import { initPorts } from "./rules/init-ports.js";
import { logDriver } from "./rules/log-driver.js";
import { mountPaths } from "./rules/mount-paths.js";
import { mountedVolumes } from "./rules/mounted-volumes.js";
import { portNames } from "./rules/port-names.js";
import { privileges } from "./rules/privileges.js";
import { probes } from "./rules/probes.js";
import { profiles } from "./rules/profiles.js";
import { recursiveMounts } from "./rules/recursive-mounts.js";
import { resourceRequests } from "./rules/resource-requests.js";
import { restartRules } from "./rules/restart-rules.js";
import { serviceAnnotations } from "./rules/service-annotations.js";
import { standardInput } from "./rules/standard-input.js";
import { sysctls } from "./rules/sysctls.js";
import { unitNames } from "./rules/unit-names.js";
import { userNamespace } from "./rules/user-namespace.js";
import { volumeItems } from "./rules/volume-items.js";
import { volumes } from "./rules/volumes.js";
import { readService } from "./service.js";
import { isProblem, parseUserns } from "./userns.js";
import type { PodView } from "./view.js";
import { readVolume } from "./volume.js";

/** Each looks at one thing; the order does not matter, findings are sorted by place. */
const RULES: readonly ((view: PodView) => void)[] = [
  containerNames,
  devices,
  dns,
  drain,
  envSources,
  escalation,
  hostNames,
  hooks,
  hostNamespaces,
  hostNetworkPorts,
  initPorts,
  logDriver,
  mountPaths,
  mountedVolumes,
  portNames,
  privileges,
  profiles,
  probes,
  recursiveMounts,
  resourceRequests,
  restartRules,
  serviceAnnotations,
  standardInput,
  sysctls,
  unitNames,
  userNamespace,
  volumeItems,
  volumes,
];

/** What a pod that is made of a template has from who makes it. */
export interface MadePod extends Pick<PodModel, "name" | "namespace" | "at"> {
  readonly metadata: Reader | undefined;
  /** Beside those of the template, and before one of the same name there. */
  readonly volumes: readonly Volume[];
}

/** Reads what the walker has let through; where it has not, a default stands in so that the rules still see the rest. */
export function readPod(document: Reader, report: Report, made?: MadePod): PodView {
  const spec = document.object("spec");
  const security = spec?.object("securityContext");
  const written = readMetadata("Pod", document);
  const metadata = made === undefined ? written : { ...written, name: made.name, namespace: made.namespace, at: made.at };
  const containers = (["initContainers", "containers"] as const).flatMap((field) =>
    (spec?.objects(field) ?? []).map((reader) => {
      const container = readContainer(reader, field === "initContainers", security, metadata.annotations);
      return {
        reader,
        model: { ...container, ...readService(metadata.annotations, container.name, container.init && container.sidecar !== true) },
      };
    }),
  );
  const pullSecrets = readPullSecrets(spec);
  const hostname = spec?.text("hostnameOverride") || spec?.text("hostname") || undefined;
  const account = spec?.text("serviceAccountName") || spec?.text("serviceAccount") || undefined;
  const settings = (security?.objects("sysctls") ?? []).map((r) => [r.text("name") ?? "", r.text("value") ?? ""] as const);
  const resources = spec?.object("resources");
  const userns = readUserns(metadata.annotations, spec?.flag("hostUsers"));
  const order = readOrder(metadata.annotations, document.object("metadata"));
  const deadline = spec?.integer("activeDeadlineSeconds");
  const view: PodView = {
    model: {
      ...metadata,
      ...(order === undefined ? {} : { order }),
      restartPolicy: (spec?.text("restartPolicy") ?? "Always") as RestartPolicy,
      terminationGracePeriodSeconds: spec?.integer("terminationGracePeriodSeconds") ?? 30,
      ...(deadline === undefined ? {} : { activeDeadlineSeconds: deadline }),
      ...readDrain(metadata.annotations),
      hostNetwork: spec?.flag("hostNetwork") ?? false,
      ...(account === undefined || account === "default" ? {} : { serviceAccountName: account }),
      ...(hostname === undefined ? {} : { hostname }),
      ...readShared(spec),
      ...readDomain(spec),
      ...readFsGroup(security),
      ...readNames(spec),
      ...(settings.length === 0 ? {} : { sysctls: Object.fromEntries(settings) }),
      ...(resources === undefined
        ? {}
        : { limits: readResources(resources.object("limits")), requests: readResources(resources.object("requests")) }),
      ...(userns === undefined ? {} : { userns }),
      initContainers: containers.map((c) => c.model).filter((c) => c.init),
      containers: containers.map((c) => c.model).filter((c) => !c.init),
      volumes: allVolumes(spec, made?.volumes ?? []),
      ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets }),
    },
    reader: document,
    metadata: made === undefined ? document.object("metadata") : made.metadata,
    spec,
    containers,
    report,
  };
  for (const rule of RULES) rule(view);
  return view;
}

function readShared(spec: Reader | undefined): Pick<PodModel, "processes" | "hostIPC"> {
  const processes = spec?.flag("hostPID") ? "host" : spec?.flag("shareProcessNamespace") ? "shared" : undefined;
  return { ...(processes === undefined ? {} : { processes }), ...(spec?.flag("hostIPC") ? { hostIPC: true } : {}) };
}

function readDrain(annotations: Readonly<Record<string, string>>): Pick<PodModel, "drainSeconds"> {
  const asked = annotationOf(annotations, "drainSeconds");
  return asked === undefined ? {} : { drainSeconds: Number(asked) };
}

/** hostnameOverride is the whole name. */
function readDomain(spec: Reader | undefined): Pick<PodModel, "subdomain" | "fqdn"> {
  const subdomain = spec?.text("subdomain");
  if (!subdomain || spec?.text("hostnameOverride")) return {};
  return { subdomain, ...(spec?.flag("setHostnameAsFQDN") ? { fqdn: true } : {}) };
}

function readFsGroup(security: Reader | undefined): Pick<PodModel, "fsGroup"> {
  const gid = security?.integer("fsGroup");
  return gid === undefined ? {} : { fsGroup: { gid, always: security?.text("fsGroupChangePolicy") !== "OnRootMismatch" } };
}

/** The wish, undefined for the usual; Kubernetes' hostUsers: false asks for ids that no other pod has. */
function readUserns(annotations: Readonly<Record<string, string>>, hostUsers: boolean | undefined): UsernsWish | undefined {
  const words = annotationOf(annotations, "userns") ?? (hostUsers === false ? "auto" : "shared");
  const wish = parseUserns(words);
  return isProblem(wish) || wish.mode === "shared" ? undefined : wish;
}

function allVolumes(spec: Reader | undefined, given: readonly Volume[]): Volume[] {
  const own = (spec?.objects("volumes") ?? []).flatMap((v) => readVolume(v) ?? []);
  return [...own.filter((v) => !given.some((g) => g.name === v.name)), ...given];
}
