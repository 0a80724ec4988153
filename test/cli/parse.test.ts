// The quick parser against yargs: what it takes means the same to both, and what yargs refuses it leaves alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import yargs from "yargs";
import { UserError } from "../../src/cli/exit.js";
import { parseWords } from "../../src/cli/parse.js";
import { declareAll } from "../../src/cli/usage.js";

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
  "start web --timeout 10s",
  "start web --timeout=1.5m --timeout 2m",
  "logs web --tail 0",
  "watch --install /pods",
  "linger enable",
  "doctor -o json",
  "unshare -- ls -l",
  "image ls",
  "image list nginx -o wide --digests",
  "image pull a.test/x:1 b.test/y:2 --policy Never -q",
  "image manifest add list a.test/x:1 --arch arm64 --annotation a=b --annotation c=d",
  "image manifest push list docker://a.test/x:1 --no-all --format oci",
];

const LEFT = [
  "",
  "--help",
  "--version",
  "apply --help",
  "aply web.yaml",
  "apply --pruned",
  "status -o xml",
  "apply --timeout=-1 a.yaml",
  "logs web --tail=-5",
  "logs",
  "logs a b",
  "exec -x web",
  "apply -f",
  "diff --recursive=yes a",
  "image",
  "image --help",
  "image lss",
  "image ls --help",
  "image pull",
  "ls",
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
  declareAll(parser, async (_spec, values) => {
    found = values;
  });
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
      else if (option.type === "duration" || option.type === "count") assert.equal(parsed.args.number(name), wanted[name], name);
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

/** The values of an option, and what it must be called wrong for. */
const WRONG = [
  ["apply a.yaml --timeout 0", /^--timeout 0: expected .*seconds/],
  ["apply a.yaml --timeout soon", /^--timeout soon: expected/],
  ["apply a.yaml --timeout 10d", /^--timeout 10d: expected .*10s/],
  ["apply a.yaml --timeout=-1", /^--timeout -1: expected/],
  ["apply a.yaml --timeout -1", /^--timeout -1: expected/],
  ["apply a.yaml --timeout 25h", /^--timeout 25h: expected .*at most 24 h/],
  ["stop web --timeout 1e3", /^--timeout 1e3: expected/],
  ["logs web --tail=-5", /^--tail -5: expected a whole number/],
  ["logs web --tail 1.5", /^--tail 1\.5: expected a whole number/],
  ["logs web -n all", /^--tail all: expected a whole number/],
] as const;

for (const [line, message] of WRONG)
  test(`refused by both, with option and value: ${line}`, async () => {
    // yargs has made an error of its own of it, which cli.ts gives 64 as well.
    const isUsage = (error: unknown) =>
      error instanceof Error &&
      message.test(error.message) &&
      (error instanceof UserError ? error.exitCode === 64 : error.name === "YError");
    const words = line.split(" ");
    await assert.rejects(byYargs(words), isUsage);
    // The quick parser says the same, or leaves it to yargs.
    try {
      assert.equal(parseWords(words), undefined);
    } catch (error) {
      assert.ok(isUsage(error), String(error));
    }
  });

test("a duration is handed on in seconds", () => {
  for (const [given, wanted] of [
    ["90", 90],
    ["0.5", 0.5],
    ["10s", 10],
    ["2m", 120],
    ["1h", 3600],
    ["24h", 86_400],
  ] as const)
    assert.equal(parseWords(["apply", "a", "--timeout", given])?.args.number("timeout"), wanted);
});

test("standard input is a word, not an option", () => {
  assert.deepEqual(parseWords(["apply", "-", "-f", "-"])?.args.list("files"), ["-"]);
});
