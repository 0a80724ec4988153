// Configuration and manifest of an image with one more layer: a committed container's. Pure.
import type { ImageChange } from "../../base/image-change.js";
import { ImageError } from "../../ports/images.js";
import type { Form } from "./copy/content.js";
import { layerType, partsOf, withLayers } from "./copy/convert.js";
import { isObject, type Json, parseJson, strings } from "./json.js";
import { digestOf } from "./resolve.js";

type Fields = { [key: string]: Json };

export interface NewLayer {
  readonly diffId: string;
  /** Bytes of its tar. */
  readonly size: number;
}

export interface CommitNote {
  /** RFC 3339. */
  readonly created: string;
  /** What the history says made the layer. */
  readonly createdBy: string;
  readonly author?: string;
  readonly message?: string;
  readonly changes: readonly ImageChange[];
}

// What docker's engine once wrote of the container that an image came from: true of that one only.
const OF_ANOTHER = ["id", "parent", "container", "container_config", "docker_version"];

const HEAD: Readonly<Record<Form, { readonly manifest: string; readonly config: string }>> = {
  oci: { manifest: "application/vnd.oci.image.manifest.v1+json", config: "application/vnd.oci.image.config.v1+json" },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
  },
};

/** The configuration with the layer, its step of the history, and the changes. `base` was checked: parseConfiguration(). */
export function committedConfig(base: Uint8Array, layer: NewLayer, note: CommitNote): Uint8Array {
  const json: Fields = { ...(parseJson(base) as Fields) };
  for (const name of OF_ANOTHER) delete json[name];
  const rootfs = json["rootfs"] as Fields;
  const layers = strings(rootfs["diff_ids"]) ?? [];
  const history = Array.isArray(json["history"]) ? json["history"] : [];
  // Readers count the steps that made a layer: where builders left some out, they are put in as steps of which nothing is known.
  const known = history.filter((step) => isObject(step) && step["empty_layer"] !== true).length;
  const lacking = Array.from({ length: Math.max(0, layers.length - known) }, (): Json => ({}));
  const step: Fields = {
    created: note.created,
    created_by: note.createdBy,
    ...(note.author === undefined ? {} : { author: note.author }),
    ...(note.message === undefined ? {} : { comment: note.message }),
  };
  const config = { ...(isObject(json["config"]) ? json["config"] : {}) };
  apply(config, note.changes);
  const made = {
    ...json,
    created: note.created,
    ...(note.author === undefined ? {} : { author: note.author }),
    config,
    rootfs: { ...rootfs, diff_ids: [...layers, layer.diffId] },
    history: [...history, ...lacking, step],
  };
  return Buffer.from(JSON.stringify(made));
}

/** The manifest with the layer as a plain tar, in `form`. Throws ImageError image-bad where that family cannot say what `base` says. */
export function committedManifest(base: Uint8Array, config: Uint8Array, layer: NewLayer, form: Form, reference: string): Uint8Array {
  const parts = partsOf({ bytes: base }, reference);
  if (parts.kind !== "image") throw new ImageError("image-store", reference, `${reference}: its manifest is an index`);
  const before = parseJson(withLayers({ bytes: base }, parts, form, parts.layers, reference).bytes) as Fields;
  const top = { mediaType: layerType(form, "none") as string, digest: layer.diffId, size: layer.size };
  const made = {
    schemaVersion: 2,
    mediaType: HEAD[form].manifest,
    config: { mediaType: HEAD[form].config, digest: digestOf(config), size: config.length },
    layers: [...(before["layers"] as Json[]), top],
  };
  return Buffer.from(JSON.stringify(made));
}

function apply(config: Fields, changes: readonly ImageChange[]): void {
  const shell = strings(config["Shell"]) ?? ["/bin/sh", "-c"];
  for (const change of changes)
    switch (change.kind) {
      case "CMD":
        config["Cmd"] = [...(change.shell ? shell : []), ...change.words];
        break;
      case "ENTRYPOINT":
        config["Entrypoint"] = [...(change.shell ? shell : []), ...change.words];
        // The arguments of another entry point: as a build has it.
        if (!changes.some((other) => other.kind === "CMD")) delete config["Cmd"];
        break;
      case "ENV":
        config["Env"] = change.pairs.reduce((env, [name, value]) => withVariable(env, name, value), strings(config["Env"]) ?? []);
        break;
      case "LABEL":
        config["Labels"] = { ...object(config["Labels"]), ...Object.fromEntries(change.pairs) };
        break;
      case "EXPOSE":
        config["ExposedPorts"] = { ...object(config["ExposedPorts"]), ...Object.fromEntries(change.names.map((name) => [name, {}])) };
        break;
      case "VOLUME":
        config["Volumes"] = { ...object(config["Volumes"]), ...Object.fromEntries(change.names.map((name) => [name, {}])) };
        break;
      case "ONBUILD":
        config["OnBuild"] = [...(strings(config["OnBuild"]) ?? []), change.value];
        break;
      case "STOPSIGNAL":
        config["StopSignal"] = change.value;
        break;
      case "USER":
        config["User"] = change.value;
        break;
      case "WORKDIR":
        config["WorkingDir"] = below(String(config["WorkingDir"] ?? "/"), change.value);
    }
}

/** In the place of the old value, or at the end. */
function withVariable(env: readonly string[], name: string, value: string): string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${name}=`));
  return at < 0 ? [...env, `${name}=${value}`] : env.map((entry, i) => (i === at ? `${name}=${value}` : entry));
}

function object(value: Json | undefined): { readonly [key: string]: Json } {
  return isObject(value) ? value : {};
}

function below(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
