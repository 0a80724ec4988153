// podrt wait: until containers are ready, until their processes are gone; podrt mark, which says so.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { sh } from "./pod.js";
import { runAs, spawnAs, type TestUser, until, userStart, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = userStart("pgn1");
});
after(() => userStop(user));

const folder = (name: string): string => `${user.runtimeDir}/podgen/pods/w/${name}`;
const runDir = (name: string): string => `pods/w/${name}`;
const make = (name: string): string => sh(user, `mkdir -p ${folder(name)}`);
const mark = (name: string): void => writeFileSync(`${folder(name)}/ready`, "");

/** A process and a state.json that names it; `start` instead of its own start time. */
async function running(name: string, start?: string) {
  make(name);
  const child = spawnAs(user, ["sleep", "60"], { stdio: "ignore" });
  await until("sleep runs", () => readFileSync(`/proc/${child.pid}/comm`, "utf8") === "sleep\n");
  const own = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
  writeFileSync(`${folder(name)}/state.json`, JSON.stringify({ pid: child.pid, startTime: start ?? own, digest: "", startedAt: 1 }));
  mark(name);
  return child;
}

test("--ready waits for every folder, also for those that are not made yet", async () => {
  make("a");
  const wait = spawnAs(user, [user.podrt, "wait", "--ready", runDir("a"), runDir("b")], { stdio: "inherit" });
  await until("it made the folder and waits", () => existsSync(folder("a")));
  mkdirSync(folder("b"), { recursive: true });
  mark("b");
  await new Promise((wake) => setTimeout(wake, 200));
  assert.equal(wait.exitCode, null);
  mark("a");
  await until("it ends", () => wait.exitCode === 0, 2000);
  assert.equal(runAs(user, [user.podrt, "wait", "--ready", runDir("a"), runDir("b")]).code, 0);
});

test("--ready ends by SIGTERM", async () => {
  const wait = spawnAs(user, [user.podrt, "wait", "--ready", runDir("never")], { stdio: "inherit" });
  await until("it waits", () => existsSync(folder("never")));
  wait.kill("SIGTERM");
  await until("it ends", () => wait.signalCode === "SIGTERM", 2000);
});

test("--gone waits for the processes of now, then removes their marks", async () => {
  const [c, d] = [await running("c"), await running("d")];
  const wait = spawnAs(user, [user.podrt, "wait", "--gone", "--timeout", "20", runDir("c"), runDir("d"), runDir("none")], {
    stdio: "inherit",
  });
  await new Promise((wake) => setTimeout(wake, 400));
  c.kill("SIGKILL");
  await new Promise((wake) => setTimeout(wake, 200));
  assert.equal(wait.exitCode, null);
  d.kill("SIGKILL");
  await until("it ends", () => wait.exitCode === 0, 2000);
  for (const name of ["c", "d"]) assert.equal(existsSync(`${folder(name)}/ready`), false);
});

test("--gone gives up at its time-out and says on whom", async () => {
  const child = await running("e");
  const began = Date.now();
  const r = runAs(user, [user.podrt, "wait", "--gone", "--timeout", "1", runDir("e")]);
  assert.equal(r.code, 125);
  assert.match(r.stderr, /^podrt: wait: wait: pods\/w\/e: Connection timed out\n$/);
  assert.ok(Date.now() - began >= 900 && Date.now() - began < 5000);
  assert.equal(existsSync(`${folder("e")}/ready`), true);
  child.kill("SIGKILL");
});

test("--gone does not wait for a process that has only the number", async () => {
  const child = await running("f", "1");
  assert.equal(runAs(user, [user.podrt, "wait", "--gone", "--timeout", "20", runDir("f")]).code, 0);
  assert.equal(child.exitCode, null);
  child.kill("SIGKILL");
  writeFileSync(`${folder("f")}/state.json`, "not json");
  mark("f");
  assert.equal(runAs(user, [user.podrt, "wait", "--gone", runDir("f")]).code, 0);
  assert.equal(existsSync(`${folder("f")}/ready`), false);
});

test("bad words are usage, a folder out of the runtime folder is refused", () => {
  for (const words of [
    [],
    ["--ready"],
    ["--ready", "--gone", "x"],
    ["x"],
    ["--gone", "--timeout", "x", "y"],
    ["--gone", "--timeout", "-1", "y"],
    ["--gone", "--timeout"],
  ])
    assert.equal(runAs(user, [user.podrt, "wait", ...words]).code, 64, words.join(" "));
  assert.equal(runAs(user, [user.podrt, "wait", "--ready", "../../x"]).code, 125);
});

test("--ready also where the user has no inotify instance left", async () => {
  const words = `echo 0 > /proc/sys/user/max_inotify_instances && exec ${user.podrt} wait --ready ${runDir("short")}`;
  const wait = spawnAs(user, ["unshare", "--map-root-user", "sh", "-c", words], { stdio: "inherit" });
  await until("it waits", () => existsSync(folder("short")));
  await new Promise((wake) => setTimeout(wake, 200));
  assert.equal(wait.exitCode, null);
  mark("short");
  await until("it ends", () => wait.exitCode === 0, 2000);
});

describe("a restart of the pod that was quicker than --gone", () => {
  /** `wait --gone` that systemd has started, but which gets the processor only when the file `go` is there. */
  const late = (name: string) => {
    const words = `until [ -e ${folder(name)}/go ]; do sleep 0.05; done; exec ${user.podrt} wait --gone --timeout 5 ${runDir(name)}`;
    return spawnAs(user, ["sh", "-c", words], { stdio: "inherit" });
  };

  test("the new process is not waited for, and keeps its mark", async () => {
    make("g");
    const wait = late("g");
    await until("the shell runs", () => readFileSync(`/proc/${wait.pid}/comm`, "utf8") === "sh\n");
    const fresh = await running("g");
    writeFileSync(`${folder("g")}/go`, "");
    await until("it ends", () => wait.exitCode === 0, 2000);
    assert.equal(fresh.exitCode, null);
    assert.equal(existsSync(`${folder("g")}/ready`), true);
    fresh.kill("SIGKILL");
  });

  test("nor does it lose it when the old one ends after the new one has begun", async () => {
    const old = await running("h");
    const wait = late("h");
    writeFileSync(`${folder("h")}/go`, "");
    await until("it waits", () => readFileSync(`/proc/${wait.pid}/comm`, "utf8") === "podrt\n");
    await new Promise((wake) => setTimeout(wake, 200));
    const fresh = await running("h");
    old.kill("SIGKILL");
    await until("it ends", () => wait.exitCode === 0, 2000);
    assert.equal(existsSync(`${folder("h")}/ready`), true);
    fresh.kill("SIGKILL");
  });
});

test("mark --ready is what wait --ready waits for; mark --ended keeps what systemd says of the end", () => {
  assert.equal(runAs(user, [user.podrt, "mark", "--ready", runDir("m")]).code, 0);
  assert.equal(runAs(user, [user.podrt, "wait", "--ready", runDir("m")]).code, 0);
  const end = ["SERVICE_RESULT=oom-kill", "EXIT_CODE=killed", "EXIT_STATUS=KILL"];
  assert.equal(runAs(user, ["env", ...end, user.podrt, "mark", "--ended", runDir("m")]).code, 0);
  const { endedAt, ...said } = JSON.parse(readFileSync(`${folder("m")}/ended.json`, "utf8"));
  assert.deepEqual(said, { result: "oom-kill", code: "killed", status: "KILL" });
  assert.ok(Math.abs(endedAt - Date.now() / 1000) < 600);
  for (const words of [[], ["--ready"], ["x", "y"], ["--ready", "x", "y"]])
    assert.equal(runAs(user, [user.podrt, "mark", ...words]).code, 64, words.join(" "));
  assert.equal(runAs(user, [user.podrt, "mark", "--ready", "../../x"]).code, 125);
  assert.equal(runAs(user, [user.podrt, "mark", "--ended", runDir("m")]).code, 125);
});
