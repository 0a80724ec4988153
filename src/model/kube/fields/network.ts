// Fields of Services, Namespaces and ServiceAccounts.
import { type Field, type Fields, list, map, names, object } from "../../../spec/schema.js";
import { addressRange, dnsLabel, hostAddress } from "../formats.js";
import { METADATA, STATUS } from "./metadata.js";
import { PULL_SECRET } from "./selectors.js";

const NO_CLOUD = "no load balancer of a cloud stands before this host";
const ONE_HOST = "all traffic stays on this host, and pods see clients' own addresses";
const NO_NETWORK = "pods have no network of their own here that it could be an address of";
const MAX_PORT = 65535;
const OBJECT: Fields = {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: METADATA, required: true },
};
const port: Field = { type: "integer", min: 1, max: MAX_PORT };

const SERVICE_PORT = object("ServicePort", {
  name: { type: "string", check: dnsLabel },
  port: { ...port, required: true },
  targetPort: { type: "integerOrString", form: "a number, or the name of a container's port" },
  nodePort: {
    ...port,
    min: 0,
    note: "0 is none given. Listened on at every address of the host. Without one a NodePort gets a port from 30000 to 32767 that stays the same; a LoadBalancer gets none.",
  },
  protocol: { type: "string", values: ["TCP", "UDP"] },
  appProtocol: { type: "string", since: "1.20", noEffect: "no proxy here looks into connections" },
});

export const SERVICE = object("Service", {
  ...OBJECT,
  spec: {
    type: object("ServiceSpec", {
      type: {
        type: "string",
        values: ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
        note: "NodePort listens on nodePort, LoadBalancer on the Service's own port, each on the host. ClusterIP, which is the default, headless Services (clusterIP None) and ExternalName are refused: they need a network between pods.",
      },
      selector: { type: map("string"), note: "Pods of the same namespace with all of these labels, of this apply or installed. Required." },
      ports: { type: list(SERVICE_PORT) },
      clusterIP: { type: "string", note: "None is refused; an address has no effect: there is no network that it could be of." },
      clusterIPs: { type: list("string"), since: "1.20", noEffect: NO_NETWORK },
      externalIPs: {
        type: list({ type: "string", check: hostAddress }),
        note: "Addresses of the host at which the Service's own port is listened on, too, as soon as the host has them.",
      },
      externalName: { type: "string", noEffect: "it belongs to the type ExternalName, which is refused" },
      ipFamilies: {
        type: list({ type: "string", values: ["IPv4", "IPv6"] }),
        since: "1.20",
        note: "A single one: only it is listened on. Both otherwise.",
      },
      ipFamilyPolicy: {
        type: "string",
        values: ["SingleStack", "PreferDualStack", "RequireDualStack"],
        since: "1.20",
        note: "Of the two latter both families are listened on, whatever ipFamilies says.",
      },
      publishNotReadyAddresses: { type: "boolean", note: "Every pod counts whose namespaces are there." },
      sessionAffinity: {
        type: "string",
        values: ["None", "ClientIP"],
        note: "With None connections go to the ready pods in turn. With ClientIP a client comes to the same pod as long as it is ready, without a time limit. Datagrams of one client address and port go to one pod in any case.",
      },
      sessionAffinityConfig: {
        type: object("SessionAffinityConfig", {
          clientIP: {
            type: object("ClientIPConfig", {
              timeoutSeconds: {
                type: "integer",
                min: 1,
                max: 86400,
                form: "seconds",
                noEffect: "a client stays with its pod as long as that is ready",
                fine: [10800],
              },
            }),
          },
        }),
      },
      allocateLoadBalancerNodePorts: { type: "boolean", since: "1.20", noEffect: NO_CLOUD },
      loadBalancerClass: { type: "string", since: "1.21", noEffect: NO_CLOUD },
      loadBalancerIP: {
        type: "string",
        check: hostAddress,
        note: "The only address of the host that a LoadBalancer listens on; every one without it.",
      },
      loadBalancerSourceRanges: {
        type: list({ type: "string", check: addressRange }),
        note: "A connection from elsewhere is reset, a datagram is lost. Of a LoadBalancer only.",
      },
      healthCheckNodePort: { type: "integer", noEffect: NO_CLOUD },
      externalTrafficPolicy: { type: "string", values: ["Cluster", "Local"], noEffect: ONE_HOST, fine: ["Cluster", "Local"] },
      internalTrafficPolicy: {
        type: "string",
        values: ["Cluster", "Local"],
        since: "1.21",
        noEffect: ONE_HOST,
        fine: ["Cluster", "Local"],
      },
      trafficDistribution: { type: "string", since: "1.30", noEffect: ONE_HOST },
    }),
    required: true,
  },
  status: STATUS,
});

export const NAMESPACE = object("Namespace", {
  ...OBJECT,
  spec: { type: object("NamespaceSpec", { finalizers: { type: list("string"), noEffect: "nothing here waits for finalizers" } }) },
  status: STATUS,
});

export const SERVICE_ACCOUNT = object("ServiceAccount", {
  ...OBJECT,
  automountServiceAccountToken: { type: "boolean", noEffect: "there is no API server here", fine: [false] },
  imagePullSecrets: { type: list(PULL_SECRET) },
  secrets: {
    type: list(names("ObjectReference", "apiVersion fieldPath kind name namespace resourceVersion uid")),
    noEffect: "there is no API server here",
  },
});
