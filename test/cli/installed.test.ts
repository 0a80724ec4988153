// The present state as readers give it: what diff must know of units that do not run is asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitState } from "../../src/base/installed.js";
import { readInstalled } from "../../src/cli/installed.js";
import { makeChangeSet } from "../../src/diff/index.js";
import type { ManagerReader } from "../../src/ports/manager.js";
import { acts, unitState, worldOf } from "../lib/installed.js";
import { hostFacts, modelOf, pod, renderOf } from "../lib/models.js";

const UPLINK = "pod-web__uplink.service";
const rendered = renderOf(modelOf(pod("web")));

/** What is installed as readInstalled sees it; `over` is how the uplink is. Only a full look has `service`. */
async function look(over: Partial<UnitState>, service: Partial<NonNullable<UnitState["service"]>>) {
  const world = worldOf(rendered);
  world.units.set(UPLINK, unitState(UPLINK, over, service));
  const manager: ManagerReader = {
    version: async () => 252,
    searchPath: async () => "/usr/bin",
    list: async (_, detail) =>
      [...world.units.values()].map(({ service, ...brief }) =>
        service !== undefined && (detail?.({ ...brief, job: 0 }) ?? "full") === "full" ? { ...brief, service } : brief,
      ),
    get: async (name) => world.units.get(name) ?? unitState(name, { loadState: "not-found" }),
    look: async () => [],
    unitFiles: async () => new Map(),
    follow: async () => undefined,
  };
  const read = async (path: string) => world.files.get(path);
  const files = { read, kind: async () => "none" as const, identity: async () => undefined, list: async () => [] };
  const state = async (name: string, container: string) => world.running.get(`${name}/${container}`);
  const runtime = {
    state,
    lastEnd: async () => undefined,
    podFailure: async () => undefined,
    probeKill: async () => undefined,
    probes: async () => undefined,
  };
  return readInstalled(rendered, world.manifest, hostFacts(), { files, manager, runtime });
}

test("an uplink that ended for want of pasta (77) is as wanted: the next apply has nothing to do", async () => {
  const installed = await look(
    { activeState: "inactive", subState: "dead" },
    { result: "success", execMainCode: 1, execMainStatus: 77, mainPid: 0 },
  );
  const changes = makeChangeSet(rendered, installed, {});
  assert.deepEqual([acts(changes.pods[0]), changes.empty], [[], true]);
});

test("an uplink that somebody stopped is started", async () => {
  const installed = await look({ activeState: "inactive", subState: "dead" }, { execMainCode: 1, execMainStatus: 0, mainPid: 0 });
  assert.deepEqual(acts(makeChangeSet(rendered, installed, {}).pods[0]), [`${UPLINK}: start (not running)`]);
});
