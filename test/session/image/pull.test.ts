// Real images from a real registry, an OCI layout and an archive of skopeo, unpacked by the real podrt.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { buildDriver } from "../../lib/driver.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore, there } from "../../lib/store.js";
import { image, randomLayer, writeLayout } from "../../lib/tiny-image.js";

const run = promisify(execFile);
const TIMEOUT = { timeout: 120_000 };
const USER = "podgen-img";
let folder: string;
let layout: string;
let registry: Registry;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-pull-"));
  layout = join(folder, "images");
  await run("test/harness/images.sh", [layout], { timeout: 600_000 });
  registry = await startRegistry();
  await registry.fill(layout, "nginx", "redis", "busybox=a/b/busybox:1.0");
});
after(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

async function storeFor(t: TestContext, change: Parameters<typeof makeStore>[0] = {}): Promise<TestStore> {
  // Real layers take longer than the deadlines of the fault tests allow.
  const store = await makeStore({ deadlines: {}, ...change });
  t.after(() => store.remove());
  return store;
}

/** What skopeo says of an image: the independent opinion. */
async function skopeo(reference: string): Promise<{ Digest: string; config: Record<string, unknown>; diffIds: string[] }> {
  const inspect = async (...words: string[]) =>
    JSON.parse((await run("skopeo", ["inspect", "--tls-verify=false", ...words, reference], TIMEOUT)).stdout);
  const config = await inspect("--config");
  return { Digest: (await inspect()).Digest, config: config.config, diffIds: config.rootfs.diff_ids };
}

test("an image from a registry: digest, configuration and layers as skopeo sees them; a shared layer comes once", TIMEOUT, async (t) => {
  const store = await storeFor(t);
  const facts = await store.images.inspect(`${registry.host}/nginx:latest`, "IfNotPresent");
  const wanted = await skopeo(`docker://${registry.host}/nginx:latest`);
  assert.equal(facts.digest, wanted.Digest);
  assert.deepEqual(facts.layers, wanted.diffIds);
  assert.deepEqual(facts.config.entrypoint, wanted.config["Entrypoint"]);
  assert.deepEqual(facts.config.env, wanted.config["Env"]);
  assert.equal(await store.images.has(facts), false);
  await store.images.ensure(facts, () => undefined);
  assert.equal(await store.images.has(facts), true);
  assert.ok(await there(join(store.layerPath(facts.layers[0] ?? ""), "usr/bin")));
  assert.ok(await there(join(store.layerPath(facts.layers[1] ?? ""), "usr/sbin/nginx")));

  const steps = await store.pull(`${registry.host}/redis:latest`);
  assert.deepEqual(
    steps.filter((s) => s.layer === facts.layers[0]).map((s) => s.phase),
    ["present"],
  ); // prettier-ignore
  const pinned = await store.images.inspect(
    `${registry.host}/a/b/busybox@${(await skopeo(`docker://${registry.host}/a/b/busybox:1.0`)).Digest}`,
    "Always",
  );
  await store.images.ensure(pinned, () => undefined);
  assert.deepEqual(await store.leftovers(), []);
  const gone = await imageError(store.images.inspect(`${registry.host}/nginx:nope`, "IfNotPresent"));
  assert.equal(gone.code, "image-not-found");
  assert.match(gone.message, /MANIFEST_UNKNOWN/);
});

test("a private registry: no login, a wrong one, the right one of each file", TIMEOUT, async (t) => {
  const secret = await startRegistry({ auth: "alice:correct horse" });
  t.after(() => secret.stop());
  await secret.fill(layout, "busybox");
  const reference = `${secret.host}/busybox:latest`;
  const store = await storeFor(t);
  assert.equal((await imageError(store.images.inspect(reference, "Always"))).code, "image-unauthorized");
  const login = async (file: string, password: string) => {
    await mkdir(join(store.folder, file, ".."), { recursive: true });
    const auth = Buffer.from(`alice:${password}`).toString("base64");
    await writeFile(join(store.folder, file), JSON.stringify({ auths: { [secret.host]: { auth } } }));
  };
  await login("containers/auth.json", "wrong-battery");
  const wrong = await imageError(store.again().inspect(reference, "Always"));
  assert.equal(wrong.code, "image-unauthorized");
  assert.doesNotMatch(`${wrong.message} ${wrong.hint} ${wrong.stack}`, /battery|YWxpY2U6/);
  await rm(join(store.folder, "containers"), { recursive: true });
  await login(".docker/config.json", "correct horse");
  assert.match((await store.again().inspect(reference, "Always")).digest, /^sha256:/);
  await login("mine.json", "correct horse");
  await rm(join(store.folder, ".docker"), { recursive: true });
  const env = { ...store.options.env, REGISTRY_AUTH_FILE: join(store.folder, "mine.json") };
  const images = store.again({ env });
  await images.ensure(await images.inspect(reference, "Always"), () => undefined);
});

test("HTTPS: refused without its authority, fine with it in certs.d", TIMEOUT, async (t) => {
  const secure = await startRegistry({ tls: true });
  t.after(() => secure.stop());
  await secure.fill(layout, "busybox");
  const store = await storeFor(t);
  const reference = `${secure.host}/busybox:latest`;
  const folder = join(store.folder, ".config/containers/certs.d", secure.host);
  await mkdir(folder, { recursive: true });
  const untrusted = await imageError(store.again().inspect(reference, "Always"));
  assert.equal(untrusted.code, "image-unreachable");
  assert.match(untrusted.hint ?? "", new RegExp(`certs\\.d/${secure.host}/ca\\.crt`));
  await cp(join(secure.dir, "ca.crt"), join(folder, "ca.crt"));
  const images = store.again();
  await images.ensure(await images.inspect(reference, "Always"), () => undefined);
});

test("an OCI layout: by name, the only one, none of several; a folder that has gone", TIMEOUT, async (t) => {
  const store = await storeFor(t);
  await store.pull(`oci:${layout}:nginx`);
  assert.equal((await store.images.inspect(`oci:${layout}:nginx`, "Never")).digest, (await skopeo(`oci:${layout}:nginx`)).Digest);
  for (const [reference, words] of [
    [`oci:${layout}`, /nginx, redis/],
    [`oci:${layout}:nope`, /nginx, redis/],
    [`oci:${folder}/absent`, /Check the path/],
  ] as const) {
    const error = await imageError(store.images.inspect(reference, "IfNotPresent"));
    assert.equal(error.code, "image-not-found");
    assert.match(error.hint ?? "", words);
  } // prettier-ignore
  const own = join(store.folder, "own");
  const old = image([randomLayer("a", 1000)]);
  await writeLayout(own, { "": old });
  await store.pull(`oci:${own}`);
  // Made anew, as a build does: what is there now counts, also for IfNotPresent; once it has gone, the store does.
  const newer = image([randomLayer("b", 1000)]);
  await writeLayout(own, { "": newer });
  assert.equal((await store.images.inspect(`oci:${own}`, "IfNotPresent")).digest, newer.digest);
  await rm(own, { recursive: true });
  assert.equal((await store.images.inspect(`oci:${own}`, "IfNotPresent")).digest, old.digest);
  assert.equal((await imageError(store.images.inspect(`oci:${own}`, "Always"))).code, "image-not-found");
});

test("a damaged layout: a blob with other bytes, one cut short, one that is not there, a damaged index", TIMEOUT, async (t) => {
  const store = await storeFor(t);
  const tiny = image([randomLayer("a", 100_000)]);
  const layer = tiny.layers[0];
  assert.ok(layer);
  const own = join(store.folder, "own");
  const blob = join(own, "blobs/sha256", layer.digest.slice(7));
  const wrong = Buffer.from(layer.blob);
  wrong[50_000] = (wrong[50_000] ?? 0) ^ 1;
  for (const [bytes, code] of [
    [wrong, "image-digest-mismatch"],
    [layer.blob.subarray(0, 50_000), "image-digest-mismatch"],
    [undefined, "image-bad"],
  ] as const) {
    await writeLayout(own, { x: tiny });
    if (bytes === undefined) await rm(blob);
    else await writeFile(blob, bytes);
    assert.equal((await imageError(store.pull(`oci:${own}:x`))).code, code);
    assert.equal(await there(store.layerPath(layer.diffId)), false);
    assert.deepEqual(await store.leftovers(), []);
  } // prettier-ignore
  await writeFile(join(own, "index.json"), "[]");
  assert.equal((await imageError(store.again().inspect(`oci:${own}:x`, "Always"))).code, "image-bad");
});

test("an archive of skopeo: by tag, short or full, alone, and what it does not have", TIMEOUT, async (t) => {
  const store = await storeFor(t);
  const file = join(folder, "nginx.tar");
  await run(
    "skopeo",
    ["--insecure-policy", "copy", "-q", `oci:${layout}:nginx`, `docker-archive:${file}:docker.io/library/nginx:1.27`],
    TIMEOUT,
  );
  const wanted = await skopeo(`oci:${layout}:nginx`);
  const digests = new Set<string>();
  for (const name of ["", ":nginx:1.27", ":docker.io/library/nginx:1.27", ":@0"]) {
    const facts = await store.images.inspect(`docker-archive:${file}${name}`, "IfNotPresent");
    assert.deepEqual(facts.layers, wanted.diffIds);
    assert.deepEqual(facts.config.cmd, wanted.config["Cmd"]);
    digests.add(facts.digest);
  }
  assert.equal(digests.size, 1, "one image, one digest");
  await store.pull(`docker-archive:${file}:nginx:1.27`);
  assert.ok(await there(join(store.layerPath(wanted.diffIds[1] ?? ""), "usr/sbin/nginx")));
  assert.deepEqual(await store.leftovers(), []);
  const other = await imageError(store.images.inspect(`docker-archive:${file}:redis`, "IfNotPresent"));
  assert.equal(other.code, "image-not-found");
  assert.match(other.hint ?? "", /docker\.io\/library\/nginx:1\.27/);
  assert.equal((await imageError(store.images.inspect("docker-archive:/nonexistent.tar", "Always"))).code, "image-not-found");
});

test("archives that are cut, compressed as a whole, or something else", TIMEOUT, async (t) => {
  const store = await storeFor(t);
  const file = join(store.folder, "a.tar");
  await run("skopeo", ["--insecure-policy", "copy", "-q", `oci:${layout}:busybox`, `docker-archive:${file}`], TIMEOUT);
  const { size } = await stat(file);
  await run("bash", ["-c", `head -c ${size - 600_000} a.tar > cut.tar; gzip -k a.tar; echo hello > text.tar; tar cf other.tar text.tar`], {
    cwd: store.folder,
  });
  for (const [name, words] of [
    ["cut.tar", /ends in the middle/],
    ["a.tar.gz", /compressed as a whole/],
    ["text.tar", /it lacks manifest\.json|no tar/],
    ["other.tar", /it lacks manifest\.json/],
  ] as const) {
    const error = await imageError(store.pull(`docker-archive:${join(store.folder, name)}`));
    assert.equal(error.code, "image-bad", name);
    assert.match(error.message, words);
  } // prettier-ignore
});

test("as an ordinary user: owners become subordinate ids, and all of it can be removed again", { timeout: 180_000 }, async (t) => {
  await run("test/harness/session.sh", ["start", USER], TIMEOUT);
  t.after(() => run("test/harness/session.sh", ["stop", USER, "--purge"], TIMEOUT));
  const program = await buildDriver();
  t.after(() => program.remove());
  // Users cannot look into the checkout: podrt goes where the driver is.
  const theirs = join(program.path, "../podrt");
  await cp(podrt, theirs);
  const home = (await run("getent", ["passwd", USER])).stdout.split(":")[5] ?? "";
  const data = join(home, ".local/share/podgen");
  const command = ["test/harness/session.sh", "run", USER, process.execPath];
  const end = await program.start(command, `${registry.host}/nginx:latest`, data, theirs).ended;
  assert.equal(end?.end, "ok", end?.message);
  assert.equal(end.has, true);
  const top = join(data, "storage/layers", (end.layers?.[1] ?? "").slice(7));
  const uid = Number((await run("id", ["-u", USER])).stdout);
  const subuid = Number(/^[^:]+:(\d+):/.exec((await run("grep", [`^${USER}:`, "/etc/subuid"])).stdout)?.[1]);
  assert.equal((await stat(join(top, "usr/sbin/nginx"))).uid, uid, "the image's root is the user");
  const foreign = Number((await run("find", [top, "!", "-user", USER, "-printf", "%U\\n", "-quit"])).stdout);
  assert.ok(foreign >= subuid && foreign < subuid + 65536, `${foreign} is one of the user's subordinate ids`);
  await run("test/harness/session.sh", ["run", USER, theirs, "rmtree", data], TIMEOUT);
  assert.equal(await there(data), false);
});
