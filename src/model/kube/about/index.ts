// What each field means, one line each, by type and field. Apart from the tables, which every run loads; these are for explain, schema and man.
import { CONTAINERS } from "./containers.js";
import { OBJECTS } from "./objects.js";
import { PODS } from "./pods.js";
import { SCHEDULING } from "./scheduling.js";
import { SERVICES } from "./services.js";
import { VOLUMES } from "./volumes.js";
import { WORKLOADS } from "./workloads.js";

/** Field -> what it means, as a sentence without its full stop. */
export type About = Readonly<Record<string, string>>;

/** Type -> its fields' meanings. */
export const ABOUT: Readonly<Record<string, About>> = {
  ...OBJECTS,
  ...PODS,
  ...CONTAINERS,
  ...SCHEDULING,
  ...VOLUMES,
  ...WORKLOADS,
  ...SERVICES,
};

/** Fields that mean the same wherever they are, where their type does not say otherwise. */
export const ANYWHERE: About = {
  apiVersion: "Group and version of the kind",
  kind: "The kind of object",
  metadata: "Name, labels and annotations",
  spec: "What is asked for",
  status: "What the API server last said of the object",
  selector: "Which pods belong to it, by their labels",
  matchLabels: "Labels that must be there with these values",
  matchExpressions: "Conditions on labels that must all hold",
  labelSelector: "Which objects are meant, by their labels",
  optional: "Whether it is no error when the object or key is not there",
  minReadySeconds: "How long a new pod must be ready before it counts as available",
  revisionHistoryLimit: "How many old generations are kept to go back to",
  template: "The pods that are made",
  replicas: "How many pods are to run",
};

/** What a field of a type means; undefined for what stands inside of refused fields. */
export function aboutField(type: string, field: string): string | undefined {
  const own = Object.hasOwn(ABOUT, type) ? ABOUT[type] : undefined;
  if (own !== undefined && Object.hasOwn(own, field)) return own[field];
  return Object.hasOwn(ANYWHERE, field) ? ANYWHERE[field] : undefined;
}
