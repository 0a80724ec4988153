// Fields of Services, Namespaces and ServiceAccounts: kinds that are refused so far; the tables are for explain and what comes.
import { type Field, type Fields, list, map, names, object } from "../../../spec/schema.js";
import { dnsLabel, hostAddress } from "../formats.js";
import { METADATA, STATUS } from "./metadata.js";
import { PULL_SECRET } from "./selectors.js";

const NO_CLOUD = "no load balancer of a cloud stands before this host";
const ONE_HOST = "all traffic stays on this host";
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
  nodePort: port,
  protocol: { type: "string", values: ["TCP", "UDP"] },
  appProtocol: { type: "string", since: "1.20", noEffect: "no proxy here looks into connections" },
});

export const SERVICE = object("Service", {
  ...OBJECT,
  spec: {
    type: object("ServiceSpec", {
      type: { type: "string", values: ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] },
      selector: { type: map("string") },
      ports: { type: list(SERVICE_PORT) },
      clusterIP: { type: "string" },
      clusterIPs: { type: list("string"), since: "1.20" },
      externalIPs: { type: list({ type: "string", check: hostAddress }) },
      externalName: { type: "string" },
      ipFamilies: { type: list({ type: "string", values: ["IPv4", "IPv6"] }), since: "1.20" },
      ipFamilyPolicy: { type: "string", values: ["SingleStack", "PreferDualStack", "RequireDualStack"], since: "1.20" },
      publishNotReadyAddresses: { type: "boolean" },
      sessionAffinity: { type: "string", values: ["None", "ClientIP"] },
      sessionAffinityConfig: {
        type: object("SessionAffinityConfig", {
          clientIP: { type: object("ClientIPConfig", { timeoutSeconds: { type: "integer", min: 1, max: 86400, form: "seconds" } }) },
        }),
      },
      allocateLoadBalancerNodePorts: { type: "boolean", since: "1.20", noEffect: NO_CLOUD },
      loadBalancerClass: { type: "string", since: "1.21", noEffect: NO_CLOUD },
      loadBalancerIP: { type: "string", noEffect: NO_CLOUD },
      loadBalancerSourceRanges: { type: list("string"), refused: "podgen has no packet filter", hint: "filter with nftables on the host" },
      healthCheckNodePort: { type: "integer", noEffect: NO_CLOUD },
      externalTrafficPolicy: { type: "string", noEffect: ONE_HOST },
      internalTrafficPolicy: { type: "string", since: "1.21", noEffect: ONE_HOST },
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
