// The store as a user has it: images that pods need stay, and a pod runs the very bytes it was applied with, whatever became of the registry.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { after, before, test } from "node:test";
import { OddRegistry, refuse } from "../lib/odd-registry.js";
import { PodHost } from "../lib/pods.js";
import { busyboxImage } from "../lib/real-image.js";
import { eventually, runOk } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";
import { layer, type TinyImage, writeLayout } from "../lib/tiny-image.js";

let host: PodHost;
let registry: OddRegistry;
let old: TinyImage;
let reference: string;

const edition = (n: number) => busyboxImage(layer([{ name: "edition", content: `edition ${n}\n` }]));
const spec = (policy: string) => smallPod({ name: "web", image: reference, more: `      imagePullPolicy: ${policy}` });
const runs = () => host.ok(["exec", "web", "--", "cat", "/edition"]);
const listed = async () =>
  JSON.parse(await host.ok(["image", "ls", "-o", "json"])).items as { reference: string; digest: string; pods: string[] }[];

before(async () => {
  host = await PodHost.start("pgims");
  registry = await new OddRegistry().start();
  old = edition(1);
  reference = registry.add("web", old);
});
after(async () => {
  await registry.stop();
  await host.stop();
});

test("pulled by hand: the digest is printed, the image listed; deep fsck as a user whose files are of subordinate ids", async () => {
  assert.equal((await host.ok(["image", "pull", "-q", reference])).trim(), old.digest);
  assert.deepEqual(
    (await listed()).map((i) => [i.reference, i.digest, i.pods]),
    [[reference, old.digest, []]],
  ); // prettier-ignore
  assert.match((await host.podgen(["image", "fsck", "--deep"])).stderr, /^no damage$/m);
  assert.equal(await host.ok(["image", "fsck", "--deep"]), "");
  const absent = await host.podgen(["image", "pull", `${registry.host}/absent:1`, reference]);
  assert.equal(absent.code, 1);
  assert.equal(absent.stdout.trim(), old.digest, "the other one was pulled all the same");
});

test("saved by a user and loaded again under another name, it is the same image; tag and history tell of it", async () => {
  const file = `${host.session.home}/web.tar`;
  await host.ok(["image", "save", "-o", file, reference]);
  assert.equal((await host.ok(["image", "load", "--name", "loaded:1", file])).trim(), "localhost/loaded:1");
  await host.ok(["image", "tag", "loaded:1", "localhost/again"]);
  const names = (await host.ok(["image", "ls", "-o", "name", old.configDigest])).trim().split("\n");
  assert.deepEqual(names, [reference, "localhost/again:latest", "localhost/loaded:1"].sort());
  const { steps } = JSON.parse(await host.ok(["image", "history", "again", "-o", "json"]));
  assert.deepEqual(
    steps.map((s: { layer: string }) => s.layer),
    old.layers.map((l) => l.diffId).reverse(),
  ); // prettier-ignore
  await host.ok(["image", "untag", "localhost/again"]);
  await host.ok(["image", "rm", "localhost/loaded:1"]);
  assert.equal((await listed()).length, 1);
  assert.equal((await host.podgen(["image", "save", "-o", file, "nothing"])).code, 1);
});

test("what a pod needs is not removed: neither by name, nor by digest, nor by prune --all, nor when its tag moves on", async () => {
  await host.ok(["apply", host.spec("web.yaml", spec("Always"))]);
  assert.deepEqual(
    (await listed()).map((i) => i.pods),
    [["web"]],
  ); // prettier-ignore
  for (const word of [reference, old.digest]) {
    const refused = await host.podgen(["image", "rm", word]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is needed by the pod web[\s\S]*podgen delete web/);
  }
  assert.equal((await host.podgen(["image", "untag", reference])).code, 1);
  await host.ok(["image", "prune", "--all"]);
  registry.add("web", edition(2));
  await host.ok(["image", "pull", "-q", reference]);
  await host.ok(["image", "prune"]);
  assert.equal((await host.podgen(["image", "fsck"])).code, 0);
  assert.equal(await runs(), "edition 1\n");
});

test("imagePullSecrets of pods that share an image: each must be let in by its own; pulled once; then IfNotPresent asks nobody", async () => {
  const wanted = `Basic ${Buffer.from("puller:s3cret").toString("base64")}`;
  registry.answer = (request, response) => {
    if (!request.url?.includes("/private/") || request.headers.authorization === wanted) return false;
    refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="x"' });
    return true;
  };
  const shared = edition(3);
  const name = registry.add("private", shared);
  const secret = (object: string, password: string) => {
    const config = JSON.stringify({ auths: { [registry.host]: { username: "puller", password } } });
    return `apiVersion: v1\nkind: Secret\nmetadata: { name: ${object} }\ntype: kubernetes.io/dockerconfigjson\nstringData: { .dockerconfigjson: '${config}' }\n---\n`;
  };
  const pod = (pod: string, secrets: string, policy = "IfNotPresent") =>
    `${smallPod({ name: pod, image: name, more: `      imagePullPolicy: ${policy}` })}\n  imagePullSecrets: [${secrets}]\n---\n`;
  const objects = secret("right", "s3cret") + secret("wrong", "guess");
  const apply = (text: string) => host.podgen(["apply", host.spec("private.yaml", objects + text)]);
  const good = pod("one", "{ name: right }") + pod("two", "{ name: wrong }, { name: right }");

  for (const other of [pod("bad", ""), pod("bad", "{ name: wrong }")]) {
    registry.seen.length = 0;
    const refused = await apply(good + other);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /private\.yaml:\d+:\d+: error: [^\n]*\/private/);
    assert.equal(refused.stderr.match(/error: /g)?.length, 1, refused.stderr);
    assert.equal(registry.blobRequests(shared.layers[1]?.digest).length, 0, "no layer was asked for");
    assert.equal((await host.podgen(["status", "one"])).code, 1, "nothing was applied");
  }
  registry.seen.length = 0;
  assert.equal((await apply(good)).code, 0);
  // Whoever asks for it is refused first, and then says who he is.
  assert.equal(registry.blobRequests(shared.layers[1]?.digest).filter((s) => s.authorization === wanted).length, 1);
  for (const one of ["one", "two"]) assert.equal(await host.ok(["exec", one, "--", "cat", "/edition"]), "edition 3\n");
  registry.seen.length = 0;
  assert.equal((await apply(good + pod("three", "{ name: wrong }"))).code, 0, "as with Kubernetes, what is there is used");
  assert.equal(registry.seen.length, 0);
  const always = await apply(good + pod("three", "{ name: wrong }", "Always"));
  assert.equal(always.code, 1);
  assert.match(always.stderr, /login|401|unauthorized/i);
  registry.answer = () => false;
  await host.ok(["delete", "one", "two", "three"]);
});

test("without the registry: restarts run the same bytes; Never and IfNotPresent apply, Always is refused and disturbs nothing", async () => {
  await registry.stop();
  await host.ok(["restart", "web"]);
  assert.equal(await runs(), "edition 1\n", "the tag names another image by now, and the store has it");
  assert.ok(existsSync(`${host.session.home}/.local/share/podgen/storage/layers/${old.layers[1]?.diffId.slice(7)}`));
  const before = await host.incarnation("pod-web_app.service");
  const refused = await host.podgen(["apply", host.spec("web.yaml", `${spec("Always")}\n# changed`)]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /image-unreachable|ECONNREFUSED/);
  assert.equal(await host.incarnation("pod-web_app.service"), before);
  for (const policy of ["Never", "IfNotPresent"]) {
    await host.ok(["apply", host.spec("web.yaml", spec(policy))]);
    assert.equal(await runs(), "edition 2\n", "what the store has under the name");
  }
});

test("deleted, its images can go, and nothing of them is left", async () => {
  await host.ok(["delete", "web"]);
  await host.ok(["image", "prune", "--all"]);
  const usage = JSON.parse(await host.ok(["image", "df", "-o", "json"]));
  assert.deepEqual([usage.layers.count, usage.blobs.count, usage.downloads.count, usage.images], [0, 0, 0, []]);
});

test("podman's images: copied byte for byte; used where they are, as long as they are there; never removed", async () => {
  const { home } = host.session;
  const made = busyboxImage(
    layer([{ name: "bin/.wh.true" }, { name: "d/a", content: "a" }, { name: "d/b", content: "b" }]),
    layer([{ name: "d/.wh..wh..opq" }, { name: "d/c", content: "c\n" }]),
  );
  await writeLayout(`${home}/made`, { "": made });
  const sh = (script: string) => runOk(host.session.user, ["sh", "-c", script]);
  await sh("mkdir -p .config/containers && printf '[storage]\ndriver = \"overlay\"\n' > .config/containers/storage.conf");
  // skopeo keeps images by podman's own library, in podman's own store.
  const build = () => sh("skopeo --insecure-policy copy -q oci:made containers-storage:localhost/made:dev");
  await build();

  assert.equal(JSON.parse(await host.ok(["image", "inspect", "containers-storage:made:dev"])).Digest, made.digest);
  await host.ok(["image", "copy", "-q", "containers-storage:made:dev", `oci:${home}/out:x`]);
  const copied = readdirSync(`${home}/out/blobs/sha256`);
  for (const { diffId } of made.layers) assert.ok(copied.includes(diffId.slice(7)), "the layer's very tar");
  const refused = await host.podgen(["image", "copy", `oci:${home}/out:x`, "containers-storage:made:2"]);
  assert.match(refused.stderr, /writes nothing into podman's store/);

  const pod = (image: string) => host.spec("made.yaml", smallPod({ name: "made", image, more: "      imagePullPolicy: Never" }));
  await host.ok(["apply", pod("localhost/made:dev")]);
  assert.equal(await host.ok(["exec", "made", "--", "sh", "-c", "ls /d; test -e /bin/true || echo hidden"]), "c\nhidden\n");
  const layers = `${home}/.local/share/podgen/storage/layers`;
  for (const name of readdirSync(layers))
    assert.match(readlinkSync(`${layers}/${name}`), /\/containers\/storage\/overlay\/[0-9a-f]{64}\/diff$/);
  assert.match((await host.podgen(["image", "fsck", "--deep"])).stderr, /^no damage$/m);
  assert.match(await host.ok(["image", "ls", "-o", "wide"]), /localhost\/made:dev.* podman$/m);

  await sh("skopeo delete containers-storage:localhost/made:dev");
  const gone = await host.podgen(["apply", pod("localhost/made:dev")]);
  assert.equal(gone.code, 1, gone.stderr);
  assert.match(gone.stderr, /localhost\/made:dev: it was podman's, and podman has removed it/);
  await host.podgen(["restart", "made", "--timeout", "1s"]);
  await eventually("why it cannot start", async () => /podman has removed the image/.test(await host.log("pod-made_app.service")));

  await build();
  await host.ok(["delete", "made"]);
  await host.ok(["apply", pod("containers-storage:made:dev")]);
  assert.equal(await host.ok(["exec", "made", "--", "cat", "/d/c"]), "c\n");
  // What is committed is podgen's own, though it began with layers of podman's.
  await host.ok(["exec", "made", "--", "sh", "-c", "echo mine > /d/mine"]);
  await host.ok(["image", "commit", "-q", "made", "localhost/mine:1"]);
  assert.equal(await host.ok(["exec", "made", "--", "cat", "/d/c"]), "c\n", "and who runs on them goes on");
  await host.ok(["delete", "made"]);
  await sh("rm -rf out && skopeo --insecure-policy copy -q containers-storage:localhost/made:dev oci:out:x");
  await sh("skopeo delete containers-storage:localhost/made:dev");
  await host.ok(["apply", pod("localhost/mine:1")]);
  assert.equal(
    await host.ok(["exec", "made", "--", "sh", "-c", "cat /d/c /d/mine; test -e /bin/true || echo hidden"]),
    "c\nmine\nhidden\n",
  );
  assert.match((await host.podgen(["image", "fsck", "--deep"])).stderr, /^no damage$/m);
  await host.ok(["delete", "made"]);
  await host.ok(["image", "prune", "--all"]);
  assert.deepEqual(readdirSync(layers), []);
});
