// Fields of env and envFrom.
import { names, object } from "../../../spec/schema.js";
import { envName, envPrefix } from "../formats.js";
import { CONFIG_MAP_ENV, CONFIG_MAP_KEY, FIELD_SELECTOR, RESOURCE_SELECTOR, SECRET_ENV, SECRET_KEY } from "./selectors.js";

const FILE_KEY = names("FileKeySelector", "key optional path volumeName");

const ENV_SOURCE = object("EnvVarSource", {
  configMapKeyRef: { type: CONFIG_MAP_KEY },
  secretKeyRef: { type: SECRET_KEY },
  fieldRef: { type: FIELD_SELECTOR },
  resourceFieldRef: { type: RESOURCE_SELECTOR },
  fileKeyRef: { since: "1.34", type: FILE_KEY, refused: "podgen does not read variables from files of volumes yet", presence: true },
});

export const ENV = object("EnvVar", {
  name: { type: "string", required: true, check: envName },
  value: { type: "string" },
  valueFrom: { type: ENV_SOURCE },
});

export const ENV_FROM = object("EnvFromSource", {
  configMapRef: { type: CONFIG_MAP_ENV },
  secretRef: { type: SECRET_ENV },
  prefix: { type: "string", check: envPrefix },
});
