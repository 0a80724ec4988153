// Meanings of the fields of Services, Namespaces and ServiceAccounts.
import type { About } from "./index.js";

export const SERVICES: Readonly<Record<string, About>> = {
  ServiceSpec: {
    type: "Where it can be reached: in the cluster, by a port of the host, or as another name",
    ports: "Its ports",
    clusterIP: "Its address, or None",
    clusterIPs: "Its addresses",
    externalIPs: "Further addresses it answers on",
    externalName: "The name it stands for",
    ipFamilies: "IPv4, IPv6",
    ipFamilyPolicy: "Whether it needs both",
    publishNotReadyAddresses: "Whether pods that are not ready count",
    sessionAffinity: "Whether a client comes to the same pod again",
    sessionAffinityConfig: "For how long",
    allocateLoadBalancerNodePorts: "Whether a LoadBalancer has ports of the host",
    loadBalancerClass: "Who makes the load balancer",
    loadBalancerIP: "The load balancer's address",
    loadBalancerSourceRanges: "Who may connect",
    healthCheckNodePort: "Where a load balancer asks for health",
    externalTrafficPolicy: "Whether traffic stays on its node",
    internalTrafficPolicy: "Whether traffic stays on its node",
    trafficDistribution: "Which pods are nearest",
  },
  ServicePort: {
    name: "The port's name",
    port: "The Service's port",
    targetPort: "The pods' port; default: port",
    nodePort: "The host's port",
    protocol: "TCP, the default, or UDP",
    appProtocol: "What is spoken",
  },
  SessionAffinityConfig: { clientIP: "By the client's address" },
  ClientIPConfig: { timeoutSeconds: "For how long; default 10800" },
  NamespaceSpec: { finalizers: "Who must agree before it goes" },
  ServiceAccount: {
    automountServiceAccountToken: "Whether pods get a token",
    imagePullSecrets:
      "Secrets with logins for the images of pods that say this account, or none and it is called default, and name no such Secrets themselves",
    secrets: "Secrets of the account",
  },
};
