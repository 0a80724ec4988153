// Taking over foreign units: where it fails half way, what was stopped runs again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { adoptUnits } from "../../src/cli/adopt.js";
import type { Context } from "../../src/cli/context.js";
import type { Proposal } from "../../src/cli/session.js";
import type { Manager } from "../../src/ports/manager.js";

const UNITS = ["pod-web.service", "pod-web_app.service", "pod-web__infra.service"];

/** Adopts three units that run; stopping `odd` fails. What was asked of the manager. */
async function adopt(odd?: string): Promise<{ asked: string[]; result: unknown }> {
  const asked: string[] = [];
  const manager = {
    get: async () => ({ activeState: "active" }),
    stop: async (unit: string) => {
      asked.push(`stop ${unit}`);
      if (unit === odd) throw new Error(`${unit} does not stop`);
    },
    start: async (unit: string) => {
      asked.push(`start ${unit}`);
      throw new Error("this one is not told");
    },
  };
  const files = { read: async () => new Uint8Array(), write: async () => undefined };
  const context = { host: { files: async () => files, paths: { state: "/state" } }, err: { write: () => true } };
  const proposal = {
    rendered: { pods: [{ name: "web", units: UNITS.map((name) => ({ name })) }] },
    foreign: new Map(UNITS.map((name) => [name, `/etc/systemd/user/${name}`])),
  };
  // Of the ports and the proposal only this much is looked at.
  const run = adoptUnits(proposal as unknown as Proposal, manager as unknown as Manager, context as unknown as Context);
  return { asked, result: await run.catch((error: unknown) => error) };
}

test("all are stopped and told of", async () => {
  const { asked, result } = await adopt();
  assert.deepEqual(
    asked,
    UNITS.map((u) => `stop ${u}`),
  ); // prettier-ignore
  assert.deepEqual(
    result,
    UNITS.map((unit) => ({ unit, pod: "web" })),
  ); // prettier-ignore
});

test("when one cannot be stopped, all that were are started, and the error is the first", async () => {
  const { asked, result } = await adopt("pod-web_app.service");
  assert.ok(result instanceof Error && /pod-web_app.service does not stop/.test(result.message));
  assert.deepEqual(asked, ["stop pod-web.service", "stop pod-web_app.service", "start pod-web.service", "start pod-web_app.service"]);
});
