// What is executed, as whom, and how it is asked to stop.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageConfig } from "../../src/base/facts.js";
import type { Container } from "../../src/model/types.js";
import type { PlannedContainer } from "../../src/plan/types.js";
import { codesOf, container, goodPlan, imageFacts, modelOf, pod } from "../lib/models.js";

function planned(over: Partial<Container>, config: Partial<ImageConfig>): PlannedContainer {
  const plan = goodPlan(modelOf(pod("web", { containers: [container("app", over)] })), { images: [imageFacts(undefined, config)] });
  const [first] = plan.pods[0]?.containers ?? [];
  assert.ok(first);
  return first;
}

const both = { entrypoint: ["E"], cmd: ["c"] };
// "Define a Command and Arguments for a Container", its table, and the empty lists.
const commands: readonly [string, Partial<Container>, Partial<ImageConfig>, string[]][] = [
  ["neither", {}, both, ["E", "c"]],
  ["command", { command: ["C"] }, both, ["C"]],
  ["args", { args: ["a"] }, both, ["E", "a"]],
  ["command and args", { command: ["C"], args: ["a"] }, both, ["C", "a"]],
  ["empty lists", { command: [], args: [] }, both, ["E", "c"]],
  ["no entrypoint", {}, { entrypoint: [], cmd: ["c"] }, ["c"]],
  ["args without an entrypoint", { args: ["a"] }, { entrypoint: [], cmd: ["c"] }, ["a"]],
];
for (const [what, over, config, wanted] of commands) test(`args: ${what}`, () => assert.deepEqual(planned(over, config).args, wanted));

test("nothing to execute is an error", () => {
  const model = modelOf(pod("web"));
  assert.deepEqual(codesOf(model, { images: [imageFacts(undefined, { entrypoint: [], cmd: [] })] }), ["no-command"]);
});

const security = (over: object) => ({
  security: { readOnlyRootFilesystem: false, procMount: "Default" as const, capabilitiesAdd: [], capabilitiesDrop: [], ...over },
});
const users: readonly [string, object, string, object][] = [
  ["none is root", {}, "", { uid: 0, gid: 0 }],
  ["0 needs no look-up", {}, "0", { uid: 0, gid: 0 }],
  ["a name", {}, "redis", { uid: 0, gid: 0, userName: "redis" }],
  ["a name and a group", {}, "redis:db", { uid: 0, gid: 0, userName: "redis:db" }],
  ["numbers", {}, "999:998", { uid: 999, gid: 998 }],
  ["a number has its group looked up", {}, "999", { uid: 999, gid: 0, userName: "999" }],
  ["a number and a group's name", {}, "999:db", { uid: 999, gid: 0, userName: "999:db" }],
  ["a group alone", {}, ":998", { uid: 0, gid: 998 }],
  ["runAsUser takes the place of all of USER", { runAsUser: 7 }, "redis:db", { uid: 7, gid: 0, userName: "7" }],
  ["runAsUser and runAsGroup", { runAsUser: 7, runAsGroup: 8 }, "redis", { uid: 7, gid: 8 }],
  ["runAsGroup with the image's user", { runAsGroup: 8 }, "redis:db", { uid: 0, gid: 8, userName: "redis:8" }],
  ["runAsGroup with the image's number", { runAsGroup: 8 }, "999:998", { uid: 999, gid: 8 }],
  ["runAsGroup for root", { runAsGroup: 8 }, "", { uid: 0, gid: 8 }],
  ["runAsUser 0", { runAsUser: 0 }, "redis", { uid: 0, gid: 0 }],
];
for (const [what, over, image, wanted] of users)
  test(`user: ${what}`, () => {
    const { uid, gid, userName } = planned(security(over), { user: image });
    assert.deepEqual({ uid, gid, ...(userName === undefined ? {} : { userName }) }, wanted);
  });

test("the working folder: the spec's, the image's, the root", () => {
  assert.equal(planned({ workingDir: "/own/" }, { workingDir: "/img" }).cwd, "/own");
  assert.equal(planned({}, { workingDir: "/img//x" }).cwd, "/img/x");
  assert.equal(planned({}, { workingDir: "rel" }).cwd, "/rel");
  assert.equal(planned({}, {}).cwd, "/");
});

const signals: readonly [string, string][] = [
  ["", "SIGTERM"],
  ["SIGQUIT", "SIGQUIT"],
  ["quit", "SIGQUIT"],
  ["9", "SIGKILL"],
  ["28", "SIGWINCH"],
  ["37", "SIGRTMIN+3"],
  ["34", "SIGRTMIN"],
  ["SIGRTMIN+3", "SIGRTMIN+3"],
  ["RTMIN", "SIGRTMIN"],
  ["SIGRTMAX-2", "SIGRTMIN+28"],
];
for (const [text, wanted] of signals)
  test(`stop signal ${JSON.stringify(text)} is ${wanted}`, () => assert.equal(planned({}, { stopSignal: text }).stopSignal, wanted));

for (const bad of ["SIGNOPE", "0", "33", "65", "SIGRTMIN-1", "SIGRTMIN+31", "TERM\nKillMode=none"])
  test(`${JSON.stringify(bad)} is no signal: SIGTERM and a warning`, () => {
    assert.equal(planned({}, { stopSignal: bad }).stopSignal, "SIGTERM");
    assert.deepEqual(codesOf(modelOf(pod("web")), { images: [imageFacts(undefined, { stopSignal: bad })] }), ["bad-stop-signal"]);
  });

test("an image nobody looked at is an error, not a crash", () => {
  assert.deepEqual(codesOf(modelOf(pod("web")), { images: [] }), ["image-unknown"]);
});
