// podgen itself goes wrong: killed at any moment, run twice at once, moved away, replaced. The next run mends everything.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { OddRegistry } from "../lib/odd-registry.js";
import { DIST, PodHost } from "../lib/pods.js";
import { busyboxImage } from "../lib/real-image.js";
import { CHECKOUT, eventually } from "../lib/session.js";
import { debris, installedFiles, ownFolders, processesOf, smallPod, unitsOf } from "../lib/small-pod.js";
import { randomLayer } from "../lib/tiny-image.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgcrash");
});
after(() => host.stop());

const URL_OF_WEB = "http://127.0.0.1:18251/";
const objects = (page: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: "${page}" }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: hunter2-${page} }
`;
const more = `      env: [{ name: PASSWORD, valueFrom: { secretKeyRef: { name: login, key: password } } }]
      volumeMounts: [{ name: page, mountPath: /config }]
  volumes: [{ name: page, configMap: { name: page } }]
`;
/** One file name for all versions: the manifest remembers it. */
const version = (page: string, command?: string) =>
  host.spec("web.yaml", smallPod({ name: "web", port: 18251, page, more, ...(command === undefined ? {} : { command }) }) + objects(page));

/** podgen as the user; the process is podgen's own, since session.sh becomes what it runs. */
function podgen(...args: string[]): ChildProcess {
  return spawn(`${CHECKOUT}/test/harness/session.sh`, ["run", host.user, `${DIST}/podgen`, ...args], { stdio: "ignore" });
}

/** Runs podgen and kills it after so many milliseconds; whether it was still there. */
async function killed(at: Moments, i: number, ...args: string[]): Promise<boolean> {
  const from = performance.now();
  const child = podgen(...args);
  const ended = new Promise<boolean>((resolve) => child.once("exit", (_, signal) => resolve(signal === "SIGKILL")));
  const timer = setTimeout(() => child.kill("SIGKILL"), at.ms(i));
  const result = await ended;
  clearTimeout(timer);
  if (!result) at.whole = Math.min(at.whole, performance.now() - from);
  return result;
}

/**
 * Moments from the first third of a run, before which node only starts, to its end. The machine may have been busy with other things while
 * the first run was measured: a run that ended before it was killed says better how long one takes.
 */
class Moments {
  readonly count: number;
  whole: number;

  constructor(count: number, whole: number) {
    this.count = count;
    this.whole = whole;
  }

  ms(i: number): number {
    return Math.round(this.whole * (0.3 + (0.65 * i) / this.count));
  }
}

async function moments(count: number, run: () => Promise<unknown>): Promise<Moments> {
  const from = performance.now();
  await run();
  return new Moments(count, performance.now() - from);
}

async function nothingIsLeft(what: string): Promise<void> {
  const { home } = host.session;
  const files = Object.keys(installedFiles(home)).filter((path) => !/\/podgen\/bin\/|\/manifest\.json$/.test(path));
  assert.deepEqual(files, [], what);
  assert.deepEqual(debris(home), [], what);
  assert.deepEqual(await unitsOf(host), [], what);
  for (const folder of ["pods", "containers", "empty", "secrets"])
    assert.equal(
      existsSync(`${ownFolders(home).data}/${folder}`) && readdirSync(`${ownFolders(home).data}/${folder}`).some((name) => name !== ".key"),
      false,
      what + folder,
    );
  await eventually(`${what}: no process is left`, async () => (await processesOf(host)) === "");
}

/** Without generations: what was killed may leave one more, which history says (history.test.ts). */
function settledFiles(): Record<string, string> {
  return Object.fromEntries(Object.entries(installedFiles(host.session.home)).filter(([path]) => !/\/podgen\/generations\//.test(path)));
}

/** Exactly these files, and the pod runs and answers. */
async function runs(page: string, files: Record<string, string>, what: string): Promise<void> {
  assert.deepEqual(settledFiles(), files, what);
  assert.deepEqual(debris(host.session.home), [], what);
  const [pod] = JSON.parse(await host.ok(["status", "-o", "json"])).items;
  assert.deepEqual([pod.phase, pod.enabled], ["Running", true], what);
  assert.equal(await host.fetch(URL_OF_WEB), `${page}\n`, what);
  assert.deepEqual(
    (await unitsOf(host)).filter((unit) => /failed|not-found/.test(unit)),
    [],
    what,
  );
}

/** The files of each version as an undisturbed apply leaves them. */
const wanted: Record<string, Record<string, string>> = {};

test("kill -9 of the first apply: the next apply, or a delete, mends", async (t) => {
  await host.ok(["apply", version("v1")]);
  wanted["v1"] = settledFiles();
  await host.ok(["delete", "web"]);
  await nothingIsLeft("to begin with");
  const at = await moments(8, () => host.ok(["apply", version("v1")]));
  await host.ok(["delete", "web"]);
  let hits = 0;
  for (let i = 0; i < at.count; i++) {
    const what = `killed after ${at.ms(i)} ms of creating`;
    if (await killed(at, i, "apply", version("v1"))) hits++;
    if (i % 2 === 0) {
      await host.ok(["apply", version("v1")]);
      await runs("v1", wanted["v1"], what);
    }
    await host.ok(["delete", "--ignore-not-found", "web"]);
    await nothingIsLeft(what);
  }
  t.diagnostic(`killed ${hits} times, up to ${at.ms(at.count - 1)} ms`);
  assert.ok(hits >= 2, "hardly any was killed in the middle");
});

test("kill -9 of an update: the next apply, of the new version or of the old one, mends", async (t) => {
  await host.ok(["apply", version("v1")]);
  const at = await moments(8, () => host.ok(["apply", version("v2")]));
  wanted["v2"] = settledFiles();
  let hits = 0;
  let present = "v2";
  for (let i = 0; i < at.count; i++) {
    const ms = at.ms(i);
    const next = present === "v2" ? "v1" : "v2";
    if (await killed(at, i, "apply", version(next))) hits++;
    // Every third time the user changes their mind.
    present = i % 3 === 2 ? present : next;
    await host.ok(["apply", version(present)]);
    await runs(present, wanted[present] ?? {}, `killed after ${ms} ms of updating to ${next}, mended to ${present}`);
    assert.equal(await host.ok(["apply", version(present)]), "pod/web unchanged\n");
  }
  t.diagnostic(`killed ${hits} times, up to ${at.ms(at.count - 1)} ms`);
  assert.ok(hits >= 2, "hardly any was killed in the middle");
  await host.ok(["apply", version("v1")]);
});

test("kill -9 of an update that fails and is being taken back", async () => {
  const bad = () => version("v2", "[/no/such/program]");
  const at = await moments(4, () => host.podgen(["apply", bad()]));
  for (let i = 0; i < at.count; i++) {
    const ms = at.ms(i);
    await killed(at, i, "apply", bad());
    await host.ok(["apply", version("v1")]);
    await runs("v1", wanted["v1"] ?? {}, `killed after ${ms} ms of failing`);
  }
});

test("kill -9 of a delete: the next delete, or an apply, mends", async () => {
  const at = await moments(6, () => host.ok(["delete", "web"]));
  for (let i = 0; i < at.count; i++) {
    const what = `killed after ${at.ms(i)} ms of deleting`;
    await host.ok(["apply", version("v1")]);
    await killed(at, i, "delete", "web");
    if (i % 2 === 0) {
      await host.ok(["apply", version("v1")]);
      await runs("v1", wanted["v1"] ?? {}, what);
    }
    await host.ok(["delete", "--ignore-not-found", "web"]);
    await nothingIsLeft(what);
  }
});

test("kill -9 in the middle of a pull: the next apply goes on where it stopped", async () => {
  const registry = await new OddRegistry().start();
  try {
    const big = randomLayer("filler", 600_000);
    const image = registry.add("slow", busyboxImage(big));
    registry.answer = (request, response) => {
      if (!request.url?.endsWith(big.digest)) return false;
      response.writeHead(200, { "content-length": big.blob.length });
      // The rest never comes.
      response.write(big.blob.subarray(0, 300_000));
      return true;
    };
    const spec = host.spec("slow.yaml", smallPod({ name: "slow", image }));
    const child = podgen("apply", spec);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await eventually("the layer is under way", () => registry.blobRequests(big.digest).length > 0);
    const partial = () => debrisOfPull().some((name) => (statSync(`${blobs()}/${name}`, { throwIfNoEntry: false })?.size ?? 0) > 0);
    await eventually("some of it is on disk", partial);
    child.kill("SIGKILL");
    await ended;
    await eventually("no process is left", async () => (await processesOf(host)) === "");

    registry.answer = () => false;
    registry.seen.length = 0;
    await host.ok(["apply", spec]);
    assert.match(registry.blobRequests(big.digest)[0]?.range ?? "", /^bytes=[1-9]\d*-$/);
    assert.deepEqual([debris(host.session.home), debrisOfPull()], [[], []]);
    await host.ok(["delete", "slow"]);
  } finally {
    await registry.stop();
    await host.ok(["delete", "--ignore-not-found", "slow"]);
  }
});

const blobs = () => `${ownFolders(host.session.home).data}/storage/blobs/sha256`;

function debrisOfPull(): string[] {
  const folder = blobs();
  return existsSync(folder) ? readdirSync(folder).filter((name) => /\.partial$/.test(name)) : [];
}

test("two applies at once: one waits for the other, both are carried out", async () => {
  const a = host.spec("a.yaml", smallPod({ name: "a" }));
  const b = host.spec("b.yaml", smallPod({ name: "b" }));
  const both = await Promise.all([host.podgen(["apply", a]), host.podgen(["apply", b])]);
  assert.deepEqual(
    both.map((ran) => [ran.code, ran.stdout]),
    [
      [0, "pod/a created\n"],
      [0, "pod/b created\n"],
    ],
  );
  const same = await Promise.all([host.podgen(["apply", version("v1")]), host.podgen(["apply", version("v1")])]);
  assert.deepEqual(same.map((ran) => [ran.code, ran.stdout]).sort(), [
    [0, "pod/web created\n"],
    [0, "pod/web unchanged\n"],
  ]);
  const [deleted, applied] = await Promise.all([host.podgen(["delete", "a", "b"]), host.podgen(["apply", version("v2")])]);
  assert.deepEqual([deleted.code, applied.code], [0, 0], deleted.stderr + applied.stderr);
  await runs("v2", wanted["v2"] ?? {}, "after all");
});

test("apply while a watcher runs: neither disturbs the other", async () => {
  const folder = `${host.session.home}/watched`;
  mkdirSync(folder);
  const put = (name: string, text: string) => {
    writeFileSync(`${folder}/.${name}`, text);
    renameSync(`${folder}/.${name}`, `${folder}/${name}`);
  };
  put("seen.yaml", smallPod({ name: "seen", port: 18252, page: "w0" }));
  execFileSync("chown", ["-R", `${host.user}:`, folder]);
  const watcher = podgen("watch", folder);
  const ended = new Promise<number | null>((resolve) => watcher.once("exit", resolve));
  try {
    const page = () => host.fetch("http://127.0.0.1:18252/");
    await eventually("the watcher has applied", async () => (await page()) === "w0\n");
    for (let i = 1; i <= 2; i++) {
      put("seen.yaml", smallPod({ name: "seen", port: 18252, page: `w${i}` }));
      await host.ok(["apply", version(i % 2 === 0 ? "v2" : "v1")]);
      await eventually(`page ${i}`, async () => (await page()) === `w${i}\n`);
    }
    assert.equal(await host.fetch(URL_OF_WEB), "v2\n");
    const before = await host.incarnation("pod-seen_app.service");
    assert.equal(await host.ok(["apply", `${folder}/seen.yaml`]), "pod/seen unchanged\n");
    assert.equal(await host.incarnation("pod-seen_app.service"), before);
  } finally {
    watcher.kill("SIGTERM");
  }
  assert.equal(await ended, 0);
  await host.ok(["delete", "seen"]);
});

test("the program is moved away and a newer one comes: what runs goes on, what starts works", async () => {
  const place = `${DIST}-moved`;
  rmSync(place, { recursive: true, force: true });
  execFileSync("cp", ["-a", DIST, place]);
  const moved = (...args: string[]) => host.run([`${place}/podgen`, ...args], { timeout: 60_000 });
  const link = `${ownFolders(host.session.home).data}/bin/podrt`;
  try {
    assert.equal((await moved("apply", version("v2"))).code, 0);
    const units = ["pod-web_app.service", "pod-web__infra.service", "podgen-pause.service"];
    const before = await Promise.all(units.map((unit) => host.incarnation(unit)));
    const first = readlinkSync(link);

    renameSync(place, `${place}.away`);
    assert.equal(await host.fetch(URL_OF_WEB), "v2\n");
    assert.deepEqual(await Promise.all(units.map((unit) => host.incarnation(unit))), before);
    const pid = await host.mainPid("pod-web_app.service");
    process.kill(pid, "SIGKILL");
    await eventually(
      "systemd has restarted it",
      async () => (await host.fetch(URL_OF_WEB)) === "v2\n" && (await host.mainPid("pod-web_app.service")) !== pid,
    );

    renameSync(`${place}.away`, place);
    // What follows an ELF file's own bytes does not change what it does.
    appendFileSync(`${place}/podrt`, "newer\n");
    const restarted = await Promise.all(units.map((unit) => host.incarnation(unit)));
    const ran = await moved("apply", version("v2"));
    assert.deepEqual([ran.code, ran.stdout], [0, "pod/web unchanged\n"], ran.stderr);
    const second = readlinkSync(link);
    assert.notEqual(second, first);
    assert.deepEqual(await Promise.all(units.map((unit) => host.incarnation(unit))), restarted);
    // What runs needs its inode, not its name.
    assert.ok(!existsSync(`${ownFolders(host.session.home).data}/bin/${first}`));

    await host.ok(["restart", "web/app"]);
    assert.equal(await host.fetch(URL_OF_WEB), "v2\n");
    assert.equal((await moved("delete", "web")).code, 0);
    await nothingIsLeft("after the delete");
    assert.equal((await moved("apply", version("v1"))).code, 0);
    assert.equal(await host.fetch(URL_OF_WEB), "v1\n");
  } finally {
    for (const folder of [place, `${place}.away`]) rmSync(folder, { recursive: true, force: true });
  }
});
