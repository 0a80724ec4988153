// When the watcher looks, on a clock that the test moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Looker, type Seen } from "../../../src/cli/watch/looker.js";

const QUIET: Seen = { away: false, retry: false };

/** A looker whose looks end as told; `ticks` are the moments at which it looked, in milliseconds. */
function begin(t: { mock: typeof import("node:test").mock; after(fn: () => void): void }, answer: () => Seen | Promise<Seen>) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ticks: number[] = [];
  const errors: unknown[] = [];
  let now = 0;
  const looker = new Looker(
    async () => {
      ticks.push(now);
      return answer();
    },
    (error) => errors.push(error),
  );
  t.after(() => looker.stop());
  /** Moves the clock on, a millisecond at a time where it matters: promises settle in between. */
  const pass = async (ms: number, step = 50): Promise<void> => {
    for (let end = now + ms; now < end; ) {
      now += Math.min(step, end - now);
      t.mock.timers.tick(Math.min(step, ms));
      await settled();
    }
  };
  return { looker, ticks, errors, pass };
}

/** Promises that can settle have. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test("a burst of events is one look", async (t) => {
  const { looker, ticks, pass } = begin(t, () => QUIET);
  for (let i = 0; i < 20; i++) {
    looker.touch();
    await pass(10, 10);
  }
  await pass(1000);
  assert.equal(ticks.length, 1);
});

test("an event during a look makes one more, also when that look throws", async (t) => {
  for (const fails of [false, true]) {
    let end: () => void = () => undefined;
    const { looker, ticks, pass } = begin(t, async () => {
      if (ticks.length > 1) return QUIET;
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      if (fails) throw new Error("the disk is full");
      return QUIET;
    });
    looker.touch();
    await pass(100);
    looker.touch();
    looker.touch();
    await pass(200);
    assert.equal(ticks.length, 1, "one look at a time");
    end();
    await settled();
    await pass(100);
    assert.equal(ticks.length, 2);
    await pass(60_000, 1000);
    assert.equal(ticks.length, 2, "the second look went well: nothing is left to do");
    looker.stop();
    t.mock.timers.reset();
  }
});

test("what went wrong is tried again after 5 s, then ever less often, and as soon as something happens", async (t) => {
  let bad = true;
  const { looker, ticks, errors, pass } = begin(t, () => {
    if (bad) throw new Error("locked");
    return QUIET;
  });
  await looker.now();
  await pass(900_000, 1000);
  const gaps = ticks.slice(1).map((tick, i) => tick - (ticks[i] ?? 0));
  assert.deepEqual(gaps.slice(0, 8), [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000].slice(0, gaps.length));
  assert.ok(gaps.length >= 7);
  assert.equal(errors.length, ticks.length);
  bad = false;
  const before = ticks.length;
  looker.touch();
  await pass(100);
  assert.equal(ticks.length, before + 1);
  await pass(600_000, 1000);
  assert.equal(ticks.length, before + 1);
  // The next trouble begins with 5 s again.
  bad = true;
  looker.touch();
  await pass(100);
  await pass(5100, 100);
  assert.equal(ticks.length, before + 3);
});

test("a look that says so is followed by another: for what is away once, for what may be mended with patience", async (t) => {
  const answers: Seen[] = [{ away: true, retry: false }, { away: false, retry: true }, QUIET];
  const { looker, ticks, pass } = begin(t, () => answers.shift() ?? QUIET);
  await looker.now();
  await pass(60_000, 100);
  assert.deepEqual(ticks, [0, 5000, 10_000]);
});

test("after stop there is no look", async (t) => {
  const { looker, ticks, pass } = begin(t, () => ({ away: true, retry: true }));
  await looker.now();
  looker.touch();
  looker.stop();
  looker.touch();
  await pass(60_000, 1000);
  assert.equal(ticks.length, 1);
});
