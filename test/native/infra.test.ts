// podrt infra: the pod's namespaces and files, the PID 1 of a shared PID namespace, and what its bundle may not ask for.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { infra, infraDir, infraUnit, mainPid, messages, namespaceOf, PAUSE, pauseUnit, sh, show, systemctl, unit } from "./pod.js";
import { runAs, type TestUser, until, userStart, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = userStart("pgn1");
  pauseUnit(user);
});

after(() => userStop(user));

/** A command in the namespaces of a pod's infra. */
const inPod = (pod: string, flags: string, script: string): string =>
  sh(user, `nsenter -t ${mainPid(user, infraUnit(pod))} --user ${flags} --preserve-credentials sh -c '${script}'`);

const inFolder = (pod: string, name: string): string => readFileSync(join(infraDir(user, pod), name), "utf8");

describe("a pod with namespaces of its own", () => {
  before(() => {
    infra(user, "web", {
      sysctl: { "net.ipv4.ip_unprivileged_port_start": "80", "kernel.shmmni": "123", "net.ipv4.ping_group_range": "0 2147483647" },
      annotations: {
        "io.podgen.uplink": "pasta",
        "io.podgen.memory-volumes": JSON.stringify([`${user.runtimeDir}/podgen/volumes/web/cache`]),
      },
    });
    systemctl(user, "start", infraUnit("web"));
  });

  test("network, ipc, uts and mounts are new; the user namespace is pause's; the rest is the host's", () => {
    const pid = mainPid(user, infraUnit("web"));
    for (const type of ["net", "ipc", "uts", "mnt"]) assert.notEqual(namespaceOf(pid, type), namespaceOf(process.pid, type));
    for (const type of ["pid", "cgroup"]) assert.equal(namespaceOf(pid, type), namespaceOf(process.pid, type));
    assert.equal(namespaceOf(pid, "user"), namespaceOf(mainPid(user, PAUSE), "user"));
  });

  test("host name, loopback and sysctls are set; the one that cannot be is told of", () => {
    assert.equal(inPod("web", "--uts", "uname -n"), "web");
    assert.match(inPod("web", "--net", "ip -br addr show lo"), /127\.0\.0\.1\/8 ::1\/128/);
    assert.equal(inPod("web", "--net", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "80");
    assert.equal(inPod("web", "--ipc", "cat /proc/sys/kernel/shmmni"), "123");
    assert.ok(messages(user, infraUnit("web")).some((m) => /warning: sysctl net\.ipv4\.ping_group_range: .*ignoring/.test(String(m))));
  });

  test("state.json names the process", () => {
    const state = JSON.parse(inFolder("web", "state.json"));
    const pid = mainPid(user, infraUnit("web"));
    const start = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
    assert.equal(state.pid, pid);
    assert.equal(state.startTime, start);
    assert.equal(state.digest, "sha256:0a1b");
    assert.ok(Math.abs(state.startedAt - Date.now() / 1000) < 30);
  });

  test("hosts, resolv.conf, hostname, shm and memory volumes", () => {
    assert.equal(inFolder("web", "hostname"), "web\n");
    assert.match(inFolder("web", "hosts"), /^127\.0\.0\.1\tlocalhost\n::1\tlocalhost .*\n127\.0\.0\.1\tweb\n$/);
    assert.match(inFolder("web", "resolv.conf"), /^nameserver 169\.254\.1\.1\n/);
    assert.equal(statSync(join(infraDir(user, "web"), "resolv.conf")).mode & 0o777, 0o644);
    const folders = [join(infraDir(user, "web"), "shm"), `${user.runtimeDir}/podgen/volumes/web/cache`];
    assert.equal(inPod("web", "--mount", `stat -c "%a %m" ${folders.join(" ")}`), `1777 ${folders[0]}\n777 ${folders[1]}`);
  });

  test("a restart gives empty shm and memory volumes, whoever's the files are", () => {
    const volume = `${user.runtimeDir}/podgen/volumes/web/cache`;
    const shm = join(infraDir(user, "web"), "shm");
    for (const folder of [volume, shm])
      inPod("web", "--mount", `mkdir ${folder}/d && touch ${folder}/d/f && chown -R 100:100 ${folder}/d && chmod 0 ${folder}/d`);
    systemctl(user, "restart", infraUnit("web"));
    for (const folder of [volume, shm]) assert.equal(inPod("web", "--mount", `ls -A ${folder}`), "");
  });

  test("killed: the next one has the same namespaces, files and volumes; a changed bundle has new ones", async () => {
    const volume = `${user.runtimeDir}/podgen/volumes/web/cache`;
    const spaces = () => ["user", "net", "ipc", "uts", "mnt"].map((type) => namespaceOf(mainPid(user, infraUnit("web")), type));
    const killed = async () => {
      const pid = mainPid(user, infraUnit("web"));
      process.kill(pid, "SIGKILL");
      const active = () => show(user, infraUnit("web"), "ActiveState") === "active";
      await until("infra is back", () => ![0, pid].includes(mainPid(user, infraUnit("web"))) && active());
    };
    const before = spaces();
    inPod("web", "--mount", `touch ${volume}/f`);
    // Also in a user namespace that is not the pause process's any more.
    systemctl(user, "restart", PAUSE);
    for (let i = 0; i < 2; i++) {
      await killed();
      assert.deepEqual(spaces(), before);
      assert.equal(inPod("web", "--mount", `ls ${volume}`), "f");
      assert.equal(inPod("web", "--uts", "uname -n"), "web");
      assert.equal(show(user, infraUnit("web"), "NFileDescriptorStore"), "5");
    }
    // Held, so that the numbers are not given to others.
    const held = ["net", "ipc", "uts", "mnt"].map((type) => openSync(`/proc/${mainPid(user, infraUnit("web"))}/ns/${type}`, "r"));
    const config = join(user.home, "bundles/web/config.json");
    writeFileSync(config, readFileSync(config, "utf8").replace("sha256:0a1b", "sha256:0a1c"));
    await killed();
    for (const [i, now] of spaces().slice(1).entries()) assert.notEqual(now, before[i + 1]);
    for (const fd of held) closeSync(fd);
    assert.equal(inPod("web", "--mount", `ls ${volume}`), "");
    assert.equal(show(user, infraUnit("web"), "NFileDescriptorStore"), "5");
  });

  test("a stop ends it with success", () => {
    systemctl(user, "stop", infraUnit("web"));
    assert.equal(show(user, infraUnit("web"), "Result"), "success");
    assert.equal(existsSync(join(infraDir(user, "web"), "log.sock")), false);
    assert.equal(existsSync(join(infraDir(user, "web"), "unsent")), false);
    assert.equal(existsSync(join(infraDir(user, "web"), "state.json")), true);
  });
});

describe("a pod with a PID namespace of its own", () => {
  before(() => {
    infra(user, "shared", { namespaces: ["network", "ipc", "uts", "pid"] });
    systemctl(user, "start", infraUnit("shared"));
  });

  const initPid = (): number => JSON.parse(inFolder("shared", "init/state.json")).pid;
  /** A command in the PID namespace. */
  const inside = (script: string): string =>
    sh(
      user,
      `nsenter -t ${mainPid(user, infraUnit("shared"))} --user --preserve-credentials nsenter -t ${initPid()} --pid sh -c '${script}'`,
    );

  test("its PID 1 is infra's child, with nothing and no right; infra is outside", () => {
    const pid = mainPid(user, infraUnit("shared"));
    assert.equal(namespaceOf(pid, "pid"), namespaceOf(process.pid, "pid"));
    const status = readFileSync(`/proc/${initPid()}/status`, "utf8");
    assert.match(status, /^NSpid:\t\d+\t1$/m);
    assert.match(status, new RegExp(`^PPid:\t${pid}$`, "m"));
    for (const set of ["CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"]) assert.match(status, new RegExp(`^${set}:\t0{16}$`, "m"));
    assert.match(status, /^NoNewPrivs:\t1$/m);
    const see = (what: string) => execFileSync("sh", ["-c", what.replaceAll("PROC", `/proc/${initPid()}`)], { encoding: "utf8" }).trim();
    assert.equal(see("ls -A PROC/root/ PROC/fd"), `/proc/${initPid()}/fd:\n\n/proc/${initPid()}/root/:`);
    assert.match(see("readlink PROC/exe"), /^\/memfd:podrt-init/);
    assert.equal(see("wc -l < PROC/mountinfo"), "1");
    assert.equal(systemctl(user, "show", "-P", "NRestarts", infraUnit("shared")), "0");
  });

  test("it reaps orphans", async () => {
    const init = initPid();
    const children = () => execFileSync("cat", [`/proc/${init}/task/${init}/children`], { encoding: "utf8" }).trim();
    inside("(sleep 0.5 >/dev/null 2>&1 &) ; true");
    await until("the orphan is its", () => children() !== "");
    await until("the orphan is gone", () => children() === "");
  });

  test("no signal from within the pod ends it", () => {
    const before = [initPid(), mainPid(user, infraUnit("shared"))];
    for (const signal of ["TERM", "INT", "KILL", "HUP", "USR1", "STOP"]) inside(`kill -${signal} 1; true`);
    inside("sleep 0.3");
    assert.deepEqual([initPid(), mainPid(user, infraUnit("shared"))], before);
    assert.match(readFileSync(`/proc/${initPid()}/status`, "utf8"), /^State:\tS/m);
  });

  for (const who of ["infra", "its PID 1"])
    test(`${who} killed: both are made anew, the other namespaces stay`, async () => {
      const [pid, init] = [mainPid(user, infraUnit("shared")), initPid()];
      const net = namespaceOf(pid, "net");
      process.kill(who === "infra" ? pid : init, "SIGKILL");
      await until(
        "infra is back",
        () => ![0, pid].includes(mainPid(user, infraUnit("shared"))) && show(user, infraUnit("shared"), "ActiveState") === "active",
      );
      assert.notEqual(initPid(), init);
      assert.ok(!existsSync(`/proc/${init}`) || !readFileSync(`/proc/${init}/comm`, "utf8").startsWith("podrt-init"));
      assert.equal(namespaceOf(mainPid(user, infraUnit("shared")), "net"), net);
    });

  test("a stop ends it with success", () => {
    const init = initPid();
    const began = Date.now();
    systemctl(user, "stop", infraUnit("shared"));
    assert.ok(Date.now() - began < 3000);
    assert.equal(show(user, infraUnit("shared"), "Result"), "success");
    assert.ok(!existsSync(`/proc/${init}`));
  });
});

describe("a pod in the host's network", () => {
  test("has the host's namespace, hosts and resolv.conf", () => {
    infra(user, "hostnet", { namespaces: ["ipc"] });
    systemctl(user, "start", infraUnit("hostnet"));
    const pid = mainPid(user, infraUnit("hostnet"));
    assert.equal(namespaceOf(pid, "net"), namespaceOf(process.pid, "net"));
    assert.equal(namespaceOf(pid, "uts"), namespaceOf(process.pid, "uts"));
    for (const name of ["hosts", "resolv.conf"]) assert.equal(inFolder("hostnet", name), readFileSync(`/etc/${name}`, "utf8"));
    systemctl(user, "stop", infraUnit("hostnet"));
  });
});

describe("what goes wrong", () => {
  const fails = (options: Parameters<typeof infra>[2], wanted: RegExp) => {
    const bundle = infra(user, "bad", options);
    const r = runAs(user, [user.podrt, "infra", "--bundle", bundle]);
    assert.equal(r.code, 125);
    assert.match(r.stderr, wanted);
    assert.equal(r.stderr.trim().split("\n").length, 1);
  };

  test("a sysctl of the machine, or of a namespace the pod does not have, is refused", () => {
    systemctl(user, "start", PAUSE);
    fails({ sysctl: { "vm.swappiness": "1" } }, /^podrt: infra: sysctl: vm\.swappiness: not a namespace's own: /);
    fails(
      { sysctl: { "net.ipv4.ip_forward": "1" }, namespaces: ["uts"] },
      /^podrt: infra: sysctl: net\.ipv4\.ip_forward: the pod uses the host's/,
    );
    fails({ sysctl: { "net.../../vm/swappiness": "1" } }, /^podrt: infra: sysctl: /);
    fails({ sysctl: { "net.no.such": "1" } }, /^podrt: infra: sysctl: net\.no\.such: No such file/);
  });

  test("a bundle that is not there, is no JSON, or leads out of the runtime folder", () => {
    fails({ annotations: { "io.podgen.run-dir": "../../x" } }, /^podrt: infra: open: \.\.\/\.\.\/x: /);
    const empty = join(user.home, "empty");
    mkdirSync(empty);
    for (const words of [
      ["--bundle", empty],
      ["--bundle", "/nonexistent"],
    ]) {
      const r = runAs(user, [user.podrt, "infra", ...words]);
      assert.equal(r.code, 125);
      assert.match(r.stderr, /^podrt: infra: (read|open): .*: No such file or directory\n$/);
    }
    writeFileSync(join(empty, "config.json"), "{");
    assert.match(runAs(user, [user.podrt, "infra", "--bundle", empty]).stderr, /^podrt: infra: config\.json: line 1: /);
    rmSync(empty, { recursive: true });
    assert.equal(runAs(user, [user.podrt, "infra"]).code, 64);
  });

  test("it waits for a pause that is late", async () => {
    infra(user, "late");
    systemctl(user, "stop", PAUSE);
    unit(user, `${PAUSE}.d/late.conf`, ["[Service]", "Type=exec", "ExecStart=", `ExecStart=sh -c 'sleep 1; exec ${user.podrt} pause'`]);
    systemctl(user, "start", infraUnit("late"));
    assert.equal(show(user, infraUnit("late"), "NRestarts"), "0");
    assert.equal(namespaceOf(mainPid(user, infraUnit("late")), "user"), namespaceOf(mainPid(user, PAUSE), "user"));
    rmSync(join(user.home, ".config/systemd/user", `${PAUSE}.d`), { recursive: true });
    systemctl(user, "daemon-reload");
  });
});
