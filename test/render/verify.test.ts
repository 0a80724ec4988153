// Every generated unit is taken by this machine's systemd without a word. Needs systemd-analyze, but no manager.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { casesIn } from "../lib/golden.js";
import { unitCase } from "../lib/unit-cases.js";

const root = mkdtempSync(join(tmpdir(), "podgen-verify-"));
after(() => rmSync(root, { recursive: true, force: true }));
const systemdVersion = Number(/^systemd (\d+)/.exec(execFileSync("systemd-analyze", ["--version"], { encoding: "utf8" }))?.[1]);

function verify(home: string, units: readonly string[]): { status: number | null; words: string } {
  const env = { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: root };
  const result = spawnSync("systemd-analyze", ["--user", "verify", ...units], { env, encoding: "utf8" });
  return { status: result.status, words: result.stdout + result.stderr };
}

/** Writes a case's units, with a program where podrt would be, below a folder of its own. */
function install(name: string, change: (text: string) => string = (text) => text): { home: string; units: string[] } {
  const { facts, rendered } = unitCase(name, mkdtempSync(join(root, "case-")), { systemdVersion });
  mkdirSync(dirname(facts.paths.podrt), { recursive: true });
  writeFileSync(facts.paths.podrt, "#!/bin/sh\n", { mode: 0o755 });
  const units = [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)].filter((f) => f.kind === "unit");
  mkdirSync(facts.paths.units, { recursive: true });
  for (const unit of units) writeFileSync(unit.path, change(new TextDecoder().decode(unit.bytes)));
  return { home: facts.paths.home, units: units.map((u) => u.path) };
}

for (const name of casesIn("units"))
  test(`systemd ${systemdVersion} verifies ${name} without a word`, () => {
    const { home, units } = install(name);
    assert.deepEqual(verify(home, units), { status: 0, words: "" });
  });

test("a unit that is wrong is told of: the check can fail", () => {
  const { home, units } = install("smallest", (text) => text.replace("KillMode=", "KilMode="));
  assert.match(verify(home, units).words, /Unknown key.* 'KilMode'/);
});
