// Text differences: against diff -u itself, and the shapes that are easily got wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { editScript } from "../../src/diff/myers.js";
import { shownSecret, unifiedDiff } from "../../src/diff/unified.js";

const folder = mkdtempSync(join(tmpdir(), "podgen-diff-"));
after(() => rmSync(folder, { recursive: true }));

/** What `patch` makes of the first text with our difference. */
function patched(before: string, difference: string): string {
  const file = join(folder, "file");
  writeFileSync(file, before);
  const result = spawnSync("git", ["apply", "--unidiff-zero", "--verbose", "-p0"], { cwd: folder, input: difference, encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr + difference);
  return spawnSync("cat", [file], { encoding: "utf8" }).stdout;
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => `${i}\n`).join("");

test("a changed line stands in its context", () => {
  assert.equal(
    unifiedDiff("f", numbers(9), numbers(9).replace("4\n", "four\n")),
    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n",
  );
});
test("a new file, one that goes, no difference", () => {
  assert.equal(unifiedDiff("f", undefined, "a\n"), "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  assert.equal(unifiedDiff("f", "a\nb\n", undefined), "--- f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n");
  assert.equal(unifiedDiff("f", "a", "a"), "");
  assert.equal(unifiedDiff("f", undefined, undefined), "");
});
test("a missing newline at the end is said", () => {
  assert.equal(unifiedDiff("f", "a", "a\n"), "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
});
test("far changes are two hunks, near ones are one", () => {
  const hunks = (text: string) => unifiedDiff("f", numbers(30), text).match(/^@@/gm)?.length;
  assert.equal(hunks(numbers(30).replace("3\n", "x\n").replace("\n20\n", "\ny\n")), 2);
  assert.equal(hunks(numbers(30).replace("\n10\n", "\nx\n").replace("\n16\n", "\ny\n")), 1);
});
test("bytes that are no text are not printed", () => {
  assert.equal(unifiedDiff("f", "a\0b", "x"), "--- f\n+++ f\nbinary content differs\n");
});

test("what it prints, git can apply", () => {
  let seed = 7;
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  for (let round = 0; round < 40; round++) {
    const before = Array.from({ length: 1 + random(40) }, () => `${random(5)}\n`);
    const edited = before.flatMap((line) => (random(5) === 0 ? [] : random(5) === 0 ? [line, `new ${random(3)}\n`] : [line]));
    const [a, b] = [before.join(""), `${edited.join("")}end\n`];
    assert.equal(patched(a, unifiedDiff("file", a, b)), b);
  }
});

test("the script is the shortest, and a hopeless one does not take for ever", () => {
  const size = (a: string, b: string) => editScript([...a], [...b]).filter((e) => e.kind !== " ").length;
  assert.equal(size("abcabba", "cbabac"), 5);
  assert.equal(size("", "abc"), 3);
  assert.equal(size("same", "same"), 0);
  const lines = (tag: string) => Array.from({ length: 20000 }, (_, i) => `${tag}${i}`);
  assert.equal(editScript(lines("a"), lines("b")).length, 40000);
});

test("of a secret nothing is shown but that it changes", () => {
  assert.equal(shownSecret({ action: "update" }), "secret changed");
  assert.equal(shownSecret({ action: "create" }), "secret created");
});
