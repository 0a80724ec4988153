// A container's file systems: layers, volumes, secrets, masks, and images that try to lead podrt astray.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type ContainerOptions,
  DEFAULT_CAPS,
  inside,
  layer,
  layerOf,
  output,
  running,
  startPod,
  toEnd,
  unitOf,
  upperOf,
} from "./container.js";
import { infra, infraDir, infraUnit, namespaceOf, sh, systemctl } from "./pod.js";
import { type TestUser, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("pgct2");
});
after(() => userStop(user));

/** The line a start fails with. */
async function failure(name: string, options: Partial<ContainerOptions>): Promise<string> {
  const end = await toEnd(user, name, { args: ["true"], ...options });
  assert.equal(end.status, 125, end.lines.join("\n"));
  return end.lines.find((line) => line.startsWith("podrt: ")) ?? end.lines.join("\n");
}

const lines = (text: string): string[] => text.split("\n");

describe("layers", () => {
  test("the upper covers the lower; whiteouts hide; what was written is gone at the next start", async () => {
    const top = layer(user, "top", "mkdir lower; mknod lower/file c 0 0; echo new > lower/other; echo top > etc-note");
    const options = { layers: [layerOf(user), top] };
    const script = "ls /lower; cat /etc-note; ls /written 2>/dev/null; touch /written; rm /lower/other; ls /lower";
    for (let i = 0; i < 2; i++) assert.deepEqual(lines(await output(user, "layers", script, options)), ["other", "top"]);
    assert.equal(readFileSync(join(top, "lower/other"), "utf8"), "new\n");
    assert.ok(existsSync(join(upperOf(user, "layers"), "upper/written")));
    assert.deepEqual(lines(sh(user, `ls -A ${upperOf(user, "layers")}`)), ["merged", "termination-log", "upper", "work"]);
  });

  test("300 layers", async () => {
    sh(user, "cd ~/layers && for i in $(seq 299); do mkdir -p many-$i && echo $i > many-$i/n$i; done");
    const many = Array.from({ length: 299 }, (_, i) => join(user.home, "layers", `many-${i + 1}`));
    assert.equal(await output(user, "many", "ls / | grep -c ^n; cat /n1 /n299", { layers: [layerOf(user), ...many] }), "299\n1\n299");
  });

  for (const driver of ["fuse-overlayfs", "vfs"])
    test(`driver ${driver}`, async () => {
      const top = layer(user, "top2", "mkdir lower; mknod lower/file c 0 0; echo new > lower/other");
      const script = "ls /lower; awk '$2 == \"/\" { print $3 }' /proc/mounts; ls /written 2>/dev/null; touch /written; id -u";
      for (let i = 0; i < 2; i++) {
        const [other, type, uid] = lines(await output(user, "driver", script, { layers: [layerOf(user), top], driver }));
        assert.deepEqual([other, uid], ["other", "0"]);
        if (driver === "vfs") assert.notEqual(type, "overlay");
        else assert.match(type ?? "", /^fuse/);
      }
      assert.equal(existsSync(join(top, "written")), false);
    });

  test("fuse-overlayfs lives as long as the container, where that cannot see it", () => {
    const id = running(user, "fuse", { driver: "fuse-overlayfs" });
    assert.match(inside(user, "fuse", "echo x > /root/x; cat /root/x; ps | grep -c fuse-overlayf[s] || true"), /^x\n0$/);
    assert.equal(sh(user, "pgrep -u $(id -u) -c fuse-overlayfs || true"), "1");
    systemctl(user, "stop", id);
    assert.equal(sh(user, "sleep 0.2; pgrep -u $(id -u) -c fuse-overlayfs || true"), "0");
  });

  test("auto takes the next driver where overlay does not work, and says so", async () => {
    // An overlay cannot be the upper of an overlay (podman in podman, say).
    const stack = join(user.home, "stack");
    sh(user, `mkdir -p ${stack}/lower ${stack}/upper ${stack}/work ${stack}/here`);
    const options = `lowerdir=${stack}/lower,upperdir=${stack}/upper,workdir=${stack}/work`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, `${stack}/here`]);
    try {
      const rootfs = { driver: "auto", layers: [layerOf(user)], upper: `${stack}/here/upper` };
      const end = await toEnd(user, "auto", {
        args: ["sh", "-c", "grep ' / ' /proc/mounts"],
        annotations: { "io.podgen.rootfs": JSON.stringify(rootfs) },
      });
      assert.equal(end.status, 0, end.lines.join("\n"));
      assert.ok(
        end.lines.some((line) => /^podrt: run: warning: overlay: .*; trying the next driver$/.test(line)),
        end.lines.join("\n"),
      );
      assert.ok(
        end.lines.some((line) => / \/ fuse.fuse-overlayfs /.test(line)),
        end.lines.join("\n"),
      );
      const only = { ...rootfs, driver: "overlay" };
      assert.match(await failure("auto", { annotations: { "io.podgen.rootfs": JSON.stringify(only) } }), /^podrt: run: overlay: /);
    } finally {
      execFileSync("umount", ["-l", `${stack}/here`]);
    }
  });

  test("a layer that is not there is named", async () => {
    assert.equal(await failure("gone", { layers: ["/no/such/layer"] }), "podrt: run: layer: /no/such/layer: No such file or directory");
    assert.match(
      await failure("gone", { layers: ["/no/such/layer", layerOf(user)] }),
      /^podrt: run: layer: \/no\/such\/layer: No such file/,
    );
  });

  test("a read-only root is one, and volumes in it are not", async () => {
    const text = await output(user, "readonly", "pwd; touch /x 2>&1; touch /new/place/y /dev/shm/z && echo written", {
      readOnlyRoot: true,
      mounts: [{ destination: "/new/place", type: "tmpfs", options: ["size=64k", "mode=1777"] }],
      process: { cwd: "/made/before" },
    });
    assert.deepEqual(lines(text), ["/made/before", "touch: /x: Read-only file system", "written"]);
  });
});

describe("kernel file systems", () => {
  test("/proc shows this container alone; host name, hosts and resolv.conf are the pod's", async () => {
    const [processes, name, hosts, resolv] = lines(
      await output(user, "kernel", "ls /proc | grep -c '^[0-9]'; hostname; grep -c web /etc/hosts; wc -l < /etc/resolv.conf"),
    );
    assert.ok(Number(processes) <= 4, processes);
    assert.deepEqual([name, hosts], ["web", "1"]);
    assert.equal(Number(resolv), readFileSync(join(infraDir(user, "web"), "resolv.conf"), "utf8").split("\n").length - 1);
  });

  test("devices work, are the real ones, and no others are there", async () => {
    const script =
      "cd /dev; ls; for d in null zero full random urandom tty; do stat -c '%t:%T' $d; done; head -c 3 zero | wc -c; echo x > null; echo x > full || echo full; ls ptmx; readlink ptmx";
    const text = lines(await output(user, "devices", script));
    const names = "core fd full mqueue null ptmx pts random shm stderr stdin stdout termination-log tty urandom zero";
    assert.deepEqual(text.slice(0, 16).join(" "), names);
    assert.deepEqual(text.slice(16, 22), ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"]);
    assert.ok(text.includes("3") && text.includes("full") && text.includes("pts/ptmx"), text.join("\n"));
  });

  test("/dev/shm is shared in the pod", async () => {
    await output(user, "shm1", "echo hello > /dev/shm/word; chmod 666 /dev/shm/word");
    assert.equal(
      await output(user, "shm2", "cat /dev/shm/word; stat -c %a /dev/shm; grep -c ' /dev/mqueue mqueue' /proc/mounts"),
      "hello\n1777\n1",
    );
  });

  test("the cgroup is the container's own root, read-only", async () => {
    const text = await output(
      user,
      "cgroup",
      "grep ^0: /proc/self/cgroup; touch /sys/fs/cgroup/x 2>&1; ls /sys/fs/cgroup | grep -c cgroup.procs",
    );
    assert.match(text, /^0::\/\n.*Read-only file system\n1$/);
  });

  test("masked paths are empty, write-protected ones cannot be written, the rest of /sys neither", async () => {
    const script =
      "cat /proc/keys /proc/timer_list | wc -c; find /sys/firmware /proc/acpi -mindepth 1 2>/dev/null | wc -l; " +
      "echo 1 > /proc/sys/kernel/printk; echo 1 > /proc/irq/default_smp_affinity; touch /sys/x; touch /proc/keys/x /sys/firmware/x; true";
    const text = await output(user, "masks", script);
    assert.match(text, /(^|\n)0\n0\n/);
    assert.equal(text.match(/Read-only file system/g)?.length, 4, text);
    assert.match(text, /keys\/x: Not a directory/);
  });

  test("a mask is not fooled by what the image has in its place", async () => {
    const evil = layer(user, "evil-null", "mkdir dev; ln -s /proc/sys/kernel/core_pattern dev/null");
    const text = await output(user, "masks", "cat /proc/keys | wc -c; stat -c %F /dev/null", { layers: [layerOf(user), evil] });
    assert.equal(text, "0\ncharacter special file");
  });

  test("the host's PID namespace, by annotation: its /proc is seen", async () => {
    const text = await output(user, "hostpid", "grep -c . /proc/1/comm; readlink /proc/self/ns/pid; kill -0 1 2>&1; true", {
      namespaces: ["mount", "cgroup"],
      annotations: { "io.podgen.pid": "host" },
    });
    assert.match(text, new RegExp(`^1\\n${namespaceOf(process.pid, "pid").replace(/[[\]]/g, "\\$&")}\\n.*not permitted$`));
  });
});

describe("pods of other kinds", () => {
  const inPod = (pod: string) => ({ "io.podgen.join": `pods/${pod}/_infra` });

  test("one that is neither asked for nor the host's is the pod's: where that shares none, nothing starts", async () => {
    const end = await toEnd(user, "nopid", { args: ["true"], namespaces: ["mount", "cgroup"] });
    assert.equal(end.status, 125);
    assert.match(end.lines.join("\n"), /the pod shares no PID namespace/);
  });

  test("a shared PID namespace: containers see each other, and of podgen a process that has nothing", async () => {
    infra(user, "shared", { namespaces: ["network", "ipc", "uts", "pid"] });
    systemctl(user, "start", infraUnit("shared"));
    const options = { annotations: inPod("shared"), namespaces: ["mount", "cgroup"] };
    const id = running(user, "first", options);
    const text = await output(
      user,
      "second",
      "cat /proc/1/comm; ps | grep -c '[s]leep 1000'; readlink /proc/1/exe || echo refused; hostname",
      options,
    );
    const [init, others, exe, name] = lines(text);
    assert.equal(init, "podrt-init");
    assert.deepEqual([others, name], ["1", "shared"]);
    assert.equal(exe, "refused");
    assert.notEqual(inside(user, "first", "readlink /proc/self/ns/pid"), namespaceOf(process.pid, "pid"));
    // One that may trace all it sees finds nothing there.
    const tracer = { ...options, caps: [...DEFAULT_CAPS, "CAP_SYS_PTRACE"] };
    const look = "readlink /proc/1/exe; ls -A /proc/1/root/ /proc/1/root/../ /proc/1/fd | grep -v :; ps -o pid,comm | grep -c podrt";
    assert.deepEqual(lines(await output(user, "tracer", look, tracer)).filter(Boolean), ["/memfd:podrt-init (deleted)", "1"]);
    systemctl(user, "stop", id, infraUnit("shared"));
  });

  test("the host's network: sysfs is bound, /etc/hosts is the host's", async () => {
    infra(user, "hostnet", { namespaces: ["ipc", "uts"] });
    systemctl(user, "start", infraUnit("hostnet"));
    const text = await output(
      user,
      "hostnet",
      "readlink /proc/self/ns/net; touch /sys/x 2>&1; ls /sys/class/net | wc -l; hostname; cat /etc/hosts",
      {
        annotations: inPod("hostnet"),
      },
    );
    const [net, sys, devices, name, ...hosts] = lines(text);
    assert.equal(net, namespaceOf(process.pid, "net"));
    assert.match(sys ?? "", /Read-only file system/);
    assert.deepEqual([Number(devices) > 0, name], [true, "hostnet"]);
    // The journal keeps no empty lines.
    assert.deepEqual(
      hosts.filter((line) => line !== ""),
      readFileSync("/etc/hosts", "utf8")
        .split("\n")
        .filter((line) => line !== ""),
    );
    systemctl(user, "stop", infraUnit("hostnet"));
  });
});

describe("images that lead astray", () => {
  for (const name of ["proc", "sys", "dev"])
    test(`/${name} as a symlink is refused`, async () => {
      const evil = layer(user, `evil-${name}`, `mkdir other; ln -s /other ${name}`);
      const line = await failure("astray", { layers: [layerOf(user), evil] });
      assert.equal(line, `podrt: run: mount: /${name}: the image has something else than a folder there`);
    });

  test("links in the place of mounts' targets do not lead out", async () => {
    const victim = join(user.home, "victim");
    mkdirSync(victim, { recursive: true });
    const evil = layer(
      user,
      "evil-etc",
      `mkdir -p tmp; ln -s ${victim} etc; ln -s ../../../../../../${victim} up; ln -s ${victim}/deep/er dangling`,
    );
    const bare = layer(user, "bare", "cp -a ~/layers/busybox/bin .");
    const text = await output(user, "astray", `cat ${victim}/hostname; ls /up /dangling /up/vol`, {
      layers: [bare, evil],
      mounts: [
        { destination: "/up/vol", type: "tmpfs", options: [] },
        { destination: "/dangling/vol", type: "tmpfs", options: [] },
      ],
    });
    assert.match(text, /^web\n/);
    assert.equal(sh(user, `ls -A ${victim}`), "");
    assert.equal(existsSync(`${victim}/deep`), false);
  });

  test("/etc/passwd as a link to the host's, a FIFO, a device or a huge file", async () => {
    const named = { annotations: { "io.podgen.user": "root" } };
    const link = layer(user, "pw-link", "mkdir etc; ln -s ../../../../../../../../etc/shadow etc/passwd");
    assert.match(await failure("pw", { ...named, layers: [layerOf(user), link] }), /user: root: not in the image's \/etc\/passwd/);
    const fifo = layer(user, "pw-fifo", "mkdir etc; mkfifo etc/passwd");
    assert.match(await failure("pw", { ...named, layers: [layerOf(user), fifo] }), /user: root: not in/);
    const magic = layer(user, "pw-magic", "mkdir etc; ln -s /proc/self/fd/0 etc/passwd");
    assert.match(await failure("pw", { ...named, layers: [layerOf(user), magic] }), /\/etc\/passwd: Too many levels of symbolic links/);
    const huge = layer(user, "pw-huge", "mkdir etc; truncate -s 5M etc/passwd");
    assert.match(await failure("pw", { ...named, layers: [layerOf(user), huge] }), /\/etc\/passwd: File too large/);
  });

  test("a working folder that is a link stays inside", async () => {
    const evil = layer(user, "evil-cwd", "ln -s /proc/self/fd/7 magic; ln -s ../../../../tmp/w loop");
    assert.match(await failure("cwd", { layers: [layerOf(user), evil], process: { cwd: "/magic/x" } }), /cwd: \/magic\/x: Too many levels/);
    assert.equal(await output(user, "cwd", "pwd -P", { layers: [layerOf(user), evil], process: { cwd: "/loop/x" } }), "/tmp/w/x");
  });
});

describe("volumes", () => {
  const bind = (source: string, ...options: string[]) => [{ destination: "/v", source, options: ["rbind", "rprivate", ...options] }];

  test("a folder of the host, read-write and read-only", async () => {
    sh(user, "mkdir -p ~/vol && echo host > ~/vol/f");
    assert.equal(await output(user, "vol", "cat /v/f; echo back > /v/g", { mounts: bind(join(user.home, "vol")) }), "host");
    assert.equal(sh(user, "cat ~/vol/g; stat -c %U ~/vol/g"), `back\n${user.name}`);
    assert.match(
      await output(user, "vol", "touch /v/h 2>&1; true", { mounts: bind(join(user.home, "vol"), "ro") }),
      /Read-only file system/,
    );
  });

  test("a single file, and a place that has to be made", async () => {
    const text = await output(user, "vol", "cat /etc/app/deep/file.conf; ls -ld /etc/app/deep | cut -c1-10", {
      mounts: [{ destination: "/etc/app/deep/file.conf", source: join(user.home, "vol/f"), options: ["ro"] }],
    });
    assert.equal(text, "host\ndrwxr-xr-x");
  });

  test("x-podgen.mkdir makes it for everybody; what it holds stays", async () => {
    const source = join(user.home, "empty/web/cache");
    const options = { mounts: bind(source, "x-podgen.mkdir"), process: { user: { uid: 4000, gid: 4000 } } };
    await output(user, "vol", "echo kept > /v/f", options);
    assert.equal(await output(user, "vol", "cat /v/f", options), "kept");
    assert.equal(statSync(source).mode & 0o777, 0o777);
  });

  test("hostPath types: made or checked, with a clear line", async () => {
    const home = user.home;
    const good: [string, string, string][] = [
      ["Directory", `${home}/vol`, "directory"],
      ["File", `${home}/vol/f`, "regular file"],
      ["DirectoryOrCreate", `${home}/made/dir`, "directory"],
      ["FileOrCreate", `${home}/made/file`, "regular empty file"],
      ["Socket", `${user.runtimeDir}/systemd/notify`, "socket"],
      ["CharDevice", "/dev/zero", "character special file"],
    ];
    for (const [type, source, want] of good)
      assert.equal(await output(user, "type", "stat -c %F /v", { mounts: bind(source, `x-podgen.type=${type}`) }), want, type);
    const bad: [string, string, string][] = [
      ["Directory", `${home}/vol/f`, `hostPath ${home}/vol/f is not a Directory`],
      ["DirectoryOrCreate", `${home}/vol/f`, `hostPath ${home}/vol/f is not a Directory`],
      ["File", `${home}/vol`, `hostPath ${home}/vol is not a File`],
      ["Socket", `${home}/vol/f`, `hostPath ${home}/vol/f is not a Socket`],
      ["BlockDevice", "/dev/null", "hostPath /dev/null is not a BlockDevice"],
      ["CharDevice", `${home}/vol/f`, `hostPath ${home}/vol/f is not a CharDevice`],
      ["Directory", `${home}/nothing`, `hostPath ${home}/nothing does not exist`],
      ["File", "/root/nothing", "/root/nothing: Permission denied"],
      ["FileOrCreate", `${home}/not/there`, `hostPath ${home}/not/there does not exist`],
    ];
    for (const [type, source, want] of bad)
      assert.equal(await failure("type", { mounts: bind(source, `x-podgen.type=${type}`) }), `podrt: run: volume: ${want}`);
    assert.equal(
      await failure("type", { mounts: bind(`${home}/nothing`) }),
      `podrt: run: volume: ${home}/nothing: No such file or directory`,
    );
    assert.match(await failure("type", { mounts: bind(`${home}/vol`, "x-podgen.type=Dir") }), /mount option: x-podgen.type=Dir: unknown/);
  });

  test("a sub-path is made, and no link leads out of the volume", async () => {
    const source = join(user.home, "vol");
    assert.equal(await output(user, "sub", "echo x > /v/f; pwd", { mounts: bind(source, "x-podgen.subpath=a/b") }), "/");
    assert.equal(readFileSync(join(source, "a/b/f"), "utf8"), "x\n");
    sh(user, "ln -sfn /etc ~/vol/out; ln -sfn ../.. ~/vol/up; ln -sfn a ~/vol/in");
    assert.equal(await output(user, "sub", "cat /v/b/f", { mounts: bind(source, "x-podgen.subpath=in") }), "x");
    for (const path of ["out", "up/x", "out/new"])
      assert.equal(
        await failure("sub", { mounts: bind(source, `x-podgen.subpath=${path}`) }),
        `podrt: run: volume: subPath ${path} leads out of the volume`,
      );
  });

  test("mounts and files come in the order of their folders", async () => {
    writeFileSync(join(user.home, "secret"), "s3cret", { mode: 0o644 });
    const text = await output(user, "order", "cat /v/sub/item /v/f; cat /w/f /w/files/item", {
      mounts: [...bind(join(user.home, "vol")), { destination: "/w/f", source: join(user.home, "vol/f"), options: [] }],
      annotations: {
        "io.podgen.files": JSON.stringify(
          ["/v/sub", "/w", "/w/files"].map((destination) => ({
            destination,
            readOnly: false,
            items: [{ path: "item", source: join(user.home, "secret") }],
          })),
        ),
      },
    });
    assert.equal(text, "s3crethost\nhost\ns3cret");
  });
});

describe("secrets", () => {
  before(() => sh(user, "mkdir -p ~/store && printf 'pa ss\\n' > ~/store/word && printf 'key' > ~/store/key && chmod 600 ~/store/*"));
  const item = (path: string, key: string, mode: number) => ({ path, source: join(user.home, "store", key), mode });

  test("files: modes, folders, tmpfs, read-only", async () => {
    const text = await output(
      user,
      "files",
      "cd /etc/s; stat -c '%a %u %n' word sub/key; cat word sub/key; echo; touch x 2>&1; stat -f -c %T .",
      {
        annotations: {
          "io.podgen.files": JSON.stringify([
            { destination: "/etc/s", readOnly: true, items: [item("word", "word", 0o400), item("sub/key", "key", 0o644)] },
          ]),
        },
      },
    );
    assert.equal(text, "400 0 word\n644 0 sub/key\npa ss\nkey\ntouch: x: Read-only file system\ntmpfs");
  });

  test("a sub-path of them: one file, one folder", async () => {
    const items = [item("word", "word", 0o400), item("sub/key", "key", 0o644)];
    const text = await output(user, "files", "cat /etc/one; ls /etc/folder; ls /etc", {
      annotations: {
        "io.podgen.files": JSON.stringify([
          { destination: "/etc/one", subPath: "word", readOnly: true, items },
          { destination: "/etc/folder", subPath: "sub", readOnly: true, items },
        ]),
      },
    });
    assert.deepEqual(lines(text).slice(0, 2), ["pa ss", "key"]);
    const annotations = { "io.podgen.files": JSON.stringify([{ destination: "/x", subPath: "none", readOnly: true, items }]) };
    assert.match(await failure("files", { annotations }), /files: subPath none: No such file/);
  });

  test("variables: the value whole, never in a message", async () => {
    const annotations = (file: string) => ({ "io.podgen.secret-env": JSON.stringify({ WORD: join(user.home, "store", file) }) });
    assert.equal(await output(user, "env", 'printf "[%s]" "$WORD"', { annotations: annotations("word") }), "[pa ss\n]");
    sh(user, "printf 'hush\\0hush' > ~/store/nul");
    assert.equal(
      await failure("env", { annotations: annotations("nul") }),
      "podrt: run: secret: variable WORD: its value holds a NUL byte",
    );
    assert.match(
      await failure("env", { annotations: annotations("gone") }),
      /^podrt: run: secret: variable WORD: .*store\/gone: No such file/,
    );
  });

  test("nothing of them is on disk afterwards", () => {
    assert.equal(sh(user, `grep -rl 'pa ss' ~/containers || true`), "");
    assert.ok(unitOf("x").endsWith(".service"));
  });
});
