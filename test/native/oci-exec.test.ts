// podrt exec as OCI engines call it: words and process files, identity, terminals, descriptors, exit codes; by root and by a user.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  begin,
  buildConsole,
  bundle,
  call,
  callAny,
  create,
  type Engine,
  engineStart,
  engineStop,
  exec,
  good,
  inside,
  newId,
  remove,
  started,
  stateOf,
} from "./oci.js";
import { asUser, until } from "./user.js";

/** One process object of `exec --process`, in a file of the caller's. */
function processFile(engine: Engine, process: Readonly<Record<string, unknown>>): string {
  const path = join(engine.folder, `${newId()}.json`);
  writeFileSync(path, JSON.stringify({ args: ["true"], env: ["PATH=/bin"], cwd: "/", user: { uid: 0, gid: 0 }, ...process }));
  return path;
}

for (const name of [undefined, "ocexec1"]) {
  describe(name === undefined ? "by root" : "by a user", () => {
    let engine: Engine;
    let id: string;
    before(() => {
      engine = engineStart(name);
      id = started(engine, (config) => {
        config.process.env.push("OF=config");
        config.process.user.umask = 0o027;
        config.process.rlimits = [{ type: "RLIMIT_NOFILE", hard: 512, soft: 256 }];
      });
    });
    after(() => engineStop(engine));

    test("it is where the container is, as who the container is", () => {
      const look = "for n in user net ipc uts pid mnt cgroup; do readlink /proc/self/ns/$n; done";
      const first = inside(engine, id, look.replaceAll("self", "1"));
      assert.equal(inside(engine, id, look), first);
      assert.equal(
        inside(engine, id, "pwd; echo $OF; id -u; umask; ulimit -n; ulimit -Hn; echo $HOME"),
        "/\nconfig\n0\n0027\n256\n512\n/root",
      );
      assert.equal(
        inside(engine, id, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status"),
        inside(engine, id, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/1/status"),
      );
      assert.equal(inside(engine, id, "cat /proc/self/cgroup"), inside(engine, id, "cat /proc/1/cgroup"));
    });

    test("options change what they name", () => {
      const text = "pwd; echo $OF $A $B; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | tr '\\n' ' '";
      const options = ["--cwd", "/srv", "-e", "OF=words", "--env", "A=1", "--env=B=x y", "--cap", "CAP_CHOWN", "--no-new-privs"];
      assert.match(inside(engine, id, text, options), /^\/srv\nwords 1 x y\nCapEff:\t0+20000421 NoNewPrivs:\t1/);
    });

    test("exit codes, and death by a signal", () => {
      assert.equal(exec(engine, id, ["sh", "-c", "exit 7"]).code, 7);
      assert.equal(exec(engine, id, ["sh", "-c", "kill -9 $$"]).code, 137);
      assert.equal(exec(engine, id, ["true"]).code, 0);
    });

    test("a command that is not there or not executable, in words that podman knows", () => {
      const none = exec(engine, id, ["nosuch"]);
      assert.equal(none.code, 127);
      assert.match(none.stderr, /executable file `nosuch` not found in \$PATH: No such file or directory/);
      const text = exec(engine, id, ["/etc/passwd"]);
      assert.equal(text.code, 126);
      assert.match(text.stderr, /permission denied/i);
    });

    test("what is wrong with the words", () => {
      for (const [words, pattern] of [
        [[], /usage/],
        [["--cwd", "srv", id, "true"], /--cwd: expected an absolute path/],
        [["--user", "web", id, "true"], /--user: expected numbers/],
        [["--cap", "CAP_NONE", id, "true"], /unknown capability CAP_NONE/],
        [["--preserve-fds", "x", id, "true"], /--preserve-fds/],
        [["--nonsense", id, "true"], /--nonsense: unknown/],
        [["--tty", "--detach", id, "true"], /--console-socket/],
        [["--console-socket", "/none", id, "true"], /--console-socket without a terminal/],
        [["--process", "/nowhere.json", id], /nowhere\.json: No such file/],
        [["--cgroup", "../..", id, "true"], /cgroup: /],
        [["nobody", "true"], /container: "nobody" does not exist/],
      ] as const) {
        const r = call(engine, ["exec", ...words]);
        assert.match(r.stderr, pattern);
        // Of words that nobody can make sense of; else runc's.
        assert.equal(r.code, /^podrt: (usage|option):/.test(r.stderr) ? 64 : 255, words.join(" "));
      }
    });

    test("the error is in the log file as JSON, too", () => {
      const log = join(engine.folder, `${newId()}.log`);
      const r = callAny(engine, [engine.podrt, "--root", engine.root, "--log", log, "--log-format", "json", "exec", id, "nosuch"]);
      assert.equal(r.code, 127);
      const line = JSON.parse(readFileSync(log, "utf8").trim());
      assert.equal(line.level, "error");
      assert.match(line.msg, /not found in \$PATH/);
    });

    test("a process file is all there is, but for rights that it leaves out", () => {
      const file = processFile(engine, { args: ["sh", "-c", "echo $OF-$A; pwd; grep CapEff /proc/self/status; ulimit -n"], cwd: "/srv" });
      const r = call(engine, ["exec", "--process", file, id]);
      assert.match(r.stdout, /^-\n\/srv\nCapEff:\t0+20000420\n256\n$/);
      const none = processFile(engine, { args: ["grep", "CapEff", "/proc/self/status"], capabilities: {} });
      assert.match(call(engine, ["exec", "-p", none, id]).stdout, /CapEff:\t0+\n/);
      const bad = processFile(engine, { args: 5 });
      assert.match(call(engine, ["exec", "-p", bad, id]).stderr, /process\.args: expected/);
    });

    test("detached as conmon does it: a pid of ours, output where we say, and its own failure to execute", async () => {
      const file = processFile(engine, { args: ["sleep", "1000"] });
      const pidFile = join(engine.folder, "exec.pid");
      const r = callAny(engine, [
        "sh",
        "-c",
        `exec ${engine.podrt} --root ${engine.root} exec --pid-file ${pidFile} --process ${file} --detach ${id} >/dev/null 2>&1`,
      ]);
      assert.equal(r.code, 0);
      const pid = Number(readFileSync(pidFile, "utf8"));
      // The page that executes it (lib/payload.h) may still be at it.
      await until("the command", () => readFileSync(`/proc/${pid}/cmdline`, "utf8") === "sleep\x001000\0");
      process.kill(pid, "SIGKILL");
      await until("its end", () => !existsSync(`/proc/${pid}/exe`));
      const missing = call(engine, ["exec", "--detach", "--process", processFile(engine, { args: ["nosuch"] }), id]);
      assert.equal(missing.code, 127);
      assert.match(missing.stderr, /not found in \$PATH/);
    });

    test("descriptors: those that are preserved, and no other", () => {
      const fds = [openSync("/etc/hostname", "r"), openSync("/etc/hosts", "r"), openSync("/etc/os-release", "r")];
      const look = ["sh", "-c", "for f in /proc/self/fd/*; do test -e $f && basename $f; done | tr '\\n' ' '"];
      assert.equal(call(engine, ["exec", id, ...look], { fds }).stdout, "0 1 2 ");
      assert.equal(call(engine, ["exec", "--preserve-fds", "2", id, ...look], { fds }).stdout, "0 1 2 3 4 ");
      const listen = ["sh", "-c", "echo $LISTEN_FDS; test $LISTEN_PID = $$ && echo mine; ls /proc/self/fd | wc -l"];
      assert.equal(call(engine, ["exec", id, ...listen], { fds, env: { LISTEN_FDS: "1" } }).stdout, "1\nmine\n5\n");
      const few = call(engine, ["exec", "--preserve-fds", "9", id, "true"], { fds });
      assert.equal(few.code, 255);
      assert.match(few.stderr, /descriptor \d+ is not open/);
      for (const fd of fds) closeSync(fd);
    });

    test("a working folder that leads out is refused (CVE-2024-21626)", () => {
      for (const cwd of ["/proc/self/fd/7", "/proc/self/cwd", "/nowhere"]) {
        const r = exec(engine, id, ["pwd"], ["--cwd", cwd]);
        assert.equal(r.code, 255, r.stdout);
        assert.match(r.stderr, /cwd: /);
      }
    });

    test("nobody in the container looks into it before it is the command", async () => {
      const look = "ls -l /proc/[0-9]*/exe /proc/[0-9]*/cwd /proc/[0-9]*/fd 2>/dev/null | grep -e '->' | grep -v -e busybox -e '-> /$'";
      const spy = begin(engine, ["exec", id, "sh", "-c", `while :; do ${look}; echo round; done`]);
      let seen = "";
      spy.stdout?.on("data", (chunk) => {
        seen += chunk;
      });
      for (let i = 0; i < 40; i++) {
        assert.equal(exec(engine, id, ["true"]).code, 0);
        await new Promise(setImmediate);
      }
      spy.kill("SIGTERM");
      await until("the spy's end", () => spy.exitCode !== null || spy.signalCode !== null);
      assert.match(seen, /round\n/);
      // The page that executes commands is nobody's secret (lib/payload.h); 0, 1 and 2 are the caller's own.
      const known = /^round$|^$| [0-2] -> |memfd:podrt| \d+ -> (\/proc\/\d+|pipe:)/;
      const strange = seen.split("\n").filter((line) => !known.test(line));
      assert.deepEqual(strange, []);
    });

    test("signals are passed on", async () => {
      const child = begin(engine, ["exec", id, "sh", "-c", "trap 'exit 9' USR1; echo up; while :; do sleep 0.05; done"]);
      let text = "";
      child.stdout?.on("data", (chunk) => {
        text += chunk;
      });
      await until("the trap", () => text.includes("up"));
      child.kill("SIGUSR1");
      await until("its end", () => child.exitCode !== null);
      assert.equal(child.exitCode, 9);
    });

    describe("terminals", () => {
      test("in the foreground", () => {
        const r = exec(engine, id, ["sh", "-c", "tty; test -t 0 && test -t 1 && test -t 2 && echo all; exit 3"], ["--tty"]);
        assert.deepEqual([r.code, r.stdout], [3, "/dev/pts/0\r\nall\r\n"]);
      });

      test("with the size of ours, raw meanwhile", () => {
        const inner = `stty rows 33 cols 77; ${engine.podrt} --root ${engine.root} exec -t ${id} sh -c 'stty size; exit 4'; echo code $?; stty -a | grep -o ' -*icanon'`;
        const [file, args] = engine.user
          ? asUser(engine.user, ["script", "-qec", inner, "/dev/null"])
          : ["script", ["-qec", inner, "/dev/null"]];
        const r = callAny({ ...engine, user: undefined }, [file, ...args]);
        assert.match(r.stdout, /33 77\r\n.*code 4\r\n icanon/s);
      });

      test("handed to a socket, detached, with the size that is asked for", async () => {
        const socket = join(engine.folder, `${newId()}.sock`);
        const tool = buildConsole(engine);
        const [file, args] = engine.user ? asUser(engine.user, [tool, socket]) : [tool, [socket]];
        const listener = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
        let text = "";
        listener.stdout?.on("data", (chunk) => {
          text += chunk;
        });
        await until("the socket", () => text.includes("listening"));
        const user = { uid: 0, gid: 0 };
        const file2 = processFile(engine, {
          args: ["sh", "-c", "tty; read line; echo got $line"],
          terminal: true,
          consoleSize: { height: 25, width: 80 },
          user,
        });
        good(engine, "exec", "--detach", "--process", file2, "--console-socket", socket, id);
        await until("the terminal", () => text.includes("/dev/pts/0\r\n"));
        listener.stdin?.write("hello\n");
        await until("the answer", () => text.includes("got hello"));
        assert.match(text, /^listening\n\/dev\/pts\/0 25x80\n/);
        await until("its end", () => listener.exitCode !== null);
      });
    });

    test("a container that is created is one to look into; one that is stopped is not", async () => {
      const made = newId();
      create(engine, bundle(engine), made);
      // Its first process is still podrt, which a user who is not root of a user namespace already may not look into.
      if (engine.user === undefined) assert.equal(inside(engine, made, "cat /proc/1/comm"), "podrt");
      good(engine, "start", made);
      await until("its end", () => stateOf(engine, made).status === "stopped");
      const r = exec(engine, made, ["true"]);
      assert.equal(r.code, 255);
      assert.match(r.stderr, /is stopped: container not running/);
      remove(engine, made);
    });
  });
}

describe("ids", () => {
  let engine: Engine;
  before(() => {
    engine = engineStart();
  });
  after(() => engineStop(engine));

  const who = "id -u; id -g; id -G; echo $HOME";

  test("of the options: the group stays unless it is said, further groups are added", () => {
    const id = started(engine, (config) => {
      config.process.user = { uid: 1, gid: 2, additionalGids: [3] };
    });
    assert.equal(inside(engine, id, who), "1\n2\n2 3\n/");
    assert.equal(inside(engine, id, who, ["--user", "33"]), "33\n2\n2 3\n/srv");
    assert.equal(inside(engine, id, who, ["-u", "33:44", "-g", "55", "--additional-gids", "66"]), "33\n44\n44 3 55 66\n/srv");
    remove(engine, id);
  });

  test("in a user namespace of another id than the caller's", () => {
    const id = started(engine, (config) => {
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [{ containerID: 0, hostID: 300000, size: 1000 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 400000, size: 1000 }];
    });
    assert.equal(
      inside(engine, id, "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; readlink /proc/1/ns/user").split("\n").slice(0, 3).join("|"),
      "0|0| 0 300000 1000",
    );
    assert.equal(inside(engine, id, who, ["--user", "33:44"]), "33\n44\n44\n/srv");
    const r = exec(engine, id, ["sh", "-c", "tty; ls -ln $(tty) | tr -s ' ' | cut -d' ' -f3"], ["--tty", "--user", "33"]);
    assert.equal(r.stdout, "/dev/pts/0\r\n33\r\n");
    const outside = exec(engine, id, ["true"], ["--user", "5000"]);
    assert.match(outside.stderr, /uid: 5000 is not mapped/);
    remove(engine, id);
  });

  test("namespaces that the container shares with the host, or has by path", () => {
    const id = started(engine, (config) => {
      config.linux.namespaces = [{ type: "mount" }, { type: "network", path: "/proc/self/ns/net" }];
      delete config.hostname;
      config.mounts = config.mounts.filter((mount) => mount.type !== "mqueue");
    });
    const pid = stateOf(engine, id).pid;
    assert.equal(inside(engine, id, "readlink /proc/self/ns/mnt"), inside(engine, id, `readlink /proc/${pid}/ns/mnt`));
    assert.equal(callAny(engine, ["readlink", "/proc/self/ns/pid"]).stdout.trim(), inside(engine, id, "readlink /proc/self/ns/pid"));
    remove(engine, id);
  });
});
