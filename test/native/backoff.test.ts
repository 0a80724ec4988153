// The restart back-off of a container under a real manager: the first restart at once, then a wait that a stop ends and a person skips.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { container, runDirOf, startPod } from "./container.js";
import { infra, infraDir, infraUnit, messages, show, systemctl } from "./pod.js";
import { runAs, type TestUser, until, userStop } from "./user.js";

let user: TestUser;
let id: string;

before(() => {
  user = startPod("pgct5");
  id = container(user, "loop", {
    args: ["sh", "-c", "echo ran; exit 1"],
    annotations: { "io.podgen.backoff": "true" },
    service: ["Restart=always"],
  });
});
after(() => userStop(user));

const runs = (): number => messages(user, id).filter((line) => line === "ran").length;
const count = (): number => Number(JSON.parse(readFileSync(join(runDirOf(user, "loop"), "backoff.json"), "utf8")).count);

test("the first restart comes at once, the second waits and says so", async () => {
  systemctl(user, "start", id);
  await until("the second run", () => runs() === 2, 5000);
  assert.equal(count(), 1);
  await until("the wait", () => /^CrashLoopBackOff, next try in (10|[1-9])s$/.test(show(user, id, "StatusText")), 5000);
  assert.equal(show(user, id, "ActiveState"), "activating");
  assert.equal(runs(), 2);
});

test("a stop ends the wait at once", () => {
  const begin = Date.now();
  systemctl(user, "stop", id);
  assert.ok(Date.now() - begin < 2000);
  assert.equal(show(user, id, "ActiveState"), "inactive");
});

test("a person's start does not wait, and the count begins anew", async () => {
  systemctl(user, "start", id);
  await until("both runs, at once", () => runs() === 4, 5000);
  await until("the wait", () => show(user, id, "StatusText").startsWith("CrashLoopBackOff"), 5000);
  assert.equal(count(), 1);
});

test("after the ten seconds it is tried again, and the next wait is twenty", async () => {
  await until("the third run", () => runs() === 5, 15_000);
  await until("the next wait", () => /next try in (20|1\d)s/.test(show(user, id, "StatusText")), 5000);
  assert.equal(count(), 2);
  systemctl(user, "stop", id);
});

for (const signal of ["SIGWINCH", "SIGRTMIN+3"])
  test(`a stop by ${signal}, as an image may want it, ends the wait too`, async () => {
    const other = container(user, "image", {
      args: ["false"],
      annotations: { "io.podgen.backoff": "true" },
      service: ["Restart=always", `KillSignal=${signal}`],
    });
    systemctl(user, "start", other);
    await until("the wait", () => show(user, other, "StatusText").startsWith("CrashLoopBackOff"), 5000);
    const begin = Date.now();
    systemctl(user, "stop", other);
    assert.ok(Date.now() - begin < 2000);
    assert.equal(show(user, other, "ActiveState"), "inactive");
  });

test("without the annotation there is none", async () => {
  const other = container(user, "eager", { args: ["sh", "-c", "echo ran; exit 1"], service: ["Restart=always"] });
  systemctl(user, "start", other);
  await until("four runs", () => messages(user, other).filter((line) => line === "ran").length >= 4, 15_000);
  systemctl(user, "stop", other);
  assert.ok(!existsSync(join(runDirOf(user, "eager"), "backoff.json")));
});

describe("a start that fails before it can be counted is not tried without end", () => {
  /** Starts it, and waits until it waits: after two restarts, as the manager counts. Then stops it. */
  async function waits(id: string, told: RegExp): Promise<void> {
    runAs(user, ["systemctl", "--user", "start", "--no-block", id]);
    await until(`${id} waits`, () => /^CrashLoopBackOff, next try in (10|[1-9])s$/.test(show(user, id, "StatusText")), 5000);
    assert.equal(show(user, id, "NRestarts"), "2");
    assert.equal(messages(user, id).filter((line) => told.test(String(line))).length, 3);
    const begin = Date.now();
    systemctl(user, "stop", id);
    assert.ok(Date.now() - begin < 2000);
  }
  const breakBundle = (name: string): void => writeFileSync(join(user.home, "bundles/web", name, "config.json"), "{");

  test("a container's bundle", async () => {
    const torn = container(user, "torn", { args: ["true"], service: ["Restart=always"] });
    breakBundle("torn");
    await waits(torn, /^podrt: run: bundle: /);
  });

  test("an init container's bundle", async () => {
    const first = container(user, "first", { args: ["true"], init: true, service: ["Restart=on-failure", "NotifyAccess=main"] });
    breakBundle("first");
    await waits(first, /^podrt: oneshot: bundle: /);
  });

  test("its run folder", async () => {
    const homeless = container(user, "homeless", { args: ["true"], service: ["Restart=always"] });
    writeFileSync(runDirOf(user, "homeless"), "a file");
    await waits(homeless, /^podrt: run: open: pods\/web\/homeless: Not a directory/);
  });

  test("backoff.json: a warning, and the container runs", async () => {
    const id = container(user, "uncounted", {
      args: ["sh", "-c", "echo ran; exit 1"],
      annotations: { "io.podgen.backoff": "true" },
      service: ["Restart=always"],
    });
    runAs(user, ["mkdir", "-p", join(runDirOf(user, "uncounted"), "backoff.json")]);
    await waits(id, /^podrt: run: warning: write: backoff.json: Is a directory; the manager's count/);
    assert.equal(messages(user, id).filter((line) => line === "ran").length, 2);
  });

  test("infra's bundle", async () => {
    rmSync(infra(user, "gone"), { recursive: true });
    await waits(infraUnit("gone"), /^podrt: infra: open: .*bundles\/gone: No such file/);
  });

  test("infra's run folder, which it finds out in the user namespace", async () => {
    infra(user, "full");
    runAs(user, ["mkdir", "-p", join(infraDir(user, "full"), "state.json")]);
    await waits(infraUnit("full"), /^podrt: infra: write: state.json: /);
  });
});
