// `dir:` folders: on disk before they count, and read without waiting for what is no file.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { DirContent, DirSink } from "../../src/host/image/copy/dir.js";
import { digestOf } from "../../src/host/image/resolve.js";
import { readLookaside } from "../../src/host/image/signatures/lookaside.js";
import { QUICK } from "../lib/store.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "podgen-dir-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const reference = (path: string) => ({ kind: "dir", text: `dir:${path}`, path }) as const;
const bytes = Buffer.from("{}");

/** The names of all that `work` has synced, as they were then. */
async function synced(work: () => Promise<void>): Promise<string[]> {
  const handle = await open(folder, "r");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = prototype;
  const names: string[] = [];
  prototype.sync = function (this: FileHandle) {
    names.push(basename(readlinkSync(`/proc/self/fd/${this.fd}`)));
    return sync.call(this);
  };
  try {
    await work();
  } finally {
    prototype.sync = sync;
  }
  return names;
}

test("all of it, signatures too, and the folder's own names are on disk before it gets its name", async () => {
  const sink = new DirSink(reference(join(folder, "made")));
  const names = await synced(async () => {
    await sink.manifest({ bytes, type: "" }, digestOf(bytes), true);
    const sign = await sink.signer([{ kind: "simple", message: Buffer.from([0x90]) }], true);
    await sign(digestOf(bytes));
    await sink.commit();
  });
  assert.deepEqual((await readdir(join(folder, "made"))).sort(), ["manifest.json", "signature-1", "version"]);
  assert.deepEqual(names.slice(0, 3), ["manifest.json", "signature-1", "version"]);
  assert.match(names[3] ?? "", /^\.made\.[0-9a-f]+\.tmp$/, "the folder, before it is renamed");
  assert.equal(names[4], basename(folder), "and the one around it");
});

test("a pipe in the place of a signature, a manifest or a version is refused, not waited for", { timeout: 20_000 }, async () => {
  const path = join(folder, "pipes");
  await mkdir(path);
  const pipe = (name: string) => execFileSync("mkfifo", [join(path, name)]);
  await writeFile(join(path, "manifest.json"), bytes);
  pipe("signature-1");
  await assert.rejects(new DirContent(reference(path)).signatures(digestOf(bytes)), /signature-1 cannot be read: EINVAL/);
  pipe("version");
  const sink = new DirSink(reference(path));
  await assert.rejects(sink.manifest({ bytes, type: "" }, digestOf(bytes), true), /a folder of something else/);
  await rm(join(path, "manifest.json"));
  pipe("manifest.json");
  assert.equal(await sink.holds(digestOf(bytes)), false);
  const hex = digestOf(bytes).slice(7);
  await mkdir(join(folder, `aside/app@sha256=${hex}`), { recursive: true });
  execFileSync("mkfifo", [join(folder, `aside/app@sha256=${hex}/signature-1`)]);
  const app = { kind: "registry", text: "r.example/app", host: "r.example", repository: "app" } as const;
  await assert.rejects(readLookaside(`file://${folder}/aside`, app, digestOf(bytes), { env: {}, deadlines: QUICK }), /EINVAL/);
});
