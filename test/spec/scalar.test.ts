// The rules of go-yaml v2 as sigs.k8s.io/yaml uses it; its own resolve.go and decode_test.go are the source of the cases.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resolvePlain, resolveTagged } from "../../src/spec/scalar.js";

test("booleans: YAML 1.1 words in three spellings", () => {
  for (const word of ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"])
    assert.equal(resolvePlain(word), true, word);
  for (const word of ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"])
    assert.equal(resolvePlain(word), false, word);
  for (const word of ["yEs", "oN", "tRUE", "t", "f", "o"]) assert.equal(resolvePlain(word), word);
});

test("null", () => {
  for (const word of ["", "~", "null", "Null", "NULL"]) assert.equal(resolvePlain(word), null, word);
  assert.equal(resolvePlain("nULL"), "nULL");
});

test("integers of every base, signs and separators", () => {
  const cases: [string, bigint][] = [
    ["0", 0n],
    ["-0", 0n],
    ["+12", 12n],
    ["-12", -12n],
    ["0644", 420n],
    ["0o644", 420n],
    ["0O644", 420n],
    ["-0644", -420n],
    ["0x1A", 26n],
    ["0X1a", 26n],
    ["-0x1a", -26n],
    ["0b101", 5n],
    ["-0b101", -5n],
    ["685_230", 685230n],
    ["0x_0A_74_AE", 685230n],
    ["02472256", 685230n],
    ["00", 0n],
    ["9007199254740993", 9007199254740993n],
    ["18446744073709551616", 18446744073709551616n],
    ["-9223372036854775809", -9223372036854775809n],
  ];
  for (const [text, value] of cases) assert.equal(resolvePlain(text), value, text);
});

test("floats", () => {
  for (const [text, value] of [
    ["1.5", 1.5],
    [".5", 0.5],
    ["-.5", -0.5],
    ["1e3", 1000],
    ["1.", 1],
    ["685.230_15e+03", 685230.15],
    ["08", 8],
    ["0999", 999],
    [".inf", Infinity],
    ["-.Inf", -Infinity],
  ] as const)
    assert.equal(resolvePlain(text), value, text);
  assert.ok(Number.isNaN(resolvePlain(".nan")));
});

test("what is text", () => {
  for (const text of [
    "1:30",
    "2026-01-02",
    "2026-01-02T03:04:05Z",
    "1.2.3",
    "0o8",
    "0xg",
    "0b2",
    "-",
    "+",
    ".",
    "..",
    "-b_c",
    "50cent",
    "_1",
    "1e999",
    "e3",
    "inf",
    "nan",
    "<<",
    "0x",
    "1 2",
    "٣",
  ])
    assert.equal(resolvePlain(text), text);
  const long = "1".repeat(100_000);
  assert.equal(resolvePlain(long), long);
});

test("explicit tags", () => {
  assert.deepEqual(resolveTagged("!!str", "12"), { value: "12" });
  assert.deepEqual(resolveTagged("!", "12"), { value: "12" });
  assert.deepEqual(resolveTagged("!!int", "0644"), { value: 420n });
  assert.deepEqual(resolveTagged("!!float", "1"), { value: 1 });
  assert.deepEqual(resolveTagged("!!null", ""), { value: null });
  assert.deepEqual(resolveTagged("!!timestamp", "2026-01-02"), { value: "2026-01-02" });
  for (const [tag, text] of [
    ["!!int", "x"],
    ["!!bool", "1"],
    ["!!binary", "aGk="],
    ["!foo", "x"],
    ["!!set", "x"],
  ] as const)
    assert.ok("problem" in resolveTagged(tag, text), tag);
});
