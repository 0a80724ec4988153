// The strict walker against a small kind of its own, so that no change of Kubernetes' tables changes these.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Path } from "../../src/spec/path.js";
import { placesOf } from "../../src/spec/places.js";
import { Reader } from "../../src/spec/reader.js";
import { Report } from "../../src/spec/report.js";
import { list, map, names, object } from "../../src/spec/schema.js";
import { walk } from "../../src/spec/walk.js";
import { parseYaml } from "../../src/spec/yaml.js";

const PART = object("Part", {
  name: { type: "string", required: true },
  weight: { type: "integer", min: 1, max: 10 },
  color: { type: "string", values: ["red", "green"] },
  tag: { type: "string", aka: ["label"] },
});
const KIND = object("Thing", {
  parts: { type: list(PART, { nonEmpty: true }), required: true },
  flag: { type: "boolean" },
  words: { type: list("string") },
  labels: { type: map("string", (key) => (key.startsWith("x") ? { problem: "starts with x" } : undefined)) },
  later: { type: names("Later", "depth"), refused: "not yet", fine: [0, "none", false] },
  asked: { type: names("Asked", "a"), refused: "not yet", presence: true },
  old: { type: "any", noEffect: "it is old", fine: ["x"] },
  older: { type: "any", noEffect: "it is old" },
  size: { type: "quantity" },
  either: { type: "integerOrString" },
  ratio: { type: "number" },
  open: { type: object("Open", { known: { type: "string" } }, (key) => (key.startsWith("vendor/") ? "vendors" : undefined)) },
});

function found(text: string, secret = false): string[] {
  const root = parseYaml("f", text).value?.[0]?.root;
  assert.ok(root?.kind === "map");
  const report = new Report(secret);
  walk(KIND, root, Path.root, report);
  return report.diagnostics.map(
    (d) => `${d.severity === "error" ? "" : "~"}${d.code} ${d.message}${d.hint === undefined ? "" : ` | ${d.hint}`}`,
  );
}

/** Findings next to a part that is fine. */
function more(text: string): string[] {
  return found(`parts: [{name: a}]\n${text}\n`);
}

test("what fits is silent", () => {
  assert.deepEqual(more("flag: yes\nwords: [a]\nlabels: {a: b}\nsize: 1\neither: a\nratio: 1.5\nopen: {known: a}"), []);
  assert.deepEqual(found("parts:\n- {name: a, weight: 10, color: red}\n"), []);
});

test("null is absent, also where a field is refused or required", () => {
  assert.deepEqual(more("flag:\nwords: ~\nlater: null\nold:"), []);
  assert.deepEqual(found("parts:\n"), ["missing-field parts: has no value"]);
  assert.deepEqual(found("flag: true\n"), ["missing-field parts: missing"]);
});

test("unknown fields: near, by habit, elsewhere, nowhere", () => {
  assert.deepEqual(more("Flag: true"), ['unknown-field Flag: unknown field, did you mean "flag"?']);
  assert.deepEqual(more("weight: 1"), ['unknown-field weight: unknown field here | "weight" belongs under parts[]']);
  assert.deepEqual(more("parts: [{name: a, label: b, flags: true}]").slice(1), []);
  assert.deepEqual(found("parts: [{name: a, label: b}]"), ['unknown-field parts[0].label: unknown field, did you mean "tag"?']);
  assert.deepEqual(found("parts: [{name: a, size: 1}]"), [
    'unknown-field parts[0].size: unknown field here | "size" belongs at the top level',
  ]);
  assert.deepEqual(found("parts: [{name: a, zzzzzz: 1}]"), [
    "unknown-field parts[0].zzzzzz: unknown field | known here: name, weight, color, tag",
  ]);
  assert.deepEqual(
    more('"a.b/c": 1').map((m) => m.split(" ")[1]),
    ['["a.b/c"]:'],
  );
});

test("a misspelt required field is not missing as well", () => {
  assert.deepEqual(found("part: [{nam: a}]"), ['unknown-field part: unknown field, did you mean "parts"?']);
  assert.deepEqual(found("parts: [{nam: a}]"), ['unknown-field parts[0].nam: unknown field, did you mean "name"?']);
});

test("refused fields, unless they ask for nothing", () => {
  assert.deepEqual(more("later: {depth: 1}"), ["refused-field later: not supported: not yet | remove it"]);
  for (const fine of ["{}", "[]", '""', "0", "none", "false", "~", "0x0"]) assert.deepEqual(more(`later: ${fine}`), [], fine);
  for (const asks of ["1", "true", "some", "[a]"]) assert.equal(more(`later: ${asks}`).length, 1, asks);
  assert.equal(more("asked: {}").length, 1);
  assert.deepEqual(more("open: {vendor/x: 1, other: 2}"), [
    'refused-field open["vendor/x"]: not supported: vendors | remove it',
    "unknown-field open.other: unknown field | known here: known",
  ]);
});

test("fields without effect are one warning for each reason", () => {
  assert.deepEqual(more("old: 1\nolder: {a: b}"), ["~no-effect old, older have no effect: it is old"]);
  assert.deepEqual(more("old: x"), []);
});

test("types", () => {
  assert.deepEqual(more("flag: 'true'"), ['wrong-type flag: expected true or false, got text "true" | remove the quotes']);
  assert.deepEqual(more("words: a"), ['wrong-type words: expected a list, got text a | write a list: ["a"]']);
  assert.deepEqual(more("words: {a: b}"), ['wrong-type words: expected a list, got a map | start each item with "- "']);
  assert.deepEqual(more("words: [1, on, 1e3, 2026-01-01, '3']"), [
    'wrong-type words[0]: expected text, got the integer 1 | put it in quotes: "1"',
    'wrong-type words[1]: expected text, got the boolean on | YAML reads on as true; put it in quotes: "on"',
    'wrong-type words[2]: expected text, got the number 1e3 | put it in quotes: "1e3"',
  ]);
  assert.deepEqual(more("labels: [a]"), ["wrong-type labels: expected a map, got a list"]);
  assert.deepEqual(more("size: true"), ["wrong-type size: expected a quantity, got the boolean true"]);
  assert.deepEqual(
    found("parts: [a, {name: b}, ~]").map((m) => m.split(":")[0]),
    ["wrong-type parts[0]", "wrong-type parts[2]"],
  );
});

test("integers: exact bounds, floats that are whole, false octals", () => {
  for (const good of ["1", "10", "0xA", "012", "0o12", "1e1", "10.0", "+5"])
    assert.deepEqual(found(`parts: [{name: a, weight: ${good}}]`), [], good);
  for (const bad of ["0", "11", "-1", "9007199254740993", "99999999999999999999999", "08", "1e30"])
    assert.match(found(`parts: [{name: a, weight: ${bad}}]`)[0] ?? "", /^bad-value parts\[0\]\.weight: /, bad);
  for (const bad of ["1.5", ".inf", ".nan", "x", "'1'", "true", "{}"])
    assert.match(found(`parts: [{name: a, weight: ${bad}}]`)[0] ?? "", /^wrong-type/, bad);
  assert.deepEqual(found("parts: [{name: a, weight: 08}]"), [
    "bad-value parts[0].weight: 08 starts with 0 but is no octal number | write 8, or octal digits (0 to 7) only",
  ]);
});

test("values, keys, empty lists", () => {
  assert.deepEqual(found("parts: [{name: a, color: Red}]"), [
    'bad-value parts[0].color: "Red" is not one of red, green, did you mean "red"?',
  ]);
  assert.deepEqual(
    more("labels: {x1: a, b: ~}").map((m) => m.split(" | ")[0]),
    ['bad-value labels: the key "x1" starts with x', "wrong-type labels.b: has no value"],
  );
  assert.deepEqual(found("parts: []"), ["bad-value parts: the list is empty; at least one item is needed"]);
});

test("nothing of a secret's values is in a message", () => {
  const text = "parts: hunter2\nflag: hunter2\nwords: hunter2\nsize: [hunter2]\nratio: hunter2\nlabels: {a: 42424242}\n";
  const all = found(text, true).join("\n");
  assert.equal(all.split("\n").length, 6);
  assert.doesNotMatch(all, /hunter2|42424242/);
});

test("places: honoured ones first, at most two", () => {
  const inner = object("Inner", { x: { type: "string" }, common: { type: "string" } });
  const kind = object("K", {
    a: { type: inner, refused: "no" },
    b: { type: list(object("B", { x: { type: "string" }, common: { type: "string" } })) },
    c: { type: object("C", { common: { type: "string" } }) },
    common: { type: "string" },
  });
  assert.deepEqual(placesOf(kind, "x"), ["under b[]"]);
  assert.deepEqual(placesOf(kind, "common"), []);
  assert.deepEqual(placesOf(kind, "c"), ["at the top level"]);
  assert.deepEqual(placesOf(kind, "nowhere"), []);
});

test("the reader sees only what has the right type", () => {
  const root = parseYaml("f", "s: text\ni: 0644\nf: 1.0\nb: on\nn: ~\nl: [a, 1, {k: v}]\nm: {a: b, c: 1}\nbig: 9007199254740993\nq: 0.5\n")
    .value?.[0]?.root;
  assert.ok(root?.kind === "map");
  const r = new Reader(root, Path.root.child("top"));
  assert.deepEqual(
    [r.text("s"), r.text("i"), r.integer("i"), r.integer("f"), r.integer("s"), r.integer("big")],
    ["text", undefined, 420, 1, undefined, undefined],
  );
  assert.deepEqual([r.flag("b"), r.flag("s"), r.get("n"), r.text("none")], [true, undefined, undefined, undefined]);
  assert.deepEqual(
    [r.quantity("i"), r.quantity("q"), r.quantity("b"), r.texts("l"), r.texts("s")],
    ["420", "0.5", undefined, ["a"], undefined],
  );
  assert.deepEqual(
    r.objects("l").map((o) => [String(o.path), o.text("k")]),
    [["top.l[2]", "v"]],
  );
  assert.deepEqual([r.textMap("m"), r.textMap("s"), String(r.object("m")?.path), r.object("l")], [{ a: "b" }, {}, "top.m", undefined]);
  assert.deepEqual([r.place("s").at.column, r.place("n").at.column, r.place("none").at.line], [4, 1, 1]);
});
