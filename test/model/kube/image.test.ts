import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPullPolicy, dockerName, formatImage, imageReference, parseImage, shortImage } from "../../../src/model/kube/image.js";

const D = `sha256:${"0123456789abcdef".repeat(4)}`;

function normal(text: string): string {
  const parsed = parseImage(text);
  assert.ok("image" in parsed, `${text}: ${JSON.stringify(parsed)}`);
  return `${formatImage(parsed.image)} ${defaultPullPolicy(parsed.image)}`;
}

test("references are spelt out; the pull policy follows the tag", () => {
  const cases: [string, string, string][] = [
    ["docker.io/nginx", "docker.io/library/nginx:latest", "Always"],
    ["docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27", "IfNotPresent"],
    ["index.docker.io/a/b", "docker.io/a/b:latest", "Always"],
    ["ghcr.io/a/b/c:latest", "ghcr.io/a/b/c:latest", "Always"],
    [`ghcr.io/a/b@${D}`, `ghcr.io/a/b@${D}`, "IfNotPresent"],
    [`ghcr.io/a/b:latest@${D}`, `ghcr.io/a/b:latest@${D}`, "IfNotPresent"],
    ["localhost/a", "localhost/a:latest", "Always"],
    ["localhost:5000/a:1", "localhost:5000/a:1", "IfNotPresent"],
    ["127.0.0.1:5000/a__b/c--d.e", "127.0.0.1:5000/a__b/c--d.e:latest", "Always"],
    ["[::1]:5000/a:V1_x.y-z", "[::1]:5000/a:V1_x.y-z", "IfNotPresent"],
    ["REGISTRY.example/a:1", "REGISTRY.example/a:1", "IfNotPresent"],
    ["oci:/srv/img", "oci:/srv/img", "Always"],
    ["oci:/srv/img/:v1", "oci:/srv/img:v1", "IfNotPresent"],
    ["oci:/srv/img:latest", "oci:/srv/img:latest", "Always"],
    ["docker-archive:/a.tar:ghcr.io/a/b:2", "docker-archive:/a.tar:ghcr.io/a/b:2", "IfNotPresent"],
    ["docker-archive:/a.tar:@0", "docker-archive:/a.tar:@0", "IfNotPresent"],
    ["containers-storage:app", "containers-storage:app", "IfNotPresent"],
    ["containers-storage:[vfs@/srv/s]localhost/app:latest", "containers-storage:[vfs@/srv/s]localhost/app:latest", "IfNotPresent"],
  ];
  for (const [text, reference, policy] of cases) assert.equal(normal(text), `${reference} ${policy}`);
});

test("a normal form is its own normal form", () => {
  for (const text of ["docker.io/nginx", `ghcr.io/a/b@${D}`, "oci:/srv/img:a:b", "docker-archive:/x"]) {
    const once = normal(text).split(" ")[0] ?? "";
    assert.equal(normal(once).split(" ")[0], once);
  }
});

test("short names are left to the machine, spelt out as far as they go, with docker's reading as the proposal", () => {
  for (const [text, full] of [
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.27", "docker.io/library/nginx:1.27"],
    ["library/nginx", "docker.io/library/nginx:latest"],
    ["team/app:2", "docker.io/team/app:2"],
    [`app@${D}`, `docker.io/library/app@${D}`],
  ] as const) {
    assert.equal(imageReference(text), undefined, text);
    const parsed = parseImage(text);
    assert.ok("problem" in parsed && parsed.code === "short-image", text);
    assert.equal(parsed.hint, `write ${full}`);
    const short = shortImage(text);
    assert.equal(dockerName(short ?? ""), full);
    assert.equal(shortImage(short ?? ""), short, "a short name with its tag is its own");
    assert.equal(shortImage(full), undefined, "the proposal must be good");
  }
});

test("bad references", () => {
  for (const text of [
    "", " ", "a b", "ghcr.io/", "ghcr.io//a", "ghcr.io/a:", "ghcr.io/a:-x", `ghcr.io/a:${"x".repeat(129)}`, "ghcr.io/A", "ghcr.io/a@sha256:12",
    `ghcr.io/a@${D.toUpperCase()}`, `ghcr.io/a@${D}@${D}`, "ghcr.io/a@", "ghcr.io/a_-b", "ghcr.io/.a", "ghcr.io:0/a", "ghcr.io:70000/a", "ghcr.io:x/a", "-a.b/c", "a..b/c",
    "https://ghcr.io/a", "docker://ghcr.io/a", "oci:a", "oci:", "oci:/a/../b", "oci:/a:", "oci:/a:-x", "docker-archive:a.tar", "containers-storage:", "containers-storage:App", `ghcr.io/${"a".repeat(250)}`, "ghcr.io/a\n",
  ]) assert.equal(imageReference(text)?.code, "bad-image", JSON.stringify(text)); // biome-ignore format: a table
});
