// Images made in memory that run: a layer of the test images' busybox, and others on top, as a test wants them.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { image as reference } from "./pods.js";
import { image, sha256, type TinyImage, type TinyLayer } from "./tiny-image.js";

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
}

/** The one layer of the image busybox, from the layout that test/harness/images.sh makes. */
export function busyboxLayer(): TinyLayer {
  const [, folder = "", tag] = reference("busybox").split(":");
  const blobOf = (digest: string) => readFileSync(`${folder}/blobs/${digest.replace(":", "/")}`);
  const index = JSON.parse(readFileSync(`${folder}/index.json`, "utf8"));
  const entry = index.manifests.find(
    (m: { annotations: Record<string, string> }) => m.annotations["org.opencontainers.image.ref.name"] === tag,
  );
  const manifest: { layers: Descriptor[] } = JSON.parse(blobOf(entry.digest).toString());
  const [layer] = manifest.layers;
  if (layer === undefined || manifest.layers.length !== 1) throw new Error("the image busybox has one layer no more");
  const blob = blobOf(layer.digest);
  const tar = gunzipSync(blob);
  return { tar, blob, digest: layer.digest, diffId: sha256(tar), mediaType: layer.mediaType };
}

/** busybox with more layers on top. */
export function busyboxImage(...layers: readonly TinyLayer[]): TinyImage {
  return image([busyboxLayer(), ...layers]);
}
