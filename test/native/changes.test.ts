// podrt changes: a container's changes as a layer, under each driver; a container with that layer sees what the first one saw.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ContainerOptions, inside, layer, layerOf, running, startPod, upperOf } from "./container.js";
import { mainPid, sh, show, systemctl } from "./pod.js";
import { spawnAs, type TestUser, until, userStop } from "./user.js";

let user: TestUser;
let layers: string[];
let options: Partial<ContainerOptions>;

const LONG = "long-".repeat(30);
const CHANGES = [
  "echo new > /new; ln /new /new-hard; ln -s nowhere/at/all /new-link; ln -s /new /tmp/abs; mkfifo /pipe",
  "mkdir -p /deep/er; echo x > /deep/er/file; chown 33:44 /deep/er /deep/er/file; chmod 6755 /deep/er/file; chmod 1770 /deep/er",
  "touch -d '1999-12-31 23:59:59' /old /deep/er",
  "rm /lower/file; rm -r /srv; rm -r /opt/old; mkdir /opt/old; echo fresh > /opt/old/fresh; echo more >> /opt/kept/a",
  "rm /etc/note; mkdir /etc/note; rm -r /opt/folder; echo file > /opt/folder; chmod 700 /root; chmod 711 /",
  "dd if=/dev/zero of=/sparse bs=1 count=1 seek=10M 2>/dev/null",
  `mkdir -p /${LONG}/${LONG}; echo l > /${LONG}/${LONG}/f; ln -s ${LONG}/${LONG}/f /to-long`,
  "printf 1 > $(printf '/\\303\\274\\377'); nc -l -s /sock -p 1 2>/dev/null & touch /attr /caps; touch -d '2001-01-01 00:00:00' /opt/kept/b",
  "printf other > /opt/kept/sly; touch -r /opt/kept/c /opt/kept/sly",
].join("\n");

/** Every name with what is said of it; times of folders are those of what podrt makes in them, too. */
const LIST = [
  "find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -print | sort | while read -r f; do",
  '  if [ -d "$f" ] && [ ! -L "$f" ]; then stat -c "%n %F %a %u %g" "$f"; else stat -c "%n %F %a %u %g %h %s %Y %N" "$f"; fi; done',
  "find / -xdev \\( -path /made -o -path /proc -o -path /sys -o -path /dev \\) -prune -o -type f -print | sort | xargs md5sum",
  "stat -c %Y /deep/er",
].join("\n");

before(() => {
  user = startPod("pgcm1");
  const top = layer(
    user,
    "top",
    "mkdir -p opt/old opt/kept opt/folder var etc run; echo a | tee opt/old/a opt/old/b opt/kept/a opt/kept/b opt/kept/c opt/kept/sly > opt/folder/x; " +
      "echo note > etc/note; ln -s ../run var/run; touch -d '2000-01-01 00:00:00' opt/kept/*",
  );
  layers = [layerOf(user), top];
  mkdirSync(join(user.home, "given"));
  writeFileSync(join(user.home, "given/secret"), "hidden");
  const source = join(user.home, "given");
  options = {
    layers,
    mounts: [
      { destination: "/made/for/mount", source, options: ["rbind"] },
      { destination: "/var/run/secrets/token", source: join(source, "secret"), options: ["rbind"] },
      { destination: "/opt/kept/c", source: join(source, "secret"), options: ["rbind"] },
    ],
    annotations: { "io.podgen.files": JSON.stringify([{ destination: "/etc/conf", readOnly: true, items: [] }]) },
  };
});
after(() => userStop(user));

const bundleOf = (name: string): string => join(user.home, "bundles/web", name);

/** podrt changes into a file; what it warned of. */
function changes(name: string, to: string, ...words: string[]): string {
  return sh(user, `${user.podrt} changes --bundle ${bundleOf(name)} ${words.join(" ")} 2>&1 > ${to}`);
}

interface Member {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  readonly mtime: number;
  readonly link: string;
  readonly pax: Readonly<Record<string, string>>;
}

/** What another reader of tars sees: Python's. */
function members(file: string): Map<string, Member> {
  const script = [
    "import tarfile, json, sys",
    "t = tarfile.open(sys.argv[1], 'r:', errors='backslashreplace')",
    "print(json.dumps([dict(name=m.name, type=m.type.decode(), mode=m.mode, uid=m.uid, size=m.size, mtime=m.mtime, link=m.linkname,",
    "  pax={k: v.encode('utf-8', 'surrogateescape').hex() for k, v in m.pax_headers.items()}) for m in t]))",
  ].join("\n");
  const list: Member[] = JSON.parse(execFileSync("python3", ["-c", script, file], { encoding: "utf8", maxBuffer: 1 << 26 }));
  return new Map(list.map((m) => [m.name, m]));
}

/** The layer of a tar, unpacked as any layer is. */
function unpacked(file: string): string {
  const dest = join(user.home, "layers", `${file.split("/").at(-1)}-layer`);
  sh(user, `${user.podrt} rmtree ${dest}; ${user.podrt} layer --dest ${dest} --blob ${file}`);
  return dest;
}

for (const driver of ["overlay", "fuse-overlayfs", "vfs"])
  test(`driver ${driver}: the layer is what was changed, and makes the same root file system`, () => {
    const id = running(user, "app", { ...options, driver });
    const seen = `${user.home}/${driver}.tar`;
    try {
      inside(user, "app", CHANGES);
      const own = join(upperOf(user, "app"), driver === "vfs" ? "merged" : "upper");
      sh(user, `${user.podrt} unshare -- sh -c 'cd ${own} && setfattr -n user.a.b -v "v w" attr && /usr/sbin/setcap cap_net_raw+ep caps'`);
      const pid = String(mainPid(user, id));
      assert.equal(changes("app", seen, "--pid", pid), "");
      changes("app", `${seen}2`, "--pid", pid);
      assert.ok(readFileSync(seen).equals(readFileSync(`${seen}2`)), "the same changes give the same bytes");

      const found = members(seen);
      assert.equal(found.get(".")?.mode, 0o711);
      const names = [...found.keys()];
      const made = /^(proc|sys|dev|made|run|var|etc\/(hosts|hostname|resolv\.conf|conf)|opt\/kept\/c|sock)(\/|$)/;
      assert.deepEqual(
        names.filter((name) => made.test(name)),
        [],
      ); // prettier-ignore
      assert.deepEqual(
        names.filter((name) => name.startsWith("bin")),
        [],
      ); // prettier-ignore
      assert.equal(found.get("lower/.wh.file")?.size, 0);
      assert.ok(found.has(".wh.srv"));
      assert.deepEqual([found.get("new-hard")?.type, found.get("new-hard")?.link], ["1", "new"]);
      assert.deepEqual([found.get("new-link")?.type, found.get("new-link")?.link], ["2", "nowhere/at/all"]);
      assert.deepEqual([found.get("deep/er")?.mode, found.get("deep/er")?.uid], [0o1770, 33]);
      assert.deepEqual([found.get("deep/er/file")?.mode, found.get("pipe")?.type], [0o6755, "6"]);
      assert.equal(Buffer.from(found.get("attr")?.pax["SCHILY.xattr.user.a.b"] ?? "", "hex").toString(), "v w");
      // Version 2: the root of whoever unpacks it.
      assert.match(found.get("caps")?.pax["SCHILY.xattr.security.capability"] ?? "", /^01000002/);
      assert.equal(found.has("opt/kept/sly"), true);
      assert.equal(readFileSync(seen).includes("hidden"), false);

      const before = inside(user, "app", LIST);
      running(user, "again", { ...options, layers: [...layers, unpacked(seen)], driver: "overlay" });
      // A socket is nobody's without who listens on it.
      const without = (text: string) => text.split("\n").filter((line) => !/^\/sock |^\/bin\//.test(line)); // prettier-ignore
      assert.deepEqual(without(inside(user, "again", LIST)), without(before));
    } finally {
      sh(user, "systemctl --user stop pod-web_app.service pod-web_again.service || true");
    }
    // Of what has ended, too; and of what was restarted, nothing.
    changes("app", `${seen}3`);
    assert.ok(readFileSync(seen).equals(readFileSync(`${seen}3`)));
    systemctl(user, "start", id);
    changes("app", `${seen}4`);
    assert.deepEqual([...members(`${seen}4`).keys()], ["."]);
    systemctl(user, "stop", id);
  });

test("times after --latest become it; what no layer can have fails by name or is warned of", () => {
  const id = running(user, "app", options);
  try {
    inside(user, "app", "touch -d '1999-12-31 23:59:59' /old; touch /new");
    sh(user, `${user.podrt} unshare -- setfattr -n user.k=v -v 1 ${upperOf(user, "app")}/upper/new`);
    const file = join(user.home, "late.tar");
    assert.equal(
      changes("app", file, "--latest", "1000000000"),
      "podrt: changes: warning: new: an attribute left out, as no layer can have it",
    );
    const found = members(file);
    assert.deepEqual([found.get("new")?.mtime, found.get("old")?.mtime], [1_000_000_000, 946_684_799]);
    inside(user, "app", "touch /tmp/.wh.x");
    assert.throws(() => changes("app", file), /changes: a name that no layer can have: tmp\/\.wh\.x/);
  } finally {
    systemctl(user, "stop", id);
  }
  assert.throws(() => changes("never", join(user.home, "x.tar")), /config\.json/);
});

describe("--freeze", () => {
  const frozen = (group: string): string => readFileSync(`${group}/cgroup.events`, "utf8").match(/frozen (\d)/)?.[1] ?? "";

  test("nothing runs meanwhile, and everything afterwards: also when podrt is ended, or its reader goes away", async () => {
    const id = running(user, "app", { ...options, args: ["sh", "-c", "while :; do echo x >> /log; done"] });
    const group = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
      .map((r) => r + show(user, id, "ControlGroup"))
      .find((g) => existsSync(`${g}/cgroup.freeze`)); // prettier-ignore
    assert.ok(group !== undefined, "this machine has a cgroup2 tree");
    try {
      inside(user, "app", "head -c 3000000 /dev/zero > /big");
      for (const end of ["SIGTERM", "close"] as const) {
        // Nobody reads: it stands in the middle.
        const child = spawnAs(user, [user.podrt, "changes", "--bundle", bundleOf("app"), "--freeze", group], {
          stdio: ["ignore", "pipe", "inherit"],
        }); // prettier-ignore
        await until("the group to stand still", () => frozen(group) === "1");
        const log = join(upperOf(user, "app"), "upper/log");
        const size = execFileSync("stat", ["-c", "%s", log], { encoding: "utf8" });
        await new Promise((wake) => setTimeout(wake, 100));
        assert.equal(execFileSync("stat", ["-c", "%s", log], { encoding: "utf8" }), size);
        const ended = new Promise((done) => child.once("exit", done));
        if (end === "close") child.stdout?.destroy();
        else child.kill(end);
        await ended;
        assert.equal(frozen(group), "0", end);
      }
      changes("app", join(user.home, "frozen.tar"), "--freeze", group);
      assert.equal(frozen(group), "0");
      // What stood still before goes on doing so.
      writeFileSync(`${group}/cgroup.freeze`, "1");
      changes("app", join(user.home, "frozen.tar"), "--freeze", group);
      assert.equal(frozen(group), "1");
    } finally {
      writeFileSync(`${group}/cgroup.freeze`, "0");
      systemctl(user, "stop", id);
    }
  });
});
