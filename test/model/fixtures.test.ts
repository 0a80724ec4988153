// Walks fixtures/good and fixtures/bad: a case is a folder with a pod.yaml and what must come of it. UPDATE=1 rewrites the latter.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hasErrors } from "../../src/base/diagnostic.js";
import { formatDiagnostics } from "../../src/base/format.js";
import { check, plainModel } from "../lib/spec.js";

const update = process.env["UPDATE"] === "1";

/** What a case's file must hold; undefined: there must be no such file. */
function golden(file: string, wanted: string | undefined): void {
  if (update && wanted === undefined) rmSync(file, { force: true });
  if (update && wanted !== undefined) writeFileSync(file, wanted);
  const present = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  assert.equal(wanted, present, `${file} differs (UPDATE=1 npm test rewrites it; look at the difference before you commit it)`);
}

function cases(kind: string): string[] {
  return readdirSync(join("fixtures", kind)).sort();
}

for (const kind of ["good", "bad"])
  describe(kind, () => {
    test("there are cases", () => assert.ok(cases(kind).length >= 8));
    for (const name of cases(kind))
      test(name, () => {
        const folder = join("fixtures", kind, name);
        const known = kind === "good" ? ["pod.yaml", "model.json", "warnings.txt"] : ["pod.yaml", "expected.txt"];
        assert.deepEqual(
          readdirSync(folder).filter((f) => !known.includes(f)),
          [],
          "a file that no test reads",
        );
        const text = readFileSync(join(folder, "pod.yaml"), "utf8");
        const { diagnostics, model } = check(text);
        const found = formatDiagnostics(diagnostics, new Map([["pod.yaml", text]]), { color: false });
        if (kind === "bad") {
          assert.ok(hasErrors(diagnostics), "a bad case must have an error");
          assert.equal(model, undefined);
          golden(join(folder, "expected.txt"), found);
        } else {
          assert.ok(!hasErrors(diagnostics), found);
          assert.ok(model !== undefined);
          golden(join(folder, "warnings.txt"), found === "" ? undefined : found);
          const json = join(folder, "model.json");
          if (existsSync(json)) golden(json, `${JSON.stringify(plainModel(model), null, 2)}\n`);
        }
      });
  });
