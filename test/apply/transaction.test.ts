// The exit codes of a transaction, and that what fails is taken back: over ports that only remember (real ones: test/session).
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyChanges } from "../../src/apply/transaction.js";
import type { ApplyPorts, ApplyReport } from "../../src/apply/types.js";
import type { Manifest, UnitState } from "../../src/base/installed.js";
import type { RolloutWish } from "../../src/base/rollout.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { withRollouts } from "../../src/diff/rollout.js";
import type { Rendered } from "../../src/render/types.js";
import { NOTHING, unitState, type World, worldOf } from "../lib/installed.js";
import { at, container, modelOf, pod, renderOf } from "../lib/models.js";

const APP = "pod-web_app.service";
const renderedWith = (arg: string) => renderOf(modelOf(pod("web", { containers: [container("app", { args: [arg] })] })));
const one = renderedWith("one");
const two = renderedWith("two");

/** A machine on which containers started from a bundle with one of these arguments fail. */
class Machine {
  readonly files: Map<string, Uint8Array>;
  readonly states: Map<string, UnitState>;
  readonly calls: string[] = [];
  readonly #failing: readonly string[];
  readonly written: [path: string, text: string][] = [];
  /** A write of this path fails. */
  full: string | undefined;
  #starts = 0;
  #now = 1_000_000;

  constructor(world: World, failing: readonly string[]) {
    this.files = new Map(world.files);
    this.states = new Map(world.units);
    this.#failing = failing;
  }

  readonly started: string[] = [];

  #start(unit: string): string {
    this.started.push(unit);
    // The pod unit pulls in its parts.
    const names = unit === "pod-web.service" ? [...this.#unitFiles()].filter((name) => !name.startsWith("pod-after")) : [unit];
    if (unit === "pod-after.service") names.push(...[...this.#unitFiles()].filter((name) => name.startsWith("pod-after") && name !== unit));
    for (const name of names) {
      const before = this.states.get(name);
      if (name !== unit && before?.activeState === "active") continue;
      const failed = name === APP && this.#failing.some((arg) => this.#bundle().includes(`"${arg}"`));
      const state = failed ? { activeState: "failed", subState: "failed" } : {};
      const end = failed ? { result: "exit-code", execMainCode: 1, execMainStatus: 1 } : {};
      this.states.set(name, { ...unitState(name, state, end), invocation: String(++this.#starts) });
    }
    return "done";
  }

  *#unitFiles(): Generator<string> {
    for (const path of this.files.keys()) if (path.includes("/systemd/user/")) yield path.slice(path.lastIndexOf("/") + 1);
  }

  #bundle(): string {
    for (const [path, bytes] of this.files) if (path.endsWith("/web/app/config.json")) return new TextDecoder().decode(bytes);
    return "";
  }

  ports(): ApplyPorts {
    const { calls, files, states } = this;
    const call = (verb: string) => async (words?: unknown) => void calls.push(`${verb} ${String(words ?? "")}`.trim());
    const manager = {
      list: async (names: readonly string[]) => names.flatMap((name) => states.get(name) ?? []),
      get: async (name: string) => states.get(name) ?? unitState(name, { loadState: "not-found" }),
      look: async (names: readonly string[]) =>
        names.flatMap((name) => {
          const state = states.get(name);
          return state === undefined ? [] : [{ listed: { ...state, job: 0 }, state }];
        }),
      start: async (name: string) => this.#start(name),
      queue: async (_: string, name: string) => ({ result: Promise.resolve(this.#start(name)) }),
      stop: async (name: string) => {
        states.delete(name);
        return "done";
      },
      resetFailed: call("reset-failed"),
      reload: call("reload"),
      enable: call("enable"),
      disable: call("disable"),
    };
    const store = {
      read: async (path: string) => files.get(path),
      write: async (path: string, bytes: Uint8Array) => {
        if (path === this.full) throw new Error("disk is full");
        this.written.push([path, new TextDecoder().decode(bytes)]);
        files.set(path, bytes);
      },
      remove: async (path: string) => void files.delete(path),
      tidy: call("tidy"),
    };
    const clock = {
      now: () => this.#now,
      sleep: async (ms: number) => {
        this.#now += ms;
      },
    };
    const runtime = { clearBackoff: call("clear-backoff"), removeTrees: call("remove"), refresh: call("refresh") };
    const journal = { read: async function* () {} };
    return { manager, files: store, clock, runtime, journal, images: { dropShifted: call("drop-shifted") } } as unknown as ApplyPorts;
  }
}

const MANIFEST = "/home/alice/.local/state/podgen/manifest.json";

/** Applies `wanted` where `world` is installed. */
async function apply(world: World, wanted: Rendered, machine: Machine): Promise<{ report: ApplyReport; manifest: Manifest }> {
  const changes = withRollouts(makeChangeSet(wanted, world, {}), wanted, world);
  const options = {
    manifest: world.manifest,
    manifestPath: MANIFEST,
    roots: ["/home/alice"],
    wait: true,
    timeout: 1000,
    stopTimeout: 1000,
  };
  const report = await applyChanges(machine.ports(), changes, options);
  return { report, manifest: JSON.parse(new TextDecoder().decode(machine.files.get(MANIFEST))) };
}

const outcomes = (report: ApplyReport) => [report.exitCode, ...report.pods.map((p) => p.outcome)];

test("0: what comes up is created, its files are there and the manifest has it", async () => {
  const machine = new Machine(NOTHING, []);
  const { report, manifest } = await apply(NOTHING, one, machine);
  assert.deepEqual(outcomes(report), [0, "created"]);
  assert.deepEqual(Object.keys(manifest.pods), ["web"]);
  assert.equal(manifest.pods["web"]?.unfinished, undefined);
  for (const file of one.pods[0]?.files ?? []) assert.ok(machine.files.has(file.path), file.path);
  assert.ok(machine.calls.includes("enable pod-web.service"));
  const [path, text] = machine.written[0] ?? assert.fail();
  assert.deepEqual([path, JSON.parse(text).pods.web.unfinished], [MANIFEST, true], "what is meant is known before anything is done");
});

test("0: a container that is no longer wanted is stopped, and leaves no failed state", async () => {
  const world = worldOf(renderOf(modelOf(pod("web", { containers: [container("app", { args: ["one"] }), container("old")] }))));
  const machine = new Machine(world, []);
  assert.deepEqual(outcomes((await apply(world, one, machine)).report), [0, "configured"]);
  assert.equal(machine.states.has("pod-web_old.service"), false);
  assert.ok(machine.calls.includes("reset-failed pod-web_old.service"));
});

test("1: a new pod that fails goes again, with every file, and the manifest has nothing", async () => {
  const machine = new Machine(NOTHING, ["one"]);
  const { report, manifest } = await apply(NOTHING, one, machine);
  assert.deepEqual(outcomes(report), [1, "failed"]);
  assert.match(report.pods[0]?.failures[0]?.reason ?? "", /exited with status 1/);
  assert.deepEqual(manifest, { version: 1, pods: {}, objects: {} });
  assert.deepEqual([...machine.files.keys()], [MANIFEST]);
  assert.ok(machine.calls.includes("disable pod-web.service"));
});

/** What a manifest says when it is written and read again; its records have no prototype. */
const said = (manifest: object): unknown => JSON.parse(JSON.stringify(manifest));

/** Files but for the manifest, whose text is compared as what it says. */
const without = (files: ReadonlyMap<string, Uint8Array>) => new Map([...files].filter(([path]) => path !== MANIFEST));

test("3: a change that fails is taken back, byte for byte, and runs as before", async () => {
  const world = worldOf(one);
  const machine = new Machine(world, ["two"]);
  const { report, manifest } = await apply(world, two, machine);
  assert.deepEqual(outcomes(report), [3, "rolled-back"]);
  assert.deepEqual(without(machine.files), world.files);
  assert.deepEqual(manifest, said(world.manifest));
  assert.equal(machine.states.get(APP)?.activeState, "active");
  assert.ok(machine.calls.includes(`reset-failed ${APP}`), "a failed state is not left to the next start");
});

test("4: what does not come up as it was either is still broken, and both failures are told", async () => {
  const world = worldOf(one);
  const { report, manifest } = await apply(world, two, new Machine(world, ["one", "two"]));
  assert.deepEqual(outcomes(report), [4, "failed"]);
  assert.equal(report.pods[0]?.failures.length, 2);
  assert.deepEqual(manifest, said(world.manifest));
});

test("an error before any start is thrown, after what was written is as it was", async () => {
  const world = worldOf(one);
  const machine = new Machine(world, []);
  machine.full = [...world.files.keys()].find((path) => path.endsWith(`/${APP}`)) ?? assert.fail();
  // The bundle is written before the unit, so there is something to take back.
  const changed = renderOf(modelOf(pod("web", { terminationGracePeriodSeconds: 7, containers: [container("app", { args: ["two"] })] })));
  await assert.rejects(apply(world, changed, machine), /disk is full/);
  assert.deepEqual(without(machine.files), world.files);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(machine.files.get(MANIFEST))), said(world.manifest));
});

const ordered = (arg: string): Rendered =>
  renderOf(
    modelOf(
      pod("after", { order: [{ name: "web", condition: "ready", requires: false, at: at() }], containers: [container("app")] }),
      pod("web", { containers: [container("app", { args: [arg] })] }),
    ),
  );

test("what waits for another is started when that is up, and not at all when it failed", async () => {
  const good = new Machine(NOTHING, []);
  assert.deepEqual(outcomes((await apply(NOTHING, ordered("one"), good)).report), [0, "created", "created"]);
  const order = good.started.filter((unit) => /^pod-[a-z]+\.service$/.test(unit));
  assert.deepEqual(order, ["pod-web.service", "pod-after.service"]);

  const bad = new Machine(NOTHING, ["two"]);
  const { report, manifest } = await apply(NOTHING, ordered("two"), bad);
  assert.deepEqual(outcomes(report), [1, "failed", "failed"]);
  assert.match(report.pods[0]?.failures[0]?.reason ?? "", /not started: it waits for pod web to be ready, which failed/);
  assert.ok(!bad.started.includes("pod-after.service"));
  assert.deepEqual(Object.keys(manifest.pods), []);
});

/** The pod as the one of a Deployment: its change is a rollout of one step. */
const rolledWith = (arg: string): Rendered => {
  const rollout: RolloutWish = {
    kind: "Deployment",
    name: "w",
    how: "rolling",
    paused: false,
    maxUnavailable: 1,
    maxSurge: 0,
    partition: 0,
    ordered: false,
    downwards: false,
    minReadySeconds: 0,
  };
  const common = { namespace: "default", labels: {}, annotations: {}, at: at() };
  const workload = { ...common, kind: "Deployment", name: "w", replicas: 1, rollout, claims: [], surge: [] } as const;
  const owner = { kind: "Deployment", name: "w", index: 0 };
  return renderOf({ ...modelOf(pod("web", { owner, containers: [container("app", { args: [arg] })] })), workloads: [workload] });
};

test("a rollout: 0 when it comes up, 3 and byte for byte as before when it does not, or when a file cannot be written", async () => {
  const world = worldOf(rolledWith("one"));
  const good = new Machine(world, []);
  assert.deepEqual(outcomes((await apply(world, rolledWith("two"), good)).report), [0, "configured"]);
  const full = new Machine(world, []);
  full.full = [...world.files.keys()].find((path) => path.endsWith("/web/app/config.json")) ?? assert.fail();
  for (const machine of [new Machine(world, ["two"]), full]) {
    const { report, manifest } = await apply(world, rolledWith("two"), machine).catch((error: unknown) => assert.fail(String(error)));
    assert.equal(report.exitCode, 3);
    assert.deepEqual(without(machine.files), world.files);
    assert.deepEqual(manifest, said(world.manifest));
  }
});
