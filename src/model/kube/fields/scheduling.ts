// Fields that choose a node: they mean nothing on a single host.
import { type Fields, list, map, names, object } from "../../../spec/schema.js";
import { LABEL_SELECTOR } from "./selectors.js";

const ONE_HOST = "every pod runs on this host";

const NODE_REQUIREMENT = names("NodeSelectorRequirement", "key operator values");
const NODE_TERM = object("NodeSelectorTerm", {
  matchExpressions: { type: list(NODE_REQUIREMENT) },
  matchFields: { type: list(NODE_REQUIREMENT) },
});
const NODE_AFFINITY = object("NodeAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: {
    type: list(object("PreferredSchedulingTerm", { preference: { type: NODE_TERM }, weight: { type: "integer" } })),
  },
  requiredDuringSchedulingIgnoredDuringExecution: {
    type: object("NodeSelector", { nodeSelectorTerms: { type: list(NODE_TERM) } }),
  },
});
const POD_TERM = object("PodAffinityTerm", {
  labelSelector: { type: LABEL_SELECTOR },
  matchLabelKeys: { type: list("string"), since: "1.25" },
  mismatchLabelKeys: { type: list("string"), since: "1.25" },
  namespaceSelector: { type: LABEL_SELECTOR, since: "1.21" },
  namespaces: { type: list("string") },
  topologyKey: { type: "string" },
});
const WEIGHTED_TERM = object("WeightedPodAffinityTerm", { podAffinityTerm: { type: POD_TERM }, weight: { type: "integer" } });
const POD_TERMS: Fields = {
  preferredDuringSchedulingIgnoredDuringExecution: { type: list(WEIGHTED_TERM) },
  requiredDuringSchedulingIgnoredDuringExecution: { type: list(POD_TERM) },
};
const AFFINITY = object("Affinity", {
  nodeAffinity: { type: NODE_AFFINITY },
  podAffinity: { type: object("PodAffinity", POD_TERMS) },
  podAntiAffinity: { type: object("PodAntiAffinity", POD_TERMS) },
});
const SPREAD = object("TopologySpreadConstraint", {
  labelSelector: { type: LABEL_SELECTOR },
  matchLabelKeys: { type: list("string"), since: "1.25" },
  maxSkew: { type: "integer" },
  minDomains: { since: "1.24", type: "integer" },
  nodeAffinityPolicy: { since: "1.25", type: "string" },
  nodeTaintsPolicy: { since: "1.25", type: "string" },
  topologyKey: { type: "string" },
  whenUnsatisfiable: { type: "string" },
});

export const SCHEDULING: Fields = {
  affinity: { type: AFFINITY, noEffect: ONE_HOST },
  nodeName: { type: "string", noEffect: ONE_HOST },
  nodeSelector: { type: map("string"), noEffect: ONE_HOST },
  preemptionPolicy: { type: "string", noEffect: ONE_HOST, fine: ["PreemptLowerPriority"] },
  priority: { type: "integer", noEffect: ONE_HOST, fine: [0] },
  priorityClassName: { type: "string", noEffect: ONE_HOST },
  schedulerName: { type: "string", noEffect: ONE_HOST, fine: ["default-scheduler"] },
  tolerations: { type: list(names("Toleration", "effect key operator tolerationSeconds value")), noEffect: ONE_HOST },
  topologySpreadConstraints: { type: list(SPREAD), noEffect: ONE_HOST },
  overhead: { type: map("quantity"), noEffect: ONE_HOST },
};
