// What tests with an odd registry share: before each test a fresh registry with one image of two layers, and an empty store.
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, before, beforeEach } from "node:test";
import { OddRegistry } from "./odd-registry.js";
import { imageError, makeStore, needPodrt, type TestStore, there } from "./store.js";
import { image, randomLayer, type TinyImage, type TinyLayer } from "./tiny-image.js";

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** For an `answer` that has answered. */
export const done = (_: unknown): true => true;

/** Sends the head of a whole blob but only `bytes` of its body, then cuts the connection. */
export function cutAfter(response: ServerResponse, blob: Buffer, bytes: number): void {
  response.writeHead(200, { "content-length": blob.length });
  response.write(blob.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
}

class OddSetUp {
  registry!: OddRegistry;
  store!: TestStore;
  tiny!: TinyImage;
  reference!: string;

  first(): TinyLayer {
    return this.tiny.layers[0] as TinyLayer;
  }

  isFirst(url: string | undefined): boolean {
    return url?.endsWith(`/blobs/${this.first().digest}`) === true;
  }

  /**
   * The image is neither recorded nor is its first layer there; nothing lies about but what a resume may use: so many partial files of
   * the first layer. Of another one there may be one, too: it was under way when the first failed.
   */
  async absent(partials: number | "any" = 0): Promise<void> {
    assert.equal(await there(this.store.layerPath(this.first().diffId)), false);
    const found = await this.store.leftovers();
    const hex = this.first().digest.replace(/^sha256:/, "");
    if (partials !== "any") assert.equal(found.filter((path) => path.includes(hex)).length, partials, found.join());
    assert.ok(
      found.every((path) => path.endsWith(".partial")),
      found.join(),
    );
    assert.equal((await imageError(this.store.again().inspect(this.reference, "Never"))).code, "image-not-found");
  }
}

/** Registers the hooks of a test file; what it returns is filled anew before each test. */
export function oddSetUp(): OddSetUp {
  const odd = new OddSetUp();
  before(needPodrt);
  beforeEach(async () => {
    odd.registry = await new OddRegistry().start();
    odd.store = await makeStore();
    odd.tiny = image([randomLayer("a", 300_000), randomLayer("b", 10_000)]);
    odd.reference = odd.registry.add("tiny", odd.tiny);
  });
  afterEach(async () => {
    await odd.store.remove();
    await odd.registry.stop();
  });
  return odd;
}
