import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf, parseReference } from "../../src/host/image/reference.js";
import { ImageError } from "../../src/ports/images.js";

const hex = "0123456789abcdef".repeat(4);

test("every kind of reference comes apart", () => {
  const cases: [string, Record<string, string>][] = [
    ["docker.io/library/nginx:1.27", { kind: "registry", host: "docker.io", repository: "library/nginx", tag: "1.27" }],
    [`127.0.0.1:5000/x/y@sha256:${hex}`, { kind: "registry", host: "127.0.0.1:5000", repository: "x/y", digest: `sha256:${hex}` }],
    [`[::1]:5000/x:1@sha256:${hex}`, { kind: "registry", host: "[::1]:5000", repository: "x", tag: "1", digest: `sha256:${hex}` }],
    ["ghcr.io/a__b/c.d-e:Tag_1.x-y", { kind: "registry", host: "ghcr.io", repository: "a__b/c.d-e", tag: "Tag_1.x-y" }],
    ["oci:/srv/layout", { kind: "oci", path: "/srv/layout" }],
    ["oci:/srv/layout:docker.io/library/nginx:1", { kind: "oci", path: "/srv/layout", name: "docker.io/library/nginx:1" }],
    ["docker-archive:/srv/a.tar", { kind: "docker-archive", path: "/srv/a.tar" }],
    ["docker-archive:/srv/a.tar:@1", { kind: "docker-archive", path: "/srv/a.tar", name: "@1" }],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(parseReference(text), { text, ...wanted });
});

test("what is no reference is refused by name", () => {
  const cases = [
    "nginx",
    "docker.io/library/nginx",
    "docker.io/Library/nginx:1",
    "docker.io/library/nginx:",
    "docker.io/library/nginx:a b",
    "docker.io/../etc:1",
    "docker.io//x:1",
    `docker.io/x@sha256:${hex.toUpperCase()}`,
    `docker.io/x@sha512:${hex}${hex}`,
    "user@host/x:1",
    "-host/x:1",
    "oci:relative",
    "oci:",
    "docker-archive:a.tar",
  ];
  for (const text of cases) {
    assert.throws(
      () => parseReference(text),
      (e) => e instanceof ImageError && e.code === "image-bad" && e.message.includes(text),
      text,
    ); // prettier-ignore
  }
});

test("only sha256 digests become file names", () => {
  assert.equal(hexOf(`sha256:${hex}`), hex);
  for (const text of ["", "sha256:../../etc/passwd", `sha256:${hex}/..`, hex]) assert.throws(() => hexOf(text));
});
