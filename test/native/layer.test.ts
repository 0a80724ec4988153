// podrt layer with honest archives: what GNU tar packs comes out the same, with the owners of the user's ids.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { tar } from "./tar.js";
import { type Outcome, runAs, spawnAs, type TestUser, until, userStart, userStop } from "./user.js";

let user: TestUser;
let work: string;
let made = 0;

before(() => {
  user = userStart("pgn3");
  work = mkdtempSync(join(tmpdir(), "layer-"));
});
after(() => {
  rmSync(work, { recursive: true, force: true });
  userStop(user);
});

interface Layer extends Outcome {
  readonly dir: string;
}

/** Unpacks bytes from stdin into a new folder of the user's. */
function layer(archive: Uint8Array, ...options: string[]): Layer {
  const dir = join(user.home, `layer-${made++}`);
  return { dir, ...runAs(user, [user.podrt, "layer", "--dest", dir, ...options], archive) };
}

function good(archive: Uint8Array, ...options: string[]): Layer {
  const result = layer(archive, ...options);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

/** All names below a folder, as bytes in latin1, so that names that are no text survive. */
function walk(dir: string): string[] {
  return execFileSync("find", [dir, "-mindepth", "1", "-printf", "%P\\0"], { encoding: "latin1" }).split("\0").filter(Boolean).sort();
}

const bash = (script: string, ...args: string[]): string =>
  execFileSync("bash", ["-euc", script, "bash", ...args], { encoding: "latin1", stdio: ["ignore", "pipe", "inherit"] });

// --- a tree with all there is ------------------------------------------------------------------------------------------

const TREE = `
cd "$1"; umask 022
mkdir -p usr/bin var/mail tmp deep/er "$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})"
echo hello > usr/bin/hello; chmod 4755 usr/bin/hello
echo group > usr/bin/group; chown 0:8 usr/bin/group; chmod 2755 usr/bin/group
echo www > var/www; chown 33:33 var/www; chmod 640 var/www
echo shadow > var/shadow; chmod 000 var/shadow
echo nobody > var/nobody; chown 65534:65534 var/nobody
cp /bin/true usr/bin/ping; setcap cap_net_raw+ep usr/bin/ping
setfattr -n user.note -v "a value" usr/bin/hello; setfattr -n user.folder -v yes deep
ln usr/bin/hello usr/bin/again; ln -s ../usr/bin/hello deep/link; ln -s /nowhere deep/dangling
chown -h 33:33 deep/link
mkfifo var/pipe; chown 0:8 var/mail; chmod 2775 var/mail; chmod 1777 tmp; chown 1000:1000 deep/er
truncate -s 3M var/sparse; printf middle | dd of=var/sparse bs=1 seek=1000000 conv=notrunc status=none
: > var/empty; echo long > "$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})/file"
echo bytes > "$(printf 'latin-\\xe9')"; echo nl > "$(printf 'new\\nline')"; echo nfd > "$(printf 'e\\xcc\\x81')"; echo nfc > "$(printf '\\xc3\\xa9')"
ln -s "$(printf 't%.0s' {1..150})" longlink
find . -exec touch -h -d '2001-02-03 04:05:06.123456789 UTC' {} +
`;

/** Type, mode, ids as in the archive, size, time and target of every name. */
function listing(dir: string, id: (host: number) => number, nanoseconds: boolean): Map<string, string> {
  const out = new Map<string, string>();
  const format = "%P\\0%y %m %U %G %s %T@ %n %l\\0";
  const words = execFileSync("find", [dir, "-printf", format], { encoding: "latin1" }).split("\0");
  for (let i = 0; i + 1 < words.length; i += 2) {
    const [type, mode, uid, gid, size, time, links, target] = (words[i + 1] as string).split(" ");
    const stamp = nanoseconds ? time : time?.split(".")[0];
    const count = type === "d" ? "" : links;
    out.set(words[i] as string, [type, mode, id(Number(uid)), id(Number(gid)), type === "d" ? "" : size, stamp, count, target].join(" "));
  }
  return out;
}

const contents = (dir: string): string => bash(`cd "$1"; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum`, dir);
const attributes = (dir: string): string =>
  bash(`cd "$1"; find . '(' -type f -o -type d ')' -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m '^user'`, dir);

describe("a tree with everything", () => {
  let source: string;
  before(() => {
    source = join(work, "tree");
    bash(`mkdir "$1"; ${TREE}`, source);
  });

  const id = (host: number): number => (host === user.uid ? 0 : host - user.subId + 1);
  for (const format of ["gnu", "posix"])
    for (const packer of ["cat", "gzip -9", "zstd -q"])
      it(`${format}, ${packer}`, () => {
        const xattrs = format === "posix" ? "--xattrs --xattrs-include=*" : "";
        bash(`tar -C "$1" --format=${format} --sparse --numeric-owner ${xattrs} -cf "$2" .`, source, join(work, "t.tar"));
        bash(`${packer} < "$1" > "$2"`, join(work, "t.tar"), join(work, "blob"));
        const plain = readFileSync(join(work, "t.tar"));
        const done = good(readFileSync(join(work, "blob")));
        assert.deepEqual(JSON.parse(done.stdout), {
          diffId: `sha256:${createHash("sha256").update(plain).digest("hex")}`,
          size: plain.length,
          entries: walk(source).length + 1,
          warnings: 0,
        });
        assert.deepEqual(
          listing(done.dir, id, format === "posix"),
          listing(source, (host) => host, format === "posix"),
        );
        assert.equal(contents(done.dir), contents(source));
        assert.ok(lstatSync(join(done.dir, "var/sparse")).blocks < 1024, "the holes are still holes");
        if (format === "posix") {
          assert.equal(attributes(done.dir), attributes(source));
          // Version 3: the capability counts in user namespaces whose root is this user.
          assert.match(bash(`/sbin/getcap -n "$1"`, join(done.dir, "usr/bin/ping")), new RegExp(`cap_net_raw=ep \\[rootid=${user.uid}\\]`));
        }
      });

  it("owners on the host are the user's subordinate ids", () => {
    const { dir } = good(tar([{ name: "a", uid: 1, gid: 2 }, { name: "b", uid: 999, gid: 65534 }, { name: "c" }]));
    const owner = (name: string) => [lstatSync(join(dir, name)).uid, lstatSync(join(dir, name)).gid];
    assert.deepEqual(owner("a"), [user.subId, user.subId + 1]);
    assert.deepEqual(owner("b"), [user.subId + 998, user.subId + 65533]);
    assert.deepEqual(owner("c"), [user.uid, user.uid]);
    assert.deepEqual(owner("."), [user.uid, user.uid]);
  });

  it("--blob and --sync, and a digest that is true", () => {
    const archive = tar([{ name: "f", data: "x" }]);
    const file = join(user.home, "blob.tar");
    writeFileSync(file, archive);
    const digest = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
    const done = good(new Uint8Array(), "--blob", file, "--sync", "--diff-id", digest);
    assert.equal(JSON.parse(done.stdout).diffId, digest);
    assert.equal(readFileSync(join(done.dir, "f"), "utf8"), "x");
  });

  it("bytes behind the end of the archive belong to the digest", () => {
    const archive = Buffer.concat([tar([{ name: "f" }]), Buffer.alloc(9000, 7)]);
    const done = good(archive);
    assert.equal(JSON.parse(done.stdout).diffId, `sha256:${createHash("sha256").update(archive).digest("hex")}`);
    assert.equal(JSON.parse(done.stdout).size, archive.length);
  });

  it("an empty layer", () => assert.deepEqual(walk(good(Buffer.alloc(1024)).dir), []));
});

// --- whiteouts ---------------------------------------------------------------------------------------------------------

describe("whiteouts", () => {
  const isWhiteout = (path: string): boolean => lstatSync(path).isCharacterDevice() && lstatSync(path).rdev === 0;
  const isOpaque = (path: string): boolean =>
    bash(`getfattr -h --only-values -n user.overlay.opaque "$1" 2>/dev/null || true`, path) === "y";

  it("become overlay's", () => {
    const { dir } = good(
      tar([
        { name: "d/", type: "5" },
        { name: "d/.wh.gone" },
        { name: ".wh.top", type: "5" },
        { name: "o/.wh..wh..opq" },
        { name: "o/new", data: "x" },
        { name: "r/.wh.x" },
      ]),
    );
    assert.deepEqual(walk(dir), ["d", "d/gone", "o", "o/new", "r", "r/x", "top"]);
    for (const name of ["d/gone", "top", "r/x"]) assert.ok(isWhiteout(join(dir, name)), name);
    assert.ok(isOpaque(join(dir, "o")));
    assert.ok(!isOpaque(join(dir, "d")));
  });

  it("hide only what is below this layer, in either order", () => {
    const { dir } = good(
      tar([
        { name: "before", data: "kept" },
        { name: ".wh.before" },
        { name: ".wh.after" },
        { name: "after", data: "kept" },
        { name: "beforedir/", type: "5" },
        { name: "beforedir/f", data: "kept" },
        { name: ".wh.beforedir" },
        { name: ".wh.afterdir" },
        { name: "afterdir/", type: "5" },
        { name: ".wh.implied" },
        { name: "implied/f", data: "kept" },
        { name: "opq/f", data: "kept" },
        { name: "opq/.wh..wh..opq" },
      ]),
    );
    assert.deepEqual(walk(dir), ["after", "afterdir", "before", "beforedir", "beforedir/f", "implied", "implied/f", "opq", "opq/f"]);
    for (const name of ["beforedir", "afterdir", "implied", "opq"]) assert.ok(isOpaque(join(dir, name)), name);
    for (const name of ["before", "after", "implied/f", "opq/f"]) assert.equal(readFileSync(join(dir, name), "utf8"), "kept");
  });

  it("of the root is marked on the root; aufs's bookkeeping and what is below a whiteout is no file", () => {
    const { dir } = good(
      tar([
        { name: ".wh..wh..opq" },
        { name: ".wh..wh.plnk/", type: "5" },
        { name: ".wh..wh.plnk/1.2", data: "x" },
        { name: ".wh.d/", type: "5" },
        { name: ".wh.d/inside", data: "x" },
      ]),
    );
    assert.deepEqual(walk(dir), ["d"]);
    assert.ok(isOpaque(dir) && isWhiteout(join(dir, "d")));
  });

  it("are honoured by the overlay file system", () => {
    const lower = good(
      tar([
        { name: "d/a", data: "low" },
        { name: "d/b", data: "low" },
        { name: "o/c", data: "low" },
      ]),
    );
    const upper = good(tar([{ name: "d/", type: "5" }, { name: "d/.wh.a" }, { name: "o/.wh..wh..opq" }, { name: "o/n", data: "up" }]));
    const mnt = join(user.home, "mnt");
    const script = `mkdir -p ${mnt}; mount -t overlay -o userxattr,lowerdir=${upper.dir}:${lower.dir} overlay ${mnt}; cd ${mnt}; find . -type f | sort`;
    const seen = runAs(user, ["unshare", "-rm", "sh", "-ec", script]);
    assert.deepEqual(seen.stdout.trim().split("\n"), ["./d/b", "./o/n"], seen.stderr);
  });
});

// --- failures of the machine and the caller ----------------------------------------------------------------------------

describe("the folder", () => {
  const archive = tar([{ name: "f", data: "x" }]);

  it("may be there when it is empty, and stays as it is when it is not", () => {
    const dir = join(user.home, "there");
    runAs(user, ["mkdir", dir]);
    assert.equal(runAs(user, [user.podrt, "layer", "--dest", `${dir}/`], archive).code, 0);
    const again = runAs(user, [user.podrt, "layer", "--dest", dir], tar([{ name: "other" }]));
    assert.equal(again.code, 125);
    assert.match(again.stderr, /^podrt: layer: dest: there: Directory not empty\n$/);
    assert.deepEqual(readdirSync(dir), ["f"]);
  });

  it("is not made where its parent is missing or not ours", () => {
    assert.equal(runAs(user, [user.podrt, "layer", "--dest", join(user.home, "no/where")], archive).code, 125);
    assert.equal(runAs(user, [user.podrt, "layer", "--dest", "/etc/layer"], archive).code, 125);
    assert.ok(!existsSync("/etc/layer"));
  });

  it("gives usage errors", () => {
    for (const words of [[], ["--dest", ""], ["--dest", "x", "more"], ["--dest", "x", "--max-bytes", "1Q"], ["--dest", "x", "--no"]])
      assert.equal(runAs(user, [user.podrt, "layer", ...words], archive).code, 64, words.join(" "));
  });

  it("is removed on SIGTERM while the blob is still coming", async () => {
    const dir = join(user.home, "stopped");
    const child = spawnAs(user, [user.podrt, "layer", "--dest", dir], { stdio: ["pipe", "ignore", "ignore"] });
    const ended = new Promise((done) => child.once("exit", (code) => done(code)));
    child.stdin?.write(archive.subarray(0, 700));
    await until("the folder in the making", () => readdirSync(user.home).some((name) => name.startsWith("stopped.tmp-")));
    child.kill("SIGTERM");
    assert.equal(await ended, 125);
    assert.deepEqual(
      readdirSync(user.home).filter((name) => name.startsWith("stopped")),
      [],
    );
  });

  it("belongs to the user where there are no subordinate ids, with one warning", () => {
    const dir = join(work, "single");
    bash(`mkdir "$1"; chown 64123:64123 "$1"; chmod 755 "$2"`, dir, work);
    writeFileSync(
      join(work, "single.tar"),
      tar([
        { name: "a", uid: 1 },
        { name: "b", gid: 7 },
        { name: "c", mode: 0o4755 },
      ]),
    );
    bash(`install -m 755 "$1" "$2/podrt"`, user.podrt, work);
    const out = bash(
      `setpriv --reuid 64123 --regid 64123 --clear-groups env -i PATH="$PATH" "$1/podrt" layer --dest "$1/single/l" --blob "$1/single.tar" 2>&1`,
      work,
    );
    assert.equal(out.match(/ warning: /g)?.length, 1, out);
    assert.match(out, /owners are lost.*usermod --add-subuids/);
    assert.match(out, /"entries":3,"warnings":1/);
    for (const name of ["a", "b", "c"]) assert.equal(lstatSync(join(dir, "l", name)).uid, 64123);
  });

  it("keeps symlinks as they are, wherever they point", () => {
    const { dir } = good(tar([{ name: "l", type: "2", link: "../../../../etc/passwd" }]));
    assert.equal(readlinkSync(join(dir, "l")), "../../../../etc/passwd");
  });
});
