// registries.d: where the signatures of a registry's images are (containers-registries.d(5)). The user's folder, else the system's.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { ImageError } from "../../../ports/images.js";
import { isObject, type Json, printable } from "../json.js";
import type { RegistryReference } from "../reference.js";
import { scopesOf } from "../scopes.js";

type Env = Readonly<Record<string, string | undefined>>;

/** What is said of an image's signatures. */
export interface SignaturePlaces {
  /** Base address of the lookaside, to be read: file, http or https. */
  readonly lookaside: string;
  /** The same for writing. */
  readonly staging: string;
  /** Signatures are attached to the image in its registry, too. */
  readonly attachments: boolean;
  /** The folder that was looked into, for messages. */
  readonly folder: string;
}

interface Section {
  readonly lookaside?: string;
  readonly staging?: string;
  readonly attachments?: boolean;
}

/** Member -> what it stands for; `sigstore` is the old name of `lookaside`, which wins where both are there. */
const TEXTS: Readonly<Record<string, "lookaside" | "staging">> = {
  sigstore: "lookaside",
  lookaside: "lookaside",
  "sigstore-staging": "staging",
  "lookaside-staging": "staging",
};
const ATTACHMENTS = "use-sigstore-attachments";

/**
 * Each setting of the most specific section that has it: image, repository, its namespaces, host, `*.domain`, default-docker. Throws
 * ImageError image-config for what is not understood, and for a section that is there twice.
 */
export async function signaturePlaces(reference: RegistryReference, env: Env, root = ""): Promise<SignaturePlaces> {
  const folder = await folderOf(env, root);
  const { sections, general } = await readFolder(folder);
  const found = [...scopesOf(reference).flatMap((scope) => sections.get(scope) ?? []), ...(general === undefined ? [] : [general])];
  const first = <K extends keyof Section>(key: K): Section[K] | undefined => found.find((section) => section[key] !== undefined)?.[key];
  const lookaside = first("lookaside") ?? builtIn(env);
  return {
    lookaside,
    staging: found.map((s) => s.staging ?? s.lookaside).find((s) => s !== undefined) ?? lookaside,
    attachments: first("attachments") ?? false,
    folder,
  };
}

/** Where signatures are without any setting. */
function builtIn(env: Env): string {
  const home = process.getuid?.() === 0 ? undefined : env["HOME"];
  return `file://${home === undefined ? "/var/lib" : join(home, ".local/share")}/containers/sigstore`;
}

async function folderOf(env: Env, root: string): Promise<string> {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  const own = config === undefined ? undefined : join(config, "containers/registries.d");
  return own !== undefined && (await stat(own).catch(() => undefined)) !== undefined ? own : `${root}/etc/containers/registries.d`;
}

async function readFolder(folder: string): Promise<{ sections: Map<string, Section>; general: Section | undefined }> {
  const sections = new Map<string, Section>();
  let general: Section | undefined;
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw bad(folder, `cannot be read (${error.code})`);
  });
  for (const name of names.filter((n) => n.endsWith(".yaml")).sort()) {
    const file = join(folder, name);
    const json = await readYaml(file);
    for (const [key, value] of Object.entries(json)) {
      if (key === "default-docker") {
        if (general !== undefined) throw bad(file, "default-docker is in another file of the folder, too");
        general = readSection(file, key, value);
      } else if (key === "docker") {
        if (value !== null && !isObject(value)) throw bad(file, "docker is not a mapping");
        for (const [scope, section] of Object.entries(value ?? {})) {
          if (sections.has(scope)) throw bad(file, `${printable(scope)} is in another file of the folder, too`);
          sections.set(scope, readSection(file, scope, section));
        }
      } else throw bad(file, `unknown member "${printable(key)}"`);
    }
  }
  return { sections, general };
}

async function readYaml(file: string): Promise<{ readonly [key: string]: Json }> {
  let json: Json | undefined;
  try {
    // A file without a document says nothing. A member that is there twice is an error to js-yaml.
    const documents = loadAll(await readFile(file, "utf8")) as Json[];
    json = documents.length > 1 ? undefined : (documents[0] ?? {});
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw bad(file, code === undefined ? `is not YAML: ${printable(message)}` : `cannot be read (${code})`);
  }
  if (!isObject(json)) throw bad(file, "is not one mapping");
  return json;
}

function readSection(file: string, scope: string, json: Json): Section {
  if (json === null) return {};
  if (!isObject(json)) throw bad(file, `${printable(scope)} is not a mapping`);
  const section: Record<string, string | boolean> = {};
  // Old names first: they give way.
  for (const key of [...Object.keys(TEXTS), ATTACHMENTS]) {
    const value = json[key];
    if (value === undefined || value === null || value === "") continue;
    const to = TEXTS[key];
    if (typeof value !== (to === undefined ? "boolean" : "string")) throw bad(file, `${printable(scope)}: ${key} is of the wrong type`);
    section[to ?? "attachments"] = value as string | boolean;
  }
  const odd = Object.keys(json).find((key) => key !== ATTACHMENTS && !Object.hasOwn(TEXTS, key));
  if (odd !== undefined) throw bad(file, `${printable(scope)}: unknown member "${printable(odd)}"`);
  return section;
}

function bad(file: string, what: string): ImageError {
  return new ImageError("image-config", file, `${file}: ${what}`, "See containers-registries.d(5).");
}
