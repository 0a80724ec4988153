// A Secret's value in a spec that is broken in whatever way: no finding shows it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostics } from "../../src/base/format.js";
import { buildModel } from "../../src/model/index.js";
import { parseYaml } from "../../src/spec/yaml.js";

const VALUE = "hunter2secret";
const ENCODED = "aHVudGVyMnNlY3JldA";

/** The value as plain text, as base64, in a block and in JSON, between objects that may be told about in full. */
const SPEC = `apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { a: b }
---
apiVersion: v1
kind: Secret
metadata:
  name: login
type: Opaque
stringData:
  plain: ${VALUE}
  quoted: "${VALUE}"
  block: |
    first
    ${VALUE}
data:
  encoded: ${ENCODED}==
---
{ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "json" }, "stringData": { "key": "${VALUE}" } }
---
{ "apiVersion": "v1", "kind": "List", "items": [{ "kind": "Secret", "apiVersion": "v1", "metadata": { "name": "item" }, "data": { "key": "${ENCODED}==" } }] }
`;

/** What people are told of a text. */
function told(text: string): string {
  const documents = parseYaml("spec.yaml", text);
  const model = buildModel(documents.value ?? []);
  return formatDiagnostics([...documents.diagnostics, ...model.diagnostics], new Map([["spec.yaml", text]]), { color: false });
}

/** The beginning of the value is enough to be too much. */
function assertUntold(text: string, what: string): void {
  // A key is a name and may be shown, also one that a comma before the value has made of it.
  const said = told(text).replaceAll(/ata(\.|\[")\S+: has no value|the key \S+ is not a valid key/g, "");
  for (const part of [VALUE.slice(0, 8), VALUE.slice(-8), ENCODED.slice(0, 12)])
    assert.ok(!said.includes(part), `${what}:\n${text}\n${said}`);
}

const offsets = [...SPEC].map((_, i) => i);

test("the spec is valid as it is", () => {
  assert.equal(told(SPEC), "");
});

test("one character is missing", () => {
  for (const i of offsets) assertUntold(SPEC.slice(0, i) + SPEC.slice(i + 1), `without character ${i}`);
});

const INSERTED = [
  ":",
  ": ",
  "{",
  "}",
  "[",
  "]",
  '"',
  "'",
  "\t",
  "- ",
  "&a ",
  "*a ",
  "!!int ",
  "|",
  "\n",
  "\n  ",
  ", ",
  "#",
  "\u0001",
  "\\",
];

/** Each at every seventh place, so that the suite stays quick; together they are at all of them. */
for (const [n, more] of INSERTED.entries())
  test(`one more: ${JSON.stringify(more)}`, () => {
    for (const i of offsets.filter((offset) => offset % 7 === n % 7))
      assertUntold(SPEC.slice(0, i) + more + SPEC.slice(i), `${JSON.stringify(more)} at ${i}`);
  });

test("a line is missing, there twice, or indented otherwise", () => {
  const lines = SPEC.split("\n");
  for (const [i, line] of lines.entries()) {
    const others = (...middle: string[]) => [...lines.slice(0, i), ...middle, ...lines.slice(i + 1)].join("\n");
    for (const text of [
      others(),
      others(line, line),
      others(`  ${line}`),
      others(line.replace(/^ {2}/, "")),
      others(`# ${line}`),
      others(line, "---"),
    ])
      assertUntold(text, `line ${i + 1}`);
  }
});

test("the file ends anywhere", () => {
  for (const i of offsets) assertUntold(SPEC.slice(0, i), `cut at ${i}`);
});

test("a value of the wrong form is called the value", () => {
  const text = SPEC.replace("name: login", `name: ${VALUE}!`);
  assertUntold(text, "name");
  assert.match(told(text), /metadata\.name: the value is not/);
});

test("values of other kinds than text", () => {
  for (const value of [`[${VALUE}]`, `{ a: ${VALUE} }`, `!!binary ${VALUE}`, `&x ${VALUE}`, `{ ${VALUE}: 1 }`, `? ${VALUE}`])
    assertUntold(SPEC.replace(`plain: ${VALUE}`, `plain: ${value}`), value);
  for (const kind of ["secret", "Secrets", "ConfigMap", ""]) assertUntold(SPEC.replace("kind: Secret", `kind: ${kind}`), `kind ${kind}`);
});
