// Images made in memory, for tests that want to know every byte: layers, configuration, manifest.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { machine } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { hostPlatform } from "../../src/host/image/platform.js";

export interface TinyFile {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** `0` file, `5` folder, `2` symbolic link; as in tar. */
  readonly type?: string;
  readonly link?: string;
}

export interface TinyLayer {
  readonly tar: Buffer;
  readonly blob: Buffer;
  readonly digest: string;
  readonly diffId: string;
  readonly mediaType: string;
}

export interface TinyImage {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly config: Buffer;
  readonly configDigest: string;
  readonly layers: readonly TinyLayer[];
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A ustar file. */
export function tar(files: readonly TinyFile[]): Buffer {
  const parts = files.flatMap(({ name, content = "", type = "0", link = "" }) => {
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(type === "5" ? "0000755\0" : "0000644\0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${body.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write("ustar\x0000", 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A gzip layer of these files. */
export function layer(files: readonly TinyFile[]): TinyLayer {
  const bytes = tar(files);
  const blob = gzipSync(bytes, { level: 1 });
  return { tar: bytes, blob, digest: sha256(blob), diffId: sha256(bytes), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
}

/** A layer of one file of that many random bytes, which do not compress: its blob is about as long. */
export function randomLayer(name: string, length: number): TinyLayer {
  return layer([{ name, content: randomBytes(length) }]);
}

/** An image of layers; `change` may break its configuration and its manifest before they are hashed. */
export function image(
  layers: readonly TinyLayer[],
  change: { config?: Record<string, unknown>; manifest?: Record<string, unknown> } = {},
): TinyImage {
  const config = Buffer.from(
    JSON.stringify({
      architecture: hostPlatform(process.arch, machine()).architecture,
      os: "linux",
      config: { Cmd: ["/hello"], Env: ["A=1"] },
      rootfs: { type: "layers", diff_ids: layers.map((l) => l.diffId) },
      ...change.config,
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(config), size: config.length },
      layers: layers.map((l) => ({ mediaType: l.mediaType, digest: l.digest, size: l.blob.length })),
      ...change.manifest,
    }),
  );
  return { manifest, digest: sha256(manifest), config, configDigest: sha256(config), layers };
}

/** An OCI layout of named images; the name "" is left out of the annotations. */
export async function writeLayout(folder: string, images: Readonly<Record<string, TinyImage>>): Promise<void> {
  const blobs = join(folder, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const write = (bytes: Uint8Array) => writeFile(join(blobs, sha256(bytes).slice(7)), bytes);
  for (const { manifest, config, layers } of Object.values(images)) {
    await Promise.all([write(manifest), write(config), ...layers.map((l) => write(l.blob))]);
  }
  const manifests = Object.entries(images).map(([name, { manifest, digest }]) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest,
    size: manifest.length,
    ...(name === "" ? {} : { annotations: { "org.opencontainers.image.ref.name": name } }),
  }));
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}
