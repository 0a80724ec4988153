// Images that mean harm, or are broken by accident: what they say they are, how their layers are packed, how many files they have, where these want to go.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createCopies } from "../../../src/host/image/copy/index.js";
import { createImages } from "../../../src/host/image/index.js";
import { MANIFEST, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError, podrt, there } from "../../lib/store.js";
import { image, layer, sha256, type TinyFile, type TinyLayer, tar } from "../../lib/tiny-image.js";

const odd = oddSetUp();
const INDEX = "application/vnd.oci.image.index.v1+json";

/** The error of a pull, and that of a copy, of what the registry has as odd:latest. */
async function refusals(bytes: Buffer, type: string): Promise<string[]> {
  const reference = odd.registry.addManifest("odd", bytes, type);
  const copies = createCopies({ ...odd.store.options, settings: join(odd.store.folder, "none") });
  const pulled = await imageError(odd.store.pull(reference));
  const copied = await copies
    .copy(`docker://${reference}`, `oci:${odd.store.folder}/out`, { all: true, preserve: false }, () => undefined)
    .then(
      () => "copied",
      (error) => error,
    );
  return [pulled, copied].map((error) => (typeof error === "string" ? error : `${error.code}: ${error.message}`));
}

test("what is called one thing and is another: index and manifest, by header, by descriptor, by both shapes at once", async () => {
  const manifest = JSON.parse(odd.tiny.manifest.toString());
  const entry = { mediaType: MANIFEST, digest: odd.tiny.digest, size: odd.tiny.manifest.length };
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [entry] };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const inner = json({ ...index, manifests: [{ ...entry, platform: { os: "linux", architecture: "amd64" } }] });
  odd.registry.addManifest("odd", inner, INDEX);
  const { mediaType: _, ...untyped } = manifest;
  const cases: readonly [Buffer, string, RegExp][] = [
    [odd.tiny.manifest, INDEX, /called an index, and is the manifest/],
    [json(index), MANIFEST, /called the manifest of an image, and is an index/],
    [json({ ...index, mediaType: MANIFEST }), INDEX, /called the manifest of an image, and is an index/],
    [json({ ...untyped, manifests: [entry] }), MANIFEST, /may be taken for either/],
    [json({ ...untyped, manifests: [entry] }), INDEX, /may be taken for either/],
    [
      json({ ...index, manifests: [{ ...entry, digest: sha256(inner), size: inner.length }] }),
      INDEX,
      /called the manifest of an image, and is an index/,
    ],
  ];
  for (const [bytes, type, what] of cases)
    for (const said of await refusals(bytes, type)) assert.match(said, new RegExp(`^image-bad: .*${what.source}`), bytes.toString());
  await odd.absent("any");
});

test("kinds nobody knows: of a layer, of a configuration, of the manifest; a copy of an artifact is none of podgen's business", async () => {
  const manifest = JSON.parse(odd.tiny.manifest.toString());
  const changed = (change: object) => Buffer.from(JSON.stringify({ ...manifest, ...change }));
  const [first, ...rest] = manifest.layers;
  const odds: readonly [object, RegExp][] = [
    [
      { layers: [{ ...first, mediaType: "application/vnd.example.layer" }, ...rest] },
      /a layer is of the unknown kind application\/vnd\.example\.layer/,
    ],
    [
      { config: { ...manifest.config, mediaType: "application/vnd.cncf.helm.config.v1+json" } },
      /not a container image, its configuration is .*helm/,
    ],
    [{ config: { ...manifest.config, digest: "md5:0" } }, /digest of a configuration is not sha256/],
    [{ layers: [{ ...first, size: -1 }] }, /size of a layer is not a number/],
    [{ layers: [{ ...first, size: 1e30 }] }, /size of a layer is not a number/],
    [{ layers: [{ ...first, digest: "sha256:../../../etc/passwd" }] }, /digest of a layer is not sha256/],
  ];
  for (const [change, what] of odds) assert.match((await refusals(changed(change), MANIFEST))[0] ?? "", what);
  assert.deepEqual((await refusals(changed({ artifactType: "application/x", ...odds[1]?.[0] }), MANIFEST))[1], "copied");
  const odder = await refusals(changed({ mediaType: "application/vnd.example.manifest" }), "application/vnd.example.manifest");
  assert.match(odder[0] ?? "", /unknown kind application\/vnd\.example\.manifest/);
});

/** A layer of these bytes as they are. */
const packed = (blob: Buffer, diffId: string, kind: string): TinyLayer => ({
  tar: blob,
  blob,
  digest: sha256(blob),
  diffId,
  mediaType: `application/vnd.oci.image.layer.v1.tar+${kind}`,
});

test("gzip and zstd that are cut, altered or followed by something else: the image's fault, and nothing of it stays", async () => {
  const whole = tar([{ name: "a", content: Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 3)) }]);
  const zstd = execFileSync(podrt, ["recode", "--to", "zstd"], { input: gzipSync(whole), maxBuffer: 1 << 24 });
  for (const [kind, good] of [
    ["gzip", gzipSync(whole)],
    ["zstd", zstd],
  ] as const) {
    const altered = Buffer.from(good);
    altered[good.length >> 1] = (altered[good.length >> 1] ?? 0) ^ 0x55;
    const bad = {
      cut: good.subarray(0, good.length >> 1),
      "cut at its end": good.subarray(0, -3),
      altered,
      "followed by more": Buffer.concat([good, Buffer.from("more of it")]),
      empty: Buffer.alloc(0),
      other: Buffer.from("this is no compressed file"),
    };
    for (const [what, blob] of Object.entries(bad)) {
      const one = packed(Buffer.from(blob), sha256(whole), kind);
      const error = await imageError(odd.store.pull(odd.registry.add("packed", image([one]))));
      assert.match(error.code, /^image-(?:bad|digest-mismatch)$/, `${kind} ${what}: ${error.message}`);
      assert.equal(await there(odd.store.layerPath(one.diffId)), false);
      assert.deepEqual(
        (await odd.store.leftovers()).filter((path) => !path.endsWith(".partial")),
        [],
        `${kind} ${what}`,
      );
    }
    await odd.store.pull(odd.registry.add(`good-${kind}`, image([packed(good, sha256(whole), kind)])));
    await odd.store.manage.untag(`${odd.registry.host}/good-${kind}:latest`);
    await odd.store.prune();
  }
});

test("names that lead out of the layer: refused or kept inside, and nothing outside is touched", async () => {
  const outside = join(odd.store.folder, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "file"), "as it was");
  const up = "../".repeat(12);
  const link = (name: string, to: string): TinyFile => ({ name, type: "2", link: to });
  const hard = (name: string, to: string): TinyFile => ({ name, type: "1", link: to });
  const out = outside.slice(1);
  const variants: readonly (readonly TinyFile[])[] = [
    [{ name: `${up}${out}/file`, content: "x" }],
    [{ name: `${outside}/new`, content: "x" }],
    [{ name: `a/../../${up}${out}/new`, content: "x" }],
    [link("a", outside), { name: "a/new", content: "x" }],
    [link("a", outside), { name: "a/file", content: "x" }],
    [link("a", outside), { name: "a/.wh.file" }],
    [link("a", outside), { name: "a/.wh..wh..opq" }],
    [link("a", `${outside}/file`), { name: "a", content: "x" }],
    [hard("a", `${up}${out}/file`), { name: "a", content: "x" }],
    [hard("a", `${outside}/file`), { name: "a", content: "x" }],
    [{ name: `.wh.${up}${out}` }],
    [{ name: ".wh..." }],
  ];
  for (const files of variants) {
    const one = layer(files);
    const error = await odd.store.pull(odd.registry.add("out", image([one]))).then(
      () => undefined,
      (e) => e,
    );
    assert.ok(error === undefined || error.code === "image-bad", `${JSON.stringify(files)}: ${error?.code} ${error?.message}`);
    assert.deepEqual(await readdir(outside), ["file"], JSON.stringify(files));
    assert.equal(execFileSync("cat", [join(outside, "file")], { encoding: "utf8" }), "as it was", JSON.stringify(files));
  }
});

/** The tar of empty files d0/0, d0/1, …: `perFolder` in each folder. */
function many(folders: number, perFolder: number, from = 0): Buffer {
  const block = Buffer.alloc(folders * (perFolder + 1) * 512);
  const [empty, folder] = [tar([{ name: "x" }]).subarray(0, 512), tar([{ name: "x", type: "5" }]).subarray(0, 512)];
  const sumOf = (header: Buffer) =>
    header.reduce((sum, byte) => sum + byte, 0) - "x".charCodeAt(0) - sumText(header.subarray(148, 156)) + 8 * 32;
  const sums = [sumOf(empty), sumOf(folder)];
  let at = 0;
  const put = (name: string, isFolder: boolean) => {
    (isFolder ? folder : empty).copy(block, at);
    block.write(name, at, "latin1");
    const sum = (sums[isFolder ? 1 : 0] as number) + sumText(Buffer.from(name));
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
    at += 512;
  };
  for (let f = from; f < from + folders; f++) {
    put(`d${f}/`, true);
    for (let i = 0; i < perFolder; i++) put(`d${f}/${i}`, false);
  }
  return block;
}
const sumText = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0);

test("an index that names one index many times, which does so too, is copied as often as it has members", async () => {
  const many = (bytes: Buffer, mediaType: string) => {
    const entry = { mediaType, digest: sha256(bytes), size: bytes.length };
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: Array.from({ length: 200 }, () => entry) }));
  };
  const inner = many(odd.tiny.manifest, MANIFEST);
  const middle = many(inner, INDEX);
  odd.registry.add("nest", odd.tiny);
  for (const bytes of [inner, middle]) odd.registry.addManifest("nest", bytes, INDEX);
  const reference = odd.registry.addManifest("nest", many(middle, INDEX), INDEX);
  const copies = createCopies({ ...odd.store.options, settings: join(odd.store.folder, "none") });
  await copies.copy(`docker://${reference}`, `dir:${odd.store.folder}/nest`, { all: true, preserve: false }, () => undefined);
  assert.ok(odd.registry.seen.filter((s) => s.path.includes("/manifests/")).length < 10, "and not eight million times");
});

test("a layer of over a million files ends at the limit, soon and within 64 MiB; one of a hundred thousand is fine", {
  timeout: 300_000,
}, async () => {
  // In memory: making that many files takes a disk many times as long as podrt.
  const shm = await mkdtemp("/dev/shm/podgen-many-");
  try {
    const bounded = join(shm, "podrt");
    await writeFile(bounded, `#!/bin/sh\nulimit -v 65536\nexec ${podrt} "$@"\n`);
    await chmod(bounded, 0o755);
    await writeFile(join(shm, "storage.json"), JSON.stringify({ layerLimits: { entries: 110_000 } }));
    const deadlines = { ...odd.store.options.deadlines, unpack: 120_000 };
    const images = createImages({ ...odd.store.options, data: join(shm, "data"), settings: shm, podrt: bounded, deadlines });
    const pull = async (reference: string) => images.ensure(await images.inspect(reference, "Always"), () => undefined);
    // The same 20,200 names 60 times: 1,212,000 entries in a small file.
    const part = gzipSync(many(200, 100), { level: 1 });
    const blob = Buffer.concat([...Array.from({ length: 60 }, () => part), gzipSync(Buffer.alloc(1024))]);
    const error = await imageError(pull(odd.registry.add("million", image([packed(blob, `sha256:${"0".repeat(64)}`, "gzip")]))));
    assert.equal(error.code, "image-bad", error.message);
    assert.match(error.message, /more than 110000 entries/);
    assert.deepEqual(await readdir(join(shm, "data/storage/layers")), []);
    const fine = Buffer.concat([many(1000, 100), Buffer.alloc(1024)]);
    const one = packed(gzipSync(fine, { level: 1 }), sha256(fine), "gzip");
    await pull(odd.registry.add("many", image([one])));
    assert.equal((await readdir(join(shm, "data/storage/layers", one.diffId.slice(7), "d999"))).length, 100);
  } finally {
    await rm(shm, { recursive: true, force: true });
  }
});
