// What a kustomization refers to: real folders, without kustomize.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { referencedBy } from "../../../src/cli/watch/referenced.js";
import { Files } from "../../../src/host/files/files.js";

const root = mkdtempSync(join(tmpdir(), "podgen-referenced-"));
after(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test("bases of bases, components, patches and generators' files elsewhere; nothing twice, nothing remote", async () => {
  put(
    "over/kustomization.yaml",
    `resources: [../base, own.yaml, ./nested, "https://example.org/base?ref=v1", ../gone]
namePrefix: ../prefix
components: [../part/]
patches: [{ path: ../patches/one.yaml }, { patch: "a: b", target: { kind: Pod } }]
configMapGenerator: [{ name: c, files: [app.conf=../etc/app.conf, ../base/in-base.conf], envs: [../etc/.env] }]
`,
  );
  put("over/own.yaml", "");
  put("over/nested/kustomization.yml", "resources: [../../far]\n");
  put("far/Kustomization", "resources: [.., ../over, /]\n");
  put("base/kustomization.yaml", "bases: [../root]\nresources: [../base/deep]\n");
  put("base/in-base.conf", "");
  put("base/deep/kustomization.yaml", "resources: [}\n");
  for (const file of [
    "root/a.yaml",
    "part/kustomization.yaml",
    "patches/one.yaml",
    "patches/two.yaml",
    "etc/app.conf",
    "etc/.env",
    "prefix",
  ])
    put(file, "");
  assert.deepEqual(await referencedBy(join(root, "over"), new Files([])), {
    folders: ["base", "far", "part", "root"].map((name) => join(root, name)),
    files: ["etc/.env", "etc/app.conf", "patches/one.yaml"].map((name) => join(root, name)),
  });
});
