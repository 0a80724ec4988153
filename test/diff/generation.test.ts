// Generations: what comes out is what went in, and nothing is another one but what would be made again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentDigest, contentOf, entriesOf, isRenewed, lineagesOf, renderedOf } from "../../src/diff/generation.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { sameEntry } from "../../src/diff/manifest.js";
import type { Rendered } from "../../src/render/types.js";
import { worldOf } from "../lib/installed.js";
import { at, configMap, container, modelOf, pod, renderOf, secret } from "../lib/models.js";

const from = (name: string, kind: "configMap" | "secret") => ({ kind, name, prefix: "", optional: false, at: at() }) as const;
const web = (args: string[] = [], value = "hunter2"): Rendered =>
  renderOf(
    modelOf(
      pod("web", { containers: [container("app", { args, envFrom: [from("s", "secret"), from("c", "configMap")] })] }),
      secret("s", { K: value }),
      configMap("c", { A: "1" }),
    ),
  );

const packed = (rendered: Rendered) => {
  const [lineage] = lineagesOf(rendered);
  assert.ok(lineage);
  // By way of the file.
  return { lineage, content: JSON.parse(JSON.stringify(contentOf(lineage, rendered, []))) as ReturnType<typeof contentOf> };
};

test("what is taken out again is, to the byte, what is installed", () => {
  const rendered = web();
  const world = worldOf(rendered);
  const back = renderedOf(packed(rendered));
  const pause = { ...back, shared: [...back.shared, ...rendered.shared.filter((f) => f.kind === "unit")] };
  const changes = makeChangeSet(pause, world, {});
  assert.deepEqual([changes.empty, changes.pods.map((p) => p.verdict)], [true, ["unchanged"]]);
  assert.deepEqual(Object.keys(back.objects).sort(), ["ConfigMap/c", "Secret/s"]);
  const [entry] = entriesOf(packed(rendered));
  assert.ok(entry !== undefined && sameEntry(world.manifest.pods["web"], entry));
});

test("the digest is another one with each thing that would be made, a secret's value too", () => {
  const digest = (rendered: Rendered): string => contentDigest(packed(rendered).content);
  assert.equal(digest(web()), digest(web()));
  assert.notEqual(digest(web()), digest(web(["-v"])));
  assert.notEqual(digest(web()), digest(web([], "other")));
});

test("a generation comes of what changes, not of what is merely started", () => {
  const { lineage } = packed(web());
  assert.ok(isRenewed(lineage, makeChangeSet(web(), worldOf(web(["-x"])), {}).pods));
  const stopped = worldOf(web());
  const unit = stopped.units.get("pod-web_app.service");
  assert.ok(unit);
  stopped.units.set(unit.name, { ...unit, activeState: "inactive" });
  assert.equal(isRenewed(lineage, makeChangeSet(web(), stopped, {}).pods), false);
});
