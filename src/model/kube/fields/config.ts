// Fields of ConfigMaps, Secrets and Lists.
import { list, map, object } from "../../../spec/schema.js";
import { dataKey, notEmpty } from "../formats.js";
import { LIST_METADATA, METADATA } from "./metadata.js";

const OBJECT = {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: METADATA, required: true },
} as const;
const TEXTS = { type: map("string", dataKey) } as const;

export const CONFIG_MAP_OBJECT = object("ConfigMap", {
  ...OBJECT,
  data: TEXTS,
  binaryData: TEXTS,
  immutable: { type: "boolean" },
});

export const SECRET_OBJECT = object("Secret", {
  ...OBJECT,
  data: TEXTS,
  stringData: TEXTS,
  immutable: { type: "boolean" },
  type: { type: "string", check: notEmpty },
});

export const LIST_OBJECT = object("List", {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: LIST_METADATA },
  items: { type: list("any"), required: true },
});
