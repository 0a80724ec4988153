// podrt layer with archives nobody honest makes: nothing outside the folder is touched, and no half layer is left.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type TarEntry, tar } from "./tar.js";
import { type Outcome, runAs, type TestUser, userStart, userStop } from "./user.js";

let user: TestUser;
/** World-writable, with a file in it: where the archives try to get to. */
let prey: string;
let made = 0;

before(() => {
  user = userStart("pgn3");
  prey = mkdtempSync(join(tmpdir(), "prey-"));
  mkdirSync(join(prey, "folder"));
  writeFileSync(join(prey, "file"), "safe");
  for (const name of ["", "folder", "file"]) chmodSync(join(prey, name), name === "file" ? 0o666 : 0o777);
});
after(() => {
  rmSync(prey, { recursive: true, force: true });
  userStop(user);
});

function unpack(archive: Uint8Array, ...options: string[]): Outcome & { readonly dir: string } {
  const dir = join(user.home, `hostile-${made++}`);
  return { dir, ...runAs(user, [user.podrt, "layer", "--dest", dir, ...options], archive) };
}

function assertPreySafe(): void {
  assert.deepEqual(readdirSync(prey).sort(), ["file", "folder"]);
  assert.deepEqual(readdirSync(join(prey, "folder")), []);
  assert.equal(readFileSync(join(prey, "file"), "utf8"), "safe");
  assert.equal(lstatSync(join(prey, "file")).nlink, 1);
  assert.ok(!existsSync("/tmp/evil"));
}

/** Refused in one line that fits, and nothing is left: neither the folder nor the one in the making. */
function refused(archive: Uint8Array, message: RegExp, ...options: string[]): void {
  const result = unpack(archive, ...options);
  assert.equal(result.code, 125, result.stderr + result.stdout);
  assert.match(result.stderr, message);
  assert.equal(result.stderr.trim().split("\n").length, 1, result.stderr);
  assert.equal(result.stdout, "");
  assert.deepEqual(
    readdirSync(user.home).filter((name) => name.includes("hostile")),
    [],
  );
  assertPreySafe();
}

/** Accepted; gives the folder, which is removed afterwards. */
function accepted(archive: Uint8Array, look: (dir: string) => void): void {
  const result = unpack(archive);
  try {
    assert.equal(result.code, 0, result.stderr);
    assertPreySafe();
    look(result.dir);
  } finally {
    rmSync(result.dir, { recursive: true, force: true });
  }
}

const file = (name: string, data = "evil"): TarEntry => ({ name, data });
const folder = (name: string): TarEntry => ({ name, type: "5" });
const symlink = (name: string, link: string): TarEntry => ({ name, type: "2", link });
const hardlink = (name: string, link: string): TarEntry => ({ name, type: "1", link });
const text = (path: string): string => readFileSync(path, "utf8");

describe("names that lead out", () => {
  const cases: readonly [string, TarEntry[], RegExp][] = [
    ["../x", [file("../x")], /name: \.\.\/x: leads out/],
    ["a/../../x", [folder("a"), file("a/../../x")], /leads out/],
    ["..", [folder("..")], /leads out/],
    ["no name", [{ name: "", pax: { path: "" } }], /name|archive/],
    ["the root as a file", [file(".")], /root: Not a directory/],
    ["the root as a symlink", [symlink(".", "/etc")], /root/],
    ["a hard link to ..", [hardlink("p", "../../etc/passwd")], /leads out/],
    ["a hard link to an absolute path", [hardlink("p", "/etc/passwd")], /hard link: p: its target etc\/passwd is not in this layer/],
    ["a hard link through a symlink", [symlink("l", "/etc"), hardlink("p", "l/passwd")], /not in this layer/],
    ["a hard link to a folder", [folder("d"), hardlink("p", "d")], /is no file/],
    ["a hard link to a whiteout", [file(".wh.w"), hardlink("p", "w")], /is no file/],
    ["a hard link to the root", [hardlink("p", "/")], /hard link/],
    ["a file below a symlink out", [symlink("a", "/tmp/evil"), file("a/b")], /folder: a\/b/],
    ["a file below a symlink to ..", [symlink("a", "../../../../../../tmp/evil"), file("a/b")], /folder: a\/b/],
    ["a file below a file", [file("a"), file("a/b")], /folder: a\/b: Not a directory/],
    ["a symlink loop", [symlink("a", "b"), symlink("b", "a"), file("a/x")], /Too many levels/],
    ["a whiteout of ..", [folder("d"), file("d/.wh...")], /hides no name/],
    ["a whiteout of .", [file(".wh..")], /hides no name/],
    ["a whiteout of nothing", [file(".wh.")], /hides no name/],
    ["a folder below a whiteout of ..", [file("d/../.wh.x")], /leads out/],
    ["an empty symlink", [symlink("l", "")], /symlink/],
    ["a name too long", [{ name: "x", pax: { path: "n".repeat(256) } }], /too long/],
    ["a path too long", [{ name: "x", pax: { path: "n/".repeat(3000) } }], /too deeply|longer/],
  ];
  for (const [what, entries, message] of cases) it(what, () => refused(tar(entries), message));

  it("symlinks are followed inside the folder only", () => {
    const entries = [symlink("a", prey), file("a/file"), folder(`.${prey}`), file(`.${prey}/x`, "in")];
    refused(tar(entries), /folder: a\/file/);
    accepted(tar([folder(`.${prey}`), symlink("a", prey), file("a/x", "in"), symlink("up", "../../.."), file("up/y", "in")]), (dir) => {
      assert.equal(text(join(dir, prey, "x")), "in");
      assert.equal(text(join(dir, "y")), "in");
    });
  });

  it("a leading slash is left out", () =>
    accepted(tar([file("/abs/file", "in")]), (dir) => assert.equal(text(join(dir, "abs/file")), "in")));

  it("names stay on one line of a message", () => refused(tar([file("new\nline/../x")]), /name: new\\x0aline\/\.\.\/x: leads out/));
});

describe("entries that replace each other", () => {
  it("a file over a symlink replaces the link, not what it points to", () =>
    accepted(tar([symlink("l", join(prey, "file")), file("l"), symlink("d", prey), folder("d"), file("d/file")]), (dir) => {
      assert.equal(text(join(dir, "l")), "evil");
      assert.ok(lstatSync(join(dir, "d")).isDirectory());
    }));

  it("a file over a hard link leaves the other name alone", () =>
    accepted(tar([file("a", "first"), hardlink("b", "a"), file("b", "second")]), (dir) => {
      assert.equal(text(join(dir, "a")), "first");
      assert.equal(text(join(dir, "b")), "second");
    }));

  it("a hard link to a symlink is that symlink", () =>
    accepted(tar([symlink("l", join(prey, "file")), hardlink("h", "l"), file("h", "in")]), (dir) => {
      assert.equal(readlinkSync(join(dir, "l")), join(prey, "file"));
      assert.equal(text(join(dir, "h")), "in");
    }));

  it("a hard link to itself, and one made twice", () =>
    accepted(tar([file("a", "x"), hardlink("a", "a"), hardlink("b", "a"), hardlink("./b", "/a")]), (dir) => {
      assert.equal(text(join(dir, "a")), "x");
      assert.equal(lstatSync(join(dir, "b")).nlink, 2);
    }));

  it("a hard link over a folder that holds its target is refused", () => refused(tar([file("d/t"), hardlink("d", "d/t")]), /hard link/));

  it("a file over a folder and back", () =>
    accepted(
      tar([
        { ...folder("d"), uid: 5, mode: 0o700, mtime: 1000 },
        file("d/sub/x"),
        file("d", "now a file"),
        { ...folder("d"), mode: 0o711, mtime: 2000 },
        file("d/y", "y"),
        folder("e"),
        symlink("e", "d"),
        file("e/z", "z"),
      ]),
      (dir) => {
        assert.deepEqual(readdirSync(join(dir, "d")).sort(), ["y", "z"]);
        assert.equal(lstatSync(join(dir, "d")).mode & 0o7777, 0o711);
        assert.equal(lstatSync(join(dir, "d")).mtimeMs, 2_000_000);
        assert.equal(lstatSync(join(dir, "d")).uid, user.uid);
      },
    ));

  it("the remembered parent is forgotten when it is replaced", () =>
    accepted(
      tar([folder("a"), symlink("a/up", ".."), file("a/up/x", "1"), file("a/up/a", "a is a file now"), folder("a"), file("a/x", "2")]),
      (dir) => {
        assert.equal(text(join(dir, "x")), "1");
        assert.equal(text(join(dir, "a/x")), "2");
      },
    ));

  it("duplicates: the last one holds, folders are merged", () =>
    accepted(
      tar([
        file("f", "1"),
        { ...file("f", "2"), uid: 3 },
        folder("d"),
        file("d/a", "a"),
        { ...folder("d"), mode: 0o2750, gid: 9 },
        file("d/b", "b"),
      ]),
      (dir) => {
        assert.equal(text(join(dir, "f")), "2");
        assert.equal(lstatSync(join(dir, "f")).uid, user.subId + 2);
        assert.deepEqual(readdirSync(join(dir, "d")), ["a", "b"]);
        assert.equal(lstatSync(join(dir, "d")).mode & 0o7777, 0o2750);
        assert.equal(lstatSync(join(dir, "d/b")).gid, user.uid, "a set-group-ID folder gives its group to nothing of the archive");
      },
    ));
});

describe("attributes", () => {
  const withAttribute = (name: string, value: string): Buffer =>
    tar([{ ...file("f"), pax: { [`SCHILY.xattr.${name}`]: value } }, folder("d")]);
  const names = (dir: string): string => runAs(user, ["getfattr", "-m", "-", "--absolute-names", join(dir, "f")]).stdout;

  for (const name of ["user.overlay.redirect", "user.overlay.opaque", "trusted.overlay.opaque", "trusted.x", "security.selinux"])
    it(`${name} is dropped`, () => accepted(withAttribute(name, "y"), (dir) => assert.equal(names(dir), "")));
  it("others are kept", () => accepted(withAttribute("user.kept", "y"), (dir) => assert.match(names(dir), /user\.kept/)));
  it("one that is too large is an error that says so", () =>
    refused(withAttribute("user.large", "x".repeat(70_000)), /attribute: f: user\.large \(70000 bytes\)/));
  it("one the kernel refuses is a warning", () => {
    const result = unpack(withAttribute("nonsense.x", "y"));
    assert.equal(result.code, 0);
    assert.match(result.stderr, /^podrt: layer: warning: f: attribute nonsense\.x left out: /);
    assert.equal(JSON.parse(result.stdout).warnings, 1);
    rmSync(result.dir, { recursive: true });
  });
});

describe("devices and ids", () => {
  it("25 device nodes: left out, 20 warnings and a count", () => {
    const nodes = Array.from({ length: 25 }, (_, i): TarEntry => ({ name: `dev/n${i}`, type: i % 2 ? "3" : "4" }));
    const result = unpack(tar([...nodes, file("f")]));
    assert.equal(result.code, 0);
    const lines = result.stderr.trim().split("\n");
    assert.equal(lines.length, 21);
    assert.match(lines[0] ?? "", /dev\/n0: device node left out/);
    assert.equal(lines[20], "podrt: layer: and 5 more warnings");
    assert.equal(JSON.parse(result.stdout).warnings, 25);
    assert.deepEqual(readdirSync(join(result.dir, "dev")), []);
    rmSync(result.dir, { recursive: true });
  });
  it("an id that is not mapped is named, with the way to get more", () => {
    refused(
      tar([{ name: "etc/f", uid: 70_000 }]),
      /owner: etc\/f: user id 70000 is not among the 65537 mapped here; with `usermod --add-subuids .*; then stop all pods and restart podgen-pause\.service/,
    );
    refused(tar([{ name: "etc/f", gid: 3_000_000_000 }]), /group id 3000000000 .*--add-subgids/);
  });
});

describe("limits", () => {
  it("entries", () => refused(tar([file("a"), file("b"), file("c")]), /more than 2 entries/, "--max-entries", "2"));
  it("bytes", () => refused(tar([file("a", "x".repeat(9000))]), /limit: the layer unpacks to more than 8192 bytes/, "--max-bytes", "8K"));
  it("depth", () => refused(tar([file("a/b/c/d")]), /too deeply/, "--max-depth", "3"));
  it("name", () => refused(tar([file("abcdefgh")]), /longer than allowed/, "--max-name", "7"));
  it("a sparse file's apparent size", () => {
    const huge = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge", "GNU.sparse.realsize": "9000000000000000" };
    refused(tar([{ ...file("x", `1\n0\n0\n${"\0".repeat(506)}`), pax: huge }]), /limit: huge: a file of 9000000000000000 bytes/);
  });
  it("a bomb: gzip of zeros, thirty to one being too much", () => {
    const bomb = join(user.home, "bomb.gz");
    const member = gzipSync(Buffer.alloc(1 << 20));
    writeFileSync(bomb, Buffer.concat(Array.from({ length: 1100 }, () => member)));
    const result = unpack(new Uint8Array(), "--blob", bomb, "--max-ratio", "30");
    assert.equal(result.code, 125);
    assert.match(result.stderr, /limit: the layer unpacks to more than 30 times its size/);
    rmSync(bomb);
  });
});

describe("a full disk", () => {
  it("is told, and what was made is removed", () => {
    const mnt = join(user.home, "small");
    mkdirSync(mnt);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=1M,uid=${user.uid}`, "tmpfs", mnt]);
    try {
      const result = runAs(user, [user.podrt, "layer", "--dest", join(mnt, "l")], tar([file("f", "x".repeat(3 << 20))]));
      assert.equal(result.code, 125);
      assert.equal(result.stderr, "podrt: layer: write: f: No space left on device\n");
      assert.deepEqual(readdirSync(mnt), []);
    } finally {
      execFileSync("umount", [mnt]);
    }
  });
});

describe("streams that are broken", () => {
  const whole = tar([file("a", "x".repeat(5000)), folder("d"), file("d/b", "y".repeat(3000))]);
  const packed = gzipSync(whole);

  for (const length of [100, 512, 700, 4000, 512 + 5120 + 512 + 512 + 100])
    it(`a tar of ${length} bytes`, () =>
      length === 512 ? refused(whole.subarray(0, 512), /archive|Truncated/) : refused(whole.subarray(0, length), /archive/));
  for (const length of [3, 12, 40, packed.length - 9, packed.length - 1])
    it(`a gzip of ${length} bytes`, () => refused(packed.subarray(0, length), /gzip: the layer is cut off|archive/));
  it("gzip with a wrong sum", () => {
    const bad = Buffer.from(packed);
    bad.writeUInt32LE(1, bad.length - 8);
    refused(bad, /gzip: incorrect data check/);
  });
  it("gzip with a wrong length", () => {
    const bad = Buffer.from(packed);
    bad.writeUInt32LE(1, bad.length - 4);
    refused(bad, /gzip: incorrect length check/);
  });
  it("gzip with a tail", () =>
    refused(Buffer.concat([packed, Buffer.from("tail")]), /gzip: incorrect header check|gzip: the layer is cut off/));
  it("a header with a wrong sum", () => {
    const bad = Buffer.from(whole);
    bad[5120 + 512] = 0x7a;
    refused(bad, /archive/);
  });
  it("no tar at all", () => refused(Buffer.from("<html>not found</html>".repeat(100)), /archive: .*format/));
  it("nothing at all", () => refused(Buffer.alloc(0), /the layer is empty/));
  it("bzip2", () => refused(Buffer.from("BZh91AY&SY"), /format: a layer compressed with bzip2/));
  it("another digest than the image says", () =>
    refused(whole, /digest: the layer unpacks to sha256:/, "--diff-id", `sha256:${"0".repeat(64)}`));
  it("a missing file", () => refused(Buffer.alloc(0), /blob: \/no\/such\/blob: No such file/, "--blob", "/no/such/blob"));
});
