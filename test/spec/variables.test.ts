// ${NAME} in specs: what is replaced, what is refused, and where it is shown.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../src/spec/node.js";
import { expand } from "../../src/spec/variables.js";
import { parseYaml } from "../../src/spec/yaml.js";

const values = new Map([
  ["A", "one"],
  ["EMPTY", ""],
  ["db.port", "5432"],
  ["EVIL", 'x"}\n- injected: true # $' + "{A}"],
]);
const variables = { values, asked: new Set<string>() };

describe("what is replaced", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["${A}", "one"],
    ["x${A}y${db.port}", "xoney5432"],
    ["${NONE:-dflt}${NONE-d}${NONE:=e}${NONE=f}", "dfltdef"],
    ["${EMPTY:-dflt}|${EMPTY-d}|${EMPTY}", "dflt||"],
    ["${A:-dflt}${A:?no}", "oneone"],
    ["${A:+alt}${EMPTY:+alt}${EMPTY+alt}${NONE+alt}", "altalt"],
    ["$${A} $A $(A) $$ $", "${A} $A $(A) $$ $"],
    ["${NONE:-a:-b c}", "a:-b c"],
    ["${NONE:-}", ""],
  ];
  for (const [text, wanted] of cases)
    it(text, () => {
      const { text: found, problems } = expand(text, variables);
      assert.deepEqual([found, problems], [wanted, []]);
    });
  it("a value is not looked at again", () => {
    assert.equal(expand("${B}", { values: new Map([["B", "${A} $${A}"]]) }).text, "${A} $${A}");
  });
});

describe("what is refused", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["${NONE}", "variable-undefined", "the variable NONE is not set"],
    ["${EMPTY:?give it}", "variable-undefined", "the variable EMPTY is not set"],
    ["${NONE?}", "variable-undefined", "the variable NONE is not set"],
    ["${#A}", "variable-syntax", "what stands in ${…} is no variable"],
    ["${A%x}", "variable-syntax", "what stands in ${…} is no variable"],
    ["${NONE:-${A}}", "variable-syntax", "what stands in ${…} is no variable"],
    ["${}", "variable-syntax", "what stands in ${…} is no variable"],
    ["${1A}", "variable-syntax", "what stands in ${…} is no variable"],
    ["a ${A", "variable-syntax", "a ${ is not closed"],
  ];
  for (const [text, code, message] of cases)
    it(text, () => {
      const { problems, text: left } = expand(text, variables);
      assert.deepEqual([problems[0]?.code, problems[0]?.message], [code, message]);
      assert.ok(left.startsWith(text.slice(0, 4)), "it stands as it stood");
    });
});

describe("in YAML", () => {
  const parse = (text: string) => parseYaml("f", text, variables);
  const shape = (node: Node | undefined): unknown =>
    node === undefined
      ? undefined
      : node.kind === "scalar"
        ? typeof node.value === "bigint"
          ? Number(node.value)
          : node.value
        : node.kind === "seq"
          ? node.items.map(shape)
          : Object.fromEntries([...node.entries].map(([key, { value }]) => [key, shape(value)]));

  it("unquoted text takes the type of its value, quoted text stays text, keys count, an empty value is nothing", () => {
    const { value, diagnostics, used } = parse(
      'port: ${db.port}\ntext: "${db.port}"\n${A}: ${NONE:-true}\nnone: ${EMPTY}\nlist: ["${A}", b]\n',
    );
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(shape(value?.[0]?.root), { port: 5432, text: "5432", one: true, none: null, list: ["one", "b"] });
    assert.deepEqual([...used].sort(), ["A", "EMPTY", "NONE", "db.port"]);
  });
  it("a value cannot add structure", () => {
    assert.deepEqual(shape(parse("a: ${EVIL}\nb: '${EVIL}'\nc: |\n  ${EVIL}\n").value?.[0]?.root), {
      a: values.get("EVIL"),
      b: values.get("EVIL"),
      c: `${values.get("EVIL")}\n`,
    });
  });
  it("nothing is replaced when nobody asked", () => {
    const { value, used } = parseYaml("f", "a: ${A}\n");
    assert.deepEqual([shape(value?.[0]?.root), used.size], [{ a: "${A}" }, 0]);
  });
  it("every finding has its place, also deep in a block, in a second document, and behind an escaped one", () => {
    const { diagnostics } = parse("a: x ${NONE} y\n---\nb: |\n  echo $${A}\n  echo ${A} ${GONE}\nc: '${GONE:?words}'\n");
    assert.deepEqual(
      diagnostics.map((d) => [d.at?.line, d.at?.column, d.length, d.message]),
      [
        [1, 6, 7, "the variable NONE is not set"],
        [5, 13, 7, "the variable GONE is not set"],
        [6, 5, 14, "the variable GONE is not set: words"],
      ],
    );
  });
  it("of what may be a secret no word is quoted", () => {
    const { diagnostics } = parse("kind: Secret\nstringData:\n  p: hunter2${GONE:?hunter3}\n");
    assert.equal(diagnostics[0]?.secret, true);
    assert.doesNotMatch(JSON.stringify(diagnostics), /hunter/);
  });
});
