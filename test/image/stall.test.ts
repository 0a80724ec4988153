// Helpers that stand still are ended, and who waits for them is told.
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { plainBody, recodedBody } from "../../src/host/image/copy/body.js";
import { folderTar, lookAt } from "../../src/host/image/repack.js";
import { digestOf } from "../../src/host/image/resolve.js";
import { shiftLayers } from "../../src/host/image/shift.js";
import { Store } from "../../src/host/image/store.js";

let folder: string;
let podrt: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "podgen-stall-"));
  podrt = join(folder, "podrt");
  await writeFile(podrt, "#!/bin/sh\nprintf some\nexec sleep 600\n");
  await chmod(podrt, 0o755);
});
after(() => rm(folder, { recursive: true, force: true }));

const LATE = { timeout: 30_000 };
const deadlines = { unpack: 200, whole: 200 };
const env = { PATH: process.env["PATH"] };
const all = async (pieces: AsyncIterable<Uint8Array>) => {
  for await (const _ of pieces);
};

test("podrt repack, which packs or looks", LATE, async () => {
  await assert.rejects(all(folderTar({ podrt, env, deadlines }, "/", "/none", "sha256:0")), /podrt repack stands still for 0\.2 s/);
  await assert.rejects(lookAt({ podrt, env, deadlines }, "/"), /podrt repack ended with SIGKILL/);
});

test("podrt layer --shift", LATE, async () => {
  const maps = { mode: "auto", uids: [[0, 1, 1]], gids: [[0, 1, 1]] } as const;
  const store = new Store(folder);
  const layers = new Map([[`sha256:${"0".repeat(64)}`, `${"0".repeat(64)}-${"0".repeat(16)}`]]);
  await assert.rejects(
    shiftLayers({ store, podrt, env, deadlines }, layers, maps as never),
    /cannot be copied: podrt layer ended with SIGKILL/,
  );
});

test("podrt recode, but not while its own source takes its time", LATE, async () => {
  const bytes = Buffer.from("layer");
  const known = { mediaType: "", digest: digestOf(bytes), size: bytes.length };
  const slow = async function* (from: number) {
    await sleep(700);
    yield bytes.subarray(from);
  };
  const body = (program: string, stall: number) =>
    recodedBody(
      plainBody(known, "x", slow, () => undefined),
      { podrt: program, to: "gzip", stall },
      "x",
    );
  const began = performance.now();
  await assert.rejects(all(body(podrt, 200).open(0)), /podrt recode stands still/);
  assert.ok(performance.now() - began > 800, "the source's time is not podrt's");
});
