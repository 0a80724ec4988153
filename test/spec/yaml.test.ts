import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_ALIASED_NODES } from "../../src/spec/compose.js";
import type { Node } from "../../src/spec/node.js";
import { parseYaml } from "../../src/spec/yaml.js";

/** Values as JavaScript has them; integers as bigint. */
function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "seq") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}

function values(text: string): unknown[] {
  const { value, diagnostics } = parseYaml("f", text);
  assert.deepEqual(diagnostics, []);
  return (value ?? []).map((d) => plain(d.root));
}

function problems(text: string): string[] {
  return parseYaml("f", text).diagnostics.map((d) => `${d.code} ${d.at?.line}:${d.at?.column}`);
}

/** `path line:column` of every key and value. */
function places(text: string): string[] {
  const out: string[] = [];
  const visit = (node: Node, path: string): void => {
    out.push(`${path} ${node.place.at.line}:${node.place.at.column}+${node.place.length}`);
    if (node.kind === "seq") node.items.forEach((item, i) => void visit(item, `${path}[${i}]`));
    if (node.kind === "map")
      for (const [key, entry] of node.entries) {
        out.push(`${path}.${key}= ${entry.key.at.line}:${entry.key.at.column}+${entry.key.length}`);
        visit(entry.value, `${path}.${key}`);
      }
  };
  for (const document of parseYaml("f", text).value ?? []) visit(document.root, "$");
  return out;
}

describe("places", () => {
  test("keys, values, items, flow and block, quotes, empty values", () => {
    assert.deepEqual(places('a:\n  b: "x y"\n  c:\nd:\n  - 1\n  - {e: f}\n'), [
      "$ 1:1+1",
      "$.a= 1:1+1",
      "$.a 2:3+1",
      "$.a.b= 2:3+1",
      "$.a.b 2:6+5",
      "$.a.c= 3:3+1",
      "$.a.c 3:3+1",
      "$.d= 4:1+1",
      "$.d 5:3+1",
      "$.d[0] 5:5+1",
      "$.d[1] 6:5+1",
      "$.d[1].e= 6:6+1",
      "$.d[1].e 6:9+1",
    ]);
  });

  test("absolute in later documents, also after CR LF and with a byte order mark", () => {
    assert.deepEqual(places("\ufeffa: 1\r\n---\r\n\r\nb: 2\r\n").slice(3), ["$ 4:1+1", "$.b= 4:1+1", "$.b 4:4+1"]);
  });

  test("columns count code points", () => {
    assert.deepEqual(places("𝄞: é\n").at(-1), "$.𝄞 1:4+1");
  });

  test("a block scalar is where its text starts, and an alias's value where its anchor is", () => {
    assert.deepEqual(
      places("a: |\n\n   x\nb: &n 5\nc: *n\n").filter((p) => /^\$\.\w /.test(p)),
      ["$.a 3:4+1", "$.b 4:7+1", "$.c 4:7+1"],
    );
  });
});

describe("documents", () => {
  test("several, empty ones skipped", () => {
    assert.deepEqual(values("---\n---\n# only a comment\n---\na: 1\n...\n---\nnull\n---\nb: 2\n"), [{ a: 1n }, { b: 2n }]);
    assert.deepEqual(values(""), []);
    assert.deepEqual(values("# nothing\n"), []);
  });

  test("directives belong to the document after them", () => {
    assert.deepEqual(values("%YAML 1.2\n---\na: 1\n...\n# c\n%YAML 1.1\n---\nb: 2\n"), [{ a: 1n }, { b: 2n }]);
  });

  test("--- inside a line, or in a block with indentation, parts nothing", () => {
    assert.deepEqual(values("a: x --- y\nb: |\n  ---\n  z\nc: '--- '\n"), [{ a: "x --- y", b: "---\nz\n", c: "--- " }]);
  });

  test("a broken document hides neither those before nor those after it", () => {
    const { value, diagnostics } = parseYaml("f", "a: 1\n---\nb: [\n---\nc: 3\n---\nd: *x\n---\ne: 5\n");
    assert.deepEqual(
      (value ?? []).map((d) => plain(d.root)),
      [{ a: 1n }, { c: 3n }, { e: 5n }],
    );
    assert.deepEqual(
      diagnostics.map((d) => `${d.code} ${d.at?.line}`),
      ["yaml-syntax 3", "yaml-alias 7"],
    );
  });
});

describe("maps", () => {
  test("duplicate keys name both places; the first counts", () => {
    const { value, diagnostics } = parseYaml("f", "x:\n  - a: 1\n    'a': 2\n");
    assert.deepEqual(plain((value ?? [])[0]?.root as Node), { x: [{ a: 1n }] });
    assert.equal(diagnostics[0]?.code, "duplicate-key");
    assert.match(diagnostics[0]?.message ?? "", /^x\[0\]\.a: .*line 2, column 5/);
    assert.deepEqual(diagnostics[0]?.at, { file: "f", line: 3, column: 5 });
  });

  test("1 and '1' are one key; 8080 and true are the texts they look like", () => {
    assert.deepEqual(problems("1: a\n'1': b\n"), ["duplicate-key 2:1"]);
    assert.deepEqual(values("8080: a\ntrue: b\n1.5: c\n"), [{ "8080": "a", true: "b", "1.5": "c" }]);
  });

  test("keys that YAML reads as something else than they look", () => {
    for (const key of ["yes", "on", "n", "0x10", "010", "1_000", "~", "null", "1.0", "[a]", "{a: b}"])
      assert.equal(problems(`? ${key}\n: x\n`).length, 1, key);
  });

  test("__proto__ is a key like others", () => {
    const { value } = parseYaml("f", "__proto__: {polluted: true}\n");
    const root = (value ?? [])[0]?.root;
    assert.ok(root?.kind === "map" && root.entries.has("__proto__"));
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  test("merge keys: own keys win, then the earlier map; several, lists", () => {
    assert.deepEqual(values("a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc: {<<: *a, q: 3}\nd: {<<: [*a, *b]}\ne: {q: 5, <<: *b}\n")[0], {
      a: { p: 1n, q: 1n },
      b: { q: 2n, r: 2n },
      c: { q: 3n, p: 1n },
      d: { p: 1n, q: 1n, r: 2n },
      e: { q: 5n, r: 2n },
    });
    assert.deepEqual(values('a: {"<<": 1}\n'), [{ a: { "<<": 1n } }]);
    assert.deepEqual(problems("a: {<<: text}\n"), ["yaml-syntax 1:5"]);
  });
});

describe("aliases", () => {
  test("share their anchor's value; the latest anchor of a name counts", () => {
    assert.deepEqual(values("a: &n 1\nb: *n\nc: &n 2\nd: *n\n"), [{ a: 1n, b: 1n, c: 2n, d: 2n }]);
  });

  test("do not reach into another document", () => {
    assert.deepEqual(problems("a: &n 1\n---\nb: *n\n"), ["yaml-alias 3:4"]);
  });

  test("cycles are errors", () => {
    assert.deepEqual(problems("a: &a [*a]\n"), ["yaml-alias 1:8"]);
    assert.deepEqual(problems("&a b: &c {d: *c}\n"), ["yaml-alias 1:14"]);
    assert.deepEqual(problems("a: &a\n  <<: *a\n"), ["yaml-alias 2:7"]);
  });

  test("an alias bomb ends quickly, with one finding", () => {
    let text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 50; i++)
      text += `l${i}: &l${i} [${Array(10)
        .fill(`*l${i - 1}`)
        .join(", ")}]\n`;
    const before = performance.now();
    assert.equal(problems(text).length, 1);
    assert.ok(performance.now() - before < 1000);
  });

  test("as many as a real spec could have are fine", () => {
    const text = `a: &a {x: 1}\nb: [${Array(MAX_ALIASED_NODES / 4)
      .fill("*a")
      .join(", ")}]\n`;
    assert.deepEqual(problems(text), []);
  });
});

describe("syntax errors", () => {
  test("have a place and the code yaml-syntax", () => {
    for (const [text, place] of [
      ["a:\n\tb: 1\n", "2:1"],
      ["a: 'x\n", "1:5"],
      ["a: b: c\n", "1:5"],
      ["a: {b: c\n", "1:8"],
      ["a: @x\n", "1:4"],
      ["a: 1\n b: 2\n", "2:3"],
      ["a\0b", "1:2"],
      [`${"[".repeat(500)}`, "1:64"],
      ["a: !foo x\n", "1:4"],
      ["a: !foo [x]\n", "1:4"],
      ["a: !!int x\n", "1:4"],
      ['a: "\\ud800"\n', "1:4"],
      ['a: "\\q"\n', "1:6"],
    ] as const)
      assert.deepEqual(problems(text), [`yaml-syntax ${place}`], text.slice(0, 40));
  });

  test("in text that may hold a Secret show no line of it", () => {
    for (const kind of [
      "kind: Secret",
      '{"kind": "Secret"',
      "kind: 'Secret'",
      "kind: !!str Secret",
      "kind: &k Secret",
      "kind: >-\n  Secret",
      'kind: "\\x53ecret"',
      "kind:\n  Secret",
      "{kind: Secret, a: b",
      "kind: List\nitems:\n- kind: Secret",
      "kind: SecretList",
      "kind: Secert",
      "a: &k Secret\nkind: *k",
    ]) {
      const found = parseYaml("f", `${kind}\ndata:\n  password: 'hunter2\n`).diagnostics;
      assert.deepEqual(
        found.map((d) => d.secret),
        [true],
        kind,
      );
    }
    assert.equal(parseYaml("f", "stringData:\n  password: 'hunter2\n").diagnostics[0]?.secret, true);
    assert.equal(parseYaml("f", "kind: Pod\na: 'x\n---\nkind: Secret\n").diagnostics[0]?.secret, undefined);
  });

  test("of a pod that refers to Secrets, and of a ConfigMap, show the line", () => {
    for (const text of [
      "kind: Pod # mine\nspec: { volumes: [{ name: a, secret: { secretName: login } }] }\nb: 'x\n",
      '{"kind":"Pod","a":{"secretKeyRef":{"name":"login"}},"b":*x}',
      "kind: ConfigMap\ndata:\n  a: 'x\n",
      "a: 'x\n",
    ])
      assert.equal(parseYaml("f", text).diagnostics[0]?.secret, undefined, text);
  });

  test("never tell a value of a Secret that YAML reads as an alias or a tag", () => {
    for (const kind of ["kind: Secret", "kind: !!str Secret", "kind: &k Secret", "kind: List\nitems:\n- kind: Secret"])
      for (const value of [
        "*hunter2",
        "!hunter2",
        "!hunter2 [x]",
        "!hunter2!x y",
        "!<hunter2> x",
        "!!hunter2 x",
        "&a [*a, *hunter2]",
        "!h{unter2",
      ]) {
        const text = `${kind}\n${kind.includes("\n") ? "  " : ""}stringData:\n    password: ${value}\n`;
        const { diagnostics } = parseYaml("f", text);
        assert.ok(diagnostics.length > 0, text);
        assert.doesNotMatch(JSON.stringify(diagnostics), /unter2/, text);
      }
    for (const text of ['{"kind":"Secret","stringData":{"password":*hunter2}}', "{kind: Secret, stringData: {password: !hunter2 x}}"])
      assert.doesNotMatch(JSON.stringify(parseYaml("f", text).diagnostics), /hunter2/, text);
    assert.match(parseYaml("f", "kind: Pod\na: *nothing\n").diagnostics[0]?.message ?? "", /\*nothing/);
  });
});
