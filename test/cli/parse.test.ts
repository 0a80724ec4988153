// The quick parser against yargs: what it takes means the same to both, and what yargs refuses it leaves alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import yargs from "yargs";
import { COMMANDS } from "../../src/cli/commands.js";
import { parseWords } from "../../src/cli/parse.js";
import { declare } from "../../src/cli/usage.js";

const TAKEN = [
  "apply web.yaml",
  "apply -f a.yaml -f b.yaml --prune --timeout 5",
  "apply a.yaml --no-wait -o json",
  "play web.yaml --dry-run",
  "diff --filename=a.yaml -R dir",
  "delete web db --ignore-not-found",
  "down web",
  "status",
  "status web -o wide",
  "logs web/app -f -n 10 --since yesterday -t",
  "exec -it web/app -- sh -c true",
  "exec web/app ls -u 0 -e A=b -e C=d",
  "start web web/app --timeout 3",
  "watch --install /pods",
  "linger enable",
  "doctor -o json",
  "unshare -- ls -l",
];

const LEFT = [
  "",
  "--help",
  "--version",
  "apply --help",
  "aply web.yaml",
  "apply --pruned",
  "status -o xml",
  "apply --timeout soon",
  "logs",
  "logs a b",
  "exec -x web",
  "apply -f",
  "diff --recursive=yes a",
]; // prettier-ignore

async function byYargs(words: readonly string[]): Promise<Record<string, unknown>> {
  const separator = words.indexOf("--");
  let found: Record<string, unknown> = {};
  const parser = yargs([])
    .strict()
    .exitProcess(false)
    .help(false)
    .version(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    }); // prettier-ignore
  for (const spec of COMMANDS)
    parser.command(
      [`${spec.name} ${spec.positionals}`.trim(), ...(spec.aliases ?? [])],
      spec.describe,
      (y) => declare(y, spec),
      (values) => {
        found = values;
      },
    ); // prettier-ignore
  await parser.parseAsync(separator < 0 ? [...words] : words.slice(0, separator));
  return found;
}

for (const line of TAKEN)
  test(`both take: ${line}`, async () => {
    const words = line.split(" ");
    const parsed = parseWords(words);
    assert.ok(parsed);
    const wanted = await byYargs(words);
    for (const option of parsed.spec.options) {
      const { name } = option;
      if (option.type === "boolean") assert.equal(parsed.args.flag(name), wanted[name] === true, name);
      else if (option.type === "array") assert.deepEqual(parsed.args.list(name), wanted[name] ?? [], name);
      else if (option.type === "number") assert.equal(parsed.args.number(name), wanted[name], name);
      else assert.equal(parsed.args.text(name), wanted[name], name);
    }
    for (const [, name = "", dots] of parsed.spec.positionals.matchAll(/([a-z]+)(\.\.)?/g))
      if (dots) assert.deepEqual(parsed.args.list(name), wanted[name] ?? [], name);
      else assert.equal(parsed.args.text(name), wanted[name], name);
  });

for (const line of LEFT)
  test(`left to yargs: ${line}`, () => {
    assert.equal(parseWords(line === "" ? [] : line.split(" ")), undefined);
  });

test("standard input is a word, not an option", () => {
  assert.deepEqual(parseWords(["apply", "-", "-f", "-"])?.args.list("files"), ["-"]);
});
