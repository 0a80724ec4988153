// Small types that several tables share: references, selectors of objects, labels and fields.
import { list, map, names, object } from "../../../spec/schema.js";
import { dataKey, dnsSubdomain, labelKey } from "../formats.js";

export const FIELD_SELECTOR = names("ObjectFieldSelector", "apiVersion fieldPath");
export const RESOURCE_SELECTOR = names("ResourceFieldSelector", "containerName divisor resource");

const REQUIREMENT = object("LabelSelectorRequirement", {
  key: { type: "string", required: true, check: labelKey },
  operator: { type: "string", required: true, values: ["In", "NotIn", "Exists", "DoesNotExist"] },
  values: { type: list("string") },
});
export const LABEL_SELECTOR = object("LabelSelector", {
  matchExpressions: { type: list(REQUIREMENT) },
  matchLabels: { type: map("string") },
});

const NAME = { type: "string", required: true, check: dnsSubdomain } as const;
const OPTIONAL = { type: "boolean" } as const;
const KEY = { type: "string", required: true, check: dataKey } as const;

export const PULL_SECRET = object("LocalObjectReference", { name: { ...NAME, aka: ["secretName"] } });
export const CONFIG_MAP_KEY = object("ConfigMapKeySelector", { name: NAME, key: KEY, optional: OPTIONAL });
export const SECRET_KEY = object("SecretKeySelector", { name: { ...NAME, aka: ["secretName"] }, key: KEY, optional: OPTIONAL });
export const CONFIG_MAP_ENV = object("ConfigMapEnvSource", { name: NAME, optional: OPTIONAL });
export const SECRET_ENV = object("SecretEnvSource", { name: { ...NAME, aka: ["secretName"] }, optional: OPTIONAL });
