// Podman's tar-split becomes podgen's recipe, record by record; what is neither is refused.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { recipeOf, recordsOf, TarSplitError } from "../../../src/host/image/containers/tar-split.js";

const records = (line: object) => Buffer.concat(recordsOf(JSON.stringify(line)));

test("a piece of the tar is taken as it is, in records of at most a MiB", () => {
  assert.deepEqual(records({ type: 2, payload: Buffer.from("head").toString("base64"), position: 0 }), Buffer.from("L\x04head"));
  assert.deepEqual(records({ type: 2, payload: "", position: 3 }), Buffer.alloc(0));
  const long = records({ type: 2, payload: Buffer.alloc((1 << 20) + 1).toString("base64"), position: 0 });
  assert.deepEqual(long.subarray(0, 4), Buffer.from([0x4c, 0x80, 0x80, 0x40]));
  assert.deepEqual(long.subarray(-3), Buffer.from([0x4c, 1, 0]));
});

test("a file's content is taken from its file, whatever bytes its name has", () => {
  assert.deepEqual(
    records({ type: 1, name: "./bin//sh", size: 300, payload: "AAAAAAAAAAA=" }),
    Buffer.from("F\x06bin/shD\x00\xac\x02", "latin1"),
  );
  const raw = Buffer.from([0x61, 0xff]);
  assert.deepEqual(records({ type: 1, name_raw: raw.toString("base64"), size: 1 }), Buffer.from("F\x02a\xffD\x00\x01", "latin1"));
  // A folder, a link, a whiteout.
  assert.deepEqual(records({ type: 1, name: "bin/.wh.true", payload: null, position: 3 }), Buffer.alloc(0));
});

test("what is no tar-split, or leads out of the layer, is refused", () => {
  for (const line of ["{", "[]", '{"type":3}', '{"type":1,"name":"a","size":-1}', '{"type":1,"name":"a/../../b","size":1}'])
    assert.throws(() => recordsOf(line), TarSplitError, line);
});

test("what cannot be read, or is cut off, is told to who reads on, however late that is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "podgen-split-"));
  const cut = join(folder, "cut.gz");
  await writeFile(cut, gzipSync(Buffer.from('{"type":2,"payload":"aGVhZA=="}\n'.repeat(5000))).subarray(0, 60));
  for (const [path, how] of [
    [join(folder, "none.gz"), { code: "ENOENT" }],
    [cut, TarSplitError],
  ] as const) {
    const recipe = recipeOf(path);
    assert.equal((await recipe.next()).value?.toString(), "podgen layer recipe 1\n");
    // Who takes it is podrt, which may have much to do first.
    await sleep(50);
    const rest = async () => {
      for await (const _ of recipe);
    };
    await assert.rejects(rest, how);
  }
  await rm(folder, { recursive: true });
});
