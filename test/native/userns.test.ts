// podrt unshare, rmtree and probe: what podgen itself calls.
import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sh } from "./pod.js";
import { runAs, type TestUser, userStart, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = userStart("pgn1");
});
after(() => userStop(user));

describe("unshare", () => {
  test("root in a namespace of its own when there is no pause; exit codes are the command's", () => {
    assert.equal(sh(user, `${user.podrt} unshare id -u`), "0");
    assert.equal(sh(user, `${user.podrt} unshare -- sh -c 'wc -l < /proc/self/uid_map'`), "2");
    assert.equal(runAs(user, [user.podrt, "unshare", "sh", "-c", "exit 7"]).code, 7);
    assert.equal(runAs(user, [user.podrt, "unshare", "/no/such"]).code, 127);
    assert.equal(runAs(user, [user.podrt, "unshare", "/etc/passwd"]).code, 126);
    assert.equal(runAs(user, [user.podrt, "unshare"]).code, 64);
  });
});

describe("rmtree", () => {
  test("files of subordinate ids, folders of mode 0, deep ones", () => {
    const tree = join(user.home, "tree");
    sh(
      user,
      `mkdir ${tree} && ${user.podrt} unshare sh -c 'cd ${tree} && mkdir -p a/b && echo x > a/b/f && chown -R 1000:1000 a && chmod 0 a/b a'`,
    );
    sh(user, `cd ${tree} && for i in $(seq 60); do mkdir deep && cd deep && touch f; done`);
    assert.notEqual(runAs(user, ["rm", "-rf", join(tree, "a")]).code, 0);
    sh(user, `${user.podrt} rmtree ${tree}`);
    assert.equal(existsSync(tree), false);
    sh(user, `${user.podrt} rmtree ${tree} -- ${tree}/none/at/all/`);
  });

  test("a symlink goes, not what it points at; a slash at the end does not change that", () => {
    const [kept, link] = [join(user.home, "kept"), join(user.home, "link")];
    for (const end of ["", "/"]) {
      sh(user, `mkdir -p ${kept}/x && ln -s ${kept} ${link} && ${user.podrt} rmtree ${link}${end}`);
      assert.throws(() => lstatSync(link));
      assert.deepEqual(readdirSync(kept), ["x"]);
    }
  });

  test("what cannot be removed is named, the rest goes", () => {
    const tree = join(user.home, "mixed");
    sh(user, `mkdir -p ${tree}/mine ${join(user.home, "other")}`);
    mkdirSync(join(tree, "roots"), { mode: 0o755 });
    mkdirSync(join(tree, "roots", "inner"));
    const r = runAs(user, [user.podrt, "rmtree", tree, join(user.home, "other")]);
    assert.equal(r.code, 125);
    assert.match(r.stderr, /^podrt: rmtree: rmdir: inner: Permission denied\n$/);
    assert.deepEqual(readdirSync(tree), ["roots"]);
    assert.equal(existsSync(join(user.home, "other")), false);
    assert.equal(runAs(user, [user.podrt, "rmtree", "/"]).code, 125);
    assert.equal(runAs(user, [user.podrt, "rmtree", ".."]).code, 125);
    assert.equal(runAs(user, [user.podrt, "rmtree"]).code, 64);
  });
});

describe("machine", () => {
  test("tells what was tried, and leaves nothing behind", () => {
    const before = readdirSync(user.home).sort();
    const found = JSON.parse(sh(user, `${user.podrt} machine`));
    assert.deepEqual(found.userns, { ok: true, uids: 65537, gids: 65537, single: false, reason: "" });
    assert.equal(found.kernel.release, release());
    for (const name of ["overlay", "fuseOverlayfs", "pasta", "newuidmap", "newgidmap", "cgroup", "seccomp", "kernel"])
      assert.equal(typeof found[name].ok, "boolean", name);
    assert.equal(found.newuidmap.ok, true);
    assert.deepEqual(found.podgen, { overlay: found.overlay.ok, fuseOverlayfs: found.fuseOverlayfs.ok });
    assert.match(found.cgroup.layout, /^(unified|hybrid|legacy)$/);
    assert.deepEqual(readdirSync(user.home).sort(), before);
  });

  test("names what is missing", () => {
    const found = JSON.parse(sh(user, `PATH=/nowhere ${user.podrt} machine`));
    assert.deepEqual(found.newuidmap, { ok: false, path: "", reason: "not installed (package uidmap)" });
    assert.equal(found.pasta.ok, false);
    assert.deepEqual([found.userns.ok, found.userns.single, found.userns.uids], [true, true, 1]);
    assert.match(found.userns.reason, /newuidmap failed \(newuidmap: No such file or directory\)/);
    // A file system that takes no overlay: /proc. Nothing can be made there.
    const bad = JSON.parse(sh(user, `XDG_DATA_HOME=/proc ${user.podrt} machine`));
    assert.equal(bad.overlay.ok, false);
    assert.notEqual(bad.overlay.reason, "");
  });
});
