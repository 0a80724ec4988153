// --prune deletes a handful unasked; more is a person's to say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/cli/exit.js";
import { agreeToPrune, HANDFUL, listOf } from "../../src/cli/handful.js";

const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => (i === 0 ? "service/web" : `pod-${i}`));

async function outcome(count: number, yes: boolean, answer?: string): Promise<string> {
  let said = "";
  const err = {
    write: (text: string): void => {
      said += text;
    },
    isTTY: false,
    columns: 80,
    bytes: async () => {},
  };
  const ask = answer === undefined ? {} : { ask: async () => answer };
  try {
    await agreeToPrune(keys(count), yes, { err, ...ask });
    return said === "" ? "unasked" : "agreed";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

test("a handful goes unasked, and more where somebody has said so", async () => {
  assert.equal(await outcome(HANDFUL, false), "unasked");
  assert.equal(await outcome(HANDFUL + 1, true), "unasked");
});

test("more is asked about at a terminal, and refused elsewhere, with what it is about", async () => {
  assert.equal(await outcome(6, false, "y"), "agreed");
  assert.equal(await outcome(6, false, " Yes "), "agreed");
  for (const answer of ["", "n", "yep"]) assert.equal(await outcome(6, false, answer), "not deleted, and nothing else was changed");
  assert.equal(
    await outcome(6, false),
    '--prune would delete 6: Service "web", pod "pod-1", pod "pod-2", pod "pod-3", pod "pod-4", pod "pod-5"',
  );
  assert.match(listOf(keys(25)), /pod "pod-19" and 5 more$/);
});
