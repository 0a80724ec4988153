// The images port: looks in the store first, and loads what speaks with registries only when it has to.
import { machine } from "node:os";
import type { ImageFacts } from "../../base/facts.js";
import type { RegistryLogin } from "../../base/registry-login.js";
import { DEFAULT_STORAGE } from "../../base/storage.js";
import { ImageError, type Images, type PullPolicy } from "../../ports/images.js";
import { readStorage } from "../facts/storage.js";
import type { PodmanSource } from "./containers/source.js";
import { DEADLINES, type Deadlines } from "./deadlines.js";
import { local } from "./failure.js";
import { parseConfiguration, parseManifest } from "./manifest.js";
import { openSource } from "./open.js";
import { hostPlatform, type Platform } from "./platform.js";
import { parseReference, type Reference } from "./reference.js";
import { factsOf, type ImageSource, type Resolved } from "./source.js";
import { exists, type ImageRecord, Store } from "./store.js";

export interface ImageOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** The podrt that unpacks layers. */
  readonly podrt: string;
  /**
   * HOME, XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR, REGISTRY_AUTH_FILE, DOCKER_CONFIG, CONTAINERS_REGISTRIES_CONF and
   * SSL_CERT_FILE are read from it; podrt and credential helpers get all of it.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `$XDG_CONFIG_HOME/podgen`, where storage.json may be; without it the defaults hold. */
  readonly settings?: string;
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
  /** Images of podman's that inspect() found, by reference and digest. */
  const inPodman = new Map<string, PodmanSource>();
  const sources = new Map<string, Promise<ImageSource>>();

  const sourceOf = (reference: Reference, logins: readonly RegistryLogin[]): Promise<ImageSource> => {
    // Whoever has no pull secret must not come in by the session of somebody who has.
    const key = `${reference.text} ${JSON.stringify(logins)}`;
    const made = sources.get(key) ?? openSource(reference, host, { deadlines, env: options.env, podrt: options.podrt, logins });
    sources.set(key, made);
    // What a file forbids or gets wrong may be mended while a watcher runs.
    made.catch(() => sources.delete(key));
    return made;
  };

  /** Podman's image as what a reference means now. */
  async function podmans(reference: Reference, policy: PullPolicy, record: ImageRecord | undefined): Promise<PodmanSource | undefined> {
    const { podmanImage } = await import("./podmans.js");
    return podmanImage(reference, policy, record, host, { env: options.env, podrt: options.podrt });
  }

  async function inspect(text: string, policy: PullPolicy, logins: readonly RegistryLogin[]): Promise<ImageFacts> {
    const reference = parseReference(text);
    let record = await store.record(text);
    const podman = await podmans(reference, policy, record);
    if (podman !== undefined) {
      const resolved = await podman.resolve();
      inPodman.set(`${text} ${resolved.digest}`, podman);
      return factsOf(text, resolved);
    }
    // Podman's, let in before the policy asked more of the name.
    if (record?.origin !== undefined && (await (await import("./podmans.js")).forRegistryOnly(reference, options.env))) record = undefined;
    // A pod that has not changed would not be looked at again, and its next start fail.
    if (record?.origin !== undefined && (policy === "Always" || !(await store.hasLayers(record.facts.layers))))
      (await import("./podmans.js")).refuseGone(reference, record);
    if (policy === "Never") {
      if (record !== undefined) return record.facts;
      const hint = "Set imagePullPolicy to IfNotPresent, at least for the first apply.";
      throw new ImageError("image-not-found", text, `${text} is not in the store, and imagePullPolicy is Never`, hint);
    }
    // A digest names the same bytes for ever; nobody needs to be asked about it. Of what was podman's podman was asked.
    const pinned = reference.kind === "registry" && reference.digest !== undefined;
    if (record !== undefined && reference.kind === "containers-storage") return record.facts;
    if (record !== undefined && reference.kind === "registry" && (policy === "IfNotPresent" || pinned)) return record.facts;
    const source = await sourceOf(reference, logins);
    // Where a policy wants signatures they are looked at again, though nothing has changed: the record may be older than the policy.
    const trusted = source.admit === undefined;
    if (record !== undefined && source.remote && trusted && (await source.current()) === record.named) return record.facts;
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
    if (record?.facts.digest !== facts.digest || !(await store.hasLayers(record.facts.layers))) return false;
    return (await exists(store.blob(record.facts.digest))) && (await exists(store.blob(record.configDigest)));
  }

  async function ensure(facts: ImageFacts, progress: Parameters<Images["ensure"]>[1], logins: readonly RegistryLogin[]): Promise<void> {
    if (await has(facts)) return;
    const reference = parseReference(facts.reference);
    const record = await store.record(facts.reference);
    const podman =
      inPodman.get(`${facts.reference} ${facts.digest}`) ?? (record?.origin && (await podmans(reference, "IfNotPresent", record)));
    if (podman === undefined) (await import("./podmans.js")).refuseGone(reference, record);
    const source = async () => podman ?? sourceOf(reference, logins);
    const resolved =
      (await podman?.resolve(facts.digest)) ??
      known.get(facts.digest) ??
      (await stored(store, facts, host)) ??
      (await (await source()).resolve(facts.digest));
    if (resolved.digest !== facts.digest || resolved.configuration.diffIds.join() !== facts.layers.join()) {
      throw new ImageError(
        "image-digest-mismatch",
        facts.reference,
        `${facts.reference} is no longer what was planned with`,
        "Apply again.",
      );
    }
    const [{ pull }, { keepBlobs, layerLimits: limits }] = await Promise.all([
      import("./pull.js"),
      options.settings === undefined ? DEFAULT_STORAGE : readStorage(options.settings),
    ]);
    await pull(facts, resolved, source, progress, {
      store,
      podrt: options.podrt,
      env: options.env,
      deadlines,
      limits,
      keepBlobs,
      inPlace: podman !== undefined,
    });
  }

  const shifter = { store, podrt: options.podrt, env: options.env };
  return {
    inspect: (reference, policy, logins = []) => local(reference, () => inspect(reference, policy, logins)),
    longName: async (short) => {
      const [{ loadRegistries }, { readChoices }, { resolveShortName }] = await Promise.all([
        import("./registries/load.js"),
        import("./registries/aliases.js"),
        import("./registries/short-name.js"),
      ]);
      const [registries, choices] = await Promise.all([loadRegistries(options.env), readChoices(options.env)]);
      return resolveShortName(short, registries, choices);
    },
    hold: () =>
      local("the image store", async () => {
        const { acquire } = await import("./lock.js");
        const end = Date.now() + deadlines.lock;
        const lock = await acquire(store.storeLock, "shared", 1, () => Date.now() < end);
        if (lock !== undefined) return () => lock.release();
        throw new ImageError(
          "image-store",
          "the image store",
          "the image store is locked for removal and stays so",
          `fuser -v ${store.storeLock}`,
        );
      }),
    has: (facts) => local(facts.reference, () => has(facts)),
    ensure: (facts, progress, logins = []) => local(facts.reference, () => ensure(facts, progress, logins)),
    remember: async (short, reference) => {
      const [{ writeChoice }, { splitShort }] = await Promise.all([
        import("./registries/aliases.js"),
        import("./registries/short-name.js"),
      ]);
      await local(reference, () => writeChoice(options.env, splitShort(short)[0], splitShort(reference)[0]));
    },
    shift: (layers, maps) => local("user namespace", async () => (await import("./shift.js")).shiftLayers(shifter, layers, maps)),
    dropShifted: (kept) =>
      local("user namespace", async () => {
        if (await exists(store.shifted(""))) await (await import("./shift.js")).dropShifted(shifter, kept, 0);
      }),
  };
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
