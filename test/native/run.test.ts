// podrt run and oneshot under a real systemd --user: what the unit shows of the payload's life.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  type ContainerOptions,
  container,
  inside,
  layer,
  layerOf,
  output,
  payload,
  processesOf,
  runDirOf,
  running,
  startPod,
  toEnd,
  unitOf,
} from "./container.js";
import { infraDir, infraUnit, journal, mainPid, messages, sh, show, systemctl } from "./pod.js";
import { runAs, type TestUser, until, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("pgct1");
});
after(() => userStop(user));

const script = (text: string): string[] => ["sh", "-c", text];

describe("the payload is the unit's main process", () => {
  test("its exit status is the unit's", async () => {
    for (const code of [0, 1, 77]) {
      const end = await toEnd(user, "exits", { args: script(`exit ${code}`) });
      assert.deepEqual([end.status, end.killed, end.result], [code, false, code === 0 ? "success" : "exit-code"]);
    }
  });

  test("death by a signal is shown as such", async () => {
    const id = running(user, "killed");
    assert.equal(readFileSync(`/proc/${mainPid(user, id)}/cmdline`, "utf8"), "sleep\x001000\0");
    systemctl(user, "kill", "--signal=KILL", id);
    await until("the end", () => show(user, id, "ActiveState") === "failed");
    assert.deepEqual([show(user, id, "ExecMainCode"), show(user, id, "ExecMainStatus"), show(user, id, "Result")], ["2", "9", "signal"]);
  });

  test("a stop sends SIGTERM and waits for the answer", async () => {
    const id = running(user, "polite", {
      args: script("trap 'echo bye; exit 5' TERM; while :; do sleep 0.05; done"),
      service: ["KillSignal=SIGTERM"],
    });
    await until("the trap", () => processesOf(user, id).length === 2);
    systemctl(user, "stop", id);
    assert.deepEqual([show(user, id, "ExecMainStatus"), show(user, id, "ExecMainCode")], ["5", "1"]);
    assert.ok(messages(user, id).includes("bye"));
  });

  test("who ignores SIGTERM is killed when the grace is over, with all that it started", () => {
    const id = running(user, "stubborn", {
      args: script("trap '' TERM; sleep 900 & wait; sleep 900"),
      service: ["KillSignal=SIGTERM", "TimeoutStopSec=1"],
    });
    const begin = Date.now();
    systemctl(user, "stop", id);
    const took = Date.now() - begin;
    assert.ok(took > 900 && took < 5000, `${took} ms`);
    assert.deepEqual([show(user, id, "Result"), show(user, id, "ExecMainStatus")], ["timeout", "9"]);
    assert.deepEqual(processesOf(user, id), []);
  });

  test("it runs only when the pod is connected; all else is ready by then", async () => {
    const mark = `${infraDir(user, "web")}/connecting`;
    writeFileSync(mark, "");
    const id = container(user, "waits", { args: script("echo on; exec sleep 1000"), service: ["KillSignal=SIGKILL"] });
    systemctl(user, "start", "--no-block", id);
    // Two: podrt and the container's process, still podrt's.
    try {
      await until("it is prepared", () => existsSync(`/proc/${processesOf(user, id)[1]}/ns/mnt`));
      sh(user, "sleep 0.5");
      assert.equal(show(user, id, "ActiveState"), "activating");
      assert.equal(messages(user, id).includes("on"), false);
    } finally {
      rmSync(mark);
    }
    await until("it runs", () => show(user, id, "ActiveState") === "active");
    await until("its word", () => messages(user, id).includes("on"));
    systemctl(user, "stop", id);
  });

  test("Restart=always brings it back", async () => {
    const id = running(user, "back", { service: ["Restart=always"] });
    const first = mainPid(user, id);
    systemctl(user, "kill", "--signal=KILL", id);
    await until("the restart", () => show(user, id, "ActiveState") === "active" && mainPid(user, id) !== first);
    assert.equal(show(user, id, "NRestarts"), "1");
    assert.equal(JSON.parse(readFileSync(`${runDirOf(user, "back")}/state.json`, "utf8")).pid, mainPid(user, id));
    systemctl(user, "stop", id);
  });

  test("nothing of podrt stays in the cgroup", () => {
    const id = running(user, "alone");
    assert.deepEqual(processesOf(user, id), [mainPid(user, id)]);
    systemctl(user, "stop", id);
  });

  test("state.json and the ready mark say what runs", () => {
    rmSync(`${runDirOf(user, "told")}/ready`, { force: true });
    const id = running(user, "told");
    const state = JSON.parse(readFileSync(`${runDirOf(user, "told")}/state.json`, "utf8"));
    const pid = mainPid(user, id);
    assert.equal(state.pid, pid);
    assert.equal(state.startTime, readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19]);
    assert.equal(state.digest, "sha256:c0de");
    assert.equal(state.bundle, `${user.home}/bundles/web/told`);
    assert.ok(existsSync(`${runDirOf(user, "told")}/ready`));
    systemctl(user, "stop", id);
  });
});

describe("output", () => {
  test("all lines are there when the end follows at once, in the unit's name", async () => {
    const end = await toEnd(user, "burst", {
      args: script("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; echo last >&2; exit 3"),
    });
    assert.equal(end.status, 3);
    await until("the last line", () => messages(user, unitOf("burst")).includes("last"));
    const entries = journal(user, unitOf("burst")).filter((entry) => entry.fields["CONTAINER_NAME"] === "burst");
    assert.equal(entries.filter((entry) => /^line \d+$/.test(String(entry.message))).length, 100);
    assert.equal(entries.find((entry) => entry.message === "last")?.priority, 3);
    assert.equal(entries[0]?.fields["SYSLOG_IDENTIFIER"], "web/burst");
  });

  test("/dev/stdout can be opened anew: by root, by a numeric user, by a user of the image", async () => {
    for (const [who, options] of [
      ["0", {}],
      ["4000", { process: { user: { uid: 4000, gid: 4000 } } }],
      ["33", { annotations: { "io.podgen.user": "web" } }],
    ] as const) {
      const text = await output(user, "anew", "echo out > /dev/stdout; echo err > /dev/stderr; id -u > /proc/self/fd/1", options);
      assert.deepEqual(text.split("\n").sort(), [who, "err", "out"].sort());
    }
  });

  test("a worker of another user than the master can open it, too", async () => {
    assert.equal(await output(user, "worker", "busybox su web -c 'echo worker > /dev/stdout'"), "worker");
  });

  test("standard input is empty and no other descriptor is open", async () => {
    const id = running(user, "fds");
    const text = inside(user, "fds", "cd /proc/1/fd; for fd in *; do readlink $fd; done");
    assert.match(text, /^\/dev\/null\npipe:.*\npipe:.*$/);
    systemctl(user, "stop", id);
    assert.equal(await output(user, "fds", "cat; echo end"), "end");
  });
});

describe("what is executed", () => {
  const bad: readonly (readonly [string, string[], number, RegExp])[] = [
    ["a name that is not in PATH", ["nothere"], 127, /^podrt: run: exec: nothere: not found in the container$/],
    ["a path that is not there", ["/no/such"], 127, /^podrt: run: exec: \/no\/such: not found/],
    ["a file without x", ["/etc/passwd"], 126, /^podrt: run: exec: \/etc\/passwd: Permission denied$/],
    ["a folder", ["/etc"], 126, /Permission denied$/],
    ["podrt itself", ["/proc/self/exe"], 126, /^podrt: run: exec: \/proc\/self\/exe: Too many levels of symbolic links$/],
  ];
  for (const [what, args, code, line] of bad)
    test(`${what}: the start itself fails with ${code}`, () => {
      const id = container(user, "cannot", { args });
      const start = runAs(user, ["systemctl", "--user", "start", id]);
      assert.equal(start.code, 1);
      assert.equal(show(user, id, "ExecMainStatus"), String(code));
      const last = payload(messages(user, id).map(String), "cannot").filter((text) => text.startsWith("podrt"));
      assert.match(last.at(-1) ?? "", line);
      runAs(user, ["systemctl", "--user", "reset-failed", id]);
    });

  test("a script without interpreter and a program of another machine are told apart", async () => {
    const extra = layer(
      user,
      "formats",
      "mkdir bin; echo hello > bin/text; printf '#!/bin/gone\\n' > bin/orphan; head -c 64 ~/layers/busybox/bin/busybox > bin/alien; " +
        "printf '\\026' | dd of=bin/alien bs=1 seek=18 conv=notrunc status=none; chmod 755 bin/*",
    );
    for (const [word, code, words] of [
      ["text", 126, "neither a program nor a script"],
      ["orphan", 127, "its interpreter /bin/gone"],
      ["alien", 126, "a program for s390x"],
    ] as const) {
      const end = await toEnd(user, "formats", { args: [word], layers: [layerOf(user), extra] });
      assert.equal(end.status, code, end.lines.join("\n"));
      assert.ok(
        end.lines.some((line) => line.includes(words)),
        end.lines.join("\n"),
      );
    }
  });

  test("user, groups, home, environment and working folder", async () => {
    const text = await output(user, "who", "id; echo $HOME $A $PATH; pwd; umask; ls -ld .", {
      process: { cwd: "/srv/new/place" },
      annotations: { "io.podgen.user": "web" },
    });
    const [id, variables, pwd, umask, folder] = text.split("\n");
    assert.equal(id, "uid=33(web) gid=44(web) groups=44(web),55(extra)".replace("44(web),", id?.includes("44(web),") ? "44(web)," : ""));
    assert.equal(variables, "/srv 1 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    assert.deepEqual([pwd, umask], ["/srv/new/place", "0022"]);
    assert.match(folder ?? "", /^drwxr-xr-x +\d+ root +root /);
  });

  test("a user who is not there, or not mapped, is named", async () => {
    const unknown = await toEnd(user, "nobody", { args: ["true"], annotations: { "io.podgen.user": "ghost" } });
    assert.equal(unknown.status, 125);
    assert.ok(unknown.lines.includes("podrt: run: user: ghost: not in the image's /etc/passwd"), unknown.lines.join("\n"));
    const unmapped = await toEnd(user, "nobody", { args: ["true"], process: { user: { uid: 100000, gid: 0 } } });
    assert.ok(
      unmapped.lines.some((line) => /user: 100000:0 is not mapped in the user namespace/.test(line)),
      unmapped.lines.join("\n"),
    );
  });

  test("limits, oom score and no_new_privs", async () => {
    const text = await output(user, "limits", "ulimit -n; ulimit -c; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status", {
      process: {
        rlimits: [
          { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
          { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        ],
        oomScoreAdj: 500,
        noNewPrivileges: true,
      },
    });
    assert.deepEqual(text.split("\n"), ["100", "0", "500", "NoNewPrivs:\t1"]);
  });

  test("signals that systemd ignores are not ignored", async () => {
    const end = await toEnd(user, "signals", { args: ["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"] });
    assert.deepEqual(payload(end.lines, "signals"), ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
  });

  test("terminal: /dev/console, a session of its own, lines in the journal", async () => {
    const text = await output(
      user,
      "tty",
      "tty; test -t 0 && test -t 1 && test -t 2 && echo all; ls -l /dev/console | cut -c1-10; echo $TERM",
      {
        process: { terminal: true },
      },
    );
    assert.deepEqual(text.replaceAll("\r", "").split("\n"), ["/dev/pts/0", "all", "crw--w----", "xterm"]);
  });
});

describe("faults in the middle of a start", () => {
  /** A start that hangs: the secret's file is a FIFO nobody writes to. */
  async function hanging(name: string, options: Partial<ContainerOptions> = {}): Promise<string> {
    sh(user, "rm -f ~/fifo; mkfifo ~/fifo");
    const id = container(user, name, {
      args: ["true"],
      ...options,
      annotations: { "io.podgen.secret-env": JSON.stringify({ S: `${user.home}/fifo` }) },
    });
    systemctl(user, "start", "--no-block", id);
    await until("both processes", () => processesOf(user, id).length === 2);
    return id;
  }

  test("kill -9 of podrt leaves nothing running", async () => {
    const id = await hanging("shot");
    const pids = processesOf(user, id);
    process.kill(mainPid(user, id), "SIGKILL");
    await until("the end", () => show(user, id, "ActiveState") === "failed");
    await until("all processes gone", () => pids.every((pid) => !existsSync(`/proc/${pid}/exe`) || !existsSync(`/proc/${pid}`)));
    assert.deepEqual(processesOf(user, id), []);
  });

  for (const init of [false, true])
    for (const signal of ["SIGTERM", "SIGWINCH", "SIGRTMIN+3"])
      test(`a stop by ${signal} in the middle of a ${init ? "oneshot" : "start"} ends it at once`, async () => {
        const id = await hanging("stopped", { init, service: [`KillSignal=${signal}`] });
        const begin = Date.now();
        systemctl(user, "stop", id);
        assert.ok(Date.now() - begin < 3000);
        assert.deepEqual(processesOf(user, id), []);
        // A oneshot that did not finish has failed, for systemd.
        assert.equal(show(user, id, "ActiveState"), init ? "failed" : "inactive");
      });

  test("a manager that is busy for longer than ten seconds does not end the start", async () => {
    const id = await hanging("patient", { args: ["sleep", "1000"] });
    const manager = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${mainPid(user, id)}/status`, "utf8"))?.[1]);
    assert.match(readFileSync(`/proc/${manager}/comm`, "utf8"), /^systemd/);
    process.kill(manager, "SIGSTOP");
    try {
      writeFileSync(`${user.home}/fifo`, "go");
      await new Promise((wake) => setTimeout(wake, 12_000));
    } finally {
      process.kill(manager, "SIGCONT");
    }
    await until("the start", () => show(user, id, "ActiveState") === "active");
    assert.equal(show(user, id, "NRestarts"), "0");
    assert.equal(readFileSync(`/proc/${mainPid(user, id)}/comm`, "utf8"), "sleep\n");
    systemctl(user, "kill", "--signal=KILL", id);
  });

  test("a container that comes before its infra waits for it", async () => {
    const id = container(user, "early", { args: ["sleep", "1000"], service: ["KillSignal=SIGKILL"] });
    sh(user, `sed -i '/^Requires=/d;/^After=/d' ~/.config/systemd/user/${id}; systemctl --user daemon-reload`);
    systemctl(user, "stop", infraUnit("web"));
    systemctl(user, "start", "--no-block", id);
    await new Promise((wake) => setTimeout(wake, 500));
    assert.equal(show(user, id, "ActiveState"), "activating");
    systemctl(user, "start", infraUnit("web"));
    await until("the start", () => show(user, id, "ActiveState") === "active");
    systemctl(user, "stop", id);
  });

  test("a bundle that is broken is told with its place", async () => {
    const end = await toEnd(user, "broken", { args: ["true"], process: { cwd: 3 } });
    assert.equal(end.status, 125);
    assert.ok(end.lines.includes("podrt: run: bundle: process.cwd: expected a string"), end.lines.join("\n"));
  });
});

describe("oneshot", () => {
  test("ends with the payload's status, and is marked ready when that is 0", async () => {
    rmSync(`${runDirOf(user, "init")}/ready`, { force: true });
    const failed = await toEnd(user, "init", { args: script("echo trying; exit 9"), init: true });
    assert.equal(failed.status, 9);
    assert.ok(!existsSync(`${runDirOf(user, "init")}/ready`));
    assert.ok(payload(failed.lines, "init").includes("trying"));
    const good = await toEnd(user, "init", { args: ["true"], init: true });
    assert.deepEqual([good.status, good.result], [0, "success"]);
    assert.ok(existsSync(`${runDirOf(user, "init")}/ready`));
  });

  // What ends podrt by default, what does nothing by default, and a real-time one (init systems have it).
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGWINCH", 28],
    ["SIGRTMIN+3", 37],
  ] as const)
    test(`${signal} is passed on`, async () => {
      const id = container(user, `init${number}`, {
        args: script(`trap 'echo asked; exit 6' ${number}; echo up; while :; do sleep 0.05; done`),
        init: true,
        service: [`KillSignal=${signal}`],
      });
      systemctl(user, "start", "--no-block", id);
      await until("the payload", () => messages(user, id).includes("up"));
      const begin = Date.now();
      systemctl(user, "stop", id);
      assert.ok(Date.now() - begin < 3000);
      assert.ok(messages(user, id).includes("asked"));
      assert.equal(show(user, id, "ExecMainStatus"), "6");
    });

  test("death by a signal is 128+N", async () => {
    const id = container(user, "init", { args: script("echo waits; sleep 1000"), init: true });
    const before = messages(user, id).length;
    systemctl(user, "start", "--no-block", id);
    await until("the payload", () => messages(user, id).slice(before).includes("waits"));
    process.kill(JSON.parse(readFileSync(`${runDirOf(user, "init")}/state.json`, "utf8")).pid, "SIGKILL");
    await until("the end", () => show(user, id, "ActiveState") === "failed");
    assert.equal(show(user, id, "ExecMainStatus"), "137");
  });

  test("usage", () => {
    // With a third word it is an engine's `run`, of a container called y.
    for (const verb of ["run", "oneshot"])
      for (const words of [[], ["--bundle"], ...(verb === "run" ? [] : [["--bundle", "/x", "y"]])])
        assert.equal(runAs(user, [user.podrt, verb, ...words]).code, 64);
    assert.equal(runAs(user, [user.podrt, "run", "--bundle", "relative"]).code, 125);
  });
});

describe("what a container has of systemd (the rest: test/session/service.test.ts)", () => {
  test("sockets that it counts on and that are not passed, or too few of them, fail its start", async () => {
    const annotations = { "io.podgen.sockets": "a.socket b.socket" };
    const none = await toEnd(user, "sockets", { args: ["true"], annotations });
    assert.equal(none.status, 125);
    assert.ok(
      none.lines.some((line) => /no descriptors were passed/.test(line)),
      none.lines.join("\n"),
    );
    const file = `${user.home}/.config/systemd/user/pgct1.socket`;
    writeFileSync(file, `[Socket]\nListenStream=${user.runtimeDir}/one.sock\nService=${unitOf("sockets")}\n`);
    systemctl(user, "daemon-reload");
    systemctl(user, "start", "pgct1.socket");
    const one = await toEnd(user, "sockets", { args: ["true"], annotations });
    systemctl(user, "stop", "pgct1.socket");
    rmSync(file);
    assert.equal(one.status, 125);
    assert.ok(
      one.lines.some((line) => /1 descriptors were passed, and 2 are expected/.test(line)),
      one.lines.join("\n"),
    );
  });

  test("without the manager's socket one that is to say itself that it is ready does not start", async () => {
    const end = await toEnd(user, "speechless", {
      args: ["true"],
      annotations: { "io.podgen.notify": "container" },
      service: ["Type=exec"],
    });
    assert.equal(end.status, 125);
    assert.ok(
      end.lines.some((line) => /sd_notify: NOTIFY_SOCKET/.test(line)),
      end.lines.join("\n"),
    );
  });
});
