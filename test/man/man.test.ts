// The man pages and the command line say the same: every command has a page, every option stands in it, and no other.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { COMMANDS, GROUPS, membersOf } from "../../src/cli/commands.js";

/** Text of a page without roff's escapes and fonts. */
function page(name: string): string {
  return readFileSync(`man/${name}`, "utf8")
    .replace(/\\f[BIR]/g, "")
    .replace(/\\-/g, "-"); // prettier-ignore
}

function section(text: string, title: string): string {
  return new RegExp(`^\\.SH ${title}\\n([\\s\\S]*?)(?=^\\.SH |$(?![\\s\\S]))`, "m").exec(text)?.[1] ?? "";
}

/** `image ls` has the page podgen-image-ls(1). */
const pageOf = (name: string): string => `podgen-${name.replaceAll(" ", "-")}`;

for (const command of COMMANDS) {
  const text = page(`${pageOf(command.name)}.1`);
  test(`${pageOf(command.name)}(1) names the options of the command line, and no others`, () => {
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
  test(`${pageOf(command.name)}(1) has the same summary, names and examples`, () => {
    assert.ok(section(text, "NAME").includes(command.describe));
    for (const alias of command.aliases ?? [])
      assert.ok(section(text, "SYNOPSIS").includes(`podgen ${[...command.name.split(" ").slice(0, -1), alias].join(" ")}`));
    for (const [line] of command.examples) assert.ok(section(text, "EXAMPLES").includes(line));
  });
}

const listed = (name: string): string[] =>
  [...section(page(`${name}.1`), "COMMANDS").matchAll(/^(podgen-[a-z-]+)\(1\)$/gm)].map((m) => m[1] ?? "");
const pagesOf = (group: string): string[] => membersOf(group).map((c) => pageOf(c.name));
const groupPages = Object.keys(GROUPS).map(pageOf);

test("podgen(1) lists every command and group, and there is no page of a command that is gone", () => {
  assert.deepEqual(listed("podgen"), [...pagesOf(""), ...groupPages]);
  const pages = readdirSync("man").flatMap((f) => /^(podgen-[a-z-]+)\.1$/.exec(f)?.[1] ?? []);
  assert.deepEqual(pages.sort(), [...COMMANDS.map((c) => pageOf(c.name)), ...groupPages].sort());
});

for (const [group, what] of Object.entries(GROUPS))
  test(`${pageOf(group)}(1) lists the members of its group, and says what it is for`, () => {
    assert.deepEqual(listed(pageOf(group)), pagesOf(group));
    assert.ok(section(page(`${pageOf(group)}.1`), "NAME").includes(what));
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
