// Layers that are used where podman has them: checked byte for byte before they are, and replaced without a moment without them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, open, readdir, readlink, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, before, beforeEach, test } from "node:test";
import { Worker } from "node:worker_threads";
import { placeLayer } from "../../../src/host/image/layers.js";
import { createImageStore } from "../../../src/host/image/manage.js";
import { Store } from "../../../src/host/image/store.js";
import type { FsckWishes } from "../../../src/ports/image-store.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore } from "../../lib/store.js";
import { image, randomLayer, type TinyImage, type TinyLayer, writeLayout } from "../../lib/tiny-image.js";

const LOOK: FsckWishes = { deep: false, repair: false, pinned: [], running: new Map() };
let store: TestStore;
let made: TinyImage;
let place: string;

before(needPodrt);
beforeEach(async () => {
  store = await makeStore();
  place = join(store.folder, "podman");
  await writeFile(join(store.folder, "storage.conf"), `[storage]\ndriver = "overlay"\ngraphroot = "${place}"\n`);
  made = image([randomLayer("a", 10_000), randomLayer("b", 1000)]);
  await writeLayout(join(store.folder, "made"), { x: made });
  // skopeo keeps images by podman's own library.
  for (const name of ["localhost/made:dev", "127.0.0.1:1/made:dev"])
    execFileSync("skopeo", [
      "--insecure-policy",
      "copy",
      "-q",
      `oci:${store.folder}/made:x`,
      `containers-storage:[overlay@${place}+${store.folder}/run]${name}`,
    ]);
});
afterEach(async () => {
  // As root it makes a mount of its folder.
  execFileSync("sh", ["-c", 'umount "$1/overlay" 2>/dev/null || :', "sh", place]);
  await store.remove();
});

const withPodman = () => ({ ...store.options, env: { ...store.options.env, CONTAINERS_STORAGE_CONF: join(store.folder, "storage.conf") } });
const images = () => store.again(withPodman());
const fsck = (wishes: Partial<FsckWishes>) =>
  createImageStore({ ...withPodman(), settings: join(store.folder, "settings") }).fsck({ ...LOOK, ...wishes });
async function pull(reference: string, policy: "IfNotPresent" | "Never" = "Never") {
  const port = images();
  const facts = await port.inspect(reference, policy);
  await port.ensure(facts, () => undefined);
  return facts;
}

/** Another byte in a file of podman's, behind its time and size. */
async function damage(): Promise<void> {
  for (const id of await readdir(join(place, "overlay"))) {
    const path = join(place, "overlay", id, "diff/a");
    const was = await stat(path).catch(() => undefined);
    if (was === undefined) continue;
    const file = await open(path, "r+");
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 5000);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, 5000);
    await file.close();
    await utimes(path, was.atime, was.mtime);
    return;
  }
  throw new Error("podman has no such file");
}

test("a layer that is damaged in podman's store is neither linked nor copied", async () => {
  await damage();
  const error = await imageError(pull("localhost/made:dev"));
  assert.match(error.message, /podman's layer [0-9a-f]+ is damaged/);
  await assert.rejects(readlink(store.layerPath(made.layers[0]?.diffId ?? "")), /ENOENT/);
});

test("one that is damaged afterwards: fsck --deep finds it, and no repair approves it", async () => {
  await pull("localhost/made:dev");
  const link = store.layerPath(made.layers[0]?.diffId ?? "");
  assert.match(await readlink(link), /\/podman\/overlay\/[0-9a-f]+\/diff$/);
  await damage();
  const deep = await fsck({ deep: true });
  assert.deepEqual(
    deep.map((f) => f.kind),
    ["layer"],
  );
  assert.equal((await fsck({ deep: true, repair: true }))[0]?.mended, undefined);
  const again = await fsck({ deep: true });
  assert.deepEqual(
    again.map((f) => [f.kind, f.weight]),
    [["layer", "damage"]],
  );
});

test("where the policy asks more of a registry's name, podman's copy of that name is no answer", async () => {
  const name = "127.0.0.1:1/made:dev";
  const policy = (docker: string) =>
    writeFile(
      join(store.folder, ".config/containers/policy.json"),
      JSON.stringify({
        default: [{ type: "insecureAcceptAnything" }],
        transports: { docker: { "127.0.0.1:1": [{ type: docker, ...(docker === "signedBy" ? signer : {}) }] } },
      }),
    );
  const signer = { keyType: "GPGKeys", keyPath: "/nowhere.gpg" };
  await mkdir(join(store.folder, ".config/containers"), { recursive: true });
  await policy("insecureAcceptAnything");
  assert.equal((await pull(name, "IfNotPresent")).digest, made.digest);
  // The record is there by now, and of podman's.
  await policy("reject");
  assert.match((await imageError(pull(name, "IfNotPresent"))).message, /the policy rejects it/);
  assert.equal((await imageError(pull(name, "Never"))).code, "image-not-found");
  await policy("signedBy");
  assert.match((await imageError(pull(name, "IfNotPresent"))).message, /nowhere\.gpg/);
  // Who asks for that very place gets it.
  assert.equal((await pull(`containers-storage:${name}`)).digest, made.digest);
});

test("a folder takes a link's place in one step: nobody finds nothing there", async () => {
  const { diffId } = made.layers[0] as TinyLayer;
  const own = new Store(store.options.data);
  const path = own.layer(diffId);
  await pull("localhost/made:dev");
  const to = await readlink(path);
  const flag = new SharedArrayBuffer(4);
  const watcher = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     const { statSync } = require("node:fs");
     const flag = new Int32Array(workerData.flag);
     let missed = 0;
     parentPort.postMessage("on");
     while (Atomics.load(flag, 0) === 0) { try { statSync(workerData.path); } catch { missed++; } }
     parentPort.postMessage(missed);`,
    { eval: true, workerData: { path, flag } },
  );
  const said = () => new Promise((resolve) => watcher.once("message", resolve));
  await said();
  const note = { version: 1, size: 1, tree: made.digest, things: 1, recipe: false } as const;
  for (let i = 0; i < 60; i++) {
    const temporary = own.temporary(diffId);
    await mkdir(temporary);
    await placeLayer({ store: own, podrt, env: store.options.env }, diffId, temporary, note);
    assert.ok((await lstat(path)).isDirectory());
    // And back: the same the other way round.
    const link = own.temporary(diffId);
    await symlink(to, link);
    execFileSync(podrt, ["swap", link, path]);
    await rm(link, { recursive: true });
  }
  const missed = said();
  Atomics.store(new Int32Array(flag), 0, 1);
  assert.equal(await missed, 0);
  await watcher.terminate();
  assert.deepEqual(await store.leftovers(), []);
});
