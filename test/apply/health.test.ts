// Watching a pod: what is waited for, what is judged, and how much of the manager is asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HealthWatch } from "../../src/apply/health.js";
import type { ApplyPorts, ContainerFailure } from "../../src/apply/types.js";
import type { UnitState } from "../../src/base/installed.js";
import type { PodChange, UnitChange } from "../../src/diff/types.js";
import type { Listed, Look } from "../../src/ports/manager.js";

const NOW = 1_000;
const INFRA = "pod-web__infra.service";
const APP = "pod-web_app.service";
const TICK = "pod-web_tick.service";

/** A service as the manager has it. */
function state(
  name: string,
  active: string,
  more: Partial<UnitState> = {},
  service: Partial<NonNullable<UnitState["service"]>> = {},
): UnitState {
  return {
    name,
    loadState: "loaded",
    activeState: active,
    subState: active === "active" ? "running" : active,
    unitFileState: "static",
    fragmentPath: "",
    needDaemonReload: false,
    service: { result: "success", mainPid: 1, execMainCode: 0, execMainStatus: 0, restarts: 0, statusText: "", activeEnter: 1, ...service },
    ...more,
  };
}

const infra = (verdict: UnitChange["verdict"]): UnitChange => ({ unit: INFRA, role: "infra", container: "_infra", verdict, reasons: [] });
const container = (unit: string, verdict: UnitChange["verdict"], along?: string): UnitChange => ({
  unit,
  role: "container",
  container: unit.slice("pod-web_".length, -".service".length),
  verdict,
  reasons: [],
  ...(along === undefined ? {} : { along }),
});

interface Watching {
  readonly failures: readonly ContainerFailure[];
  readonly looks: number;
  readonly reads: readonly string[];
}

/** Watches until the deadline, 1000 ms later; the first of `looks` is before the jobs, the last one stays. */
async function watch(units: readonly UnitChange[], looks: readonly (readonly (UnitState & { job?: number })[])[]): Promise<Watching> {
  let at = 0;
  let now = NOW;
  const reads: string[] = [];
  const manager = {
    look: async (names: readonly string[], more: (listed: Listed) => boolean): Promise<Look[]> =>
      (looks[Math.min(at++, looks.length - 1)] ?? [])
        .filter((u) => names.includes(u.name))
        .map(({ job = 0, ...unit }) => {
          const { name, loadState, activeState, subState } = unit;
          const listed = { name, loadState, activeState, subState, job };
          if (!more(listed)) return { listed };
          reads.push(name);
          return { listed, state: unit };
        }),
  };
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const journal = { read: async function* () {} };
  // Of the ports and the change only this much is looked at.
  const health = await HealthWatch.begin(
    { manager, clock, journal } as unknown as ApplyPorts,
    { name: "web", units } as unknown as PodChange,
  );
  return { failures: await health.wait(NOW + 1_000), looks: at, reads };
}

test("a container that is killed because infra restarts is awaited, not judged", async () => {
  const run = (name: string, invocation: string, active = "active", service = {}) => state(name, active, { invocation }, service);
  const { failures, looks } = await watch(
    [infra("restart"), container(APP, "restart", INFRA)],
    [
      [run(INFRA, "old"), run(APP, "old")],
      [run(INFRA, "new"), run(APP, "old", "failed", { result: "timeout", execMainCode: 2, execMainStatus: 9 })],
      [run(INFRA, "new"), run(APP, "new")],
    ],
  );
  assert.deepEqual(failures, []);
  assert.equal(looks, 3);
});

const old = { invocation: "old" };
const renewed = state(APP, "active", { invocation: "new" });
/** Ended four times, and waits out its back-off. */
const looping = state(TICK, "activating", { ...old, subState: "start" }, { restarts: 4, activeEnter: 1 });

test("a sibling that crash-looped before is not this change's doing, nor waited for", async () => {
  const units = [infra("unchanged"), container(APP, "restart"), container(TICK, "unchanged")];
  const before = [state(INFRA, "active", old), state(APP, "active", old)];
  for (const tick of [looping, state(TICK, "failed", old, { result: "exit-code", execMainCode: 1, execMainStatus: 3 })]) {
    const { failures, looks } = await watch(units, [
      [...before, tick],
      [state(INFRA, "active", old), renewed, tick],
    ]); // prettier-ignore
    assert.deepEqual(failures, []);
    assert.equal(looks, 2);
  }
  // It may be up for a moment just then.
  const up = state(TICK, "active", old, { restarts: 4 });
  assert.deepEqual(
    (
      await watch(units, [
        [...before, up],
        [state(INFRA, "active", old), renewed, looping],
      ])
    ).failures,
    [],
  ); // prettier-ignore
});

test("a sibling that was up and is down for good is, and so is an infra that does not come back", async () => {
  const units = [infra("unchanged"), container(APP, "restart"), container(TICK, "unchanged")];
  const before = [state(INFRA, "active", old), state(APP, "active", old), state(TICK, "active", old, { restarts: 4 })];
  const end = { result: "exit-code", execMainCode: 1, execMainStatus: 3 };
  const [ended] = (await watch(units, [before, [state(INFRA, "active", old), renewed, state(TICK, "failed", old, end)]])).failures;
  assert.deepEqual([ended?.container, ended?.reason, ended?.exitCode], ["tick", "exited with status 3", 3]);
  const away = [state(INFRA, "activating", { ...old, subState: "auto-restart" }), renewed, before[2] ?? renewed];
  const [late] = (await watch(units, [before, away])).failures;
  assert.deepEqual([late?.container, late?.reason], ["_infra", "did not become ready in time"]);
});

test("a crash whose end was not seen is told by what is known of it", async () => {
  const crashed = state(APP, "activating", { invocation: "new", subState: "start" }, { result: "exit-code", restarts: 3 });
  const [failure] = (await watch([container(APP, "restart")], [[state(APP, "active", old)], [crashed]])).failures;
  assert.equal(failure?.reason, "failed (exit-code), 3 times in a row");
});

test("a unit that the manager cannot use is down at once, whatever still runs of it", async () => {
  const loadError = `Unit ${APP} has a bad unit file setting.`;
  const bad = state(APP, "active", { ...old, loadState: "bad-setting", loadError });
  const { failures, looks } = await watch([container(APP, "restart")], [[bad]]);
  assert.equal(looks, 2);
  assert.deepEqual(
    failures.map((f) => [f.unit, f.reason, f.hint]),
    [[APP, loadError, `systemctl --user status ${APP}`]],
  );
  assert.deepEqual((await watch([container(APP, "create")], [[{ ...bad, activeState: "inactive", subState: "dead" }]])).looks, 2);
});

test("a look reads only what its listing asks for", async () => {
  const created = (name: string, active: string, sub: string, more = {}, service = {}) => ({
    ...state(name, active, { subState: sub, ...more }, service),
  });
  const waits = (name: string) => ({ ...created(name, "inactive", "dead", {}, { activeEnter: 0 }), job: 7 });
  const starts = (name: string) => ({ ...created(name, "activating", "start"), job: 7 });
  const runs = (name: string) => state(name, "active", { invocation: "new" }, { activeEnter: (NOW + 15) * 1000 });
  const { failures, reads, looks } = await watch(
    [infra("create"), container(APP, "create")],
    [
      [waits(INFRA), waits(APP)],
      [starts(INFRA), waits(APP)],
      [runs(INFRA), starts(APP)],
      [runs(INFRA), runs(APP)],
    ],
  );
  assert.deepEqual(failures, []);
  assert.deepEqual(reads, [INFRA, APP]);
  // Once more when they have settled.
  assert.equal(looks, 5);
});
