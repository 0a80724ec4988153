// podrt's installation and what it leaves: digest, swap, cheap no-op, old ones removed.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Paths } from "../../../src/base/facts.js";
import { readPaths } from "../../../src/host/facts/paths.js";
import { Files } from "../../../src/host/files/files.js";
import { NativeRuntime } from "../../../src/host/native/runtime.js";
import { HostError } from "../../../src/ports/host.js";
import { becomeUser, eventually, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;
let root: string;
let source: string;
let paths: Paths;
let runtime: NativeRuntime;

before(async () => {
  session = await startSession("pgh1");
  end = await becomeUser(session);
});

after(() => end());

beforeEach(() => {
  root = fs.mkdtempSync(join(session.home, "runtime-"));
  source = join(root, "dist/podrt");
  fs.mkdirSync(join(root, "dist"));
  paths = readPaths({ HOME: root, XDG_RUNTIME_DIR: join(root, "run") }, root, root);
  runtime = new NativeRuntime(paths, new Files([paths.data, paths.run]), source, process.env);
});

/** A podrt of our own making; sleep's binary where it has to run as a program of that name. */
function provide(text: string): void {
  fs.writeFileSync(source, text);
  fs.chmodSync(source, 0o755);
}

const bin = () => fs.readdirSync(join(paths.data, "bin")).sort();

test("install: a file named by its digest and a link, executable, and nothing to do the second time", async () => {
  provide("#!/bin/sh\nexit 0\n");
  assert.equal(await runtime.install(), true);
  const [, file] = bin();
  assert.match(file ?? "", /^podrt-[0-9a-f]{12}$/);
  assert.equal(fs.readlinkSync(paths.podrt), file);
  assert.equal(fs.statSync(paths.podrt).mode & 0o777, 0o755);
  assert.match(execFileSync("sha256sum", [paths.podrt], { encoding: "utf8" }), new RegExp(`^${file?.slice("podrt-".length)}`));
  const before = fs.statSync(join(paths.data, "bin")).mtimeMs;
  assert.equal(await runtime.install(), false);
  assert.equal(fs.statSync(join(paths.data, "bin")).mtimeMs, before, "nothing was written");
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    await runtime.install();
    times.push(performance.now() - began);
  }
  assert.ok(Math.min(...times) < 10, `${times}`);
});

test("the same bytes from another place change nothing; other bytes swap the link", async () => {
  provide("#!/bin/sh\nexit 0\n");
  await runtime.install();
  const first = fs.readlinkSync(paths.podrt);
  const moved = join(root, "elsewhere");
  fs.copyFileSync(source, moved);
  assert.equal(await new NativeRuntime(paths, new Files([]), moved, process.env).install(), false);
  assert.equal(fs.readlinkSync(paths.podrt), first);
  provide("#!/bin/sh\nexit 1\n");
  assert.equal(await runtime.install(), true);
  assert.notEqual(fs.readlinkSync(paths.podrt), first);
  assert.ok(!bin().includes(first), "nothing runs the old one");
});

test("an old podrt that runs goes by its name, lives on, and can execute itself anew as infra and pause do", async () => {
  fs.copyFileSync("/bin/bash", source);
  await runtime.install();
  const old = fs.readlinkSync(paths.podrt);
  const running = spawn(paths.podrt, ["-c", "echo up; read -r _; exec /proc/self/exe -c 'echo anew'"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  running.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await eventually("it runs", () => text === "up\n");
  provide("#!/bin/sh\nexit 2\n");
  assert.equal(await runtime.install(), true);
  assert.deepEqual(bin(), ["podrt", fs.readlinkSync(paths.podrt), "podrt.json"]);
  assert.ok(fs.readlinkSync(`/proc/${running.pid}/exe`).endsWith(`${old} (deleted)`));
  running.stdin.end("go\n");
  await new Promise((resolve) => running.once("close", resolve));
  assert.equal(text, "up\nanew\n");
});

test("an old podrt goes also where a process of ours does not say what it runs", async () => {
  provide("#!/bin/sh\nexit 4\n");
  await runtime.install();
  // `(sd-pam)` on a real host, infra and pause: not dumpable, so their exe link is denied.
  const hidden = spawn("python3", ["-c", "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); print('up', flush=True); input()"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise((resolve) => hidden.stdout.once("data", resolve));
  try {
    assert.throws(() => fs.readlinkSync(`/proc/${hidden.pid}/exe`), /EACCES/);
    provide("#!/bin/sh\nexit 5\n");
    await runtime.install();
    assert.deepEqual(bin(), ["podrt", fs.readlinkSync(paths.podrt), "podrt.json"]);
  } finally {
    hidden.kill("SIGKILL");
  }
});

test("an installation that was cut short or tampered with is mended; no source is an error", async () => {
  provide("#!/bin/sh\nexit 0\n");
  await runtime.install();
  const file = join(paths.data, "bin", fs.readlinkSync(paths.podrt));
  fs.truncateSync(file, 3);
  assert.equal(await runtime.install(), true);
  assert.equal(fs.readFileSync(file, "utf8"), "#!/bin/sh\nexit 0\n");
  fs.unlinkSync(paths.podrt);
  assert.equal(await runtime.install(), true);
  fs.writeFileSync(join(paths.data, "bin/podrt.json"), "{");
  assert.equal(await runtime.install(), false);
  fs.unlinkSync(source);
  await assert.rejects(
    runtime.install(),
    (error) => error instanceof HostError && error.code === "runtime-missing" && error.message.includes(source),
  );
});

test("state: alive by pid and start time together; gone, reused, absent, broken", async () => {
  const folder = join(paths.run, "pods/web/app");
  fs.mkdirSync(folder, { recursive: true });
  const write = (pid: number, startTime: string) =>
    fs.writeFileSync(join(folder, "state.json"), JSON.stringify({ pid, startTime, digest: "d" }));
  const process_ = spawn("sleep", ["1000"], { stdio: "ignore" });
  const pid = process_.pid ?? 0;
  const startTime = fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[19] ?? "";
  write(pid, startTime);
  assert.deepEqual(await runtime.state("web", "app"), { pid, startTime, digest: "d", alive: true });
  write(pid, "1");
  assert.equal((await runtime.state("web", "app"))?.alive, false);
  write(pid, startTime);
  process_.kill("SIGKILL");
  await new Promise((resolve) => process_.once("exit", resolve));
  assert.equal((await runtime.state("web", "app"))?.alive, false);
  fs.writeFileSync(join(folder, "state.json"), '{"pid":');
  assert.equal(await runtime.state("web", "app"), undefined);
  assert.equal(await runtime.state("web", "other"), undefined);
});

test("clearBackoff forgets, and is content with nothing", async () => {
  const folder = join(paths.run, "pods/web/app");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, "backoff.json"), "{}");
  await runtime.clearBackoff("web", "app");
  assert.deepEqual(fs.readdirSync(folder), []);
  await runtime.clearBackoff("web", "app");
  await runtime.clearBackoff("none", "none");
});

test("removeTrees hands all paths to podrt, in batches, and passes its complaint on", async () => {
  provide(
    `#!/bin/sh\necho "$# $1" >> ${root}/calls\n[ "$2" != /bad ] || { echo 'podrt: rmtree: open: /bad: Permission denied' >&2; exit 125; }\n`,
  );
  const many = Array.from({ length: 1200 }, (_, i) => `/tree/${i}`);
  await runtime.removeTrees(many);
  assert.equal(fs.readFileSync(`${root}/calls`, "utf8"), "501 rmtree\n501 rmtree\n201 rmtree\n");
  await runtime.removeTrees([]);
  await assert.rejects(runtime.removeTrees(["/bad"]), (error) => {
    assert.ok(error instanceof HostError);
    assert.equal(error.code, "runtime-failed");
    assert.match(error.message, /rmtree: open: \/bad: Permission denied/);
    return true;
  });
});
