// What an image is, by its manifest and configuration alone: no layer is read.
import type { Inspected } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { choosePlatform, MANIFEST_MAX, parseManifest } from "../manifest.js";
import type { Platform } from "../platform.js";
import { checkDigest, digestOf, type RawManifest } from "../resolve.js";
import type { Content } from "./content.js";
import { partsOf } from "./convert.js";

const DEPTH_MAX = 4;

/** The manifest or index that `content` names, its digest and, unless `raw`, the image of `platform`. Throws ImageError. */
export async function inspect(content: Content, platform: Platform, raw: boolean): Promise<Inspected> {
  const top = (await content.itself?.()) ?? (await content.top());
  const seen = { digest: digestOf(top.bytes), manifest: top.bytes };
  return raw ? seen : { ...seen, image: await imageOf(content, top, platform) };
}

async function imageOf(content: Content, top: RawManifest, platform: Platform): Promise<NonNullable<Inspected["image"]>> {
  const { text } = content;
  let raw = top;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const parts = partsOf(raw, text);
    if (parts.kind === "image") {
      if (parts.config.size > MANIFEST_MAX) throw new ImageError("image-bad", text, `${text}: its configuration is over 4 MiB`);
      const pieces: Uint8Array[] = [];
      for await (const piece of content.layer(parts.config, 0, new AbortController().signal)) pieces.push(piece);
      const config = Buffer.concat(pieces);
      checkDigest(config, parts.config.digest, "its configuration", text);
      return { digest: digestOf(raw.bytes), manifest: raw.bytes, config, layers: parts.layers };
    }
    const index = parseManifest(raw.bytes, parts.type, text);
    if (index.kind !== "index") break;
    const { digest } = choosePlatform(index.entries, platform, text);
    raw = await content.manifest(digest);
    checkDigest(raw.bytes, digest, "its manifest", text);
  }
  throw new ImageError("image-bad", text, `${text}: its indexes are nested more than ${DEPTH_MAX} deep`);
}
