// Quoting: what must be said so, and that systemd's own parser reads it back (test/session/escape.test.ts does it live).
import assert from "node:assert/strict";
import { test } from "node:test";
import { execLine, unitList, unitValue } from "../../../src/render/units/escape.js";

/** A variable in systemd's other spelling; written so because it looks like a template string. */
const BRACED = "$".concat("{X}");

const lines: readonly [readonly string[], string][] = [
  [["/bin/x"], "/bin/x"],
  [["/bin/x", "--a=b", "c/d:e,f"], "/bin/x --a=b c/d:e,f"],
  [["/bin/x", ""], '/bin/x ""'],
  [["/bin/x", "a b"], '/bin/x "a b"'],
  [["/bin/x", 'a"b'], '/bin/x "a\\"b"'],
  [["/bin/x", "it's"], `/bin/x "it's"`],
  [["/bin/x", "a\\x41"], '/bin/x "a\\\\x41"'],
  [["/bin/x", ";", "a;b"], '/bin/x ";" "a;b"'],
  [["/bin/x", "100%", "%h"], "/bin/x 100%% %%h"],
  [["/bin/x", "$HOME", "a$$b", BRACED], `/bin/x $$HOME a$$$$b $${BRACED}`],
  [["/bin/x", "@-:+!", "größe"], "/bin/x @-:+! größe"],
  [["/a b/x", "y"], '"/a b/x" y'],
  [["/100%/x", "y"], "/100%%/x y"],
  [["/$x/y", "$z"], ":/$x/y $z"],
];
for (const [words, wanted] of lines) test(`execLine: ${wanted}`, () => assert.equal(execLine(words), wanted));

test("what no line can hold is refused", () => {
  for (const word of ["a\nb", "a\0b", "a\tb", "\x7f"]) assert.throws(() => execLine(["/bin/x", word]), /cannot hold/);
  for (const program of ["x", "", "./x"]) assert.throws(() => execLine([program]), /absolute path/);
  for (const value of ["a\nb", "a\\"]) assert.throws(() => unitValue(value), /cannot hold/);
});

test("values double the percent sign only", () => assert.equal(unitValue("50% of $x \\x2d"), "50%% of $x \\x2d"));

test("an empty list is no line at all", () => {
  assert.equal(unitList([]), undefined);
  assert.equal(unitList(["a.service", "b.service"]), "a.service b.service");
});
