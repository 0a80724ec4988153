// Which image of podman's a name means, and where podman keeps its images.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseStoredName, type StoredName } from "../../../src/base/containers-storage.js";
import { pick } from "../../../src/host/image/containers/find.js";
import type { PodmanImage } from "../../../src/host/image/containers/records.js";
import { podmanStores } from "../../../src/host/image/containers/settings.js";
import { ImageError } from "../../../src/ports/images.js";

const digest = (of: string) => `sha256:${of.repeat(64)}`;
const image = (id: string, names: string[]): PodmanImage => ({
  store: { driver: "overlay", root: "/s" },
  id: id.padEnd(64, "0"),
  names,
  digests: [digest(id.slice(0, 1))],
});
const images = [
  image("abc1", ["docker.io/library/app:1", "localhost/other:1"]),
  image("abc2", ["localhost/app:1"]),
  image("dddd", ["quay.io/team/app:1"]),
];
const found = (text: string) => pick(parseStoredName(text) as StoredName, images, text)?.id.slice(0, 4);

test("by whole name, short name, id and digest", () => {
  assert.equal(found("docker.io/library/app:1"), "abc1");
  assert.equal(found("app:1"), "abc2");
  assert.equal(found("other:1"), "abc1");
  assert.equal(found("app:2"), undefined);
  assert.equal(found("abc1"), "abc1");
  assert.equal(found("@ddd"), "dddd");
  assert.equal(found("@eee"), undefined);
  assert.equal(found(`quay.io/team/app@${digest("d")}`), "dddd");
  assert.equal(found(`quay.io/team/other@${digest("d")}`), undefined, "the digest of another name");
  assert.equal(found(`@${digest("d")}`), "dddd");
  assert.throws(() => found("abc"), ImageError);
});

test("storage.conf says where, the user's own before the system's; without it, the data folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "podgen-stores-"));
  const home = join(folder, "home");
  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  const env = { HOME: home, USER: "ann" };
  const stores = async () => (await podmanStores(env, 1234, folder)).map((s) => `${s.driver}@${s.root.replace(folder, "")}`);
  try {
    assert.deepEqual(await stores(), [], "podman was never used");
    for (const root of ["home/.local/share/containers/storage", "data/1234/ann", "own", "more"])
      for (const driver of ["vfs", ...(root === "own" ? ["overlay"] : [])])
        await write(join(folder, root, `${driver}-images/images.json`), "[]");
    assert.deepEqual(await stores(), ["vfs@/home/.local/share/containers/storage"]);
    const system = `[storage]\ngraphroot = "/var/lib/containers/storage"\nrootless_storage_path = "${folder}/data/$UID/$USER"\n`;
    await write(join(folder, "etc/containers/storage.conf"), system);
    assert.deepEqual(await stores(), ["vfs@/data/1234/ann"], "the system's graphroot is root's");
    const own = `[storage]\ngraphroot = "${folder}/own"\n[storage.options]\nadditionalimagestores = ["${folder}/more", "${folder}/absent"]\n`;
    await write(join(home, ".config/containers/storage.conf"), own);
    assert.deepEqual(await stores(), ["overlay@/own", "vfs@/more"]);
    await write(join(home, ".config/containers/storage.conf"), `${own.replace("[storage]", '[storage]\ndriver = "vfs"')}`);
    assert.deepEqual(await stores(), ["vfs@/own", "vfs@/more"]);
    await write(join(home, ".config/containers/storage.conf"), "[storage\n");
    await assert.rejects(stores(), (error: ImageError) => error.code === "image-config");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
