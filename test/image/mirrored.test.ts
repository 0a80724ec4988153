// An image behind several registries: whose signatures count where its manifest was not asked for in this run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MirroredSource, type Place } from "../../src/host/image/mirrored.js";
import { ImageError } from "../../src/ports/images.js";

/** A place that has the manifest, or is down. */
function place(host: string, up: boolean): Place {
  const down = () => Promise.reject(new ImageError("image-unreachable", "a", `a: ${host} is down`));
  const source = {
    remote: true,
    text: "a",
    top: () => (up ? Promise.resolve({ bytes: Buffer.from("{}") }) : down()),
    manifest: () => (up ? Promise.resolve({ bytes: Buffer.from("{}") }) : down()),
    current: down,
    resolve: down,
    signatures: () => (up ? Promise.resolve({ signatures: [], looked: [host] }) : down()),
    async *layer() {},
  };
  return { source, host };
}

test("signatures of a manifest that the store had: of the first place that has it, not of a mirror that is down", async () => {
  const source = new MirroredSource([place("mirror", false), place("primary", true)]);
  assert.deepEqual((await source.signatures(`sha256:${"a".repeat(64)}`)).looked, ["primary"]);
});

test("of a manifest that was just asked for: of where that was", async () => {
  const source = new MirroredSource([place("mirror", false), place("second", true), place("primary", true)]);
  await source.top();
  assert.deepEqual((await source.signatures(`sha256:${"a".repeat(64)}`)).looked, ["second"]);
});
