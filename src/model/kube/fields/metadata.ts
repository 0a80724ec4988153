// Fields of metadata (meta/v1 ObjectMeta and ListMeta).
import { type Field, type Fields, list, map, names, object } from "../../../spec/schema.js";
import { dnsLabel, dnsSubdomain, labelKey, labelValue } from "../formats.js";

/** What kubectl get shows and people leave in their files. */
const SERVER = "the API server writes it, and there is none here";
const server: Field = { type: "any", noEffect: SERVER };

/** What the API server says of an object, and kubectl get -o yaml with it. */
export const STATUS: Field = { type: "any", noEffect: SERVER };

const MANAGED_FIELDS = names("ManagedFieldsEntry", "apiVersion fieldsType fieldsV1 manager operation subresource time");
const OWNER_REFERENCE = names("OwnerReference", "apiVersion blockOwnerDeletion controller kind name uid");

const COMMON: Fields = {
  namespace: { type: "string", check: dnsLabel },
  labels: { type: map({ type: "string", check: labelValue }, labelKey) },
  annotations: { type: map("string", labelKey) },
  creationTimestamp: server,
  deletionGracePeriodSeconds: server,
  deletionTimestamp: server,
  finalizers: { type: "any", noEffect: "nothing here waits for finalizers" },
  generation: server,
  managedFields: { type: list(MANAGED_FIELDS), noEffect: SERVER },
  ownerReferences: { type: list(OWNER_REFERENCE), noEffect: "no controller runs here that could own the object" },
  resourceVersion: server,
  selfLink: server,
  uid: server,
};

export const METADATA = object("ObjectMeta", {
  name: { type: "string", required: true, check: dnsSubdomain },
  ...COMMON,
  generateName: {
    type: "string",
    refused: "the object's units and files are named after it, so its name must be fixed",
    hint: "write name",
  },
});

const unnamed: Field = { type: "string", noEffect: "what is made of a template is named after who makes it" };

/** Metadata inside a template. */
export const TEMPLATE_METADATA = object("ObjectMeta", { name: unnamed, ...COMMON, namespace: unnamed, generateName: unnamed });

export const LIST_METADATA = object("ListMeta", {
  continue: server,
  remainingItemCount: server,
  resourceVersion: server,
  selfLink: server,
});
