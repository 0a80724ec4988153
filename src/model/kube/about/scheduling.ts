// Meanings of the fields that choose a node.
import type { About } from "./index.js";

const TERMS: About = {
  preferredDuringSchedulingIgnoredDuringExecution: "Rules that should hold, with weights",
  requiredDuringSchedulingIgnoredDuringExecution: "Rules that must hold",
};

export const SCHEDULING: Readonly<Record<string, About>> = {
  Affinity: { nodeAffinity: "By labels of nodes", podAffinity: "Near these pods", podAntiAffinity: "Away from these pods" },
  NodeAffinity: TERMS,
  PodAffinity: TERMS,
  PodAntiAffinity: TERMS,
  PreferredSchedulingTerm: { preference: "The rule", weight: "How much it counts, 1 to 100" },
  NodeSelector: { nodeSelectorTerms: "Rules of which one must hold" },
  NodeSelectorTerm: { matchExpressions: "Conditions on labels", matchFields: "Conditions on fields" },
  WeightedPodAffinityTerm: { podAffinityTerm: "The rule", weight: "How much it counts, 1 to 100" },
  PodAffinityTerm: {
    matchLabelKeys: "Labels that must be as the new pod's",
    mismatchLabelKeys: "Labels that must differ from the new pod's",
    namespaceSelector: "Namespaces by their labels",
    namespaces: "Namespaces by name",
    topologyKey: "The label of nodes that says what near is",
  },
  TopologySpreadConstraint: {
    matchLabelKeys: "Labels that must be as the new pod's",
    maxSkew: "By how many pods domains may differ",
    minDomains: "How many domains there must be",
    nodeAffinityPolicy: "Whether affinity counts for the skew",
    nodeTaintsPolicy: "Whether taints count for the skew",
    topologyKey: "The label of nodes that says what a domain is",
    whenUnsatisfiable: "What to do when it cannot hold",
  },
};
