// The man pages and the command line say the same: every command has a page, every option stands in it, and no other.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.js";

/** Text of a page without roff's escapes and fonts. */
function page(name: string): string {
  return readFileSync(`man/${name}`, "utf8")
    .replace(/\\f[BIR]/g, "")
    .replace(/\\-/g, "-"); // prettier-ignore
}

function section(text: string, title: string): string {
  return new RegExp(`^\\.SH ${title}\\n([\\s\\S]*?)(?=^\\.SH |$(?![\\s\\S]))`, "m").exec(text)?.[1] ?? "";
}

for (const command of COMMANDS) {
  const text = page(`podgen-${command.name}.1`);
  test(`podgen-${command.name}(1) names the options of the command line, and no others`, () => {
    const shown = [...section(text, "OPTIONS").matchAll(/^\.TP\n(.*)$/gm)].map((m) => m[1] ?? "");
    const long = shown.map((line) => /--([a-z-]+)/.exec(line)?.[1]);
    assert.deepEqual(
      long,
      command.options.map((o) => o.name),
    ); // prettier-ignore
    command.options.forEach((option, i) => {
      assert.equal(/(?:^|\s)-([a-zA-Z]),/.exec(` ${shown[i]}`)?.[1], option.alias, option.name);
      for (const choice of option.choices ?? []) assert.ok(shown[i]?.includes(choice), `${option.name}: ${choice}`);
    });
  });
  test(`podgen-${command.name}(1) has the same summary, names and examples`, () => {
    assert.ok(section(text, "NAME").includes(command.describe));
    for (const alias of command.aliases ?? []) assert.ok(section(text, "SYNOPSIS").includes(`podgen ${alias}`));
    for (const [line] of command.examples) assert.ok(section(text, "EXAMPLES").includes(line));
  });
}

test("podgen(1) lists every command, and there is no page of a command that is gone", () => {
  const listed = [...section(page("podgen.1"), "COMMANDS").matchAll(/^podgen-([a-z]+)\(1\)$/gm)].map((m) => m[1]);
  assert.deepEqual(
    listed,
    COMMANDS.map((c) => c.name),
  ); // prettier-ignore
  const pages = readdirSync("man").flatMap((f) => /^podgen-([a-z]+)\.1$/.exec(f)?.[1] ?? []);
  assert.deepEqual(pages.sort(), COMMANDS.map((c) => c.name).sort()); // prettier-ignore
});

test("podrt(1) names every verb and every option of its tables", () => {
  const text = page("podrt.1");
  const sources = ["native/main.c", ...readdirSync("native/oci").flatMap((name) => (name.endsWith(".c") ? [`native/oci/${name}`] : []))];
  const code = sources.map((path) => readFileSync(path, "utf8")).join("\n");
  const options = [...code.matchAll(/\{"([a-z0-9-]+)", (?:'.'|0), OCI_(?:FLAG|VALUE|LIST),|\bFLAG\("([a-z-]+)"/g)].map(
    (m) => m[1] ?? m[2] ?? "",
  );
  const verbs = [...readFileSync("native/main.c", "utf8").matchAll(/\{"([a-z]+)", (?:verb_|NULL|oci_)/g)].map((m) => m[1] ?? "");
  assert.ok(options.length > 60 && verbs.length > 22, `the tables were found: ${options.length}, ${verbs.length}`);
  assert.deepEqual(
    options.filter((name) => !new RegExp(`--${name}(?![a-z-])`).test(text)),
    [],
  );
  const described = section(text, "VERBS") + section(text, "AS AN OCI RUNTIME");
  assert.deepEqual(
    verbs.filter((name) => !new RegExp(`(?:^\\.B |, )${name}\\b`, "m").test(described)),
    [],
  );
});
