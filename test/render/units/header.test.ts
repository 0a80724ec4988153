// The head of a unit.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { withHeader } from "../../../src/render/units/header.js";

const text = (unit: string, origin: string, body: string) => new TextDecoder().decode(withHeader(unit, origin, body));

test("it says where from, what of and how to change it; the digest is the body's", () => {
  const digest = createHash("sha256").update("[Unit]\n").digest("hex");
  assert.equal(
    text("a.service", "from /x, object Pod/a", "[Unit]\n"),
    `# podgen: generated from /x, object Pod/a\n# digest: ${digest}\n# do not edit; use a drop-in: systemctl --user edit a.service\n\n[Unit]\n`,
  );
});
test("a file name cannot end the comment", () => {
  assert.match(text("a.service", "from /x\n[Service]\nExecStart=/bin/evil", ""), /^# podgen: generated from \/x\\x0a\[Service\]\\x0aExec/);
});
test("a name that a shell would read otherwise is quoted", () => {
  assert.match(text("pod-a\\x2db.slice", "", ""), /edit 'pod-a\\x2db\.slice'\n/);
});
