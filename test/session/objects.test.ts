// ConfigMaps and Secrets beside pods: kept while they are needed, gone with what they came from, and said so.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { ownFolders } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgobj");
});
after(() => host.stop());

const VALUE = "hunter2-of-objects";
const secret = (name: string) => `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: { pw: ${VALUE} }\n---\n`;
const config = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { a: b }\n---\n`;
function pod(name: string, from = ""): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${image("busybox")}
      command: [sleep, "3600"]
      ${from === "" ? "" : `envFrom: [${from}]`}
---
`;
}

/** Files of podgen's that hold the value. */
async function holders(): Promise<string[]> {
  const found = await host.run(["grep", "-rl", VALUE, `${host.session.home}/.config`, `${host.session.home}/.local`]);
  return found.stdout.split("\n").filter(Boolean);
}
const objects = () => {
  const folder = `${ownFolders(host.session.home).state}/objects`;
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

test("a Secret that the spec has no more goes with apply --prune, and leaves no file with its value", async () => {
  await host.ok(["apply", host.spec("web.yaml", secret("old") + pod("web", "{ secretRef: { name: old } }"))]);
  assert.deepEqual([(await holders()).length, objects()], [1, ["Secret-old.json"]]);
  const without = host.spec("web.yaml", pod("web"));
  assert.match((await host.podgen(["diff", "--prune", without])).stdout, /Secret-old\.json: secret removed$/m);
  assert.equal(await host.ok(["apply", "--prune", without]), "pod/web configured\nsecret/old deleted\n");
  assert.deepEqual([await holders(), objects()], [[], []]);
  assert.equal(await host.ok(["apply", "--prune", without]), "pod/web unchanged\n");
});

test("a ConfigMap or Secret that was applied as immutable keeps its data until it is deleted", async () => {
  const fixed = (text: string): string => text.replace("metadata:", "immutable: true\nmetadata:");
  await host.ok(["apply", host.spec("fixed.yaml", fixed(config("still")) + fixed(secret("safe")) + pod("web"))]);
  const changed = fixed(config("still")).replace("a: b", "a: c") + fixed(secret("safe")).replace(VALUE, "other");
  const refused = await host.podgen(["apply", host.spec("fixed.yaml", changed + pod("web"))]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /ConfigMap "still" is immutable and would change[\s\S]*Secret "safe" is immutable and would change/);
  const kept = readFileSync(`${ownFolders(host.session.home).state}/objects/Secret-safe.json`, "utf8");
  assert.equal(JSON.parse(kept).data.pw, Buffer.from(VALUE).toString("base64"));
  await host.ok(["delete", "web"]);
  assert.deepEqual(objects(), []);
});

test("delete takes what came with the pod, also what no pod ever referred to", async () => {
  await host.ok(["apply", host.spec("web.yaml", secret("spare") + config("page") + pod("web"))]);
  assert.deepEqual(objects(), ["ConfigMap-page.json", "Secret-spare.json"]);
  assert.equal(await host.ok(["delete", "web"]), "pod/web deleted\nconfigmap/page deleted\nsecret/spare deleted\n");
  assert.deepEqual([await holders(), objects()], [[], []]);
});

test("delete -f says of each object whether it went, is in use, or was not there", async () => {
  const shared = host.spec("shared.yaml", config("used") + config("free"));
  await host.ok(["apply", shared, host.spec("web.yaml", pod("web", "{ configMapRef: { name: used } }"))]);
  assert.equal(await host.ok(["delete", "-f", shared]), "configmap/free deleted\nconfigmap/used kept: pod web refers to it\n");
  const again = await host.podgen(["delete", "-f", shared]);
  assert.deepEqual([again.code, again.stdout], [1, "configmap/used kept: pod web refers to it\nconfigmap/free not found\n"]);
  assert.equal(await host.ok(["delete", "--ignore-not-found", "-f", shared]), "configmap/used kept: pod web refers to it\n");
  const json = JSON.parse(await host.ok(["delete", "-o", "json", "web"]));
  assert.deepEqual(json.objects, [{ name: "ConfigMap/used", outcome: "deleted", pods: [] }]);
});

test("objects of another source stay, and so does what came by standard input", async () => {
  await host.ok(["apply", host.spec("keep.yaml", secret("keep"))]);
  await host.ok(["apply", "-"], { input: secret("fed") });
  await host.ok(["apply", "-"], { input: pod("web") });
  assert.equal(await host.ok(["delete", "web"]), "pod/web deleted\n");
  assert.deepEqual(objects(), ["Secret-fed.json", "Secret-keep.json"]);
  assert.equal(await host.ok(["delete", "-f", "-"], { input: secret("fed") }), "secret/fed deleted\n");
  assert.equal(await host.ok(["delete", "-f", host.spec("keep.yaml", secret("keep"))]), "secret/keep deleted\n");
});

test("an apply --prune that fails keeps the Secret that the pod goes back to", async () => {
  const good = secret("old") + pod("web", "{ secretRef: { name: old } }");
  await host.ok(["apply", host.spec("web.yaml", good)]);
  const bad = pod("web").replace('[sleep, "3600"]', "[/nonexistent]");
  const ran = await host.podgen(["apply", "--prune", "--timeout", "5", host.spec("web.yaml", bad)]);
  assert.equal(ran.code, 3, ran.stderr);
  assert.deepEqual(objects(), ["Secret-old.json"]);
  assert.equal(await host.ok(["apply", host.spec("web.yaml", good)]), "pod/web unchanged\n");
  assert.equal(await host.ok(["delete", "web"]), "pod/web deleted\nsecret/old deleted\n");
});

test("an earlier podgen's manifest, without sources, is read and learns them", async () => {
  const path = host.spec("web.yaml", secret("old") + pod("web", "{ secretRef: { name: old } }"));
  await host.ok(["apply", path]);
  const manifest = `${ownFolders(host.session.home).state}/manifest.json`;
  const text = readFileSync(manifest, "utf8");
  const old = JSON.parse(text);
  for (const object of Object.values(old.objects)) delete (object as { source?: string }).source;
  await host.run(["tee", manifest], { input: `${JSON.stringify(old, null, 1)}\n` });
  assert.match((await host.podgen(["diff", path])).stdout, /^secret\/old is now from .*web\.yaml$/m);
  assert.equal(await host.ok(["apply", path]), "pod/web unchanged\n");
  assert.deepEqual(JSON.parse(readFileSync(manifest, "utf8")), JSON.parse(text));
  await host.ok(["delete", "web"]);
});

test("a pod called constructor is one like others", async () => {
  const path = host.spec("constructor.yaml", pod("constructor"));
  assert.equal(await host.ok(["apply", path]), "pod/constructor created\n");
  assert.equal(await host.ok(["apply", path]), "pod/constructor unchanged\n");
  assert.equal(await host.ok(["delete", "constructor"]), "pod/constructor deleted\n");
  assert.match((await host.podgen(["delete", "constructor"])).stderr, /there is no pod "constructor"/);
});

test("apply --prune of standard input is refused before anything is read, and deletes nothing", async () => {
  await host.ok(["apply", "-"], { input: pod("one") });
  const ran = await host.podgen(["apply", "--prune", "-"], { input: pod("two") });
  assert.equal(ran.code, 64);
  assert.match(ran.stderr, /--prune takes no standard input/);
  assert.equal(await host.ok(["ps", "-o", "name"]), "one/app\n");
  await host.ok(["delete", "one"]);
});
