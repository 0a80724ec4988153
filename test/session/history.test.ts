// Generations: each apply that went well can be gone back to, with its files, secrets and images; others leave none.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, image, PodHost } from "../lib/pods.js";
import { CHECKOUT } from "../lib/session.js";
import { ownFolders } from "../lib/small-pod.js";

let host: PodHost;
const [busybox, redis] = [image("busybox"), image("redis")];
before(async () => {
  host = await PodHost.start("txhist");
});
after(() => host.stop());

const folder = (): string => `${ownFolders(host.session.home).state}/generations`;

function web({ name = "web", of = busybox, password = "one", page = "first", command = "exec sleep 1000" } = {}): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${password} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index: ${page} }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  os: { name: linux }
  containers:
    - name: app
      lifecycle: { stopSignal: SIGKILL }
      image: ${of}
      command: [sh, -c, "echo $PW; ${command}"]
      env: [{ name: PW, valueFrom: { secretKeyRef: { name: login, key: password } } }]
      volumeMounts: [{ name: page, mountPath: /page }]
    - { name: log, lifecycle: { stopSignal: SIGKILL }, image: "${busybox}", command: [sleep, "1000"] }
  volumes: [{ name: page, configMap: { name: page } }]
`;
}

const applied = (text: string): Promise<string> => host.ok(["apply", host.spec("web.yaml", text)]);
const inside = async (path: string): Promise<string> => (await host.ok(["exec", "web/app", "--", "cat", path])).trim();
const numbers = async (name: string): Promise<[number, boolean][]> =>
  JSON.parse(await host.ok(["history", name, "-o", "json"])).items.map((g: { number: number; current: boolean }) => [g.number, g.current]);

test("each apply that changes something is a generation; one that changes nothing, or fails, is none", async () => {
  await applied(web());
  await applied(web());
  await applied(web({ of: redis, password: "two", page: "second" }));
  const failed = await host.podgen(["apply", host.spec("web.yaml", web({ command: "exit 3" }))]);
  assert.equal(failed.code, 3, failed.stderr);
  assert.deepEqual(await numbers("web"), [
    [1, false],
    [2, true],
  ]);
  const file = `${folder()}/web/1.json`;
  assert.deepEqual([statSync(file).mode & 0o777, statSync(`${folder()}/web`).mode & 0o777], [0o600, 0o700]);
});

test("an image that only an old generation needs outlives a prune", async () => {
  await host.ok([
    "apply",
    host.spec("log.yaml", web({ name: "web", of: redis, password: "two", page: "second" }).replaceAll(busybox, redis)),
  ]);
  await host.ok(["image", "prune", "--all"]);
  assert.match(await host.ok(["image", "ls", "-o", "name"]), /busybox/);
});

test("rollback: files, configuration, secret and image are the old ones, the container that did not differ goes on", async () => {
  assert.match(await host.ok(["rollback", "web", "--to", "1", "--dry-run"]), /^pod\/web configured$/m);
  assert.equal(await host.ok(["rollback", "web", "--to", "2"]), "pod/web configured\n");
  const log = await host.incarnation("pod-web_log.service");
  assert.equal(await host.ok(["rollback", "web", "--to", "1"]), "pod/web configured\n");
  assert.equal(await inside("/page/index"), "first");
  assert.match(await host.log("pod-web_app.service"), /^one$/m);
  assert.equal(await host.incarnation("pod-web_log.service"), log);
  const ps = JSON.parse(await host.ok(["status", "web", "-o", "json"])).items[0];
  assert.match(ps.containers[0].image, /:busybox$/);
  // The spec that was applied first is what is installed now: nothing is left to be done.
  assert.equal(await applied(web()), "pod/web unchanged\n");
  const json = JSON.parse(await host.ok(["history", "web", "-o", "json"])).items.at(-1);
  assert.deepEqual([json.back, json.current], [1, true]);
  assert.doesNotMatch(JSON.stringify(json), /hunter|"one"/);
});

test("rollback without a number is to the one before; one that is not there is an error that says which are", async () => {
  assert.equal(await host.ok(["rollback", "web"]), "pod/web configured\n");
  assert.equal(await inside("/page/index"), "second");
  const none = await host.podgen(["rollback", "web", "--to", "77"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no generation 77[\s\S]*there are 1, 2/);
});

test("kill -9 of a rollback, wherever it is: the next one ends it, and each version is whole", async () => {
  const targets = (await numbers("web")).map(([number]) => number);
  const [one, two] = [targets[0], targets[1]];
  const pages = new Map([
    [one, "first"],
    [two, "second"],
  ]); // prettier-ignore
  for (const [i, delay] of [60, 120, 200, 320].entries()) {
    const to = i % 2 === 0 ? one : two;
    const words = ["run", host.user, `${DIST}/podgen`, "rollback", "web", "--to", String(to)];
    const child = spawn(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: "ignore" });
    const ended = new Promise((done) => child.on("close", done));
    // When it is killed says nothing but where in its way that is: each place is as good.
    await new Promise((done) => setTimeout(done, delay));
    child.kill("SIGKILL");
    await ended;
    await host.ok(["rollback", "web", "--to", String(to)]);
    assert.equal(await inside("/page/index"), pages.get(to));
    assert.equal(await host.property("pod-web.service", "ActiveState"), "active");
  }
});

test("retention: beyond the limit the oldest go; a workload's own limit counts; all go with the pod", async () => {
  const settings = `${host.session.home}/.config/podgen`;
  execFileSync("install", ["-d", "-o", host.user, settings]);
  execFileSync("bash", ["-c", `echo '{"limit": 1}' > ${settings}/history.json`]);
  await applied(web({ password: "three" }));
  assert.equal((await numbers("web")).length, 2);
  execFileSync("bash", ["-c", `echo '{"limits": 1}' > ${settings}/history.json`]);
  const refused = await host.podgen(["apply", host.spec("web.yaml", web({ password: "four" }))]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /history\.json: it has the unknown member "limits"/);
  execFileSync("rm", [`${settings}/history.json`]);
  await host.ok(["delete", "web"]);
  assert.ok(!existsSync(folder()) || readdirSync(folder()).length === 0);
});

const deployment = (word: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  replicas: 2
  revisionHistoryLimit: 1
  strategy: { type: Recreate }
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec:
      terminationGracePeriodSeconds: 1
      os: { name: linux }
      containers: [{ name: app, lifecycle: { stopSignal: SIGKILL }, image: "${busybox}", command: [sh, -c, "echo ${word}; exec sleep 1000"] }]
`;

test("a workload goes back with all its pods, and keeps as many as its revisionHistoryLimit says", async () => {
  for (const word of ["a", "b", "c"]) await host.ok(["apply", host.spec("api.yaml", deployment(word))]);
  assert.deepEqual(await numbers("deployment/api"), [
    [2, false],
    [3, true],
  ]);
  assert.equal(await host.ok(["rollback", "deployment/api"]), "pod/api-0 configured\npod/api-1 configured\n");
  for (const pod of ["api-0", "api-1"]) assert.equal((await host.log(`pod-${pod}_app.service`)).match(/^[a-d]$/gm)?.at(-1), "b");
  await host.ok(["delete", "deployment/api"]);
});
