// podgen --help lists every command with its summary.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUPS, membersOf } from "../../src/cli/commands.js";
import { overview } from "../../src/cli/help.js";

test("the overview has a line for every command", () => {
  const lines = overview().split("\n");
  for (const { name, describe } of membersOf(""))
    assert.ok(
      lines.some((line) => line.startsWith(`  podgen ${name}`) && line.endsWith(describe)),
      name,
    );
  for (const [group, what] of Object.entries(GROUPS))
    assert.ok(lines.some((line) => line.startsWith(`  podgen ${group} COMMAND`) && line.includes(what)));
});
