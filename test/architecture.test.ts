// src/README.md's table, held: who may import whom, and what the pure stages may not touch. Reads the syntax tree.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, normalize } from "node:path/posix";
import { test } from "node:test";
import type Ts from "typescript";

// By a name of its own, so that the compiler is loaded where it lies and not bundled.
const load = createRequire(import.meta.url);
const ts = load("typescript") as typeof Ts;

/** Folder -> folders it may import beside itself (src/README.md). */
const MAY: Readonly<Record<string, readonly string[]>> = {
  base: [],
  spec: ["base"],
  model: ["base", "spec"],
  plan: ["base", "model"],
  render: ["base", "plan"],
  diff: ["base", "render"],
  ports: ["base"],
  apply: ["base", "diff", "ports"],
  status: ["base", "plan", "ports"],
  host: ["base", "ports"],
  cli: ["base", "spec", "model", "plan", "render", "diff", "ports", "apply", "status"],
};
const PURE = new Set(["base", "spec", "model", "plan", "render", "diff"]);
/** Packages and node: modules of the pure folders: hashing, and the YAML reader. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = { spec: ["node:crypto", "js-yaml"] };
/** What reads a clock, the environment or randomness, or has an effect. */
const IMPURE = new Set(
  "Date process console performance globalThis global fetch setTimeout setInterval setImmediate queueMicrotask navigator require eval".split(
    " ",
  ),
);

/** Everything wrong with one file, as `path: what`. `path` is relative to src/. */
function problems(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const folder = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
  const found: string[] = [];
  const visit = (node: Ts.Node): void => {
    const target = importOf(node);
    if (target !== undefined) found.push(...importProblems(path, folder, target));
    if (PURE.has(folder)) found.push(...purityProblems(node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.map((what) => `${path}: ${what}`);
}

/** The module that a node imports, statically, dynamically or as a type. */
function importOf(node: Ts.Node): string | undefined {
  const literal = (n: Ts.Node | undefined): string | undefined => (n !== undefined && ts.isStringLiteralLike(n) ? n.text : undefined);
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return literal(node.arguments[0]) ?? "(computed)";
  return undefined;
}

function importProblems(path: string, folder: string, target: string): string[] {
  if (!target.startsWith(".")) {
    if (target === "(computed)") return ["imports a computed name"];
    if (!PURE.has(folder)) return [];
    const allowed = PURE_PACKAGES[folder] ?? ["node:crypto"];
    return allowed.includes(target) ? [] : [`a pure folder imports ${target}`];
  }
  const resolved = normalize(join("src", dirname(path), target));
  if (resolved.startsWith("templates/")) return folder === "render" ? [] : [`${folder} imports a template`];
  if (!resolved.startsWith("src/")) return [`imports ${resolved}, outside of src`];
  const other = resolved.slice("src/".length).split("/")[0] ?? "";
  // main.ts wires everything together and is imported by nobody.
  if (path === "main.ts") return [];
  if (!target.endsWith(".js")) return [`import of ${target} does not end in .js`];
  const may = MAY[folder];
  if (may === undefined) return [`folder ${folder || "src/"} is not in the table`];
  return other === folder || may.includes(other) ? [] : [`${folder} imports ${other}`];
}

function purityProblems(node: Ts.Node): string[] {
  if (!ts.isIdentifier(node)) return [];
  const parent = node.parent;
  // Names of properties and of keys are not the global of that name.
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return ts.isIdentifier(parent.expression) && parent.expression.text === "Math" && node.text === "random" ? ["uses Math.random"] : [];
  if (ts.isPropertyAssignment(parent) && parent.name === node) return [];
  if (ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent)) return [];
  return IMPURE.has(node.text) ? [`uses ${node.text}`] : [];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return filesBelow(path);
      return name.endsWith(".ts") ? [path] : [];
    });
}

test("imports go one way, and pure folders are pure", () => {
  const files = filesBelow("src");
  assert.ok(files.length > 50, "the sources are found");
  const found = files.flatMap((path) => problems(path.slice("src/".length), readFileSync(path, "utf8")));
  assert.deepEqual(found, []);
});

test("the table here is src/README.md's", () => {
  const text = readFileSync("src/README.md", "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)\/`\s*\|[^|]*\|\s*([^|]*?)\s*\|$/gm)];
  const table = Object.fromEntries(rows.map(([, name, may]) => [name, may]));
  const said = (name: string): string =>
    name === "cli" ? "all but host" : MAY[name]?.length === 0 ? "nothing" : (MAY[name] ?? []).join(" ");
  assert.deepEqual(table, Object.fromEntries(Object.keys(MAY).map((name) => [name, said(name)])));
});

test("no file is imported that is not there, and none is imported in a circle of folders", () => {
  for (const [folder, may] of Object.entries(MAY))
    for (const other of may) assert.ok(!MAY[other]?.includes(folder), `${folder} <-> ${other}`);
});

const wrong: readonly [string, string, string][] = [
  ["plan/x.ts", 'import { a } from "../host/a.js";', "plan imports host"],
  ["plan/x.ts", 'export { a } from "../render/a.js";', "plan imports render"],
  ["diff/x.ts", 'import type { A } from "../plan/types.js";', "diff imports plan"],
  ["diff/x.ts", 'type A = import("../model/types.js").A;', "diff imports model"],
  ["cli/x.ts", 'const m = await import("../host/a.js");', "cli imports host"],
  ["cli/x.ts", "const m = await import(name);", "imports a computed name"],
  ["plan/x.ts", 'import fs from "node:fs";', "a pure folder imports node:fs"],
  ["plan/x.ts", 'import yaml from "js-yaml";', "a pure folder imports js-yaml"],
  ["plan/x.ts", "const t = Date.now();", "uses Date"],
  ["plan/x.ts", "const t = new Date();", "uses Date"],
  ["plan/x.ts", "const home = process.env.HOME;", "uses process"],
  ["plan/x.ts", "const r = Math.random();", "uses Math.random"],
  ["plan/x.ts", "console.log(1);", "uses console"],
  ["plan/x.ts", 'import t from "../../templates/pod.service";', "plan imports a template"],
  ["plan/x.ts", 'import { a } from "./a";', "import of ./a does not end in .js"],
  ["new/x.ts", 'import { a } from "../base/a.js";', "folder new is not in the table"],
];
for (const [path, text, what] of wrong) test(`found: ${text}`, () => assert.deepEqual(problems(path, text), [`${path}: ${what}`]));

const right: readonly [string, string][] = [
  ["main.ts", 'import { a } from "./host/a.js"; import { b } from "./cli/b.js";'],
  ["host/x.ts", 'import fs from "node:fs"; console.log(Date.now(), process.env);'],
  [
    "render/x.ts",
    'import t from "../../templates/pod.service"; const c = { process: { args: [] } }; c.process.args; // Date console\n"process.env";',
  ],
  ["plan/x.ts", 'import { createHash } from "node:crypto"; interface A { readonly process: string }'],
];
for (const [path, text] of right) test(`not found: ${text.slice(0, 60)}`, () => assert.deepEqual(problems(path, text), []));
