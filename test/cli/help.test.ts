// podgen --help lists every command with its summary.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.js";
import { overview } from "../../src/cli/help.js";

test("the overview has a line for every command", () => {
  const lines = overview().split("\n");
  for (const { name, describe } of COMMANDS)
    assert.ok(
      lines.some((line) => line.startsWith(`  podgen ${name}`) && line.endsWith(describe)),
      name,
    );
});
