// Where variables come from: files, tables and words, and which of them counts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Args } from "../../src/cli/args.js";
import type { Context } from "../../src/cli/context.js";
import { UserError } from "../../src/cli/exit.js";
import { compileModel } from "../../src/cli/pipeline.js";
import { parseEnvFile, readVariables } from "../../src/cli/variables.js";

/** A machine with these files below /w and nothing else. */
function context(files: Readonly<Record<string, string>>): Context {
  const read = async (path: string) => {
    const text = files[path.replace("/w/", "")];
    return text === undefined ? undefined : new TextEncoder().encode(text);
  };
  return { host: { files: async () => ({ read }) }, cwd: "/w", env: { HOME_TOWN: "Ulm" } } as unknown as Context;
}

const found = async (args: Record<string, unknown>, files: Record<string, string> = {}) =>
  Object.fromEntries((await readVariables(new Args(args), context(files)))?.values ?? []);

describe("an env file", () => {
  it("has lines as Compose has them", () => {
    const text = [
      "\ufeff# comment",
      "",
      "A=plain text  # comment",
      "export B = x#y",
      "C='single $A \\n'",
      'D="two\\nlines \\"q\\" \\$x" # c',
      "E=",
      "F=#c",
      "G=a=b",
      "H='a' # it's",
    ].join("\r\n");
    assert.deepEqual(Object.fromEntries(parseEnvFile("f", text)), {
      A: "plain text",
      B: "x#y",
      C: "single $A \\n",
      D: 'two\nlines "q" $x',
      E: "",
      F: "",
      G: "a=b",
      H: "a",
    });
  });
  for (const [text, message] of [
    ["A=1\nhunter2", "f:2: expected NAME=VALUE"],
    ["1A=x", "f:1: expected NAME=VALUE"],
    ["A='hunter2", "f:1: the quotes of A do not match"],
    ['A="hunter2" hunter3', "f:1: the quotes of A do not match"],
  ] as const)
    it(`refuses ${text.split("\n").at(-1)}, and quotes no value`, () =>
      assert.throws(() => parseEnvFile("f", text), new UserError(message)));
});

describe("which value counts", () => {
  const files = { "v.yaml": "A: values\nB: values\nC: values\ndb: {port: 0543, tls: yes}\nnone:\n", e1: "A=e1\nB=e1\n", e2: "B=e2\n" };
  it("--set before --env-file, the later file before the earlier, --values last", async () => {
    assert.deepEqual(await found({ values: "v.yaml", "env-file": ["e1", "/w/e2"], set: ["A=set", "X=a=b", "HOME_TOWN"] }, files), {
      A: "set",
      B: "e2",
      C: "values",
      "db.port": "0543",
      "db.tls": "yes",
      none: "",
      X: "a=b",
      HOME_TOWN: "Ulm",
    });
  });
  it("nothing asked for is nothing at all", async () => assert.equal(await readVariables(new Args({}), context({})), undefined));
  for (const [args, message] of [
    [{ set: "GONE" }, /--set GONE: it is not in the environment/],
    [{ set: "a b=1" }, /--set takes NAME=VALUE/],
    [{ "env-file": "none" }, /^none: no such file/],
    [{ values: "l.yaml" }, /l\.yaml:1: A: a list is no value/],
    [{ values: "bad.yaml" }, /bad\.yaml:1: yaml-syntax/],
    [{ values: "k.yaml" }, /k\.yaml:1: a-b: a variable's name/],
    [{ values: "t.yaml" }, /expected a map of values/],
  ] as const)
    it(`refuses ${JSON.stringify(args)}`, () =>
      assert.rejects(
        found(args, { "l.yaml": "A: [1]", "bad.yaml": "A: 'hunter2", "k.yaml": "a-b: 1", "t.yaml": "hunter2" }),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      ));
});

it("a word that no spec uses is a warning; a file's is not", () => {
  const variables = {
    values: new Map([
      ["USED", "web"],
      ["TYPO", "1"],
      ["OTHER", "2"],
    ]),
    asked: new Set(["USED", "TYPO"]),
  }; // prettier-ignore
  const text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: '${USED}'}\nspec: {containers: [{name: a, image: 'docker.io/library/busybox'}]}\n";
  const { diagnostics, value } = compileModel([{ file: "f", source: "/f", text, variables }]);
  assert.deepEqual(
    diagnostics.map((d) => [d.code, d.severity, d.message]),
    [["variable-unused", "warning", "--set TYPO: no spec has a variable of that name"]],
  );
  assert.equal(value?.pods[0]?.name, "web");
});
