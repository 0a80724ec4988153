// Doctor on a real session: every check has a result, in time and in order; and on a broken one it says so.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createHost } from "../../../src/host/index.js";
import type { Check } from "../../../src/ports/host.js";
import { becomeUser, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;
let podrt: string;

before(async () => {
  session = await startSession("pgh1");
  end = await becomeUser(session);
  podrt = join(session.home, "podrt");
  provide('{"podgen":{"overlay":true,"fuseOverlayfs":false},"userns":{"ok":true,"single":false,"reason":""}}');
});

after(() => end());

/** A podrt that knows the verb `probe` only. */
function provide(found: string, code = 0): void {
  writeFileSync(podrt, `#!/bin/sh\necho '${found}'\nexit ${code}\n`);
  chmodSync(podrt, 0o755);
}

async function examine(env: NodeJS.ProcessEnv = process.env): Promise<Map<string, Check>> {
  const host = createHost(env, { podrt });
  const checks = await host.doctor();
  await host.close();
  return new Map(checks.map((check) => [check.id, check]));
}

const IDS = [
  "user-namespaces", "subordinate-ids", "idmap-helpers", "id-mapping", "runtime-folder", "user-bus", "unit-folder", "linger", "cgroups", "overlay",
  "storage-driver", "disk", "pasta", "ports", "uplink", "journal", "journal-rate",
]; // biome-ignore format: a list

test("a session as it should be", async () => {
  const began = performance.now();
  const checks = await examine();
  assert.ok(performance.now() - began < 8000);
  assert.deepEqual([...checks.keys()], IDS);
  for (const id of [
    "subordinate-ids",
    "idmap-helpers",
    "id-mapping",
    "runtime-folder",
    "user-bus",
    "unit-folder",
    "overlay",
    "storage-driver",
    "journal",
  ]) {
    assert.equal(checks.get(id)?.status, "ok", JSON.stringify(checks.get(id)));
  }
  assert.match(checks.get("user-bus")?.detail ?? "", /systemd \d+ answers/);
  assert.equal(checks.get("cgroups")?.status, existsSync("/sys/fs/cgroup/unified") ? "warn" : checks.get("cgroups")?.status);
  for (const check of checks.values()) assert.ok(check.title && check.detail);
});

test("no session at all", async () => {
  const checks = await examine({ HOME: session.home, PATH: process.env["PATH"] });
  for (const id of ["runtime-folder", "user-bus", "unit-folder"]) assert.equal(checks.get(id)?.status, "fail", id);
  assert.match(checks.get("user-bus")?.fix ?? "", /sudo loginctl enable-linger pgh1/);
});

test("another configuration folder than the manager's", async () => {
  const checks = await examine({ ...process.env, XDG_CONFIG_HOME: join(session.home, "other") });
  assert.equal(checks.get("unit-folder")?.status, "fail");
  assert.match(checks.get("unit-folder")?.detail ?? "", /other\/systemd\/user/);
});

test("a podrt that fails, says nonsense, or is not there makes its own checks fail only", async () => {
  provide("", 125);
  assert.equal((await examine()).get("id-mapping")?.status, "fail");
  provide("nonsense");
  const nonsense = await examine();
  assert.match(nonsense.get("overlay")?.detail ?? "", /could not be checked/);
  assert.equal(nonsense.get("user-bus")?.status, "ok");
  podrt = "/nowhere/podrt";
  assert.match((await examine()).get("id-mapping")?.detail ?? "", /not found/);
});

test("a pod whose infra is dead does not count as running", async () => {
  const folder = `${session.runtime}/podgen/pods/web/_infra`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/state.json`, JSON.stringify({ pid: process.pid, startTime: "1", digest: "" }));
  assert.match((await examine()).get("uplink")?.detail ?? "", /since none runs|names no server/);
});

test("facts are the machine's", async () => {
  const host = createHost(process.env);
  const facts = await host.facts(await host.manager());
  await host.close();
  assert.ok(facts.systemdVersion >= 252);
  assert.deepEqual([facts.user, facts.uid, facts.paths.home], [session.user, session.uid, session.home]);
  assert.ok(facts.unprivilegedPortStart >= 0 && facts.unprivilegedPortStart <= 65535);
  assert.ok(facts.pasta === undefined || facts.pasta.startsWith("/"));
});

test("pasta is looked for where units find it, not where this shell would", async () => {
  const folder = join(session.home, "bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pasta"), "#!/bin/sh\n", { mode: 0o755 });
  const host = createHost({ ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` });
  const manager = await host.manager();
  const [facts, path] = [await host.facts(manager), await manager.searchPath()];
  await host.close();
  assert.match(path, /^\/.*\/bin/);
  assert.notEqual(facts.pasta, join(folder, "pasta"));
});
