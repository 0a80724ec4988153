// The store as a user has it: images that pods need stay, and a pod runs the very bytes it was applied with, whatever became of the registry.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { OddRegistry } from "../lib/odd-registry.js";
import { PodHost } from "../lib/pods.js";
import { busyboxImage } from "../lib/real-image.js";
import { smallPod } from "../lib/small-pod.js";
import { layer, type TinyImage } from "../lib/tiny-image.js";

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
