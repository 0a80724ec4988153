// ConfigMaps and Secrets go with what they came from, unless somebody refers to them; and the manifest says what that is.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, ManifestPod } from "../../src/base/installed.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { unneededObjects } from "../../src/diff/objects.js";
import { worldOf } from "../lib/installed.js";
import { at, container, modelOf, pod, renderOf, secret } from "../lib/models.js";

const from = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
const user = pod("web", { containers: [container("app", { envFrom: [from] })] });
const world = worldOf(renderOf(modelOf(user, secret("s", { K: "v" }), secret("spare", { K: "v" })), { source: "/web.yaml" }));

function installed(pods: Readonly<Record<string, readonly string[]>>, objects: Readonly<Record<string, string | undefined>>): Manifest {
  const [entry] = Object.values(world.manifest.pods);
  const named = Object.entries(pods).map(([name, refers]) => [
    name,
    { ...entry, name, source: "/web.yaml", objects: refers } as ManifestPod,
  ]);
  const owned = Object.entries(objects).map(([key, source]) => [key, { path: `/${key}`, sha256: "0", ...(source && { source }) }]);
  return { version: 1, pods: Object.fromEntries(named), objects: Object.fromEntries(owned) };
}

/** What goes when these pods do and these sources are looked at. */
function unneeded(manifest: Manifest, gone: readonly string[], sources: readonly string[]): string[] {
  const pods = Object.values(manifest.pods);
  const leaving = { gone: pods.filter((p) => gone.includes(p.name)), staying: pods.filter((p) => !gone.includes(p.name)) };
  return unneededObjects(manifest, { ...leaving, sources: new Set(sources) });
}

test("the manifest remembers what objects were applied from", () => {
  assert.deepEqual(
    Object.entries(world.manifest.objects).map(([key, o]) => [key, o.source]),
    [
      ["Secret/s", "/web.yaml"],
      ["Secret/spare", "/web.yaml"],
    ],
  );
});

test("with the last pod that refers to it goes an object of any source; with a source, what nobody refers to", () => {
  const manifest = installed(
    { web: ["Secret/a", "Secret/shared"], db: ["Secret/shared"] },
    { "Secret/a": "/other.yaml", "Secret/shared": "/web.yaml", "Secret/spare": "/web.yaml", "Secret/far": "/far.yaml" },
  );
  assert.deepEqual(unneeded(manifest, ["web"], ["/web.yaml"]), ["Secret/a", "Secret/spare"]);
  assert.deepEqual(unneeded(manifest, [], ["/web.yaml"]), ["Secret/spare"]);
  assert.deepEqual(unneeded(manifest, ["web", "db"], []), ["Secret/a", "Secret/shared"]);
  assert.deepEqual(unneeded(manifest, [], []), []);
});

test("of a manifest without sources, objects go with the pods that referred to them", () => {
  const manifest = installed({ web: ["Secret/a"], db: [] }, { "Secret/a": undefined, "Secret/spare": undefined });
  const later = { ...manifest, pods: { ...manifest.pods } };
  const sources = new Set(["/web.yaml"]);
  assert.deepEqual(unneededObjects(later, { staying: [{ objects: [] }], gone: [], sources }), ["Secret/a"]);
  assert.deepEqual(unneeded(manifest, ["web"], []), ["Secret/a"]);
});

test("an object that comes from another source, or whose source was not remembered, is a change of the manifest alone", () => {
  const moved = renderOf(modelOf(user, secret("s", { K: "v" })), { source: "/moved.yaml" });
  const changes = makeChangeSet(moved, world, {});
  assert.deepEqual([changes.resourced, changes.empty, changes.shared], [["Secret/s"], false, []]);
  assert.equal(changes.objects["Secret/s"]?.source, "/moved.yaml");
  const same = makeChangeSet(renderOf(modelOf(user, secret("s", { K: "v" })), { source: "/web.yaml" }), world, {});
  assert.deepEqual([same.resourced, same.empty], [[], true]);
});

test("what is forgotten is named, and its file removed; what is rendered stays", () => {
  const wanted = renderOf(modelOf(user, secret("s", { K: "v" })), { source: "/web.yaml" });
  const changes = makeChangeSet(wanted, world, { pruneObjects: ["Secret/s", "Secret/spare", "Secret/nope", "Secret/spare"] });
  assert.deepEqual([changes.forgotten, Object.keys(changes.objects), changes.empty], [["Secret/spare"], ["Secret/s"], false]);
  assert.deepEqual(
    changes.shared.map((f) => [f.action, f.path.split("/").at(-1)]),
    [["remove", "Secret-spare.json"]],
  );
});
