// Quoting, read back by systemd itself: what a command line was made of is what the program is given.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { execLine, unitValue } from "../../src/render/units/escape.js";
import { runOk, type Session, startSession, stopSession } from "../lib/session.js";

let session: Session;
before(async () => {
  session = await startSession("pgescape");
});
after(() => stopSession(session.user));

const WORDS = [
  "plain",
  "",
  "two words",
  " edges ",
  'quo"ted',
  "it's",
  "both \"'",
  "back\\slash",
  "\\n",
  "end\\",
  ";",
  "a;b",
  "\\;",
  "100%",
  "%h",
  "%%",
  "$HOME",
  "$$",
  "$".concat("{HOME}"),
  "a$b$$c",
  "größe…",
  "日本語 😀",
  "-",
  "@x",
  "!y",
  ":z",
  "a=b",
  "#c",
  "{}[]*?~",
];

/** Runs a line as a oneshot unit; the words that the program got. */
async function given(name: string, program: string): Promise<string[]> {
  const folder = `${session.home}/.config/systemd/user`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    `${folder}/${name}.service`,
    `[Unit]\nDescription=${unitValue("100% of $x \\x")}\n[Service]\nType=oneshot\nExecStart=${execLine([program, ...WORDS])}\n`,
  );
  await runOk(session.user, ["systemctl", "--user", "daemon-reload"]);
  await runOk(session.user, ["systemctl", "--user", "start", name]);
  return readFileSync(`${session.home}/words`, "utf8").split("\0").slice(0, -1);
}

for (const [what, folder] of [
  ["plain", "bin"],
  ["odd", "a b/100%/$HOME/ü;"],
] as const)
  test(`every word arrives as it was; ${what} path of the program`, async () => {
    const program = `${session.home}/${folder}/words`;
    mkdirSync(program.slice(0, -"/words".length), { recursive: true });
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@" > ~/words\n`, { mode: 0o755 });
    await runOk(session.user, ["rm", "-f", `${session.home}/words`]);
    assert.deepEqual(await given(`words-${what}`, program), WORDS);
    const shown = await runOk(session.user, ["systemctl", "--user", "show", "-P", "Description", `words-${what}`]);
    assert.equal(shown.trim(), "100% of $x \\x");
  });
