// The chain of causes: what is seen first, what it comes from last.
import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOf } from "../../src/status/index.js";
import type { PodStatus } from "../../src/status/types.js";
import { causesOf, type WhyFacts } from "../../src/status/why.js";
import { unitState, type World, worldOf } from "../lib/installed.js";
import { container, modelOf, pod, port, renderOf } from "../lib/models.js";

const web = renderOf(modelOf(pod("web", { containers: [container("app", { ports: [port(80, 8080)] }), container("log")] })));
const APP = "pod-web_app.service";

function why(change: (world: World) => void, facts: Partial<WhyFacts> = {}, over: Partial<PodStatus> = {}): string[] {
  const world = worldOf(web);
  change(world);
  const entry = world.manifest.pods["web"];
  const [status] = statusOf(world.manifest, world.units);
  assert.ok(entry && status);
  const given: WhyFacts = {
    entry,
    units: world.units,
    failure: undefined,
    killed: new Map(),
    missing: new Map(),
    rejected: false,
    ...facts,
  };
  return causesOf({ ...status, ...over }, given).map((c) => c.what);
}

const end = (result: string, execMainCode: number, execMainStatus: number) => (world: World) =>
  void world.units.set(
    APP,
    unitState(APP, { activeState: "failed", subState: "failed" }, { result, execMainCode, execMainStatus, mainPid: 0 }),
  );

test("a pod that does what it is for has none; a held one has that alone", () => {
  assert.deepEqual(
    why(() => undefined),
    [],
  );
  assert.deepEqual(why(end("exit-code", 1, 3), {}, { held: true }), ["pod web is held: a person has stopped it"]);
});

test("how a container ended: its status, its memory, its command, the probe that ended it", () => {
  assert.deepEqual(why(end("exit-code", 1, 3)), [
    "pod web is Degraded, 1 of 2 containers ready",
    "container app: Error",
    "it exited with status 3",
  ]);
  assert.match(why(end("oom-kill", 2, 9)).at(-1) ?? "", /OOMKilled/);
  assert.match(why(end("exit-code", 1, 127)).at(-1) ?? "", /status 127: its command is not in the image/);
  const killed = new Map([["app", { pid: 7, probe: "liveness", message: "HTTP 500", at: 1 }]]);
  assert.deepEqual(why(end("signal", 2, 9), { killed }).slice(-2), [
    "it was ended by SIGKILL",
    "its liveness probe has ended it: HTTP 500",
  ]);
});

test("what is beside containers: a unit systemd cannot use, a port that is taken, infra, a layer that is gone, a deadline", () => {
  const bad = (world: World) => void world.units.set(APP, unitState(APP, { loadState: "bad-setting", loadError: "Line 3: no such key" }));
  assert.match(why(bad).join("\n"), /systemd cannot use pod-web_app\.service: Line 3/);
  const socket = "pod-web__8080-tcp.socket";
  const taken = (world: World) => void world.units.set(socket, unitState(socket, { activeState: "failed" }));
  assert.match(why(taken).join("\n"), /host port 8080\/TCP cannot be opened/);
  const infra = "pod-web__infra.service";
  const broken = (world: World) => void world.units.set(infra, unitState(infra, { activeState: "failed" }, { result: "exit-code" }));
  assert.match(why(broken).join("\n"), /pod-web__infra\.service has failed \(exit-code\)/);
  const missing = new Map([["app", "layer /x is gone"]]);
  assert.match(why(end("exit-code", 1, 125), { missing }).at(-1) ?? "", /not whole in the store: layer \/x is gone/);
  const failure = { reason: "DeadlineExceeded", message: "10 s are over" };
  assert.match(why(() => undefined, { failure }, { phase: "Failed" }).at(-1) ?? "", /it was ended: DeadlineExceeded: 10 s are over/);
});

test("a version that is not tried again is said also of a pod that runs well", () => {
  assert.match(why(() => undefined, { rejected: true }).join(), /another version of pod web has failed/);
});
