// Meanings of the fields of metadata, ConfigMaps, Secrets and Lists.
import type { About } from "./index.js";

const SERVER = "Written by an API server";

export const OBJECTS: Readonly<Record<string, About>> = {
  Pod: { spec: "The containers and how they run together" },
  ObjectMeta: {
    name: "The object's name, unique among those of its kind",
    namespace: "A name to group objects by; names are unique per user all the same",
    labels: "Keys and values that selectors look at",
    annotations: "Keys and values for programs; podgen's own are under ANNOTATIONS",
    creationTimestamp: SERVER,
    deletionGracePeriodSeconds: SERVER,
    deletionTimestamp: SERVER,
    finalizers: "Who must agree before the object goes",
    generation: SERVER,
    managedFields: SERVER,
    ownerReferences: "Objects with which this one goes",
    resourceVersion: SERVER,
    selfLink: SERVER,
    uid: SERVER,
    generateName: "The beginning of a name that the server completes",
  },
  ListMeta: { continue: SERVER, remainingItemCount: SERVER, resourceVersion: SERVER, selfLink: SERVER },
  List: { items: "Objects of any kind; in a PodList, DeploymentList and so on, which are taken too, they need not say their kind" },
  ConfigMap: {
    data: "Texts by key",
    binaryData: "Bytes in base64 by key",
    immutable: "Whether the content may not change once it was applied",
  },
  Secret: {
    data: "Values in base64 by key",
    stringData: "Values as plain text by key; they win over data",
    immutable: "Whether the content may not change once it was applied",
    type: "What kind of secret it is, which may ask for certain keys",
  },
};
