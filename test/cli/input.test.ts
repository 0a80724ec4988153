// Where specs are read from, as far as no file is needed for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/cli/args.js";
import type { Context } from "../../src/cli/context.js";
import { UserError } from "../../src/cli/exit.js";
import { readSpecs } from "../../src/cli/input.js";

/** A context of standard input alone. */
function fed(text: string): Context {
  return { stdin: { isTTY: false, text: async () => text } } as unknown as Context;
}

test("standard input is one source", async () => {
  assert.deepEqual(await readSpecs(new Args({ files: ["-"] }), fed("a: 1")), [{ file: "-", source: "-", text: "a: 1" }]);
});

test("--prune with standard input is a usage error that says why: any two texts have the same source", async () => {
  for (const values of [{ files: ["-"] }, { filename: ["-"] }, { files: ["web.yaml", "-"] }])
    await assert.rejects(
      readSpecs(new Args({ ...values, prune: true }), fed("a: 1")),
      (error: unknown) => error instanceof UserError && error.exitCode === 64 && /--prune.*standard input/.test(error.message),
    );
});
