// Files that are whole or not there: killed writers, full and read-only disks, links, modes.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Files } from "../../../src/host/files/files.js";
import { FolderSync } from "../../../src/host/files/folders.js";
import { HostError } from "../../../src/ports/host.js";
import { becomeUser, buildProgram, type Session, startSession } from "../../lib/session.js";

const SMALL = "/run/podgen-test/small";
const READONLY = "/run/podgen-test/readonly";
let session: Session;
let end: () => Promise<void>;
let agent: string;
let root: string;
let files: Files;

before(async () => {
  session = await startSession("pgh1");
  const program = await buildProgram("test/session/host/agents/agent.ts");
  agent = program.file;
  for (const [path, options] of [
    [SMALL, "size=256k"],
    [READONLY, "ro"],
  ] as const) {
    execFileSync("sh", ["-c", `umount "$0" 2> /dev/null; mkdir -p "$0" && mount -t tmpfs -o "$1,mode=777" tmpfs "$0"`, path, options], {
      stdio: "ignore",
    });
  }
  end = await becomeUser(session, [program.folder, SMALL, READONLY]);
});

after(() => end());

beforeEach(() => {
  root = fs.mkdtempSync(join(session.home, "files-"));
  files = new Files([join(root, "own")]);
});

const text = (value: string) => new TextEncoder().encode(value);
const mode = (path: string) => fs.lstatSync(path).mode & 0o7777;
const temporaries = (path: string) => fs.readdirSync(path).filter((name) => name.endsWith(".tmp"));

/** Matches a HostError `file` that names the path. */
function names(path: string, pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.code, "file");
    assert.ok(error.message.includes(path), error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

test("write, read, overwrite, list, kind", async () => {
  const path = join(root, "a/b/c");
  assert.equal(await files.read(path), undefined);
  assert.deepEqual(await files.list(join(root, "a")), []);
  await files.write(path, text("one"), 0o644);
  await files.write(path, text("two"), 0o640);
  assert.equal(Buffer.from((await files.read(path)) ?? []).toString(), "two");
  assert.equal(mode(path), 0o640);
  await files.write(join(root, "a/b/a"), text(""), 0o644);
  assert.deepEqual(await files.list(join(root, "a/b")), ["a", "c"]);
  assert.equal(await files.read(`${path}/below`), undefined);
  fs.symlinkSync("b/c", join(root, "a/link"));
  execFileSync("mkfifo", [join(root, "a/fifo")]);
  fs.symlinkSync("/dev/null", join(root, "a/null"));
  const kinds = await Promise.all(
    ["a", "a/b/c", "a/link", "a/fifo", "a/null", "a/none", "a/b/c/below"].map((name) => files.kind(join(root, name))),
  );
  assert.deepEqual(kinds, ["folder", "file", "file", "pipe", "other", "none", "none"]);
});

test("modes are exact whatever the umask; podgen's own folders are private, others are not", async () => {
  const old = process.umask(0o077);
  try {
    await files.write(join(root, "own/pods/web/x"), text("x"), 0o666);
    await files.write(join(root, "units/deep/y"), text("y"), 0o644);
  } finally {
    process.umask(0o000);
    await files.write(join(root, "own/second/z"), text("z"), 0o600);
    process.umask(old);
  }
  assert.equal(mode(join(root, "own/pods/web/x")), 0o666);
  for (const folder of ["own", "own/pods", "own/pods/web", "own/second"]) assert.equal(mode(join(root, folder)), 0o700, folder);
  for (const folder of ["units", "units/deep"]) assert.equal(mode(join(root, folder)), 0o755, folder);
  assert.equal(mode(join(root, "own/second/z")), 0o600);
});

test("a folder that is there keeps its mode", async () => {
  fs.mkdirSync(join(root, "own"), { mode: 0o750 });
  await files.write(join(root, "own/x"), text("x"), 0o600);
  assert.equal(mode(join(root, "own")), 0o750);
});

test("a symbolic link, a folder or a fifo in the place of a file is refused and stays", async () => {
  fs.writeFileSync(join(root, "victim"), "untouched");
  fs.symlinkSync("victim", join(root, "link"));
  fs.mkdirSync(join(root, "folder"));
  execFileSync("mkfifo", [join(root, "fifo")]);
  await assert.rejects(files.write(join(root, "link"), text("x"), 0o644), names(join(root, "link"), /a symbolic link/));
  await assert.rejects(files.write(join(root, "folder"), text("x"), 0o644), names(join(root, "folder"), /a folder/));
  await assert.rejects(files.write(join(root, "fifo"), text("x"), 0o644), names(join(root, "fifo"), /not podgen's kind/));
  assert.equal(fs.readFileSync(join(root, "victim"), "utf8"), "untouched");
  assert.equal(fs.readlinkSync(join(root, "link")), "victim");
  await assert.rejects(files.link(join(root, "victim"), "x"), names(join(root, "victim"), /does not replace it/));
  assert.deepEqual(temporaries(root), []);
});

test("a link is swapped, also where it dangles", async () => {
  await files.link(join(root, "bin/podrt"), "podrt-1");
  await files.link(join(root, "bin/podrt"), "podrt-2");
  assert.equal(fs.readlinkSync(join(root, "bin/podrt")), "podrt-2");
});

test("remove takes empty parents up to the root and no further, and is content with nothing", async () => {
  await files.write(join(root, "r/a/b/x"), text("x"), 0o644);
  await files.write(join(root, "r/a/y"), text("y"), 0o644);
  await files.remove(join(root, "r/a/b/x"), join(root, "r"));
  assert.deepEqual(fs.readdirSync(join(root, "r/a")), ["y"]);
  await files.remove(join(root, "r/a/b/x"), join(root, "r"));
  await files.remove(join(root, "r/a/y"), join(root, "r"));
  assert.deepEqual(fs.readdirSync(join(root, "r")), []);
  fs.symlinkSync("/etc/passwd", join(root, "r/link"));
  await files.remove(join(root, "r/link"), join(root, "r"));
  assert.ok(fs.existsSync("/etc/passwd"));
  await assert.rejects(files.remove(join(root, "rest"), join(root, "r")), RangeError);
  await assert.rejects(files.remove(join(root, "r"), join(root, "r")), RangeError);
  await assert.rejects(files.remove(join(root, "r/../rest"), join(root, "r")), RangeError);
  fs.mkdirSync(join(root, "r/folder"));
  await assert.rejects(files.remove(join(root, "r/folder"), join(root, "r")), names(join(root, "r/folder"), /cannot remove/));
});

test("a read-only folder, a read-only disk, a full disk: the path is named, the old file stays, nothing is left over", async () => {
  fs.writeFileSync(join(root, "x"), "old");
  fs.chmodSync(root, 0o555);
  await assert.rejects(files.write(join(root, "x"), text("new"), 0o644), names(join(root, "x"), /permission denied/));
  fs.chmodSync(root, 0o755);
  assert.equal(fs.readFileSync(join(root, "x"), "utf8"), "old");
  await assert.rejects(files.write(`${READONLY}/x`, text("new"), 0o644), names(`${READONLY}/x`, /read-only/));
  await files.write(`${SMALL}/x`, text("old"), 0o644);
  const big = Buffer.alloc(1024 * 1024);
  await assert.rejects(files.write(`${SMALL}/x`, big, 0o644), (error) => {
    names(`${SMALL}/x`, /no space left/)(error);
    assert.ok(error instanceof HostError && error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOSPC");
    return true;
  });
  assert.equal(fs.readFileSync(`${SMALL}/x`, "utf8"), "old");
  assert.deepEqual(temporaries(SMALL), []);
  await assert.rejects(files.write(join(root, "x/below"), text(""), 0o644), names(join(root, "x/below"), /not a folder/));
  await assert.rejects(files.write(join(root, "n".repeat(300)), text(""), 0o644), names("nnn", /too long/));
});

test("tidy: leftovers of the dead go, and folders that are empty then; the living's and others' files stay", async () => {
  const folder = join(root, "own/a/b");
  fs.mkdirSync(folder, { recursive: true });
  const [, , ...stat] = fs.readFileSync("/proc/self/stat", "utf8").split(" ");
  const living = `.podgen-${process.pid}-${stat[19]}-1.tmp`;
  for (const name of [".podgen-1-1-1.tmp", living]) fs.writeFileSync(join(folder, name), "secret");
  await files.tidy(join(folder, "gone"), root);
  assert.deepEqual(fs.readdirSync(folder), [living]);
  fs.renameSync(join(folder, living), join(folder, ".podgen-1-1-2.tmp"));
  await files.tidy(join(folder, "gone"), join(root, "own"));
  assert.deepEqual(fs.readdirSync(join(root, "own")), []);
  await files.tidy(join(folder, "gone"), root);
  assert.deepEqual(fs.readdirSync(root), []);
  await assert.rejects(files.tidy(join(root, "x"), folder), RangeError);
});

test("a writer killed at any moment leaves the old or the new bytes, and its leftovers go with the next write", async () => {
  const folder = join(root, "killed");
  const path = join(folder, "file");
  let leftovers = 0;
  for (let i = 0; i < 12; i++) {
    const writer = spawn(process.execPath, [agent, "write", path], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => writer.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 20 + i * 7));
    writer.kill("SIGKILL");
    await new Promise((resolve) => writer.once("exit", resolve));
    leftovers += temporaries(folder).length;
    const bytes = fs.existsSync(path) ? fs.readFileSync(path) : undefined;
    if (bytes) {
      assert.equal(bytes.length, 4 * 1024 * 1024);
      assert.ok(bytes.every((byte) => byte === bytes[0]));
    }
  }
  assert.ok(leftovers > 0, "some run was killed in the middle of a write");
  // A temporary file of a living process is somebody's work.
  const [own, start] = [process.pid, fs.readFileSync("/proc/self/stat", "latin1").split(") ")[1]?.split(" ")[19]];
  fs.writeFileSync(join(folder, `.podgen-${own}-${start}-999.tmp`), "");
  fs.writeFileSync(join(folder, `.podgen-${own}-1-1.tmp`), "a later process has this pid");
  fs.writeFileSync(join(folder, ".podgen-notes.tmp"), "a person's");
  await new Files([]).write(path, text("whole"), 0o644);
  assert.deepEqual(temporaries(folder).sort(), [`.podgen-${own}-${start}-999.tmp`, ".podgen-notes.tmp"].sort());
});

test("two hundred writes at once into one folder", async () => {
  await Promise.all(Array.from({ length: 200 }, (_, i) => files.write(join(root, `many/${i % 20}/${i}`), text(String(i)), 0o644)));
  assert.equal((await Promise.all(Array.from({ length: 20 }, (_, i) => files.list(join(root, `many/${i}`))))).flat().length, 200);
});

test("who asks for a folder's sync while one is under way shares the next, and an error is told to those who wait for it", async () => {
  const ends: { readonly path: string; readonly end: (error?: Error) => void }[] = [];
  const folders = new FolderSync(
    (path) => new Promise((resolve, reject) => ends.push({ path, end: (error) => (error === undefined ? resolve() : reject(error)) })),
  );
  const first = folders.sync("/a");
  const shared = [folders.sync("/a"), folders.sync("/a")];
  const other = folders.sync("/b");
  assert.deepEqual(
    ends.map((e) => e.path),
    ["/a", "/b"],
  ); // prettier-ignore
  ends[0]?.end(new Error("disk"));
  await assert.rejects(first, /disk/);
  assert.equal(ends.length, 3);
  // It has begun, and may have missed what was written since.
  const later = folders.sync("/a");
  ends[1]?.end();
  ends[2]?.end();
  await Promise.all([...shared, other]);
  assert.equal(ends.length, 4);
  ends[3]?.end();
  await later;
});
