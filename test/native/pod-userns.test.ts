// io.podgen.userns: a pod in a user namespace of its own, whose file system, pipes, volumes and terminal belong to its ids.
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ContainerOptions, exec, inside, layerOf, output, running, startPod, toEnd, unitOf, upperOf } from "./container.js";
import { infra, infraDir, infraUnit, mainPid, namespaceOf, PAUSE, sh, show, systemctl } from "./pod.js";
import { type TestUser, until, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("ocusn");
});
after(() => userStop(user));

type Ranges = readonly (readonly [number, number, number])[];
interface Map {
  readonly name: string;
  readonly uids: Ranges;
  readonly gids: Ranges;
}

const both = (name: string, ranges: Ranges): Map => ({ name, uids: ranges, gids: ranges });
/** 1000 inside is the user; a part of the ids from the middle; all but the user. */
const KEEP_ID = both("keep-id", [
  [0, 1, 1000],
  [1000, 0, 1],
  [1001, 1001, 64535],
]);
const AUTO = both("auto", [[0, 20001, 4096]]);
const NOMAP = both("nomap", [[0, 1, 65536]]);

/** What /proc shows of a map, in ids of who reads it: of a process above all namespaces. */
const asShown = (ranges: Ranges): number[] => ranges.flatMap(([inside, outside, count]) => [inside, onHost(outside), count]);
const onHost = (outside: number): number => (outside === 0 ? user.uid : user.subId + outside - 1);
const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);

const json = ({ uids, gids }: Map): string => JSON.stringify({ uids, gids });

/** A layer as a pod of this map needs it. */
function shifted(map: Map, from: string): string {
  const dest = `${from}-${map.name}`;
  if (!existsSync(dest)) sh(user, `${user.podrt} layer --shift ${from} --dest ${dest} --map '${json(map)}'`);
  return dest;
}

/** Infra anew, with this map. */
function pod(map: Map, annotations: Readonly<Record<string, string>> = {}): void {
  infra(user, "web", {
    sysctl: { "net.ipv4.ping_group_range": "0 0", "kernel.shmmni": "123" },
    annotations: { "io.podgen.userns": json(map), "io.podgen.digest": `sha256:${Buffer.from(map.name).toString("hex")}`, ...annotations },
  });
  systemctl(user, "restart", infraUnit("web"));
}

const options = (map: Map, more: Partial<ContainerOptions> = {}): Partial<ContainerOptions> => ({
  layers: [shifted(map, layerOf(user))],
  ...more,
  annotations: { "io.podgen.userns": json(map), ...more.annotations },
});

for (const map of [KEEP_ID, AUTO, NOMAP])
  describe(map.name, () => {
    const memory = (): string => join(infraDir(user, "web"), "volumes/cache");
    const empty = (): string => join(user.home, `empty-${map.name}`);
    before(() => {
      sh(user, `umask 077; echo s > ${join(user.home, "secret")}`);
      pod(map, { "io.podgen.memory-volumes": JSON.stringify([memory()]) });
      running(
        user,
        "app",
        options(map, {
          mounts: [
            { destination: "/cache", source: memory(), options: ["rbind", "x-podgen.memory"] },
            { destination: "/new/empty", source: empty(), options: ["rbind", "x-podgen.mkdir"] },
          ],
          annotations: {
            "io.podgen.files": JSON.stringify([
              { destination: "/secret", items: [{ path: "a/b", source: join(user.home, "secret"), mode: 0o400 }] },
            ]),
          },
        }),
      );
    });

    after(() => systemctl(user, "stop", unitOf("app")));

    test("the maps are those of the bundle; network, IPC and UTS belong to the namespace, its sysctls are set", () => {
      const pid = mainPid(user, unitOf("app"));
      assert.deepEqual(numbers(readFileSync(`/proc/${pid}/uid_map`, "utf8")), asShown(map.uids));
      assert.deepEqual(numbers(readFileSync(`/proc/${pid}/gid_map`, "utf8")), asShown(map.gids));
      assert.equal(namespaceOf(pid, "user"), namespaceOf(mainPid(user, infraUnit("web")), "user"));
      assert.notEqual(namespaceOf(pid, "user"), namespaceOf(mainPid(user, PAUSE), "user"));
      assert.equal(inside(user, "app", "cat /proc/sys/kernel/shmmni; hostname"), "123\nweb");
      assert.equal(statSync(`/proc/${pid}`).uid, onHost(map.uids[0]?.[1] ?? -1));
    });

    test("everything that podrt makes is root's inside", () => {
      const paths =
        "/ /bin /tmp /dev /dev/shm /dev/pts/ptmx /dev/mqueue /etc/hosts /etc/hostname /cache /new /new/empty /secret /secret/a /secret/a/b";
      assert.equal(inside(user, "app", `stat -c '%u:%g %n' ${paths} | grep -v '^0:0 ' || true`), "");
      assert.equal(inside(user, "app", "cat /secret/a/b; id -u; id -G"), "s\n0\n0");
    });

    test("root writes everywhere, gives away and takes back; a lesser user has what is his", () => {
      inside(user, "app", "for d in / /tmp /cache /new/empty /dev/shm; do touch $d/f && chown 33:44 $d/f && rm $d/f || exit 1; done");
      assert.equal(inside(user, "app", "id -u; touch /tmp/w; stat -c %u /tmp/w", ["--user", "web"]), "33\n33");
      assert.equal(exec(user, "app", ["sh", "-c", "echo x > /etc/passwd"], ["--user", "web"]).code, 1);
    });

    test("stdout can be opened again, by root and by another user; lines reach the journal", async () => {
      const said = await output(user, "says", "echo one; echo two > /dev/stdout; echo three > /dev/stderr", options(map));
      assert.deepEqual(said.split("\n").sort(), ["one", "three", "two"]);
      const web = options(map, { annotations: { "io.podgen.user": "web" } });
      assert.equal(await output(user, "saysweb", "id -u > /dev/stdout; id -g", web), "33\n44");
    });

    test("a terminal is the user's, in the container and by exec", async () => {
      const tty = await toEnd(user, "tty", {
        ...options(map, { process: { args: ["sh", "-c", "stat -c %u $(tty); id -u"], terminal: true, user: { uid: 33, gid: 44 } } }),
        args: [],
      });
      assert.deepEqual(tty.lines.filter((line) => /^\d+/.test(line)).map(Number), [33, 33]);
      assert.match(exec(user, "app", ["sh", "-c", "stat -c %u $(tty)"], ["--tty", "--user", "web"]).stdout, /^33\s*$/);
    });

    test("the host's folders are the host's", async () => {
      const shared = join(user.home, `host-${map.name}`);
      sh(user, `mkdir -p ${shared} && touch ${shared}/mine`);
      const mounts = [{ destination: "/host", source: shared, options: ["rbind"] }];
      const seen = await output(user, "host", "stat -c %u /host/mine", options(map, { mounts }));
      assert.equal(seen, map === KEEP_ID ? "1000" : "65534");
      if (map !== KEEP_ID) return;
      await output(
        user,
        "host",
        "touch /host/made",
        options(map, { mounts, process: { args: ["touch", "/host/made"], user: { uid: 1000, gid: 1000 } } }),
      );
      assert.equal(statSync(join(shared, "made")).uid, user.uid);
    });

    test("an infra that is killed is followed by one in the same namespaces, and containers start in them", async () => {
      const spaces = (): string[] => ["user", "net", "ipc", "uts", "mnt"].map((type) => namespaceOf(mainPid(user, infraUnit("web")), type));
      const before = spaces();
      const pid = mainPid(user, infraUnit("web"));
      systemctl(user, "restart", PAUSE);
      process.kill(pid, "SIGKILL");
      await until(
        "infra is back",
        () => ![0, pid].includes(mainPid(user, infraUnit("web"))) && show(user, infraUnit("web"), "ActiveState") === "active",
      );
      assert.deepEqual(spaces(), before);
      assert.equal(await output(user, "later", "echo here", options(map)), "here");
    });

    test("a pause that was killed takes the user's namespace over, which the pod's is a part of", async () => {
      const of = namespaceOf(mainPid(user, PAUSE), "user");
      const pid = mainPid(user, PAUSE);
      process.kill(pid, "SIGKILL");
      await until("pause is back", () => ![0, pid].includes(mainPid(user, PAUSE)) && show(user, PAUSE, "ActiveState") === "active");
      assert.equal(namespaceOf(mainPid(user, PAUSE), "user"), of);
    });

    test("a copy instead of an overlay; what was written belongs to the pod's ids, and goes by rmtree", async () => {
      const vfs = options(map, { driver: "vfs" });
      assert.equal(await output(user, "vfs", "stat -c %u /bin /etc/passwd | sort -u; touch /w; chown 33 /w", vfs), "0");
      sh(user, `${user.podrt} rmtree ${upperOf(user, "vfs")} ${empty()}`);
      assert.equal(existsSync(upperOf(user, "vfs")) || existsSync(empty()), false);
    });

    test("a bundle of another map than infra's is refused", async () => {
      const other = both("other", [[0, 30000, 2000]]);
      const end = await toEnd(user, "other", { args: ["true"], annotations: { "io.podgen.userns": json(other) } });
      assert.equal(end.status, 125);
      assert.match(end.lines.join("\n"), /infra has other ids than this bundle/);
    });

    test("a user that the map has not: 125, and why", async () => {
      const end = await toEnd(user, "none", { ...options(map, { process: { args: ["true"], user: { uid: 70000, gid: 0 } } }), args: [] });
      assert.equal(end.status, 125);
      assert.match(end.lines.join("\n"), /70000:0 is not mapped in the user namespace/);
    });
  });
