// podrt pause: one user namespace per user, found again whatever dies, out of reach for those who share it.
import assert from "node:assert/strict";
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { infra, infraUnit, mainPid, namespaceOf, PAUSE, pauseUnit, sh, show, systemctl } from "./pod.js";
import { editSubids, runAs, spawnAs, type TestUser, until, userStart, userStop } from "./user.js";

let user: TestUser;
const pidFile = (): string => `${user.runtimeDir}/podgen/pause.pid`;
/** Keeps a namespace from going, so that its number is not given to another. */
const pin = (pid: number): number => openSync(`/proc/${pid}/ns/user`, "r");
const userNamespace = (): string => sh(user, `${user.podrt} unshare readlink /proc/self/ns/user`);

before(() => {
  user = userStart("pgn1");
  // A second range, by number as subuid(5) allows.
  editSubids(`$a ${user.uid}:700000000:1000`);
  pauseUnit(user);
  infra(user, "web");
});

after(() => {
  editSubids(`/^${user.uid}:700000000:1000$/d`);
  userStop(user);
});

describe("the namespace", () => {
  test("root is the user, and all ranges of the user follow", () => {
    systemctl(user, "start", PAUSE);
    const maps = sh(user, `cat /proc/${mainPid(user, PAUSE)}/uid_map /proc/${mainPid(user, PAUSE)}/gid_map`);
    const rows = maps.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
    const wanted = [
      [0, user.uid, 1],
      [1, user.subId, 65536],
      [65537, 700000000, 1000],
    ];
    assert.deepEqual(rows.slice(0, 3), wanted);
    assert.deepEqual(rows.slice(4), wanted.slice(1));
  });

  test("everybody joins the same, as root without groups", () => {
    assert.equal(userNamespace(), namespaceOf(mainPid(user, PAUSE), "user"));
    assert.equal(sh(user, `${user.podrt} unshare -- sh -c 'id -u; id -g; id -G'`), "0\n0\n0");
  });

  test("a stop ends it cleanly and removes the pid file", () => {
    systemctl(user, "start", PAUSE);
    systemctl(user, "stop", PAUSE);
    assert.equal(show(user, PAUSE, "Result"), "success");
    assert.equal(runAs(user, ["test", "-e", pidFile()]).code, 1);
  });
});

describe("who holds it", () => {
  test("a pid file of a dead or of a reused pid is not believed", () => {
    systemctl(user, "stop", PAUSE);
    const host = namespaceOf(process.pid, "user");
    for (const text of ["999999 12345\n", `${process.pid} 1\n`, "", "x\n", "-1 5\n", "1 2 3\n"]) {
      writeFileSync(pidFile(), text);
      assert.notEqual(userNamespace(), host, "unshare makes one of its own");
      systemctl(user, "start", PAUSE);
      assert.equal(userNamespace(), namespaceOf(mainPid(user, PAUSE), "user"));
      systemctl(user, "stop", PAUSE);
    }
  });

  test("killed while a pod lives, it comes back with the pod's namespace", async () => {
    systemctl(user, "start", infraUnit("web"));
    const [pause, pod] = [mainPid(user, PAUSE), mainPid(user, infraUnit("web"))];
    const namespace = namespaceOf(pause, "user");
    assert.equal(namespaceOf(pod, "user"), namespace);
    process.kill(pause, "SIGKILL");
    await until("pause is back", () => ![0, pause].includes(mainPid(user, PAUSE)) && show(user, PAUSE, "ActiveState") === "active");
    assert.equal(namespaceOf(mainPid(user, PAUSE), "user"), namespace);
    assert.equal(mainPid(user, infraUnit("web")), pod, "the pod did not notice");

    // The state of a pod that is gone leads nowhere.
    const pinned = pin(pod);
    systemctl(user, "stop", infraUnit("web"), PAUSE);
    systemctl(user, "start", PAUSE);
    assert.notEqual(namespaceOf(mainPid(user, PAUSE), "user"), namespace);
    closeSync(pinned);
  });

  test("a second pause shares the first one's, and either may end", async () => {
    systemctl(user, "start", PAUSE);
    const first = mainPid(user, PAUSE);
    const namespace = namespaceOf(first, "user");
    const second = spawnAs(user, [user.podrt, "pause"], { stdio: "ignore" });
    await until("the second has the pid file", () => readFileSync(pidFile(), "utf8").startsWith(`${second.pid} `));
    assert.equal(namespaceOf(second.pid ?? 0, "user"), namespace);
    systemctl(user, "stop", PAUSE);
    assert.equal(userNamespace(), namespace, "the first did not take the second's pid file with it");
    const pinned = pin(second.pid ?? 0);
    second.kill("SIGTERM");
    await until("the second is gone", () => second.exitCode === 0);
    assert.notEqual(userNamespace(), namespace);
    closeSync(pinned);
  });
});

describe("who shares it", () => {
  const LOOK = (pid: number) =>
    `for f in root cwd exe; do readlink /proc/${pid}/$f; done; cat /proc/${pid}/environ /proc/${pid}/maps /proc/${pid}/mem`;
  /** As a container's root: our uid, in the namespace, with the default capabilities. */
  const asContainer = (script: string) => {
    const caps = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+setfcap";
    return runAs(user, [user.podrt, "unshare", "setpriv", "--bounding-set", caps, "--inh-caps", "-all", "sh", "-c", script]);
  };

  test("cannot look into pause or infra; the user can join them", async () => {
    systemctl(user, "start", infraUnit("web"));
    for (const pid of [mainPid(user, PAUSE), mainPid(user, infraUnit("web"))]) {
      const seen = asContainer(LOOK(pid));
      assert.equal(seen.stdout, "");
      assert.equal(seen.stderr.match(/Permission denied/g)?.length, 3, seen.stderr); // readlink says nothing
      assert.equal(sh(user, `nsenter -t ${pid} --user --preserve-credentials readlink /proc/self/ns/user`), namespaceOf(pid, "user"));
    }
    // The test can fail: an ordinary process of the user can be looked into.
    const ordinary = spawnAs(user, ["sleep", "60"], { stdio: "ignore" });
    try {
      await until("a look into it", () => runAs(user, ["readlink", `/proc/${ordinary.pid}/root`]).stdout === "/\n");
    } finally {
      ordinary.kill();
    }
  });
});

describe("what is missing", () => {
  test("NoNewPrivileges= is named as what keeps newuidmap from working", () => {
    systemctl(user, "stop", infraUnit("web"), PAUSE);
    pauseUnit(user, ["NoNewPrivileges=yes"]);
    systemctl(user, "start", PAUSE);
    assert.match(show(user, PAUSE, "StatusText"), /newuidmap failed .*NoNewPrivileges=/);
    systemctl(user, "stop", PAUSE);
    pauseUnit(user);
  });

  test("a newuidmap that fails at first is tried again; one without the rights to work is not", () => {
    const bin = join(user.home, "bin");
    sh(user, `mkdir -p ${bin}`);
    pauseUnit(user, [`Environment=PATH=${bin}:/usr/bin:/bin`]);
    const ids = () => sh(user, `wc -l < /proc/${mainPid(user, PAUSE)}/uid_map`);
    const start = (mode: number, script: string) => {
      for (const tool of ["newuidmap", "newgidmap"]) {
        // Set-user-id root, as the real one is; the kernel takes no notice of that for a script.
        writeFileSync(join(bin, tool), `#!/bin/sh\n${script.replaceAll("TOOL", tool)}\n`);
        chmodSync(join(bin, tool), mode);
      }
      systemctl(user, "stop", PAUSE);
      const began = Date.now();
      systemctl(user, "start", PAUSE);
      return Date.now() - began;
    };
    try {
      start(0o4755, `echo x >> ~/TOOL.log; [ "$(wc -l < ~/TOOL.log)" -ge 3 ] || exit 1; exec /usr/bin/TOOL "$@"`);
      assert.equal(ids(), "3");
      assert.equal(show(user, PAUSE, "StatusText"), "");
      assert.equal(sh(user, "cat ~/newuidmap.log ~/newgidmap.log | wc -l"), "6");
      assert.ok(start(0o755, "echo never; exit 1") < 10_000);
      assert.equal(ids(), "1");
      assert.match(show(user, PAUSE, "StatusText"), /^newuidmap failed \(never\): /);
    } finally {
      systemctl(user, "stop", PAUSE);
      pauseUnit(user);
    }
  });

  test("more ids while a pod runs: the old namespace stays until all pods and pause have stopped", () => {
    systemctl(user, "start", infraUnit("web"), PAUSE);
    const more = `${user.uid}:800000000:10`;
    editSubids(`$a ${more}`);
    const rows = () => sh(user, `wc -l < /proc/${mainPid(user, PAUSE)}/uid_map`);
    try {
      systemctl(user, "restart", PAUSE);
      assert.equal(rows(), "3");
      systemctl(user, "stop", infraUnit("web"));
      systemctl(user, "restart", PAUSE);
      assert.equal(rows(), "4");
    } finally {
      editSubids(`/^${more}$/d`);
      systemctl(user, "stop", PAUSE);
    }
  });

  test("without subordinate ids: root alone, and words that say what to do", () => {
    const own = `\\(${user.name}\\|${user.uid}\\):`;
    editSubids(`s/^${own}/-\\1:/`);
    try {
      systemctl(user, "restart", PAUSE);
      const status = show(user, PAUSE, "StatusText");
      assert.match(
        status,
        /pgn1 has no ids in \/etc\/subuid: .* usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ pgn1; then stop all pods and restart podgen-pause\.service$/,
      );
      const inside = runAs(user, [user.podrt, "unshare", "sh", "-c", "id -u; cat /proc/self/uid_map"]);
      assert.equal(inside.code, 0, inside.stderr);
      assert.deepEqual(inside.stdout.trim().split(/\s+/), ["0", "0", String(user.uid), "1"]);
      assert.match(inside.stderr, /warning: .*one id/);
      systemctl(user, "start", infraUnit("web"));
      assert.equal(namespaceOf(mainPid(user, infraUnit("web")), "user"), namespaceOf(mainPid(user, PAUSE), "user"));
      systemctl(user, "stop", infraUnit("web"), PAUSE);
    } finally {
      editSubids(`s/^-${own}/\\1:/`);
    }
  });

  test("without XDG_RUNTIME_DIR it says so; wrong words are usage", () => {
    const r = runAs(user, ["env", "-u", "XDG_RUNTIME_DIR", user.podrt, "pause"]);
    assert.equal(r.code, 125);
    assert.match(r.stderr, /^podrt: pause: XDG_RUNTIME_DIR: .*\n$/);
    assert.equal(runAs(user, [user.podrt, "pause", "--now"]).code, 64);
  });
});
