// Fields of env and envFrom.
import { object } from "../../../spec/schema.js";
import { envName, envPrefix, filePath } from "../formats.js";
import { CONFIG_MAP_ENV, CONFIG_MAP_KEY, FIELD_SELECTOR, RESOURCE_SELECTOR, SECRET_ENV, SECRET_KEY } from "./selectors.js";

const FILE_KEY = object("FileKeySelector", {
  key: { type: "string", required: true, check: envName },
  optional: { type: "boolean" },
  path: { type: "string", required: true, check: filePath },
  volumeName: { type: "string", required: true },
});

const ENV_SOURCE = object("EnvVarSource", {
  configMapKeyRef: { type: CONFIG_MAP_KEY },
  secretKeyRef: { type: SECRET_KEY },
  fieldRef: { type: FIELD_SELECTOR },
  resourceFieldRef: { type: RESOURCE_SELECTOR },
  fileKeyRef: {
    since: "1.34",
    type: FILE_KEY,
    note: "The file is read when the container starts, in lines of the form VAR='value', from an emptyDir on disk, where an init container has put it. $(VAR) of another variable cannot refer to it.",
  },
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
