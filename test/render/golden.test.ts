// Whole outputs: every file of every case in fixtures/units.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "../../src/base/facts.js";
import type { RenderedFile } from "../../src/render/types.js";
import { assertTree, casesIn } from "../lib/golden.js";
import { unitCase } from "../lib/unit-cases.js";

/** Paths in a fixture are relative: `units/pod-web.service`, `data/pods/web/app/config.json`. */
function shortPath(path: string, facts: HostFacts): string {
  for (const name of ["units", "data", "state"] as const) {
    const folder = `${facts.paths[name]}/`;
    if (path.startsWith(folder)) return `${name}/${path.slice(folder.length)}`;
  }
  throw new Error(`${path} lies in none of podgen's folders`);
}

for (const name of casesIn("units"))
  test(name, () => {
    const { facts, rendered } = unitCase(name);
    const files: RenderedFile[] = [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)];
    const decode = new TextDecoder("utf-8", { fatal: true });
    assertTree(`units/${name}/expected`, new Map(files.map((f) => [shortPath(f.path, facts), decode.decode(f.bytes)])));
  });

test("no secret's value is in a file that is not marked as secret", () => {
  const { rendered } = unitCase("everything");
  const open = [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)].filter((f) => !f.secret);
  const text = open.map((f) => new TextDecoder().decode(f.bytes)).join();
  assert.ok(!text.includes("hunter2") && !text.includes("not a key") && !text.includes(Buffer.from("hunter2").toString("base64")));
});

test("modes: units may be read, all else is the user's alone", () => {
  const { rendered } = unitCase("everything");
  for (const file of [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)])
    assert.equal(file.mode, file.kind === "unit" ? 0o644 : 0o600, file.path);
});
