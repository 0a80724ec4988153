// The pod's file systems in memory: /dev/shm and volumes of medium Memory, each with a limit of its own.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inside, output, running, startPod, toEnd, unitOf } from "./container.js";
import { infra, infraDir, infraUnit, mainPid, show, systemctl } from "./pod.js";
import { type TestUser, until, userStop } from "./user.js";

const DRIVERS = ["overlay", "fuse-overlayfs", "vfs"];

let user: TestUser;
let volume: string;
before(() => {
  user = startPod("pgmem");
  volume = join(infraDir(user, "web"), "volumes/cache");
  pod();
});
after(() => userStop(user));

/** Gives the pod its volume, in new namespaces. */
function pod(namespaces: readonly string[] = ["network", "ipc", "uts"]): void {
  infra(user, "web", { namespaces, annotations: { "io.podgen.memory-volumes": JSON.stringify([volume]) } });
  systemctl(user, "restart", infraUnit("web"));
}

const cache = (...options: string[]) => [
  { destination: "/cache", source: volume, options: ["rbind", "rprivate", "rw", "x-podgen.memory", ...options] },
];

/** kill -9, and the next one is there. */
async function killInfra(): Promise<void> {
  const pid = mainPid(user, infraUnit("web"));
  process.kill(pid, "SIGKILL");
  await until("infra is back", () => {
    const now = mainPid(user, infraUnit("web"));
    return now !== 0 && now !== pid && show(user, infraUnit("web"), "ActiveState") === "active";
  });
}

describe("/dev/shm", () => {
  test("is full at 64 MiB, and another pod starts meanwhile", () => {
    const free = () => statfsSync(user.runtimeDir).bavail;
    const before = free();
    running(user, "greedy");
    const script = "dd if=/dev/zero of=/dev/shm/big bs=1M count=80 2>&1; stat -c %s /dev/shm/big";
    assert.match(inside(user, "greedy", script), /No space left on device[\s\S]*\n67108864$/);
    // Of the user's own file system only files of a few KiB were taken.
    assert.ok(before - free() < 1024, `${before} - ${free()} blocks`);
    infra(user, "other");
    systemctl(user, "start", infraUnit("other"));
    assert.equal(show(user, infraUnit("other"), "ActiveState"), "active");
    inside(user, "greedy", "rm /dev/shm/big");
    systemctl(user, "stop", infraUnit("other"), unitOf("greedy"));
  });

  test("cannot be made bigger from within; root and others may write", async () => {
    const script = "mount -o remount,size=1g /dev/shm 2>&1; awk '$2 == \"/dev/shm\" { print $3, $4 }' /proc/mounts; stat -c %a /dev/shm";
    const text = await output(user, "grow", script);
    assert.match(text, /(denied|not permitted)/);
    assert.match(text, /\ntmpfs rw,nosuid,nodev,noexec,.*size=65536k.*\n1777$/);
  });
});

describe("a volume of medium Memory", () => {
  test("is a file system of its own, open to any user, with every driver", async () => {
    const script = "stat -c %a /cache; awk '$2 ~ \"^/(cache|dev/shm)$\" { print $2, $3, $4 }' /proc/mounts";
    for (const driver of DRIVERS) {
      const text = await output(user, "one", script, { driver, mounts: cache() });
      assert.match(text, /^777\n/, driver);
      assert.match(text, /^\/dev\/shm tmpfs .*size=65536k/m, driver);
      assert.match(text, /^\/cache tmpfs rw,nosuid,nodev,relatime(?!.*size=)/m, driver);
    }
  });

  test("has the kernel's default size", async () => {
    const mounts = [...cache(), { destination: "/default", type: "tmpfs" }];
    const [own, wanted] = (await output(user, "size", "stat -f -c %b /cache /default", { mounts })).split("\n");
    assert.equal(own, wanted);
  });

  test("is shared by two containers, at several places, also a part of it", async () => {
    running(user, "one", { mounts: cache() });
    running(user, "two", {
      mounts: [...cache(), { destination: "/part", source: volume, options: ["rbind", "ro", "x-podgen.memory", "x-podgen.subpath=a/b"] }],
    });
    inside(user, "one", "mkdir -p /cache/a/b; echo hello > /cache/a/b/f");
    assert.equal(
      inside(user, "two", "cat /cache/a/b/f /part/f; touch /part/x 2>&1 || true"),
      "hello\nhello\ntouch: /part/x: Read-only file system",
    );
    inside(user, "two", "rm -r /cache/a");
  });

  test("outlives infra that is killed and a container's restart, not the pod", async () => {
    inside(user, "one", "echo kept > /cache/f; echo kept > /dev/shm/f");
    await killInfra();
    systemctl(user, "restart", unitOf("two"));
    assert.equal(inside(user, "two", "cat /cache/f /dev/shm/f"), "kept\nkept");
    inside(user, "two", "echo back > /cache/g");
    assert.equal(inside(user, "one", "cat /cache/g"), "back");
    systemctl(user, "stop", unitOf("one"), unitOf("two"));
    systemctl(user, "restart", infraUnit("web"));
    assert.equal(await output(user, "one", "ls -A /cache /dev/shm", { mounts: cache() }), "/cache:\n\n/dev/shm:");
  });

  test("is not to be seen on the host, where nobody can fill its folder", () => {
    const look = (folder: string) => execFileSync("stat", ["-c", "%a %U", folder], { encoding: "utf8" }).trim();
    for (const folder of [volume, join(infraDir(user, "web"), "shm")]) assert.equal(look(folder), `700 ${user.name}`);
  });

  test("of a pod in the host's network", async () => {
    pod(["ipc"]);
    assert.equal(await output(user, "net", "stat -c %a /cache; grep -c ' /cache tmpfs ' /proc/mounts", { mounts: cache() }), "777\n1");
    pod();
  });
});

test("what is mounted on the host while the pod runs is there for the next start of a container", async () => {
  const disk = join(user.home, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "later", disk]);
  try {
    execFileSync("touch", [join(disk, "file")]);
    assert.equal(await output(user, "host", "ls /disk", { mounts: [{ destination: "/disk", source: disk, options: ["rbind"] }] }), "file");
  } finally {
    execFileSync("umount", [disk]);
  }
  assert.equal(await output(user, "host", "ls /disk", { mounts: [{ destination: "/disk", source: disk, options: ["rbind"] }] }), "");
});

test("a volume that infra does not know is an error that names it", async () => {
  const source = join(user.runtimeDir, "podgen/none");
  const end = await toEnd(user, "none", { args: ["true"], mounts: [{ destination: "/v", source, options: ["x-podgen.memory"] }] });
  assert.equal(end.status, 125);
  assert.ok(
    end.lines.some((line) => line === `podrt: run: bind: ${source}: No such file or directory`),
    end.lines.join("\n"),
  );
});
