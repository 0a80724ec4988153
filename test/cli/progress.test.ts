import assert from "node:assert/strict";
import { test } from "node:test";
import { createPullPrinter } from "../../src/cli/progress.js";
import type { PullProgress } from "../../src/ports/images.js";

const MB = 1_000_000;
const ESC = String.fromCharCode(27);

/** A printer with a clock of its own; `step` moves the clock first. */
function setUp(tty: boolean, columns = 100) {
  const writes: string[] = [];
  let time = 0;
  const print = createPullPrinter({ write: (text) => writes.push(text), columns }, { tty, now: () => time });
  const step = (
    at: number,
    layer: string,
    phase: PullProgress["phase"],
    bytes: number,
    total = 10 * MB,
    reference = "r.example/nginx:1",
  ) => {
    time = at;
    print({ reference, layer: `sha256:${layer.repeat(64)}`, phase, bytes, total });
  };
  return { writes, step, close: () => print.close(), text: () => writes.join("") };
}

/** What a terminal shows in the end: cursor up, carriage return, clear to the end of line and of screen. */
function screen(text: string): string[] {
  const rows: string[] = [""];
  let row = 0;
  for (const part of text.replaceAll(ESC, "␛").matchAll(/␛\[(\d*)([AKJ])|\r|\n|[^␛\r\n]+/gu)) {
    if (part[2] === "A") row -= Number(part[1]);
    else if (part[2] === "J") rows.splice(row);
    else if (part[0] === "\n") row += 1;
    else if (part[0] !== "\r" && part[2] === undefined) rows[row] = part[0];
    rows[row] ??= "";
  }
  return rows;
}

test("off a terminal: a line at the start and the end of each layer, and every few seconds between", () => {
  const { step, close, text } = setUp(false);
  step(0, "a", "download", 0);
  step(0, "b", "present", 5 * MB, 5 * MB);
  step(0, "c", "download", 0, 20 * MB);
  for (let at = 100; at <= 10_000; at += 100) step(at, "c", "download", at * 2000, 20 * MB);
  step(10_000, "c", "unpack", 20 * MB, 20 * MB);
  step(10_200, "a", "download", 10 * MB);
  step(10_300, "c", "done", 20 * MB, 20 * MB);
  step(10_400, "a", "done", 10 * MB);
  close();
  assert.deepEqual(text().split("\n"), [
    "pulling r.example/nginx:1: 2 layers, 30.0 MB",
    "pulling r.example/nginx:1: layer 3/3, 10.0 MB of 20.0 MB, 2.0 MB/s, 5 s left",
    "pulling r.example/nginx:1: layer 3/3, 20.0 MB of 20.0 MB",
    "pulling r.example/nginx:1: layer 1/3, 10.0 MB of 10.0 MB",
    "pulled r.example/nginx:1: layer 3/3, 20.0 MB",
    "pulled r.example/nginx:1: layer 1/3, 10.0 MB",
    "pulled r.example/nginx:1: 2 layers, 30.0 MB, 1 already here, in 10.4 s",
    "",
  ]);
  assert.ok(!text().includes(ESC) && !text().includes("\r"));
});

test("an image that is all there prints nothing", () => {
  for (const tty of [true, false]) {
    const { step, close, text } = setUp(tty);
    step(0, "a", "present", MB, MB);
    close();
    assert.doesNotMatch(text(), /nginx/, String(tty));
  }
});

test("on a terminal: a bar per open layer with percent, rate and time left", () => {
  const { step, text } = setUp(true);
  step(0, "a", "download", 0);
  step(0, "b", "download", 0);
  for (let at = 100; at <= 2000; at += 100) step(at, "a", "download", at * 2500);
  const rows = screen(text());
  assert.equal(rows[0], "r.example/nginx:1  0/2 layers");
  assert.match(rows[1] ?? "", /^ {2}a{12} ━+─+ {2}50 % {2}5\.0 MB of 10\.0 MB, 2\.5 MB\/s, 2 s left$/);
  assert.match(rows[2] ?? "", /^ {2}b{12} ─+ {3}0 % {2}0 B of 10\.0 MB$/);
  step(2100, "a", "done", 10 * MB);
  assert.deepEqual(
    screen(text()).filter((r) => r.includes("aaaa")),
    [],
    "a layer that is done leaves",
  ); // prettier-ignore
});

test("the bars are gone in the end, one line stays", () => {
  const { step, close, text } = setUp(true);
  step(0, "a", "download", 0);
  step(500, "a", "unpack", 10 * MB);
  step(1500, "a", "done", 10 * MB);
  close();
  assert.deepEqual(
    screen(text()).filter((r) => r !== ""),
    ["pulled r.example/nginx:1: 1 layer, 10.0 MB, in 1.5 s"],
  ); // prettier-ignore
});

test("a pull that failed leaves no bars and claims nothing", () => {
  const { step, close, text } = setUp(true);
  step(0, "a", "download", 0);
  step(500, "a", "download", MB);
  close();
  assert.deepEqual(
    screen(text()).filter((r) => r !== ""),
    [],
  ); // prettier-ignore
});

test("no row is wider than the terminal, and at most ten frames a second are drawn, each in one write", () => {
  for (const columns of [30, 50, 80, 200]) {
    const { step, writes, text } = setUp(true, columns);
    const reference = `registry.example/${"very-".repeat(20)}long:1`;
    step(0, "a", "download", 0, 10 * MB, reference);
    for (let at = 1; at <= 1000; at += 1) step(at, "a", "download", at * 5000, 10 * MB, reference);
    assert.ok(writes.length <= 12, `${writes.length} writes in a second`);
    for (const row of screen(text())) assert.ok([...row].length < columns, `${columns}: ${row}`);
  }
});
