// From any content to any sink: which manifests and blobs, in which form, and in which order.
import type { CopiedManifest, CopyProgress } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { choosePlatform, type Descriptor, MANIFEST_MAX, parseConfiguration, parseManifest } from "../manifest.js";
import { inParallel } from "../parallel.js";
import type { Platform } from "../platform.js";
import { checkDigest, digestOf, keepsPromise, type RawManifest } from "../resolve.js";
import type { Signature } from "../signatures/signature.js";
import type { LayerLimits } from "../unpack.js";
import { plainBody, recodedBody } from "./body.js";
import type { Body, Content, Form, Sink } from "./content.js";
import { type Compression, compressionOf, type LayerPart, layerType, type Parts, partsOf, withEntries, withLayers } from "./convert.js";

export interface CopyOptions {
  /** All platforms of an index, and the index itself. */
  readonly all: boolean;
  /** The one to take of an index, without `all`. */
  readonly platform: Platform;
  readonly format?: Form;
  /** Fail rather than change a byte of a manifest. */
  readonly preserve: boolean;
  readonly compression?: Compression;
  readonly level?: number;
  /** The index without its images, which the target has to have. */
  readonly indexOnly?: boolean;
  /** Signatures are left behind. */
  readonly removeSignatures?: boolean;
  /** Nothing is done where the target means that manifest already. */
  readonly unlessSame?: boolean;
  readonly podrt: string;
  /** Of layers that are compressed anew. */
  readonly limits?: LayerLimits;
  readonly progress: (step: CopyProgress) => void;
}

type ImageParts = Extract<Parts, { kind: "image" }>;

const DEPTH_MAX = 4;
/** What keeps a manifest from being changed. */
const PRESERVED = "--preserve-digests forbids";
const SIGNED = "would break its signatures (--remove-signatures leaves them behind)";

/** Copies what `from` names into `to`; the descriptor of what the new name means. Throws ImageError; then nothing counts. */
export async function copy(from: Content, to: Sink, options: CopyOptions): Promise<CopiedManifest> {
  const run = new Run(from, to, options);
  try {
    const top = options.all && to.single !== true ? await from.top() : await run.choose(await from.top());
    const same = options.unlessSame === true && options.format === undefined && options.compression === undefined;
    // Signatures may have come since.
    if (same && (await to.holds?.(digestOf(top.bytes))) && !(await run.isSigned(top))) return { ...run.descriptor(top), same: true };
    const done = options.indexOnly === true ? await run.indexOnly(top) : await run.manifest(top, 0);
    await to.commit();
    return done;
  } catch (error) {
    await to.abort();
    throw error;
  }
}

class Run {
  readonly #from: Content;
  readonly #to: Sink;
  readonly #options: CopyOptions;
  readonly #stop = new AbortController();
  /** Digests of manifests that images once had, and have again at the target; and of indexes that differ by nothing else. */
  readonly #once = new Set<string>();
  /** What became of an index's entries: one of them may be named, and lead to others, any number of times. */
  readonly #entries = new Map<string, Promise<Descriptor>>();
  /** digest + wish -> what became of it: platforms share layers. */
  readonly #blobs = new Map<string, Promise<Descriptor>>();

  constructor(from: Content, to: Sink, options: CopyOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
  }

  descriptor(raw: RawManifest): Descriptor {
    return { mediaType: partsOf(raw, this.#from.text).type, digest: digestOf(raw.bytes), size: raw.bytes.length };
  }

  /** The image of the platform that is wanted. */
  async choose(top: RawManifest): Promise<RawManifest> {
    let raw = top;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const parts = partsOf(raw, this.#from.text);
      if (parts.kind === "image") return raw;
      const index = parseManifest(raw.bytes, parts.type, this.#from.text);
      if (index.kind === "image") return raw;
      raw = await this.#fetch(choosePlatform(index.entries, this.#options.platform, this.#from.text));
    }
    throw this.#error(`its indexes are nested more than ${DEPTH_MAX} deep`);
  }

  /** An index, whose images are somebody else's care. */
  async indexOnly(raw: RawManifest): Promise<Descriptor> {
    const parts = partsOf(raw, this.#from.text);
    if (parts.kind !== "index") throw this.#error("it is one image, and no index");
    const sign = await this.#signer(digestOf(raw.bytes), true);
    const made = withEntries(raw, parts, this.#form(parts), parts.entries);
    const digest = digestOf(made.bytes);
    if (sign !== undefined && digest !== digestOf(raw.bytes)) this.#mayChange(SIGNED, digest);
    await this.#to.manifest(made, digest, true);
    await sign?.(digest);
    return { mediaType: made.type, digest, size: made.bytes.length };
  }

  /** A manifest or index with all that hangs on it. */
  async manifest(raw: RawManifest, depth: number): Promise<Descriptor> {
    const parts = partsOf(raw, this.#from.text);
    const form = this.#form(parts);
    const sign = await this.#signer(digestOf(raw.bytes), depth === 0);
    const { preserve } = this.#options;
    const fixed = sign !== undefined ? SIGNED : preserve ? PRESERVED : undefined;
    const made = parts.kind === "image" ? await this.#image(raw, parts, form, fixed) : await this.#index(raw, parts, form, depth);
    const digest = digestOf(made.bytes);
    if (digest !== digestOf(raw.bytes) && !this.#once.has(digest)) this.#mayChange(fixed, digest);
    const wanted = depth === 0 ? this.#to.digest : undefined;
    if (wanted !== undefined && wanted !== digest) throw this.#error(`it is ${digest} as it would be copied, not ${wanted}`);
    await this.#to.manifest(made, digest, depth === 0);
    await sign?.(digest);
    return { mediaType: made.type, digest, size: made.bytes.length };
  }

  /** True when the image, or an image of the index that is copied, has signatures that would go along. */
  async isSigned(raw: RawManifest): Promise<boolean> {
    const parts = partsOf(raw, this.#from.text);
    const digests = [digestOf(raw.bytes), ...(parts.kind === "index" ? parts.entries.map((entry) => entry.digest) : [])];
    for (const digest of new Set(digests)) if ((await this.#signatures(digest)).length > 0) return true;
    return false;
  }

  async #signatures(digest: string): Promise<readonly Signature[]> {
    if (this.#options.removeSignatures === true) return [];
    return (await this.#from.signatures?.(digest))?.signatures ?? [];
  }

  /** What puts the signatures of a manifest to the target; undefined: it has none. */
  async #signer(digest: string, top: boolean): Promise<((digest: string) => Promise<void>) | undefined> {
    const signatures = await this.#signatures(digest);
    if (signatures.length === 0) return undefined;
    if (this.#to.signer !== undefined) return this.#to.signer(signatures, top);
    const hint = "--remove-signatures copies it without them.";
    throw this.#error(`it is signed, and ${this.#to.text} can hold no signatures`, hint);
  }

  async #index(raw: RawManifest, parts: Extract<Parts, { kind: "index" }>, form: Form, depth: number): Promise<Required<RawManifest>> {
    if (depth >= DEPTH_MAX) throw this.#error(`its indexes are nested more than ${DEPTH_MAX} deep`);
    const entries: Descriptor[] = [];
    for (const entry of parts.entries) entries.push(await this.#entry(entry, depth + 1));
    const made = withEntries(raw, parts, form, entries);
    const restored = entries.every((e, i) => e.digest === parts.entries[i]?.digest || this.#once.has(e.digest));
    if (restored && form === parts.form) this.#once.add(digestOf(made.bytes));
    return made;
  }

  /** An entry of an index, once. What is said of it beside its digest is checked each time it differs. */
  #entry(entry: Descriptor, depth: number): Promise<Descriptor> {
    const key = `${entry.digest} ${entry.size} ${entry.mediaType}`;
    const known = this.#entries.get(key) ?? this.#fetch(entry).then((raw) => this.manifest(raw, depth));
    this.#entries.set(key, known);
    return known;
  }

  async #image(raw: RawManifest, parts: ImageParts, form: Form, fixed: string | undefined): Promise<Required<RawManifest>> {
    const to = parts.layers.map((layer) => this.#wish(layer, form, fixed));
    const before = await this.#from.before?.(digestOf(raw.bytes));
    const recoded = to.some((wish) => wish !== undefined);
    if (recoded && before === undefined) this.#mayChange(fixed);
    const diffIds = recoded ? await this.#diffIds(parts) : [];
    const layers: Descriptor[] = [...parts.layers];
    // The configuration first: it is small, and what is wrong with access shows before the first layer is on its way.
    for (const layer of parts.layers) if (!layer.foreign) this.#say(layer, "download", 0);
    const jobs: (() => Promise<void>)[] = [
      async () => void (await this.#blob(parts.config, undefined, undefined)),
      ...parts.layers.map((layer, i) => async () => {
        const was = before?.layers[i];
        if (was !== undefined && (await this.#hasOnce(was, layer, form))) layers[i] = was;
        else if (!layer.foreign) layers[i] = await this.#blob(layer, to[i], diffIds[i]);
      }),
    ];
    await inParallel(jobs, this.#to.parallel, this.#stop, (job) => job());
    const own = before === undefined ? undefined : partsOf(before.manifest, this.#from.text);
    // Every layer is what it once was: then so is the manifest.
    if (before !== undefined && own?.form === form && layers.every((l, i) => l.digest === before.layers[i]?.digest)) {
      this.#once.add(digestOf(before.manifest.bytes));
      return { bytes: before.manifest.bytes, type: own.type };
    }
    if (before !== undefined) this.#mayChange(fixed, digestOf(raw.bytes));
    return withLayers(raw, parts, form, layers, this.#from.text);
  }

  /** Into which compression a layer has to go; undefined: it stays as it is. */
  #wish(layer: LayerPart, form: Form, fixed: string | undefined): Compression | undefined {
    const is = compressionOf(layer.mediaType);
    if (layer.foreign) {
      if (this.#to.layers === "plain") throw this.#error(`the layer ${layer.digest} is to be had elsewhere only, and cannot be unpacked`);
      return undefined;
    }
    // Not a layer of a file system: of an artifact, or of a kind that only its maker knows.
    if (is === undefined) return undefined;
    if (this.#to.layers === "plain") return is === "none" ? undefined : "none";
    const asked = this.#options.compression;
    const best = asked ?? (is === "none" && this.#to.layers === "packed" && fixed === undefined ? "gzip" : is);
    const wish = layerType(form, best) === undefined ? "gzip" : best;
    if (asked !== undefined && wish !== asked) throw this.#error(`docker's schema 2 has no ${asked}`);
    return wish === is ? undefined : wish;
  }

  /** True when the target has the blob that a layer once was, and that is how it may be there. */
  async #hasOnce(was: Descriptor, layer: Descriptor, form: Form): Promise<boolean> {
    const { compression } = this.#options;
    const is = compressionOf(was.mediaType);
    if (this.#to.layers === "plain" || is === undefined || layerType(form, is) === undefined) return false;
    if ((compression !== undefined && compression !== is) || !(await this.#to.has(was, this.#from))) return false;
    this.#say(layer, "present", layer.size);
    return true;
  }

  /** A blob at its place, once, in whichever compression. */
  async #blob(blob: Descriptor, wish: Compression | undefined, diffId: string | undefined): Promise<Descriptor> {
    const key = `${blob.digest} ${wish}`;
    const known = this.#blobs.get(key) ?? this.#transfer(blob, wish, diffId);
    this.#blobs.set(key, known);
    // One blob may be named with two media types.
    return wish === undefined ? known.then(() => blob) : known;
  }

  async #transfer(blob: Descriptor, wish: Compression | undefined, diffId: string | undefined): Promise<Descriptor> {
    const { podrt, level, limits } = this.#options;
    const step = (phase: CopyProgress["phase"], bytes: number) => this.#say(blob, phase, bytes);
    if (wish === undefined && (await this.#to.has(blob, this.#from))) {
      step("present", blob.size);
      return blob;
    }
    const { signal } = this.#stop;
    const plain = plainBody(
      blob,
      this.#from.text,
      (from) => this.#from.layer(blob, from, signal),
      (bytes) => step("download", bytes),
    );
    const how = {
      podrt,
      ...(level === undefined ? {} : { level }),
      ...(diffId === undefined ? {} : { diffId }),
      ...(limits === undefined ? {} : { limits }),
    };
    const body: Body = wish === undefined ? plain : recodedBody(plain, { ...how, to: wish }, this.#from.text);
    await this.#to.put(body, signal);
    step("done", blob.size);
    if (wish === undefined) return blob;
    // The family of the media type is the manifest's to choose.
    return { ...body.result(), mediaType: layerType("oci", wish) as string };
  }

  /** A step of a layer; of a configuration nobody is told. */
  #say(blob: Descriptor, phase: CopyProgress["phase"], bytes: number): void {
    if (compressionOf(blob.mediaType) === undefined) return;
    this.#options.progress({ reference: this.#from.text, layer: blob.digest, phase, bytes, total: blob.size });
  }

  /** What the layers have to unpack to. */
  async #diffIds(parts: ImageParts): Promise<readonly string[]> {
    if (parts.config.size > MANIFEST_MAX) throw this.#error("its configuration is over 4 MiB");
    const pieces: Uint8Array[] = [];
    const body = plainBody(
      parts.config,
      this.#from.text,
      (from) => this.#from.layer(parts.config, from, this.#stop.signal),
      () => undefined,
    );
    for await (const piece of body.open(0)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    // For which machine it is made does not matter to a copy.
    return parseConfiguration(bytes, parts.layers.length, undefined, this.#from.text).diffIds;
  }

  #form(parts: Parts): Form {
    const { format } = this.#options;
    const wanted = format ?? (this.#to.forms.includes(parts.form) ? parts.form : (this.#to.forms[0] as Form));
    if (!this.#to.forms.includes(wanted)) throw this.#error(`${this.#to.text} holds OCI manifests only`);
    return wanted;
  }

  /** `fixed`: why a manifest has to stay as it is. */
  #mayChange(fixed: string | undefined, digest?: string): void {
    if (fixed === undefined) return;
    const what = digest === undefined ? "its layers would be compressed anew" : "its manifest would be another one";
    throw this.#error(`${what}, which ${fixed}`);
  }

  async #fetch(entry: Descriptor): Promise<RawManifest> {
    const raw = await this.#from.manifest(entry.digest);
    checkDigest(raw.bytes, entry.digest, "its manifest", this.#from.text);
    keepsPromise(raw, entry, this.#from.text);
    return raw;
  }

  #error(why: string, hint?: string): ImageError {
    return new ImageError("image-bad", this.#from.text, `${this.#from.text}: ${why}`, hint);
  }
}
