// fixtures/change: a spec before (installed and running), a spec after, and the whole change set as lines.
import { test } from "node:test";
import { makeChangeSet } from "../../src/diff/index.js";
import { assertText, casesIn, fixture } from "../lib/golden.js";
import { describe, NOTHING, worldOf } from "../lib/installed.js";
import { renderYaml } from "../lib/render-yaml.js";

const EMPTY = { pods: [], shared: [], objects: {} };

for (const name of casesIn("change"))
  test(`${name}: ${fixture("change", name, "why.txt")?.trim()}`, () => {
    const before = fixture("change", name, "before.yaml");
    const after = fixture("change", name, "after.yaml");
    const options = JSON.parse(fixture("change", name, "given.json") ?? "{}") as { prune?: string[] };
    const world = before === undefined ? NOTHING : worldOf(renderYaml(before));
    const changes = makeChangeSet(after === undefined ? EMPTY : renderYaml(after), world, options);
    assertText(`change/${name}/expected.txt`, describe(changes));
  });
