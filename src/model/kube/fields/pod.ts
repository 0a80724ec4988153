// Fields of Pods: the whole of core/v1 PodSpec, honoured, refused or without effect.
import { type Fields, list, names, object } from "../../../spec/schema.js";
import { address, dnsLabel, dnsSubdomain, hostName, word } from "../formats.js";
import { CONTAINER, EPHEMERAL_CONTAINER } from "./container.js";
import { METADATA, STATUS } from "./metadata.js";
import { CLAIMS, RESOURCES } from "./resources.js";
import { SCHEDULING } from "./scheduling.js";
import { POD_SECURITY } from "./security.js";
import { PULL_SECRET } from "./selectors.js";
import { VOLUME } from "./volume.js";

const NO_API = "there is no API server here";

/** systemd's time spans are far larger; 68 years are enough. */
const MAX_SECONDS = 2147483647;

const HOST_ALIAS = object("HostAlias", {
  ip: { type: "string", required: true, check: address },
  hostnames: { type: list({ type: "string", check: dnsSubdomain }) },
});
const DNS_CONFIG = object("PodDNSConfig", {
  nameservers: { type: list({ type: "string", check: address }) },
  options: {
    type: list(
      object("PodDNSConfigOption", { name: { type: "string", required: true, check: word }, value: { type: "string", check: word } }),
    ),
  },
  searches: { type: list({ type: "string", check: word }) },
});

const HONOURED: Fields = {
  containers: { type: list(CONTAINER, { nonEmpty: true }), required: true },
  initContainers: { type: list(CONTAINER) },
  volumes: { type: list(VOLUME) },
  restartPolicy: { type: "string", values: ["Always", "OnFailure", "Never"], aka: ["restart"] },
  terminationGracePeriodSeconds: { type: "integer", min: 0, max: MAX_SECONDS },
  activeDeadlineSeconds: {
    type: "integer",
    min: 1,
    max: MAX_SECONDS,
    note: "From the pod's start, whatever its containers do. A start by a person, or a boot, begins anew; so does a changed deadline.",
  },
  hostNetwork: { type: "boolean" },
  hostPID: {
    type: "boolean",
    note:
      "The containers see all processes of the host, as the user does, and may signal the user's; they may not trace them, whose user namespace " +
      "is above theirs. /proc is the host's, as it is there. Not with a user namespace of the pod's own.",
  },
  hostIPC: {
    type: "boolean",
    note: "With the host's /dev/shm and /dev/mqueue. Not with a user namespace of the pod's own, nor with sysctls of kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.*.",
  },
  shareProcessNamespace: {
    type: "boolean",
    note:
      "PID 1 is then a process of podgen's that has nothing and may nothing. It ends with the pod's infra unit: should that be killed, the containers " +
      "are started anew.",
  },
  hostUsers: { since: "1.25", type: "boolean" },
  securityContext: { type: POD_SECURITY },
  imagePullSecrets: { type: list(PULL_SECRET) },
  hostname: { type: "string", check: dnsLabel },
  hostnameOverride: { type: "string", since: "1.34", check: hostName, note: "It goes before hostname." },
  subdomain: {
    type: "string",
    check: dnsLabel,
    note: "The pod's /etc/hosts has HOSTNAME.SUBDOMAIN.NAMESPACE.svc.cluster.local, which hostname -f says. Other pods do not know the name.",
  },
  setHostnameAsFQDN: {
    since: "1.19",
    type: "boolean",
    note: "With a subdomain the kernel's host name is the full one, of 64 characters at most; without one it changes nothing, as in Kubernetes.",
  },
  resources: { type: RESOURCES, since: "1.32", note: "They are on the pod's slice." },
  hostAliases: { type: list(HOST_ALIAS) },
  dnsPolicy: {
    type: "string",
    values: ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    note: "All but None are the host's name servers: there is no cluster's. None is dnsConfig alone.",
  },
  dnsConfig: {
    type: DNS_CONFIG,
    note: "Resolvers read three name servers, the pod's first ones. Searches only with dnsPolicy None: else the host's count.",
  },
  os: { since: "1.23", type: object("PodOS", { name: { type: "string", required: true, values: ["linux"] } }) },
};

const REFUSED: Fields = {
  automountServiceAccountToken: { type: "boolean", noEffect: NO_API, fine: [false] },
  enableServiceLinks: {
    type: "boolean",
    noEffect: "its variables name Services by their addresses in a network between pods, and there is none",
    fine: [true, false],
  },
  ephemeralContainers: {
    since: "1.16",
    type: list(EPHEMERAL_CONTAINER),
    refused: "debugging containers are not part of a pod's file",
    hint: "use podgen exec",
  },
  readinessGates: { type: list(names("PodReadinessGate", "conditionType")), refused: NO_API },
  resourceClaims: {
    since: "1.26",
    type: list(
      object("PodResourceClaim", {
        name: { type: "string" },
        resourceClaimName: { type: "string", since: "1.31" },
        resourceClaimTemplateName: { type: "string", since: "1.31" },
        source: { type: names("ClaimSource", "resourceClaimName resourceClaimTemplateName") },
      }),
    ),
    refused: CLAIMS,
  },
  runtimeClassName: { type: "string", refused: "there is one runtime, podrt" },
  schedulingGates: { since: "1.26", type: list(names("PodSchedulingGate", "name")), refused: "nothing here would lift the gate" },
  schedulingGroup: { since: "1.36", type: "any", refused: "podgen starts each pod by itself" },
  serviceAccount: { type: "string", noEffect: NO_API, fine: ["default"] },
  serviceAccountName: { type: "string", noEffect: NO_API, fine: ["default"] },
  workloadRef: { since: "1.35", type: "any", refused: "podgen starts each pod by itself" },
};

export const POD_SPEC = object("PodSpec", { ...HONOURED, ...REFUSED, ...SCHEDULING });

export const POD = object("Pod", {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: METADATA, required: true },
  spec: { type: POD_SPEC, required: true },
  status: STATUS,
});
