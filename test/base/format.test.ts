import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Diagnostic } from "../../src/base/diagnostic.js";
import { formatDiagnostics } from "../../src/base/format.js";

function at(line: number, column: number, more: Partial<Diagnostic> = {}): Diagnostic {
  return { code: "c", severity: "error", message: "m", at: { file: "f", line, column }, ...more };
}

function format(text: string, ...diagnostics: Diagnostic[]): string {
  return formatDiagnostics(diagnostics, new Map([["f", text]]), { color: false });
}

/** The excerpt's two lines without their margins. */
function excerpt(text: string, diagnostic: Diagnostic): string[] {
  return format(text, diagnostic)
    .split("\n")
    .slice(1, 3)
    .map((line) => line.slice(8));
}

describe("formatDiagnostics", () => {
  test("place, severity, message, code, line, caret, hint", () => {
    const found = format("a: 1\n  imagee: nginx", at(2, 3, { length: 6, message: "no", code: "unknown-field", hint: "do" }));
    assert.equal(found, ["f:2:3: error: no [unknown-field]", "    2 |   imagee: nginx", "      |   ^~~~~~", "  hint: do", ""].join("\n"));
  });

  test("sorted by file, line, column; findings without a place last, in their order", () => {
    const none = (message: string): Diagnostic => ({ code: "c", severity: "warning", message });
    const other: Diagnostic = { ...at(1, 1), at: { file: "a", line: 9, column: 9 } };
    const found = formatDiagnostics([none("y"), at(10, 1), at(2, 9), at(2, 3), none("x"), other], new Map(), { color: false });
    assert.deepEqual(
      found
        .trimEnd()
        .split("\n")
        .map((l) => l.replace(/: .*m .*/, "")),
      ["a:9:9", "f:2:3", "f:2:9", "f:10:1", "warning: y [c]", "warning: x [c]"],
    );
  });

  test("nothing for nothing", () => assert.equal(format(""), ""));

  test("the line of a secret is not shown", () => {
    assert.equal(format("password: hunter2", at(1, 11, { secret: true })), "f:1:11: error: m [c]\n");
  });

  test("tabs", () => {
    assert.deepEqual(excerpt("\ta:\tb", at(1, 5, { length: 1 })), ["        a:      b", "                ^"]);
    assert.deepEqual(excerpt("\tx", at(1, 1)), ["        x", "^~~~~~~~"]);
  });

  test("wide characters take two columns, combining ones none, columns count code points", () => {
    assert.deepEqual(excerpt("名前: x", at(1, 5)), ["名前: x", "      ^"]);
    assert.deepEqual(excerpt("k: 名前", at(1, 4, { length: 2 })), ["k: 名前", "   ^~~~"]);
    assert.deepEqual(excerpt("e\u0301: x", at(1, 5)), ["e\u0301: x", "   ^"]);
    assert.deepEqual(excerpt("😀: x", at(1, 4)), ["😀: x", "    ^"]);
  });

  test("long lines are cut around the caret", () => {
    const [line, caret] = excerpt(`${"a".repeat(500)}B${"c".repeat(500)}`, at(1, 501));
    assert.ok((line ?? "").length <= 122);
    assert.equal(line?.[(caret ?? "").indexOf("^")], "B");
    assert.ok(line?.startsWith("…") && line.endsWith("…"));
  });

  test("an underline longer than the line ends with it; a place after the end is shown there", () => {
    assert.deepEqual(excerpt("abc", at(1, 2, { length: 99 })), ["abc", " ^~"]);
    assert.deepEqual(excerpt("abc", at(1, 99)), ["abc", "   ^"]);
    assert.equal(format("abc", at(7, 1)), "f:7:1: error: m [c]\n");
  });

  test("line ends: LF, CR LF, CR; a byte order mark is no column", () => {
    assert.deepEqual(excerpt("\ufeffx: 1", at(1, 1)), ["x: 1", "^"]);
    for (const end of ["\n", "\r\n", "\r"]) assert.deepEqual(excerpt(`a${end}bc${end}d`, at(2, 2)), ["bc", " ^"]);
  });

  test("nothing in a spec can drive the terminal", () => {
    const found = format("a: \u001b[2J\u0007\u202e\u009b1m", at(1, 1, { message: "m\u001b[1m", hint: "h\nerror: forged" }));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    assert.doesNotMatch(found, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.equal(found.split("\n").length, 5);
  });

  test("colour only when asked for", () => {
    const one = [at(1, 1, { hint: "h" })];
    const plain = formatDiagnostics(one, new Map([["f", "x"]]), { color: false });
    const color = formatDiagnostics(one, new Map([["f", "x"]]), { color: true });
    assert.ok(!plain.includes("\u001b") && color.includes("\u001b[31m"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: takes the colours away again
    assert.equal(color.replace(/\u001b\[\d+m/g, ""), plain);
  });
});
