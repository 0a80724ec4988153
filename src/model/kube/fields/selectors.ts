// Small types that several tables share: references, selectors of objects, labels and fields.
import { type Check, list, map, type ObjectType, object } from "../../../spec/schema.js";
import { divisor, fileField, resourceName, variableField } from "../downward.js";
import { dataKey, dnsLabel, dnsSubdomain, labelKey } from "../formats.js";

const selector = (check: Check, note: string): ObjectType =>
  object("ObjectFieldSelector", {
    apiVersion: { type: "string", values: ["v1"] },
    fieldPath: { type: "string", required: true, check, note },
  });

const NOTE = "metadata.name, .namespace, .uid (made of the pod's name), .labels['KEY'], .annotations['KEY']";
const ADDRESS =
  "status.podIP, .podIPs, .hostIP and .hostIPs are found at each start: the address by which one reaches the world, first of IPv4, then of IPv6. With " +
  "pasta the pod has the host's; without a network it is 127.0.0.1.";
export const FIELD_SELECTOR = selector(
  variableField,
  `One of: ${NOTE}, spec.nodeName (the host's name), spec.serviceAccountName. ${ADDRESS}`,
);
export const FILE_FIELD_SELECTOR = selector(fileField, `One of: ${NOTE}, and all of metadata.labels or metadata.annotations.`);
export const RESOURCE_SELECTOR = object("ResourceFieldSelector", {
  containerName: { type: "string", check: dnsLabel },
  resource: {
    type: "string",
    required: true,
    check: resourceName,
    note: "One of: limits.cpu, limits.memory, requests.cpu, requests.memory. Without a limit it is what the machine has; without a request, the limit, or 0.",
  },
  divisor: { type: "quantity", check: divisor },
});

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
