// The file of a sync: what each section asks for, and every mistake at its place, with no line of it shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSyncFile } from "../../../src/cli/sync/file.js";
import { jobsFor } from "../../../src/cli/sync/jobs.js";

const good = `registry.example:
  images:
    team/app: []
    redis: [1.0, "2", "sha256:${"a".repeat(64)}"]
    none:
  images-by-tag-regex:
    nginx: ^1\\.2[0-9]-alpine$
  images-by-semver:
    alpine: ">= 3.12.0"
  credentials: { username: robot, password: secret }
  tls-verify: false
localhost:5000:
  images: { box: [] }
`;

test("what a file asks for", () => {
  const { value = [], diagnostics } = readSyncFile("images.yaml", good);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    value.map((w) => [w.repository, w.named, ["1.20-alpine", "1.20", "3.12", "3.11", "v4"].filter(w.fits)]),
    [
      ["registry.example/team/app", undefined, ["1.20-alpine", "1.20", "3.12", "3.11", "v4"]],
      ["registry.example/redis", ["1.0", "2", `sha256:${"a".repeat(64)}`], ["1.20-alpine", "1.20", "3.12", "3.11", "v4"]],
      ["registry.example/none", undefined, ["1.20-alpine", "1.20", "3.12", "3.11", "v4"]],
      ["registry.example/nginx", undefined, ["1.20-alpine"]],
      ["registry.example/alpine", undefined, ["3.12", "v4"]],
      ["localhost:5000/box", undefined, ["1.20-alpine", "1.20", "3.12", "3.11", "v4"]],
    ],
  );
  assert.deepEqual(value[0]?.side, { login: { username: "robot", password: "secret" }, verify: false });
  assert.deepEqual(value.at(-1)?.side, {});
});

const bad: readonly [string, string, RegExp][] = [
  ["r.example: { imagees: {} }", "unknown-field", /imagees.*unknown field, did you mean "images"/],
  ["r.example: { images: [a] }", "wrong-type", /a map of names/],
  ["r.example: { images: { a: one } }", "wrong-type", /list of tags/],
  ["r.example: { images: { a: ['b c'] } }", "bad-value", /neither a tag nor/],
  ["r.example: { images: { 'a:1': [] } }", "bad-image", /no repository/],
  ["noregistry: { images: { a: [] } }", "bad-image", /no repository/],
  ["r.example: { images-by-tag-regex: { a: '(' } }", "bad-value", /regular expression/],
  ["r.example: { images-by-tag-regex: { a: '\\A1' } }", "bad-value", /regular expression/],
  ["r.example: { images-by-semver: { a: newest } }", "bad-value", /constraint/],
  ["r.example: { images: {a: []}, credentials: { username: x } }", "missing-field", /password/],
  ["r.example: { images: {a: []}, cert-dir: /x }", "refused-field", /cert-dir.*not supported/],
  ["r.example: { images: {a: []}, tls-verify: maybe }", "wrong-type", /tls-verify/],
  ["r.example: []", "wrong-type", /a map/],
  ["- a", "wrong-type", /map of registries/],
  ["", "empty-file", /asks for no image/],
  ["r.example: { credentials: { password: hunter2", "yaml-syntax", /./],
];
for (const [text, code, what] of bad)
  test(`refused: ${text || "nothing"}`, () => {
    const { value, diagnostics } = readSyncFile("images.yaml", text);
    assert.equal(value, undefined);
    const found = diagnostics.find((d) => d.code === code);
    assert.ok(found !== undefined, JSON.stringify(diagnostics));
    assert.match(found.message, what);
    assert.ok(diagnostics.every((d) => d.code === "empty-file" || (d.secret === true && !d.message.includes("hunter2"))));
  });

test("names at the destination, and two that would be one", () => {
  const sources = ["a.example:5000/x/app:1", "b.example/app@sha256:0", "c"].map((name) => ({
    place: `docker://${name}`,
    name,
    group: name,
  }));
  const to = (kind: "docker" | "dir" | "oci", scoped: boolean, suffix = "") =>
    jobsFor(sources, { kind, root: kind === "docker" ? "r.example/m" : "/m", scoped, suffix }).jobs.map((j) => j.to);
  assert.deepEqual(to("docker", false, "-x"), [
    "docker://r.example/m/app:1-x",
    "docker://r.example/m/app@sha256:0",
    "docker://r.example/m/c-x:latest",
  ]);
  assert.deepEqual(to("docker", true).slice(0, 2), [
    "docker://r.example/m/a.example-5000/x/app:1",
    "docker://r.example/m/b.example/app@sha256:0",
  ]);
  assert.deepEqual(to("dir", true), ["dir:/m/a.example:5000/x/app:1", "dir:/m/b.example/app@sha256:0", "dir:/m/c"]);
  assert.deepEqual(to("oci", false)[0], "oci:/m:app:1");
  const two = ["a.example/app:1", "b.example/app:1"].map((name) => ({ place: `docker://${name}`, name, group: name }));
  const { clashes } = jobsFor(two, { kind: "dir", root: "/m", scoped: false, suffix: "" });
  assert.match(clashes.join(), /a\.example\/app:1 and docker:\/\/b\.example\/app:1 would both be dir:\/m\/app:1/);
});

test("a folder of an image has no other inside of it", () => {
  const named = (name: string) => ({ place: `oci:/layout:${name}`, name, group: "layout" });
  for (const names of [
    ["x", "x/y/z"],
    ["x/y/z", "x"],
  ]) {
    const { clashes } = jobsFor(names.map(named), { kind: "dir", root: "/m", scoped: true, suffix: "" });
    assert.deepEqual(clashes, ["oci:/layout:x/y/z would be dir:/m/x/y/z, inside of oci:/layout:x"]);
  }
  // Beside each other, and in a registry, they are two names.
  assert.deepEqual(jobsFor(["x", "xy/z"].map(named), { kind: "dir", root: "/m", scoped: true, suffix: "" }).clashes, []);
  assert.deepEqual(jobsFor(["x", "x/y"].map(named), { kind: "docker", root: "r.example", scoped: true, suffix: "" }).clashes, []);
});

test("a name of a layout is no way out of the destination", () => {
  const named = (name: string) => ({ place: `oci:/layout:${name}`, name, group: "layout" });
  const target = { kind: "dir", root: "/images", scoped: true, suffix: "" } as const;
  const bad = ["../../escaped/img", "/etc/img", "a//b", "a/./b", "a/..", "..", ".", "", "a/", "a\0b", "a\nb"];
  for (const kind of ["dir", "docker"] as const)
    for (const name of bad) {
      const { jobs, refused } = jobsFor([named(name)], { ...target, kind });
      assert.deepEqual(jobs, [], name);
      assert.equal(refused.length, 1, name);
      assert.match(refused[0] ?? "", /^oci:\/layout:.* would not be below \/images$/, name);
    }
  for (const name of ["x/..", "x/", "x/."]) assert.equal(jobsFor([named(name)], { ...target, scoped: false }).refused.length, 1, name);
  const good = jobsFor([named("a/..b/c.."), named("...")], target);
  assert.deepEqual(good.refused, []);
  assert.deepEqual(
    good.jobs.map((job) => job.to),
    ["dir:/images/a/..b/c..", "dir:/images/..."],
  );
  assert.equal(jobsFor([named("a")], { ...target, root: "/" }).jobs[0]?.to, "dir:/a");
  // In a layout a name is text and no path.
  assert.deepEqual(
    jobsFor([named("../a")], { ...target, kind: "oci" }).jobs.map((job) => job.to),
    ["oci:/images:../a"],
  );
});
