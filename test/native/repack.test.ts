// podrt repack: what podrt layer unpacked is packed again to the very bytes it came from, whoever made them; and damage is found.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type TarEntry, tar } from "./tar.js";

const podrt = resolve(process.env["PODRT"] ?? join(process.env["PODGEN_TEST_DIST"] ?? "dist", "podrt"));
let work: string;
let made = 0;

before(() => {
  work = mkdtempSync(join(tmpdir(), "repack-"));
});
after(() => rmSync(work, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

function run(words: readonly string[], input: Uint8Array = new Uint8Array()): { code: number | null; out: Buffer; err: string } {
  const r = spawnSync(podrt, words, { input, maxBuffer: 1 << 28 });
  return { code: r.status, out: r.stdout, err: r.stderr.toString() };
}

interface Layer {
  readonly dir: string;
  readonly recipe: string;
  readonly told: { diffId: string; size: number; tree: string; recipe: boolean };
}

/** Unpacks with a recipe. */
function unpack(blob: Uint8Array): Layer {
  const dir = join(work, `layer-${made++}`);
  const recipe = `${dir}.recipe`;
  const { code, out, err } = run(["layer", "--dest", dir, "--recipe", recipe], blob);
  assert.equal(code, 0, err);
  return { dir, recipe, told: JSON.parse(out.toString()) };
}

const repack = (l: Layer, ...words: string[]) => run(["repack", "--layer", l.dir, "--recipe", l.recipe, ...words]);
const check = (l: Layer) => run(["repack", "--layer", l.dir, "--check"]);

/** Unpacked and packed again, the bytes are the same, and so is what is said of them. */
function same(archive: Buffer, blob: Uint8Array = archive): Layer {
  const l = unpack(blob);
  assert.deepEqual([l.told.recipe, l.told.diffId, l.told.size], [true, sha256(archive), archive.length]);
  const { code, out, err } = repack(l, "--diff-id", l.told.diffId);
  assert.equal(code, 0, err);
  assert.ok(out.equals(archive), "the same bytes");
  const found = JSON.parse(repack(l, "--check").out.toString());
  assert.deepEqual([found.diffId, found.size, found.tree], [l.told.diffId, l.told.size, l.told.tree]);
  return l;
}

const file = (name: string, data: string | Uint8Array): TarEntry => ({ name, data });
const large = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 7919) & 0xff));

describe("the same bytes", () => {
  const cases: readonly [string, TarEntry[]][] = [
    ["nothing but its end", []],
    ["an empty file, and one of a byte", [file("e", ""), file("one", "1")]],
    ["files longer than a block of the stream", [file("big", large), file("d/again", large), file("z", "z")]],
    [
      "links, folders, a fifo, a device",
      [
        file("f", "x"),
        { name: "h", type: "1", link: "f" },
        { name: "s", type: "2", link: "f" },
        { name: "p", type: "6" },
        { name: "c", type: "3" },
      ],
    ],
    ["whiteouts", [file(".wh.gone", "with content"), file("d/.wh..wh..opq", ""), file("d/x", "x")]],
    [
      "names of pax, attributes, times",
      [{ name: "short", data: "x", pax: { path: `${"long/".repeat(40)}name`, mtime: "1.5", "SCHILY.xattr.user.a": "b" } }],
    ],
    [
      "a file below a symlink of the layer",
      [{ name: "real", type: "5" }, { name: "way", type: "2", link: "real" }, file("way/f", "through")],
    ],
  ];
  for (const [what, entries] of cases) it(what, () => void same(tar(entries)));
  it("compressed, and with a tail behind the end of the tar", () => {
    const archive = Buffer.concat([tar([file("a", "x".repeat(700))]), Buffer.alloc(9000), Buffer.from("not zeros")]);
    same(archive, gzipSync(archive));
  });
  it("a tar that ends with the content of its last file, as umoci insert writes it, and not a byte before", () => {
    const whole = tar([file("a", "x"), file("last", "y".repeat(1000))]);
    const end = whole.length - 1024 - 24;
    const l = same(whole.subarray(0, end), gzipSync(whole.subarray(0, end)));
    assert.equal(readFileSync(join(l.dir, "last"), "utf8"), "y".repeat(1000));
    same(whole.subarray(0, end + 10));
    const short = run(["layer", "--dest", join(work, "short")], whole.subarray(0, end - 1));
    assert.equal(short.code, 125);
    assert.match(short.err, /last: Truncated/);
  });
  for (const format of ["gnu", "pax", "ustar", "oldgnu", "v7"])
    it(`GNU tar, --format=${format}, sparse files where it has them`, () => {
      const dir = join(work, format);
      mkdirSync(dir);
      execFileSync("bash", [
        "-euc",
        `cd "$1"; seq 100000 > seq; ln seq hard; truncate -s 2M hole; echo end >> hole; mkdir d; echo x > d/$(printf 'n%.0s' {1..90}); ln -s seq s`,
        "bash",
        dir,
      ]);
      const sparse = ["gnu", "oldgnu", "pax"].includes(format) ? ["-S"] : [];
      execFileSync("tar", ["-C", dir, `--format=${format}`, ...sparse, "-cf", `${dir}.tar`, "."]);
      const l = same(readFileSync(`${dir}.tar`));
      assert.ok(readFileSync(l.recipe).length < 60_000, "contents are not in the recipe");
    });
});

describe("what cannot be packed again, or is no more what it was", () => {
  it("a name that comes twice: no recipe, and it is said", () => {
    const l = unpack(tar([file("a", "1"), file("a", "2")]));
    assert.equal(l.told.recipe, false);
    assert.equal(existsSync(l.recipe), false);
  });
  it("a recipe that is there already is not written over", () => {
    const l = same(tar([file("a", "1")]));
    const { code, err } = run(["layer", "--dest", join(work, "other"), "--recipe", l.recipe], tar([]));
    assert.equal(code, 125);
    assert.match(err, /recipe: .*File exists/);
    assert.equal(repack(l).code, 0);
  });
  const harm: readonly [string, (l: Layer) => void, RegExp, boolean][] = [
    [
      "content of the same length and time",
      (l) => {
        writeFileSync(join(l.dir, "d/f"), "hEllo");
        utimesSync(join(l.dir, "d/f"), 1_000_000_000, 1_000_000_000);
      },
      /altered: the layer packs to sha256:/,
      false,
    ],
    ["content", (l) => writeFileSync(join(l.dir, "d/f"), "hEllo"), /altered/, true],
    ["a file cut short", (l) => writeFileSync(join(l.dir, "d/f"), "he"), /altered: d\/f is shorter/, true],
    ["a file that is gone", (l) => rmSync(join(l.dir, "d/f")), /altered: d\/f is gone/, true],
    ["a folder that is gone", (l) => rmSync(join(l.dir, "d"), { recursive: true }), /altered: d\/f is gone/, true],
  ]; // prettier-ignore
  for (const [what, damage, message, shallow] of harm)
    it(what, () => {
      const l = unpack(tar([{ name: "d", type: "5" }, file("d/f", "hello")]));
      damage(l);
      const { code, err } = repack(l, "--diff-id", l.told.diffId);
      assert.equal(code, 125);
      assert.match(err, message);
      assert.equal(JSON.parse(check(l).out.toString()).tree !== l.told.tree, shallow, "seen without reading contents");
    });
  for (const [what, damage] of [
    ["a mode", (dir: string) => chmodSync(join(dir, "f"), 0o777)],
    ["a file too many", (dir: string) => writeFileSync(join(dir, "new"), "")],
    ["a time", (dir: string) => utimesSync(join(dir, "f"), 5, 5)],
    ["an attribute", (dir: string) => execFileSync("setfattr", ["-n", "user.x", "-v", "1", join(dir, "f")])],
  ] as const)
    it(`${what}: seen in the tree, as the tar does not tell`, () => {
      const l = same(tar([file("f", "x")]));
      damage(l.dir);
      assert.notEqual(JSON.parse(check(l).out.toString()).tree, l.told.tree);
    });
  it("words that make no sense", () => {
    for (const words of [[], ["--layer", work], ["--layer", work, "--check", "--diff-id", "x"], ["--layer", work, "--recipe", "x", "more"]])
      assert.equal(run(["repack", ...words]).code, 64, words.join(" "));
  });
});
