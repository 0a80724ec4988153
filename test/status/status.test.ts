// Phases of pods and containers, from the manager's truth.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, UnitState } from "../../src/base/installed.js";
import { endsToAsk, statusOf } from "../../src/status/index.js";

const manifest: Manifest = {
  version: 1,
  objects: {},
  pods: {
    web: {
      name: "web",
      source: "/s.yaml",
      files: [],
      units: [
        "pod-web.service",
        "pod-web.slice",
        "pod-web__infra.service",
        "pod-web_prep.service",
        "pod-web_app.service",
        "pod-web__8080-tcp.socket",
        "pod-web__127.0.0.1-53-udp.socket",
        "pod-web__--1-18999-tcp.socket",
      ], // prettier-ignore
      inits: ["prep"],
      enabled: ["pod-web.service"],
      images: { prep: { reference: "r/p:1", digest: "sha256:1" }, app: { reference: "r/a:1", digest: "sha256:2" } },
      folders: [],
      objects: [],
    },
  },
};

type Service = NonNullable<UnitState["service"]>;

function state(name: string, active: string, sub: string, service: Partial<Service> = {}): UnitState {
  const all: Service = {
    result: "success",
    mainPid: 7,
    execMainCode: 0,
    execMainStatus: 0,
    restarts: 0,
    statusText: "",
    activeEnter: 5_000_000,
    ...service,
  }; // prettier-ignore
  return {
    name,
    loadState: "loaded",
    activeState: active,
    subState: sub,
    unitFileState: "enabled",
    fragmentPath: "",
    needDaemonReload: false,
    service: all,
  }; // prettier-ignore
}

function statusWith(...units: UnitState[]) {
  const [pod] = statusOf(manifest, new Map(units.map((u) => [u.name, u])));
  assert.ok(pod);
  return pod;
}

const podUp = state("pod-web.service", "active", "exited");
const prepDone = state("pod-web_prep.service", "active", "exited");

test("a pod that waits for others says for whom: its gate in its own words, a job that waits in the annotation's", () => {
  const after = [{ pod: "db", condition: "ready", requires: true } as const];
  const base = manifest.pods["web"];
  assert.ok(base);
  const waiting = (...units: UnitState[]) =>
    statusOf({ ...manifest, pods: { web: { ...base, after } } }, new Map(units.map((u) => [u.name, u])))[0];
  const queued = waiting({ ...state("pod-web.service", "inactive", "dead"), hasJob: true });
  assert.deepEqual([queued?.phase, queued?.waitsFor], ["Waiting", "pod db to be ready"]);
  const gate = state("pod-web__gate.service", "activating", "start", { statusText: "waits for pod migrate to be completed" });
  const held = waiting(state("pod-web.service", "activating", "start"), gate);
  assert.deepEqual([held?.phase, held?.waitsFor], ["Waiting", "pod migrate to be completed"]);
  assert.deepEqual([waiting(state("pod-web.service", "inactive", "dead"))?.phase, waiting()?.waitsFor], ["Stopped", undefined]);
});

test("a running pod: ready counts, ports, age, boot", () => {
  const pod = statusWith(podUp, prepDone, state("pod-web_app.service", "active", "running"));
  assert.equal(pod.phase, "Running");
  assert.deepEqual([pod.ready, pod.total, pod.enabled], [1, 1, true]);
  assert.deepEqual(pod.ports, ["8080/tcp", "127.0.0.1:53/udp", "[::1]:18999/tcp"]);
  assert.deepEqual(
    pod.containers.map((c) => [c.name, c.init, c.phase]),
    [
      ["prep", true, "Completed"],
      ["app", false, "Running"],
    ],
  ); // prettier-ignore
});

test("a crash loop is called so while podrt waits and while systemd does", () => {
  const waiting = state("pod-web_app.service", "activating", "start", { statusText: "CrashLoopBackOff, next try in 10 s", restarts: 2 });
  assert.equal(statusWith(podUp, prepDone, waiting).phase, "CrashLoopBackOff");
  const between = state("pod-web_app.service", "activating", "auto-restart", { restarts: 3 });
  assert.equal(statusWith(podUp, prepDone, between).phase, "CrashLoopBackOff");
});

test("ended with 0 is Completed in a pod that is up and Stopped in one that was stopped", () => {
  const ended = state("pod-web_app.service", "inactive", "dead", { execMainCode: 1 });
  assert.equal(statusWith(podUp, prepDone, ended).phase, "Succeeded");
  assert.equal(statusWith(state("pod-web.service", "inactive", "dead"), ended).phase, "Stopped");
});

test("a failed container shows its status or its signal", () => {
  const failed = state("pod-web_app.service", "failed", "failed", { result: "signal", execMainCode: 2, execMainStatus: 9 });
  const pod = statusWith(podUp, prepDone, failed);
  assert.equal(pod.phase, "Failed");
  assert.deepEqual([pod.containers[1]?.signal, pod.containers[1]?.exitCode], ["SIGKILL", undefined]);
  const exited = state("pod-web_app.service", "failed", "failed", { result: "exit-code", execMainCode: 1, execMainStatus: 9 });
  const container = statusWith(podUp, prepDone, exited).containers[1];
  assert.deepEqual([container?.signal, container?.exitCode], [undefined, 9]);
});

test("units that are not loaded make a stopped pod, not an error", () => {
  const pod = statusWith();
  assert.equal(pod.phase, "Stopped");
  assert.equal(pod.containers[1]?.phase, "Missing");
});

test("OOMKilled with 137, Watchdog, Error, Completed: the reason of the end that the manager knows", () => {
  const end = (result: string, execMainCode: number, execMainStatus: number) => {
    const state_ = state("pod-web_app.service", "failed", "failed", { result, execMainCode, execMainStatus });
    const { reason, exitCode, signal } = statusWith(podUp, prepDone, state_).containers[1] ?? {};
    return [reason, exitCode, signal];
  };
  assert.deepEqual(end("oom-kill", 2, 9), ["OOMKilled", 137, "SIGKILL"]);
  assert.deepEqual(end("watchdog", 3, 6), ["Watchdog", undefined, "SIGABRT"]);
  assert.deepEqual(end("exit-code", 1, 3), ["Error", 3, undefined]);
  assert.deepEqual(end("constructor", 1, 3), ["Error", 3, undefined]);
  assert.deepEqual(end("success", 1, 0), ["Completed", 0, undefined]);
});

test("of a container that systemd has started anew, the end that podrt has recorded; of no other", () => {
  const again = state("pod-web_app.service", "active", "running", { restarts: 2 });
  const first = state("pod-web_app.service", "active", "running");
  const ends = new Map([["web/app", { result: "oom-kill", code: "killed", status: "KILL" }]]);
  const look = (unit: UnitState) => {
    const units = new Map([podUp, prepDone, unit].map((u) => [u.name, u]));
    const { reason, exitCode, signal } = statusOf(manifest, units, ends)[0]?.containers[1] ?? {};
    return { asked: endsToAsk(manifest, units), end: [reason, exitCode, signal] };
  };
  assert.deepEqual(look(again), { asked: [{ pod: "web", container: "app" }], end: ["OOMKilled", 137, "SIGKILL"] });
  assert.deepEqual(look(first), { asked: [], end: [undefined, undefined, undefined] });
});

test("one that reads its settings anew (RELOADING=1) runs", () => {
  assert.equal(statusWith(podUp, prepDone, state("pod-web_app.service", "reloading", "reload-notify")).phase, "Running");
});
