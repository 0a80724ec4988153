// Copies of layers for pods with user namespaces of their own: podrt killed in the middle, several at once, prune meanwhile and afterwards.
import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { prune } from "../../../src/host/image/prune.js";
import { OddRegistry } from "../../lib/odd-registry.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore } from "../../lib/store.js";
import { image, layer } from "../../lib/tiny-image.js";

const FILES = 3000;
/** The user alone: the tests' root may have no subordinate ids. */
const MAPS = { mode: "auto", uids: [[0, 0, 1]], gids: [[0, 0, 1]] } as const;

const big = image([layer(Array.from({ length: FILES }, (_, i) => ({ name: `f${i}`, content: `content ${i}` })))]);
const diffId = big.layers[0]?.diffId ?? "";
const nameOf = (map: string) => `${diffId.slice(7)}-${map.repeat(16)}`;
const wish = (map: string) => new Map([[diffId, nameOf(map)]]);

let registry: OddRegistry;
let store: TestStore;
let folder: string;
before(async () => {
  await needPodrt();
  registry = await new OddRegistry().start();
  store = await makeStore();
  folder = join(store.options.data, "storage/shifted");
  await store.pull(registry.add("big", big));
});
after(async () => {
  await store.remove();
  await registry.stop();
});

const names = () => readdir(folder).catch((): string[] => []);
const count = async (name: string) => (await readdir(join(folder, name))).length;
const pruned = (shifted: readonly string[], wait: number) =>
  prune({ data: store.options.data, podrt, env: store.options.env, needs: async () => ({ pinned: [], shifted }) }, wait);

/** The podrt that copies for this map, stopped in the middle. */
async function stopped(map: string): Promise<number> {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = (await names()).find((name) => name.startsWith(`${nameOf(map)}.tmp-`));
    const pid = Number(found?.split("-").at(-1));
    if (pid > 0) {
      process.kill(pid, "SIGSTOP");
      return pid;
    }
    assert.ok(performance.now() < end, "no copy began");
    await new Promise((wake) => setImmediate(wake));
  }
}

test("podrt is killed in the middle: nothing counts as there; meanwhile prune keeps away, and who waited clears up and does it anew", async () => {
  const first = imageError(store.images.shift(wish("a"), MAPS));
  const pid = await stopped("a");
  const left = await names();
  assert.deepEqual([left.length, left[0]?.includes(".tmp-")], [1, true]);
  const second = store.again().shift(wish("a"), MAPS);
  assert.equal(await pruned([], 0), undefined, "a copy is under way");
  await store.again().dropShifted(new Set());
  assert.deepEqual(await names(), left);
  process.kill(pid, "SIGKILL");
  assert.equal((await first).code, "image-store");
  await second;
  assert.deepEqual(await names(), [nameOf("a")]);
  assert.equal(await count(nameOf("a")), FILES);
  assert.equal(await readFile(join(folder, nameOf("a"), `f${FILES - 1}`), "utf8"), `content ${FILES - 1}`);
});

test("two at once: one copies, the other waits and finds it; what is there costs nothing", async () => {
  const counting = join(store.folder, "podrt");
  await writeFile(counting, `#!/bin/bash\n[[ " $* " != *" --shift "* ]] || echo x >> ${store.folder}/copies\nexec ${podrt} "$@"\n`);
  await chmod(counting, 0o755);
  const copies = async () => (await readFile(join(store.folder, "copies"), "utf8")).length / 2;
  const two = [1, 2].map(() => store.again({ podrt: counting }));
  await Promise.all(two.map((images) => images.shift(wish("b"), MAPS)));
  assert.equal(await copies(), 1);
  await two[0]?.shift(wish("b"), MAPS);
  assert.equal(await copies(), 1);
  assert.equal(await count(nameOf("b")), FILES);
});

test("prune keeps what a pod uses and what is young, the end of an apply only what is used; leftovers of killed ones go", async () => {
  await pruned([nameOf("a")], 5000);
  assert.deepEqual((await names()).sort(), [nameOf("a"), nameOf("b")], "an apply may be about to name it");
  await mkdir(join(folder, `${nameOf("a")}.tmp-1/x`), { recursive: true });
  await mkdir(join(folder, ".gone-000000000000/x"), { recursive: true });
  await store.images.dropShifted(new Set([nameOf("a")]));
  assert.deepEqual(await names(), [nameOf("a")]);
  assert.equal(await count(nameOf("a")), FILES, "whole");
  await store.images.dropShifted(new Set());
  assert.deepEqual(await names(), []);
});
