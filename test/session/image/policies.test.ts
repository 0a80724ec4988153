// What is asked of whom: pull policies, indexes; and a machine that fails while the image is good.
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { MANIFEST, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, QUICK } from "../../lib/store.js";
import { image, randomLayer, sha256 } from "../../lib/tiny-image.js";

const odd = oddSetUp();

test("an index leads to this machine's image, also a nested one; its record remembers what the tag named", async () => {
  const nest = (digest: string, type: string) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{ mediaType: type, digest, size: 1 }],
      }),
    );
  const inner = nest(odd.tiny.digest, MANIFEST);
  odd.registry.addManifest("tiny", inner, "application/vnd.oci.image.index.v1+json");
  odd.reference = odd.registry.addManifest(
    "tiny",
    nest(sha256(inner), "application/vnd.oci.image.index.v1+json"),
    "application/vnd.oci.image.index.v1+json",
  );
  await odd.store.pull(odd.reference);
  const facts = await odd.store.images.inspect(odd.reference, "IfNotPresent");
  assert.equal(facts.digest, odd.tiny.digest);
  odd.registry.seen.length = 0;
  assert.deepEqual(await odd.store.again().inspect(odd.reference, "Always"), facts);
  assert.deepEqual(
    odd.registry.seen.map((s) => s.method),
    ["HEAD"],
    "one request when nothing has changed",
  ); // prettier-ignore
});

test("pull policies: Always follows the tag, IfNotPresent stays, Never asks nobody", async () => {
  await odd.store.pull(odd.reference);
  const old = await odd.store.images.inspect(odd.reference, "Never");
  const newer = image([randomLayer("n", 1000)]);
  odd.registry.add("tiny", newer);
  assert.equal((await odd.store.again().inspect(odd.reference, "IfNotPresent")).digest, old.digest);
  odd.registry.seen.length = 0;
  assert.equal((await odd.store.again().inspect(odd.reference, "Never")).digest, old.digest);
  assert.equal(odd.registry.seen.length, 0);
  const facts = await odd.store.images.inspect(odd.reference, "Always");
  assert.equal(facts.digest, newer.digest);
  assert.equal(await odd.store.images.has(facts), false);
  await odd.store.images.ensure(facts, () => undefined);
  assert.equal(await odd.store.images.has(facts), true);
  assert.equal(await odd.store.images.has(old), false, "the reference names another image now");
  // Going back needs no registry: the old image's bytes are still here.
  odd.registry.seen.length = 0;
  await odd.store.again().ensure(old, () => undefined);
  assert.equal(await odd.store.images.has(old), true);
  assert.equal(odd.registry.seen.length, 0);
  const never = await imageError(odd.store.images.inspect(`${odd.registry.host}/tiny:absent`, "Never"));
  assert.equal(never.code, "image-not-found");
  assert.match(never.hint ?? "", /IfNotPresent/);
});

test("a podrt that fails, hangs or is not there: told apart from a bad image, the download is kept", async () => {
  const script = async (text: string) => {
    await writeFile(`${odd.store.folder}/podrt`, `#!/bin/bash\n[ "$1" = rmtree ] && { shift; exec rm -rf -- "$@"; }\n${text}\n`);
    await chmod(`${odd.store.folder}/podrt`, 0o755);
  };
  const cases: [string, string, RegExp][] = [
    ["echo 'podrt: layer: dest: x: No space left on device' >&2; exit 125", "image-store", /No space left/],
    ["cat >/dev/null; echo 'podrt: layer: archive: x: truncated' >&2; exit 125", "image-bad", /truncated/],
    ["exec sleep 60", "image-store", /SIGKILL/],
    ["cat >/dev/null; echo nonsense", "image-store", /diffId/],
  ];
  for (const [text, code, words] of cases) {
    await script(text);
    const images = odd.store.again({ podrt: `${odd.store.folder}/podrt`, deadlines: { ...QUICK, unpack: 500 } });
    const error = await imageError(images.ensure(await images.inspect(odd.reference, "Always"), () => undefined));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    await odd.absent("any");
  }
  const absentOne = odd.store.again({ podrt: "/nonexistent/podrt" });
  const error = await imageError(absentOne.ensure(await absentOne.inspect(odd.reference, "Always"), () => undefined));
  assert.equal(error.code, "image-store");
  assert.match(error.message, /podrt cannot be run/);
  odd.registry.seen.length = 0;
  await odd.store.pull(odd.reference);
  assert.equal(odd.registry.blobRequests(odd.first().digest).length, 0, "the whole download was kept");
});

test("a store that cannot be written", async () => {
  await writeFile(`${odd.store.folder}/in-the-way`, "");
  const images = odd.store.again({ data: `${odd.store.folder}/in-the-way/podgen` });
  const facts = await odd.store.images.inspect(odd.reference, "Always");
  const error = await imageError(images.ensure(facts, () => undefined));
  assert.equal(error.code, "image-store");
  assert.match(error.message, /in-the-way/);
});
