// Images as people name them: references of words, and images of the store that a word means.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT, UserError } from "../../src/cli/exit.js";
import { matchImages, podsByImage, referenceOf } from "../../src/cli/image-names.js";
import type { StoredImage } from "../../src/ports/image-store.js";
import { worldOf } from "../lib/installed.js";
import { modelOf, pod, renderOf } from "../lib/models.js";

const here = { cwd: "/home/u/images" };
const stored = (reference: string, digit: string): StoredImage => ({
  reference,
  digest: `sha256:${digit.repeat(64)}`,
  configDigest: `sha256:${"c".repeat(63)}${digit}`,
  size: 1,
  layers: [],
});
const images = [
  stored("docker.io/library/nginx:latest", "1"),
  stored("docker.io/library/nginx:1.27", "2"),
  stored("registry.test:5000/web/nginx:1.27", "3"),
  stored("registry.test:5000/web/same:1", "3"),
  stored("oci:/home/u/images/layout:app", "4"),
];

test("a word becomes a whole reference; relative paths are looked at from where we are", () => {
  for (const [word, wanted] of [
    ["registry.test/x", "registry.test/x:latest"],
    ["docker.io/nginx:1", "docker.io/library/nginx:1"],
    ["oci:layout:app", "oci:/home/u/images/layout:app"],
    ["oci:../x", "oci:/home/u/x"],
    ["docker-archive:a.tar", "docker-archive:/home/u/images/a.tar"],
    ["oci:/srv/x:app", "oci:/srv/x:app"],
  ] as const)
    assert.equal(referenceOf(word, here), wanted);
  for (const word of ["", "Registry.test/X", "nginx", "oci:", "https://registry.test/x"])
    assert.throws(
      () => referenceOf(word, here),
      (e) => e instanceof UserError && e.exitCode === EXIT.usage,
      word,
    );
});

test("what is in the store is found by name, by the end of it, by digest and by the beginning of an id", () => {
  const found = (word: string) => matchImages(word, images, here).map((i) => images.indexOf(i));
  assert.deepEqual(found("docker.io/library/nginx:1.27"), [1]);
  assert.deepEqual(found("nginx"), [0]);
  assert.deepEqual(found("library/nginx"), [0]);
  assert.deepEqual(found("web/nginx:1.27"), [2]);
  assert.deepEqual(found("oci:layout:app"), [4]);
  assert.deepEqual(found(`sha256:${"3".repeat(64)}`), [2, 3], "all names of one image");
  assert.deepEqual(found("3".repeat(12)), [2, 3]);
  assert.deepEqual(found(`${"c".repeat(63)}4`), [4]);
  const loaded = { ...stored("localhost/nginx:1", "5"), configDigest: images[1]?.configDigest ?? "" };
  assert.equal(matchImages(loaded.configDigest, [...images, loaded], here).length, 2, "one image by two manifests");
});

test("a word that means nothing, or several images, is an error that helps", () => {
  const refused = (word: string, hint: RegExp) =>
    assert.throws(
      () => matchImages(word, images, here),
      (e) => e instanceof UserError && hint.test(e.hint ?? ""),
      word,
    );
  refused("redis", /podgen image ls/);
  refused("inx:1.27", /podgen image ls/);
  refused("333", /podgen image ls/);
  refused("nginx:1.27", /docker\.io\/library\/nginx:1\.27, registry\.test:5000\/web\/nginx:1\.27/);
  refused("c".repeat(20), /nginx:latest/);
});

test("the pods that need an image are found by its digest", () => {
  const { manifest } = worldOf(renderOf(modelOf(pod("web"), pod("db"))));
  assert.deepEqual([...podsByImage(manifest).values()], [["db", "web"]]);
});
