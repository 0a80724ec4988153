// Judging a unit: up, pending, or down with a reason that a person understands.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endReason, judge, judgeSocket, loadFailure } from "../../src/apply/judge.js";
import type { UnitState } from "../../src/base/installed.js";

const NOW = 1_000_000_000;

function unit(active: string, sub: string, service: Partial<NonNullable<UnitState["service"]>> = {}): UnitState {
  return {
    name: "pod-web_app.service",
    loadState: "loaded",
    activeState: active,
    subState: sub,
    unitFileState: "static",
    fragmentPath: "",
    needDaemonReload: false,
    service: {
      result: "success",
      mainPid: 1,
      execMainCode: 0,
      execMainStatus: 0,
      restarts: 0,
      statusText: "",
      activeEnter: NOW - 200_000,
      ...service,
    },
  };
}

const cases: readonly (readonly [string, UnitState, boolean, "up" | "pending" | "down"])[] = [
  ["runs long enough", unit("active", "running"), false, "up"],
  ["runs, but only just", unit("active", "running", { activeEnter: NOW - 20_000 }), false, "pending"],
  ["init container done", unit("active", "exited", { activeEnter: NOW }), true, "up"],
  ["starting", unit("activating", "start"), false, "pending"],
  ["waits for its init container", unit("inactive", "dead", { activeEnter: 0 }), false, "pending"],
  ["Never, ended with 0", unit("inactive", "dead", { execMainCode: 1 }), false, "up"],
  ["Never, ended with 3", unit("failed", "failed", { result: "exit-code", execMainCode: 1, execMainStatus: 3 }), false, "down"],
  [
    "first crash: the restart may hold",
    unit("activating", "auto-restart", { result: "exit-code", execMainCode: 1, execMainStatus: 1, restarts: 0 }),
    false,
    "pending",
  ],
  ["second crash: waits in the back-off", unit("activating", "start", { restarts: 2 }), false, "pending"],
  [
    "third crash",
    unit("activating", "auto-restart", { result: "exit-code", execMainCode: 1, execMainStatus: 1, restarts: 3 }),
    false,
    "down",
  ],
  [
    "no such command: no retry helps",
    unit("activating", "auto-restart", { result: "exit-code", execMainCode: 1, execMainStatus: 127, restarts: 1 }),
    false,
    "down",
  ],
]; // prettier-ignore

for (const [name, state, init, wanted] of cases)
  test(`judge: ${name}`, () => {
    assert.equal(judge(state, init, NOW).state, wanted);
  });

test("restarts of before a change do not count against it", () => {
  assert.equal(judge(unit("activating", "start", { restarts: 5 }), false, NOW, 4).state, "pending");
  assert.equal(judge(unit("activating", "start", { restarts: 7 }), false, NOW, 4).state, "down");
});

test("a unit that the manager cannot use says why", () => {
  assert.equal(loadFailure(unit("active", "running")), undefined);
  for (const loadState of ["not-found", "bad-setting", "error", "masked"])
    assert.match(loadFailure({ ...unit("active", "running"), loadState }) ?? "", new RegExp(`pod-web_app.service.*${loadState}`));
  const loadError = "Unit pod-web_app.service has a bad unit file setting.";
  assert.equal(loadFailure({ ...unit("active", "running"), loadState: "bad-setting", loadError }), loadError);
});

test("the reason names status, signal, out of memory, a watchdog, a readiness that never came", () => {
  assert.equal(endReason(unit("failed", "failed", { execMainCode: 1, execMainStatus: 3 })), "exited with status 3");
  assert.equal(endReason(unit("failed", "failed", { execMainCode: 2, execMainStatus: 9 })), "killed by signal 9 (SIGKILL)");
  const by = (result: string): string => endReason(unit("failed", "failed", { result, execMainCode: 2, execMainStatus: 9 }));
  assert.match(by("oom-kill"), /^OOMKilled \(exit code 137\)/);
  assert.match(by("watchdog"), /^ended by its watchdog/);
  assert.match(endReason(unit("failed", "failed", { result: "protocol", execMainCode: 1 })), /^ended before it said that it is ready/);
  assert.equal(endReason(unit("failed", "failed", { result: "timeout" })), "failed (timeout)");
});

test("a socket is up when it listens; one that failed names its port and address", () => {
  const socket = (active: string, name = "pod-web__8080-tcp.socket") => {
    const { service: _, ...state } = unit(active, "any");
    return judgeSocket({ ...state, name });
  };
  assert.equal(socket("active").state, "up");
  assert.equal(socket("inactive").state, "pending");
  const down = (name: string) => {
    const verdict = socket("failed", name);
    return verdict.state === "down" ? verdict.reason : verdict.state;
  };
  assert.match(down("pod-web__8080-tcp.socket"), /^host port 8080\/TCP cannot be opened/);
  assert.match(down("pod-web__127.0.0.1-53-udp.socket"), /^host port 53\/UDP on 127\.0\.0\.1 cannot/);
  assert.match(down("pod-web__fe80--1-53-udp.socket"), /^host port 53\/UDP on fe80::1 cannot/);
});
