// Names that JavaScript's objects know something under: a pod, a container and a variable may have them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { intent, outcome } from "../../src/apply/files.js";
import { EMPTY_MANIFEST } from "../../src/base/installed.js";
import { parseManifest } from "../../src/cli/installed.js";
import { podsOf } from "../../src/cli/pods.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { NOTHING, worldOf } from "../lib/installed.js";
import { at, container, modelOf, pod, renderOf, secret } from "../lib/models.js";

const named = (name: string) => renderOf(modelOf(pod(name, { containers: [container(name)] })));
const written = (rendered: ReturnType<typeof named>) => JSON.stringify(worldOf(rendered).manifest);

test("a pod called constructor is new where it is not installed, and can be asked for, applied and deleted", () => {
  const rendered = named("constructor");
  assert.throws(() => podsOf(EMPTY_MANIFEST, { pod: "constructor" }), /there is no pod "constructor"/);
  for (const manifest of [EMPTY_MANIFEST, parseManifest(written(named("web")))]) {
    const changes = makeChangeSet(rendered, { ...NOTHING, manifest }, {});
    assert.equal(changes.pods[0]?.verdict, "created");
    assert.equal(intent(manifest, changes).pods["constructor"]?.unfinished, true);
    const after = parseManifest(JSON.stringify(outcome(manifest, changes, new Set())));
    assert.equal(after.pods["constructor"]?.name, "constructor");
    assert.equal(after.pods["constructor"]?.images["constructor"]?.reference, "registry.test/app:1");
    assert.equal(makeChangeSet(rendered, { ...worldOf(rendered), manifest: after }, {}).empty, true);
    const gone = makeChangeSet(
      { pods: [], shared: [], objects: {} },
      { ...worldOf(rendered), manifest: after },
      { prune: ["constructor"] },
    );
    assert.equal(outcome(after, gone, new Set()).pods["constructor"], undefined);
  }
});

test("a name that is nobody's finds nothing in any record of the manifest", () => {
  const manifest = parseManifest(written(named("web")));
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"])
    assert.deepEqual([manifest.pods[name], manifest.objects[name], manifest.pods["web"]?.images[name]], [undefined, undefined, undefined]);
});

test("a container called constructor that is new in its pod has no image of before", () => {
  const before = renderOf(modelOf(pod("web")));
  const after = renderOf(modelOf(pod("web", { containers: [container("app"), container("constructor")] })));
  const manifest = parseManifest(written(before));
  const [change] = makeChangeSet(after, { ...worldOf(before), manifest }, {}).pods;
  const unit = change?.units.find((u) => u.container === "constructor");
  assert.deepEqual([unit?.verdict, unit?.reasons], ["create", ["new"]]);
});

test("a secret's variable __proto__ reaches the bundle", () => {
  const from = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
  const data = Object.fromEntries([["__proto__", "x"]]);
  const rendered = renderOf(modelOf(pod("web", { containers: [container("app", { envFrom: [from] })] }), secret("s", data)));
  const bundle = rendered.pods[0]?.files.find((f) => f.path.endsWith("/app/config.json"));
  const annotations = JSON.parse(new TextDecoder().decode(bundle?.bytes)).annotations;
  assert.deepEqual(Object.keys(JSON.parse(annotations["io.podgen.secret-env"])), ["__proto__"]);
});
