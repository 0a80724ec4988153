// Only ordinary files are read of folders that others have made, and never more than is wanted.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { filesOf } from "../../src/host/image/files.js";

const folder = mkdtempSync(join(tmpdir(), "podgen-regular-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const files = filesOf(folder, false);

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

test("a file is read whole up to its limit, and from an offset on", async () => {
  writeFileSync(join(folder, "index.json"), "12345");
  assert.equal(Buffer.from((await files.read("index.json", 5)) ?? []).toString(), "12345");
  assert.equal(await files.read("index.json", 4), undefined);
  assert.equal(await whole(files.stream("index.json", 3)), "45");
  await assert.rejects(files.read("none", 5), { code: "ENOENT" });
  await assert.rejects(whole(files.stream("none", 0)), { code: "ENOENT" });
});

test("a file whose size is said to be 0 has its limit, too", async () => {
  symlinkSync("/proc/self/status", join(folder, "proc"));
  assert.match(Buffer.from((await files.read("proc", 65536)) ?? []).toString(), /^Name:/);
  assert.equal(await files.read("proc", 10), undefined);
});

test("a device without end and a pipe that nobody writes to are refused at once", { timeout: 20_000 }, async () => {
  symlinkSync("/dev/zero", join(folder, "zero"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  for (const name of ["zero", "pipe"]) {
    await assert.rejects(files.read(name, 1000), /no ordinary file/, name);
    await assert.rejects(whole(files.stream(name, 0)), /no ordinary file/, name);
  }
});
