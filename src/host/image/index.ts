// The images port: looks in the store first, and loads what speaks with registries only when it has to.
import { machine } from "node:os";
import type { ImageFacts } from "../../base/facts.js";
import { ImageError, type Images, type PullPolicy } from "../../ports/images.js";
import { DEADLINES, type Deadlines } from "./deadlines.js";
import { local } from "./failure.js";
import { parseConfiguration, parseManifest } from "./manifest.js";
import { hostPlatform, type Platform } from "./platform.js";
import { parseReference, type Reference } from "./reference.js";
import { factsOf, type ImageSource, type Resolved } from "./source.js";
import { Store } from "./store.js";

export interface ImageOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** The podrt that unpacks layers. */
  readonly podrt: string;
  /** HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR, REGISTRY_AUTH_FILE, DOCKER_CONFIG, SSL_CERT_FILE are read from it; podrt gets all of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines?: Partial<Deadlines>;
  /** Another platform than this machine's. */
  readonly platform?: Platform;
}

/** Images from registries, layouts and archives, kept in the user's store. Reads nothing and makes nothing until it is asked. */
export function createImages(options: ImageOptions): Images {
  const store = new Store(options.data);
  const host = options.platform ?? hostPlatform(process.arch, machine());
  const deadlines = { ...DEADLINES, ...options.deadlines };
  /** What inspect() learned, so that ensure() need not ask again. */
  const known = new Map<string, Resolved>();
  const sources = new Map<string, Promise<ImageSource>>();

  const sourceOf = (reference: Reference): Promise<ImageSource> => {
    const made = sources.get(reference.text) ?? openSource(reference, host, deadlines, options.env);
    sources.set(reference.text, made);
    return made;
  };

  async function inspect(text: string, policy: PullPolicy): Promise<ImageFacts> {
    const reference = parseReference(text);
    const record = await store.record(text);
    if (policy === "Never") {
      if (record !== undefined) return record.facts;
      const hint = "Set imagePullPolicy to IfNotPresent, at least for the first apply.";
      throw new ImageError("image-not-found", text, `${text} is not in the store, and imagePullPolicy is Never`, hint);
    }
    // A digest names the same bytes for ever; nobody needs to be asked about it.
    const pinned = reference.kind === "registry" && reference.digest !== undefined;
    if (record !== undefined && reference.kind === "registry" && (policy === "IfNotPresent" || pinned)) return record.facts;
    const source = await sourceOf(reference);
    if (record !== undefined && source.remote && (await source.current()) === record.named) return record.facts;
    const resolved = await source.resolve().catch((error: unknown) => {
      // A folder or file on this machine is looked at each time, as that costs little; if it is gone, the store still has it.
      const gone = !source.remote && error instanceof ImageError && error.code === "image-not-found";
      if (gone && policy === "IfNotPresent" && record !== undefined) return undefined;
      throw error;
    });
    if (resolved === undefined) return (record as { facts: ImageFacts }).facts;
    known.set(resolved.digest, resolved);
    return factsOf(text, resolved);
  }

  async function has(facts: ImageFacts): Promise<boolean> {
    const record = await store.record(facts.reference);
    return record?.facts.digest === facts.digest && (await store.hasLayers(record.facts.layers));
  }

  async function ensure(facts: ImageFacts, progress: Parameters<Images["ensure"]>[1]): Promise<void> {
    if (await has(facts)) return;
    const reference = parseReference(facts.reference);
    const source = () => sourceOf(reference);
    const resolved = known.get(facts.digest) ?? (await stored(store, facts, host)) ?? (await (await source()).resolve(facts.digest));
    if (resolved.digest !== facts.digest || resolved.configuration.diffIds.join() !== facts.layers.join()) {
      throw new ImageError(
        "image-digest-mismatch",
        facts.reference,
        `${facts.reference} is no longer what was planned with`,
        "Apply again.",
      );
    }
    const { pull } = await import("./pull.js");
    await pull(facts, resolved, source, progress, { store, podrt: options.podrt, env: options.env, deadlines });
  }

  return {
    inspect: (reference, policy) => local(reference, () => inspect(reference, policy)),
    has: (facts) => local(facts.reference, () => has(facts)),
    ensure: (facts, progress) => local(facts.reference, () => ensure(facts, progress)),
  };
}

async function openSource(reference: Reference, host: Platform, deadlines: Deadlines, env: ImageOptions["env"]): Promise<ImageSource> {
  if (reference.kind === "docker-archive") return new (await import("./archive.js")).ArchiveSource(reference, host);
  if (reference.kind !== "registry") return new (await import("./layout.js")).LayoutSource(reference, host);
  const [{ RegistrySource }, { connect }] = await Promise.all([import("./registry.js"), import("./connect.js")]);
  return new RegistrySource(await connect(reference, deadlines, env), host);
}

/** An image whose manifest and configuration the store has, though the record has moved on or layers are missing. */
async function stored(store: Store, facts: ImageFacts, host: Platform): Promise<Resolved | undefined> {
  const manifest = await store.readBlob(facts.digest);
  if (manifest === undefined) return undefined;
  const parsed = parseManifest(manifest, undefined, facts.reference);
  if (parsed.kind !== "image") return undefined;
  const configBytes = await store.readBlob(parsed.config.digest);
  if (configBytes === undefined) return undefined;
  return {
    named: facts.digest,
    digest: facts.digest,
    manifest,
    configDigest: parsed.config.digest,
    configBytes,
    layers: parsed.layers,
    configuration: parseConfiguration(configBytes, parsed.layers.length, host, facts.reference),
  };
}
