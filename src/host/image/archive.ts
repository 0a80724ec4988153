// An image in a tar as `docker save`, `podman save` and skopeo's docker-archive: write it; read in place, never unpacked.
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { ImageError } from "../../ports/images.js";
import type { Content } from "./copy/content.js";
import { isObject, type Json, parseJson, printable, strings } from "./json.js";
import { type Descriptor, MANIFEST_MAX, parseConfiguration } from "./manifest.js";
import type { Platform } from "./platform.js";
import type { ArchiveReference } from "./reference.js";
import { digestOf, type RawManifest } from "./resolve.js";
import type { ImageSource, Resolved } from "./source.js";
import { indexTar, type Member, memberOf } from "./tar.js";

interface Entry {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

const PIECE = 256 * 1024;
// First bytes of gzip and zstd.
const COMPRESSED = [
  { magic: Buffer.from([0x1f, 0x8b]), suffix: "+gzip" },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), suffix: "+zstd" },
];

export class ArchiveSource implements ImageSource, Content {
  readonly remote = false;
  readonly #reference: ArchiveReference;
  readonly #host: Platform;
  /** digest of the configuration's or a layer's bytes -> where they are; known once resolved. */
  readonly #where = new Map<string, Member>();

  constructor(reference: ArchiveReference, host: Platform) {
    this.#reference = reference;
    this.#host = host;
  }

  get text(): string {
    return this.#reference.text;
  }

  async top(): Promise<RawManifest> {
    return { bytes: (await this.resolve()).manifest };
  }

  async manifest(digest: string): Promise<RawManifest> {
    return { bytes: (await this.resolve(digest)).manifest };
  }

  async current(): Promise<string> {
    return (await this.resolve()).digest;
  }

  /**
   * The archive has no manifest in the registry's sense, so one is made: it depends on the image alone, not on the archive.
   * With `digest`, the archive must still hold that very image.
   */
  async resolve(digest?: string): Promise<Resolved> {
    const { text } = this.#reference;
    return this.#opened(async (file) => {
      const members = await indexTar(file);
      const entry = this.#choose(parseEntries(await this.#small(file, members, "manifest.json")));
      if (entry === undefined) throw this.#bad("its manifest.json is not a list of images");
      const configBytes = await this.#small(file, members, entry.config);
      this.#where.set(digestOf(configBytes), memberOf(members, entry.config) as Member);
      const configuration = parseConfiguration(configBytes, entry.layers.length, this.#host, text);
      const layers: Descriptor[] = [];
      for (const [i, name] of entry.layers.entries()) {
        const member = memberOf(members, name);
        if (member === undefined) throw this.#bad(`it lacks the layer ${printable(name)}`);
        layers.push(await this.#describe(file, member, configuration.diffIds[i] as string));
      }
      const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(configBytes), size: configBytes.length };
      const manifest = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers };
      const bytes = Buffer.from(JSON.stringify(manifest));
      const found = digestOf(bytes);
      if (digest !== undefined && digest !== found) {
        throw new ImageError("image-not-found", text, `${text} holds another image by now (${found}, not ${digest})`, "Apply again.");
      }
      return { named: found, digest: found, manifest: bytes, configDigest: config.digest, configBytes, layers, configuration };
    });
  }

  async *layer(layer: Descriptor, from: number): AsyncGenerator<Uint8Array> {
    if (!this.#where.has(layer.digest)) await this.resolve();
    const member = this.#where.get(layer.digest);
    if (member === undefined) throw this.#bad(`it lacks the layer ${layer.digest}`);
    const file = await this.#open();
    try {
      for (let at = from; at < member.size; ) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, Math.min(PIECE, member.size - at), member.offset + at);
        if (bytesRead === 0) throw this.#bad("it ends too early");
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  /** A layer is a plain tar as a rule, whose digest is its diff_id; a compressed one has to be read through for its digest. */
  async #describe(file: FileHandle, member: Member, diffId: string): Promise<Descriptor> {
    const head = Buffer.alloc(4);
    await file.read(head, 0, Math.min(4, member.size), member.offset);
    const compression = COMPRESSED.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
    let digest = diffId;
    if (compression !== undefined) {
      const hash = createHash("sha256");
      const piece = Buffer.alloc(PIECE);
      for (let at = 0; at < member.size; ) {
        const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, member.size - at), member.offset + at);
        if (bytesRead === 0) throw this.#bad("it ends too early");
        hash.update(piece.subarray(0, bytesRead));
        at += bytesRead;
      }
      digest = `sha256:${hash.digest("hex")}`;
    }
    this.#where.set(digest, member);
    return { mediaType: `application/vnd.oci.image.layer.v1.tar${compression?.suffix ?? ""}`, digest, size: member.size };
  }

  /** The image the reference means; undefined when the list is none. */
  #choose(entries: readonly Entry[] | undefined): Entry | undefined {
    if (entries === undefined) return undefined;
    const { name, path, text } = this.#reference;
    const number = /^@(\d+)$/.exec(name ?? "")?.[1];
    if (number !== undefined && entries[Number(number)] !== undefined) return entries[Number(number)];
    const found = name === undefined ? entries : entries.filter((e) => e.tags.some((t) => fullName(t) === fullName(name)));
    if (found.length === 1) return found[0];
    const names = entries.flatMap((e, i) => (e.tags.length === 0 ? [`@${i}`] : e.tags)).map(printable);
    const what = name === undefined ? "several images" : `no image named ${name}`;
    const there = names.length === 0 ? "It is empty." : `It has ${names.join(", ")}; write docker-archive:${path}:NAME.`;
    throw new ImageError("image-not-found", text, `${text}: ${path} has ${entries.length === 0 ? "no image" : what}`, there);
  }

  async #small(file: FileHandle, members: ReadonlyMap<string, Member>, name: string): Promise<Buffer> {
    const member = memberOf(members, name);
    if (member === undefined) {
      const layout = name === "manifest.json" && members.has("oci-layout");
      throw this.#bad(
        `it lacks ${printable(name)}`,
        layout ? "It is an OCI archive: unpack it into a folder and write oci:FOLDER." : undefined,
      );
    }
    if (member.size > MANIFEST_MAX) throw this.#bad(`its ${printable(name)} is over 4 MiB`);
    const bytes = Buffer.alloc(member.size);
    const { bytesRead } = await file.read(bytes, 0, member.size, member.offset);
    if (bytesRead !== member.size) throw this.#bad("it ends too early");
    return bytes;
  }

  /** Runs `work` on the open file; what is wrong with the tar itself becomes an ImageError. */
  async #opened<T>(work: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await this.#open();
    try {
      const head = Buffer.alloc(4);
      await file.read(head, 0, 4, 0);
      const packed = COMPRESSED.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
      if (packed !== undefined)
        throw this.#bad("it is compressed as a whole", "Decompress it first (gunzip, unzstd); its layers may stay compressed.");
      return await work(file);
    } catch (error) {
      if (error instanceof ImageError) throw error;
      throw this.#bad(
        printable((error as Error).message),
        "Check that it is what docker save, podman save or skopeo copy wrote, and whole.",
        error,
      );
    } finally {
      await file.close();
    }
  }

  async #open(): Promise<FileHandle> {
    const { path, text } = this.#reference;
    try {
      return await open(path, "r");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") throw this.#bad(`${path} cannot be read: ${code}`, undefined, error);
      throw new ImageError("image-not-found", text, `${text}: there is no ${path}`, "Check the path.", error);
    }
  }

  #bad(why: string, hint?: string, cause?: unknown): ImageError {
    return new ImageError("image-bad", this.#reference.text, `${this.#reference.text}: ${why}`, hint, cause);
  }
}

/** manifest.json: `[{"Config":…,"RepoTags":[…]|null,"Layers":[…]}]`. */
function parseEntries(bytes: Uint8Array): Entry[] | undefined {
  const json = parseJson(bytes);
  if (!Array.isArray(json)) return undefined;
  const entries = json.map((e: Json) => {
    if (!isObject(e) || typeof e["Config"] !== "string") return undefined;
    const layers = strings(e["Layers"] ?? []);
    return layers === undefined ? undefined : { config: e["Config"], tags: strings(e["RepoTags"]) ?? [], layers };
  });
  return entries.every((e) => e !== undefined) ? entries : undefined;
}

/** docker writes `nginx:1.27` where podman writes `docker.io/library/nginx:1.27`. */
function fullName(name: string): string {
  const first = name.slice(0, Math.max(0, name.indexOf("/")));
  const host = /[.:]/.test(first) || first === "localhost";
  const full = host ? name : first === "" ? `docker.io/library/${name}` : `docker.io/${name}`;
  return full.slice(full.lastIndexOf("/")).includes(":") ? full : `${full}:latest`;
}
