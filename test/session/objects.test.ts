// ConfigMaps and Secrets beside pods: kept while they are needed, gone with what they came from, and said so.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
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

/** A pod that counts its SIGHUPs, with files of a ConfigMap and a Secret in all ways, and a container beside it that uses neither. */
function reloading(color: string, secretText: string, more = "", env = ""): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: live }
data: { color: ${color}${more} }
---
apiVersion: v1
kind: Secret
metadata: { name: live }
stringData: { token: ${secretText} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: live-env }
data: { LEVEL: low }
---
apiVersion: v1
kind: Pod
metadata: { name: live, annotations: { podgen.io/config-reload: update, reload-signal.podgen.io/app: SIGHUP } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: app
      image: ${image("busybox")}
      command: [sh, -c, "trap 'echo x >> /tmp/hups' HUP; while :; do sleep 0.1; done"]
      volumeMounts: [{ name: all, mountPath: /all }, { name: conf, mountPath: /conf }${env}]
    - { name: other, image: "${image("busybox")}", command: [sleep, "3600"] }
  volumes:
    - { name: conf, configMap: { name: live, defaultMode: 0640 } }
    - { name: all, projected: { sources: [{ configMap: { name: live } }, { secret: { name: live, items: [{ key: token, path: deep/token }] } }] } }
`;
}
const app = (script: string): Promise<string> => host.ok(["exec", "live/app", "--", "sh", "-c", script]);
const invocation = async (container: string): Promise<string> =>
  (await host.run(["systemctl", "--user", "show", "-P", "InvocationID", `pod-live_${container}.service`])).stdout;
const hups = "cat /tmp/hups 2>/dev/null | wc -l";

test("config-reload: update exchanges the files of a running container, all at once, and sends its signal", async () => {
  await host.ok(["apply", host.spec("live.yaml", reloading("red", "first"))]);
  const before = [await invocation("app"), await invocation("other")];
  assert.equal(
    await app("cat /conf/color /all/color /all/deep/token; stat -Lc %a /conf/color; readlink /conf/color"),
    "redredfirst640\n..data/color\n",
  );

  const changed = host.spec("live.yaml", reloading("blue", "second", ", shade: dark"));
  assert.match(
    (await host.podgen(["diff", changed])).stdout,
    /pod-live_app\.service: reload \(files of its volumes changed: updated in place\)/,
  );
  await host.ok(["apply", changed]);
  assert.equal(await app("cat /conf/color /conf/shade /all/color /all/deep/token; stat -Lc %a /conf/shade"), "bluedarkbluesecond640\n");
  await eventually("one SIGHUP", async () => (await app(hups)) === "1\n");
  assert.equal(
    await app("ls -A /conf | grep -c '^[.][.][0-9]'; touch /conf/x 2>&1 | grep -c Read-only; grep -c ' /conf tmpfs ro,' /proc/mounts"),
    "1\n1\n1\n",
  );

  // A key that goes, goes; nothing was restarted by any of it, and the same spec once more does nothing.
  const without = host.spec("live.yaml", reloading("blue", "second"));
  await host.ok(["apply", without]);
  assert.equal(await app("ls /conf /all"), "/all:\ncolor\ndeep\n\n/conf:\ncolor\n");
  assert.equal(await host.ok(["apply", without]), "pod/live unchanged\n");
  assert.deepEqual([await invocation("app"), await invocation("other")], before);
  // What it starts with after a crash is what it had.
  await host.ok(["restart", "live/app"]);
  assert.equal(await app("cat /conf/color /all/deep/token"), "bluesecond");
  assert.equal(await host.ok(["apply", without]), "pod/live unchanged\n");
});

test("an apply that was killed before the files were exchanged is finished by the next one", async () => {
  await host.ok(["apply", host.spec("live.yaml", reloading("blue", "second"))]);
  const state = `${host.session.runtime}/podgen/pods/live/app/state.json`;
  const found = JSON.parse(readFileSync(state, "utf8")) as Record<string, unknown>;
  writeFileSync(state, JSON.stringify({ ...found, files: "0".repeat(64) }));
  assert.equal(await host.ok(["apply", host.spec("live.yaml", reloading("blue", "second"))]), "pod/live configured\n");
  assert.equal((JSON.parse(readFileSync(state, "utf8")) as Record<string, unknown>)["files"], found["files"]);
});

test("config-reload: update: what is mounted with subPath restarts its container, and that one alone", async () => {
  const sub = ", { name: conf, mountPath: /one, subPath: color }";
  await host.ok(["apply", host.spec("live.yaml", reloading("blue", "second", "", sub))]);
  const before = [await invocation("app"), await invocation("other")];
  await host.ok(["apply", host.spec("live.yaml", reloading("green", "second", "", sub))]);
  assert.equal(await app("cat /one /conf/color"), "greengreen");
  assert.notEqual(await invocation("app"), before[0]);
  assert.equal(await invocation("other"), before[1]);
  await host.ok(["delete", "-f", host.spec("live.yaml", reloading("green", "second"))]);
});
