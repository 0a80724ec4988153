// A prune asks what pods need once it is alone, and not before it waits for that.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { acquire } from "../../src/host/image/lock.js";
import { prune } from "../../src/host/image/prune.js";
import { Store } from "../../src/host/image/store.js";

const data = await mkdtemp(join(tmpdir(), "podgen-prune-"));
test.after(() => rm(data, { recursive: true, force: true }));

test("what an apply names in the manifest while it is waited for stays", async () => {
  const store = new Store(data);
  const diffId = `sha256:${"a".repeat(64)}`;
  const blob = async (content: object) => {
    const bytes = JSON.stringify(content);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await mkdir(join(store.root, "blobs/sha256"), { recursive: true });
    await writeFile(store.blob(digest), bytes);
    return digest;
  };
  const config = await blob({ rootfs: { diff_ids: [diffId] } });
  const digest = await blob({ config: { digest: config }, layers: [] });
  await mkdir(store.layer(diffId), { recursive: true });
  const applying = await acquire(store.storeLock, "shared", 1, () => true);
  let pinned: readonly string[] = [];
  let asked = 0;
  const needs = async () => {
    asked++;
    return { pinned };
  };
  assert.equal(await prune({ data, podrt: "/bin/false", env: process.env, needs }, 0), undefined, "somebody is at work");
  assert.equal(asked, 0, "and nothing is asked, or forgotten, before");
  const pruning = prune({ data, podrt: "/bin/false", env: process.env, needs }, 60_000);
  pinned = [digest];
  await applying?.release();
  assert.deepEqual(await pruning, { layers: [], blobs: 0 });
  assert.equal(asked, 1);
  assert.deepEqual(await readdir(join(store.root, "layers")), ["a".repeat(64)]);
});

test("where a record is damaged nothing is known to be needed by nobody, and nothing goes", async () => {
  const store = new Store(data);
  const layer = store.layer(`sha256:${"b".repeat(64)}`);
  await mkdir(layer, { recursive: true });
  for (const kind of ["images", "lists"]) {
    const path = join(store.root, kind, `${"c".repeat(64)}.json`);
    await mkdir(join(store.root, kind), { recursive: true });
    await writeFile(path, "{");
    const pruning = prune({ data, podrt: "/bin/false", env: process.env, needs: async () => ({ pinned: [] }) }, 0);
    await assert.rejects(pruning, new RegExp(`${kind}/c+\\.json is damaged: what its image needs cannot be told, so nothing is removed`));
    assert.ok((await readdir(join(store.root, "layers"))).includes("b".repeat(64)));
    await rm(path);
  }
});
