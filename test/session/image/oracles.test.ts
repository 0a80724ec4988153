// umoci and skopeo as judges: they unpack and read what podgen writes, and podgen what they make.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import type { CopyWishes, ImageCopies } from "../../../src/ports/image-copy.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { makeStore, needPodrt, type TestStore } from "../../lib/store.js";

const run = promisify(execFile);
let folder: string;
let images: string;
let registry: Registry;
let store: TestStore;
let copies: ImageCopies;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-oracles-"));
  images = join(folder, "images");
  await run("test/harness/images.sh", [images], { timeout: 600_000 });
  [registry, store] = await Promise.all([startRegistry(), makeStore({ deadlines: {} })]);
  copies = createCopies({ ...store.options, settings: join(folder, "none") });
});
after(async () => {
  await store.remove();
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const here = (name: string) => join(folder, name);
const remote = (name: string) => `docker://${registry.host}/${name}`;
const copy = (from: string, to: string, wishes: Partial<CopyWishes> = {}) =>
  copies.copy(from, to, { all: false, preserve: false, ...wishes }, () => undefined);
const umoci = (...words: string[]) => run("umoci", words, { maxBuffer: 1 << 24, timeout: 60_000 });
const skopeo = async (...words: string[]) =>
  (
    await run("skopeo", [words[0] ?? "", ...(words[0] === "inspect" ? ["--tls-verify=false"] : []), ...words.slice(1)], {
      maxBuffer: 1 << 24,
    })
  ).stdout;

/** What umoci made of an image, as awkward.list has it (test/harness/images/awkward.sh). */
async function unpacked(place: string, name: string, ...options: string[]): Promise<string[]> {
  await umoci("unpack", ...options, "--image", place, here(name));
  const records = String.raw`find . -mindepth 1 -path ./bin -prune -o \( -type d -printf '%y %m %U %G - - - - %P\0' -o -printf '%y %m %U %G %n %s %T@ %l %P\0' \)`;
  const { stdout } = await run("bash", ["-c", `cd "$1" && ${records} | LC_ALL=C sort -z`, "-", here(`${name}/rootfs`)], {
    maxBuffer: 1 << 24,
  });
  return stdout.split("\0");
}

test("umoci unpacks what podgen has written, compressed anew or not, to the tree it makes of the original, also rootless", async () => {
  const wanted = (await readFile(join(images, "awkward.list"), "utf8")).split("\0");
  assert.ok(wanted.length > 30, "there is something to compare");
  await copy(`oci:${images}:awkward`, remote("o/awkward:1"));
  // umoci knows no zstd, of which one layer is.
  await copy(remote("o/awkward:1"), `oci:${here("written")}:gzip`, { compression: "gzip" });
  assert.deepEqual(await unpacked(`${here("written")}:gzip`, "gzip"), wanted);
  // Out of podgen's store, whose layers are unpacked; without root owners are not what they were.
  await copy(remote("o/awkward:1"), "store:localhost/awkward:1");
  await copy("store:localhost/awkward:1", `oci:${here("written")}:stored`);
  await unpacked(`${here("written")}:stored`, "stored", "--rootless");
  const names = async (name: string) =>
    (await run("bash", ["-c", "cd $1 && find . ! -type d -print0 | LC_ALL=C sort -z | sha256sum", "-", here(`${name}/rootfs`)])).stdout;
  assert.equal(await names("stored"), await names("gzip"));
});

test("an image that umoci has made: podgen copies it, pulls it into its store, and skopeo agrees on what it is", async () => {
  await umoci("init", "--layout", here("umoci"));
  await umoci("new", "--image", `${here("umoci")}:made`);
  await umoci("unpack", "--rootless", "--image", `${here("umoci")}:made`, here("bundle"));
  await mkdir(here("bundle/rootfs/etc"), { recursive: true });
  await writeFile(here("bundle/rootfs/etc/made-by"), "umoci");
  await umoci("repack", "--image", `${here("umoci")}:made`, here("bundle"));
  await umoci(
    "config",
    "--image",
    `${here("umoci")}:made`,
    "--config.cmd=/bin/true",
    "--config.env=A=b",
    "--manifest.annotation=made=by umoci",
  );
  const { digest } = await copy(`oci:${here("umoci")}:made`, remote("o/made:1"), { preserve: true });
  const [theirs, ours] = [
    JSON.parse(await skopeo("inspect", remote("o/made:1"))),
    await copies.inspect(remote("o/made:1"), { raw: false }),
  ];
  assert.deepEqual([theirs.Digest, theirs.Env.includes("A=b")], [digest, true]);
  assert.deepEqual(
    theirs.Layers,
    ours.image?.layers.map((l) => l.digest),
  );
  assert.equal(JSON.parse(Buffer.from(ours.manifest).toString()).annotations.made, "by umoci");
  await copy(remote("o/made:1"), "store:localhost/made:1");
  const facts = await store.images.inspect("localhost/made:1", "Never");
  assert.deepEqual([facts.config.cmd, facts.digest], [["/bin/true"], digest]);
  assert.equal(await readFile(join(store.layerPath(facts.layers.at(-1) ?? ""), "etc/made-by"), "utf8"), "umoci");
  // And on from podgen's copy of it umoci can go.
  await copy(remote("o/made:1"), `oci:${here("on")}:made`);
  await umoci("unpack", "--rootless", "--image", `${here("on")}:made`, here("on-bundle"));
  await writeFile(here("on-bundle/rootfs/etc/second"), "layer");
  await umoci("repack", "--image", `${here("on")}:more`, here("on-bundle"));
  await copy(`oci:${here("on")}:more`, "store:localhost/made:2");
  assert.equal((await store.images.inspect("localhost/made:2", "Never")).layers.length, facts.layers.length + 1);
});

test("what skopeo has made of an image is that image in podgen's store: layouts, folders, archives of both kinds, zstd", async () => {
  const source = `oci:${images}:busybox`;
  const wanted = JSON.parse(await skopeo("inspect", "--config", source)).rootfs.diff_ids;
  const places: readonly [string, ...string[]][] = [
    [`oci:${here("sk.oci")}:n`],
    [`dir:${here("sk.dir")}`],
    [`dir:${here("sk.v2s2")}`, "--format", "v2s2"],
    [`docker-archive:${here("sk.docker.tar")}:localhost/b:1`],
    [`oci-archive:${here("sk.tar")}:n`],
    [`oci:${here("sk.zstd")}:n`, "--dest-compress-format", "zstd", "--dest-compress"],
  ];
  for (const [i, [place, ...options]] of places.entries()) {
    await skopeo("copy", "-q", ...options, source, place);
    await copy(place, `store:localhost/sk:${i}`);
    assert.deepEqual((await store.images.inspect(`localhost/sk:${i}`, "Never")).layers, wanted, place);
  }
  assert.deepEqual(await store.manage.fsck({ deep: true, repair: false, pinned: [], running: new Map() }), []);
});
