// podgen hold: what a person stopped for good stays stopped, through apply, watch and reboot, and says so; release ends it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, PodHost } from "../lib/pods.js";
import { CHECKOUT, eventually } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("txhold");
});
after(() => host.stop());

const state = (pod: string): Promise<string> => host.property(`pod-${pod}.service`, "ActiveState");
const stopped = async (): Promise<void> => {
  assert.equal(await state("web"), "inactive");
  assert.equal(await host.property("pod-web_app.service", "ActiveState"), "inactive");
};
const harness = (...words: string[]) => execFileSync(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: "ignore" });

test("hold stops it; start, apply and its file's next version do not start it, and all say so", async () => {
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web", page: "one" })), host.spec("log.yaml", smallPod({ name: "log" }))]);
  assert.equal(await host.ok(["hold", "web"]), "pod/web held\n");
  await stopped();
  const start = await host.podgen(["start", "web"]);
  assert.deepEqual([start.code, /pod web is held[\s\S]*podgen release web/.test(start.stderr)], [1, true]);
  assert.equal((await host.podgen(["apply", host.spec("web.yaml", smallPod({ name: "web", page: "one" }))])).stdout, "pod/web unchanged\n");
  const applied = await host.podgen(["apply", host.spec("web.yaml", smallPod({ name: "web", page: "two" }))]);
  assert.deepEqual([applied.code, applied.stdout], [0, "pod/web configured\n"]);
  assert.match(applied.stderr, /pod web is held and stays stopped: podgen release web/);
  await stopped();
  assert.match(await host.ok(["status"]), /^web +0\/1 +Stopped \(held\)/m);
  assert.equal(JSON.parse(await host.ok(["status", "-o", "json"])).items.find((p: { name: string }) => p.name === "web").held, true);
});

test("the watcher gives it its new files, and leaves it stopped", async () => {
  const folder = `${host.session.home}/pods`;
  mkdirSync(folder);
  execFileSync("chown", [`${host.user}:`, folder]);
  const spec = host.spec("web.yaml", smallPod({ name: "web", page: "three" }));
  execFileSync("cp", [spec, `${folder}/web.yaml`]);
  const words = ["run", host.user, `${DIST}/podgen`, "watch", folder];
  const watcher = spawn(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  watcher.stdout.on("data", (chunk) => {
    said += String(chunk);
  });
  const ended = new Promise((done) => watcher.on("close", done));
  await eventually("the watcher has applied it", () => /pod\/web configured/.test(said), 30_000);
  await stopped();
  watcher.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
});

test("a reboot starts the others, and not this one", async () => {
  harness("stop", host.user);
  harness("start", host.user);
  await host.active("pod-log.service", "active", 30_000);
  await stopped();
});

test("release starts it, in its newest version, and at boot again", async () => {
  assert.equal(await host.ok(["release", "web"]), "pod/web released\n");
  assert.equal(await state("web"), "active");
  assert.equal((await host.ok(["exec", "web", "--", "cat", "/page/index.html"])).trim(), "three");
  assert.equal(await host.property("pod-web.service", "UnitFileState"), "enabled");
  assert.doesNotMatch(await host.ok(["status"]), /held/);
});

test("a pod that another one requires is held with it only; a deleted pod is held no more", async () => {
  const needs = smallPod({ name: "log" }).replace(
    "metadata: { name: log }",
    "metadata: { name: log, annotations: { podgen.io/requires: web } }",
  );
  await host.ok(["apply", host.spec("log.yaml", needs)]);
  const alone = await host.podgen(["hold", "web"]);
  assert.deepEqual([alone.code, /podgen hold web log/.test(alone.stderr)], [1, true]);
  await host.ok(["hold", "web", "log"]);
  const other = smallPod({ name: "more" }).replace(
    "metadata: { name: more }",
    "metadata: { name: more, annotations: { podgen.io/requires: web } }",
  );
  const refused = await host.podgen(["apply", host.spec("more.yaml", other)]);
  assert.deepEqual([refused.code, /requires pod "web", which is held/.test(refused.stderr)], [1, true]);
  await host.ok(["delete", "log", "web"]);
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web" }))]);
  assert.equal(await state("web"), "active");
});
