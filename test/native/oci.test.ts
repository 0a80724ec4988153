// podrt as an OCI runtime: a container's life from create to delete, as engines go through it; by root and by a user.
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
  run,
  script,
  started,
  stateOf,
  tryCreate,
  written,
} from "./oci.js";
import { asUser, until } from "./user.js";

for (const name of [undefined, "ocexec2"]) {
  describe(name === undefined ? "by root" : "by a user", () => {
    let engine: Engine;
    before(() => {
      engine = engineStart(name);
    });
    after(() => engineStop(engine));

    const stopped = (id: string): Promise<void> => until(`${id} to stop`, () => stateOf(engine, id).status === "stopped");

    describe("create, start, kill, delete", () => {
      test("the life of a container, and its state at each step", async () => {
        const id = newId();
        const folder = bundle(engine, (config) => {
          config.process.args = ["sh", "-c", "echo started; exec sleep 1000"];
          config.annotations = { "org.example.key": "a value" };
        });
        const pidFile = join(engine.folder, `${id}.pid`);
        create(engine, folder, id, "--pid-file", pidFile);
        const created = stateOf(engine, id);
        assert.match(created.ociVersion, /^1\.\d+\.\d+$/);
        assert.deepEqual(
          [created.id, created.status, created.bundle, created.annotations],
          [id, "created", folder, { "org.example.key": "a value" }],
        );
        assert.equal(created.pid, Number(readFileSync(pidFile, "utf8")));
        assert.equal(written(folder), "");
        good(engine, "start", id);
        await until("its word", () => written(folder) === "started\n");
        const running = stateOf(engine, id);
        assert.deepEqual([running.status, running.pid], ["running", created.pid]);
        good(engine, "kill", id, "KILL");
        await stopped(id);
        assert.equal(stateOf(engine, id).pid, 0);
        good(engine, "delete", id);
        const gone = call(engine, ["state", id]);
        assert.equal(gone.code, 1);
        assert.match(gone.stderr, new RegExp(`container: "${id}" does not exist`));
      });

      test("what is not allowed at which step", async () => {
        const id = newId();
        const folder = bundle(engine, (config) => {
          config.process.args = ["sleep", "1000"];
        });
        create(engine, folder, id);
        const taken = tryCreate(engine, folder, id);
        assert.equal(taken.code, 1);
        assert.match(taken.stderr, /already exists/);
        assert.equal(stateOf(engine, id).status, "created");
        // runtime-spec, "Delete": one that is not stopped MUST be an error and have no effect.
        for (const step of ["created", "running"]) {
          const r = call(engine, ["delete", id]);
          assert.equal(r.code, 1, step);
          assert.match(r.stderr, /not stopped/);
          assert.equal(stateOf(engine, id).status, step);
          if (step === "created") good(engine, "start", id);
        }
        assert.match(call(engine, ["start", id]).stderr, /is running, not created/);
        good(engine, "kill", id, "SIGKILL");
        await stopped(id);
        assert.match(call(engine, ["start", id]).stderr, /is stopped, not created/);
        // "Kill": one neither created nor running MUST be an error.
        const killed = call(engine, ["kill", id, "TERM"]);
        assert.equal(killed.code, 1);
        assert.match(killed.stderr, /container not running/);
        good(engine, "delete", id);
      });

      test("an id that is none, a container that is not there, a bundle that is not there", () => {
        for (const id of ["", ".", "..", "a/b", "../x", "a b"])
          assert.notEqual(call(engine, ["create", "--bundle", bundle(engine), "--", id]).code, 0, `"${id}"`);
        for (const words of [["start"], ["kill"], ["delete"], ["state"]]) {
          const r = call(engine, [...words, "nobody"]);
          assert.equal(r.code, 1);
          assert.match(r.stderr, /"nobody" does not exist/);
        }
        // podman's clean-up runs after others' (runc, crun: no error).
        assert.equal(call(engine, ["delete", "--force", "nobody"]).code, 0);
        const r = call(engine, ["create", "--bundle", "/nowhere", newId()]);
        assert.equal(r.code, 1);
        assert.match(r.stderr, /\/nowhere: No such file/);
      });

      test("delete --force ends a created one and a running one", () => {
        const id = newId();
        create(engine, bundle(engine), id);
        const { pid } = stateOf(engine, id);
        good(engine, "delete", "--force", id);
        assert.equal(existsSync(`/proc/${pid}/exe`), false);
        remove(engine, started(engine));
      });

      test("a failed create leaves nothing", () => {
        for (const change of [
          (config: { process: { args: string[] } }) => {
            config.process.args = ["nosuch"];
          },
          (config: { mounts: { destination: string; source?: string; type?: string; options?: string[] }[] }) => {
            config.mounts.push({ destination: "/x", source: "/nowhere", type: "bind", options: ["bind"] });
          },
        ]) {
          const id = newId();
          assert.notEqual(tryCreate(engine, bundle(engine, change), id).code, 0);
          assert.match(call(engine, ["state", id]).stderr, /does not exist/);
          assert.equal(existsSync(join(engine.root, id)), false);
        }
      });

      test("a signal by name and by number reaches the first process", async () => {
        for (const [word, code] of [
          ["TERM", "t"],
          ["SIGUSR1", "u"],
          ["12", "v"],
        ] as const) {
          const id = newId();
          const folder = bundle(
            engine,
            script("trap 'echo t; exit' TERM; trap 'echo u; exit' USR1; trap 'echo v; exit' USR2; echo up; while :; do sleep 0.05; done"),
          );
          create(engine, folder, id);
          good(engine, "start", id);
          await until("the traps", () => written(folder) === "up\n");
          good(engine, "kill", id, word);
          await stopped(id);
          assert.equal(written(folder), `up\n${code}\n`);
          remove(engine, id);
        }
        const id = started(engine);
        assert.match(call(engine, ["kill", id, "NONE"]).stderr, /unknown signal NONE/);
        remove(engine, id);
      });

      test("list", () => {
        const ids = [started(engine), newId()].sort();
        const [, other = ""] = ids.map((id) => (existsSync(join(engine.root, id)) ? "" : id)).sort();
        create(engine, bundle(engine), other);
        const rows = JSON.parse(good(engine, "list", "--format", "json"));
        assert.deepEqual(
          rows.map((row: { id: string; status: string }) => `${row.id} ${row.status}`).sort(),
          ids.map((id) => `${id} ${id === other ? "created" : "running"}`),
        );
        assert.deepEqual(good(engine, "list", "-q").trim().split("\n").sort(), ids);
        assert.match(good(engine, "list"), /^ID +PID +STATUS +BUNDLE +CREATED +OWNER *\n/);
        for (const id of ids) remove(engine, id);
        assert.deepEqual(JSON.parse(good(engine, "list", "--format", "json")) ?? [], []);
      });

      test("errors go to the log as engines read them", () => {
        const log = join(engine.folder, `${newId()}.log`);
        callAny(engine, [engine.podrt, "--root", engine.root, "--log", log, "--log-format", "json", "state", "nobody"]);
        const line = JSON.parse(readFileSync(log, "utf8"));
        assert.equal(line.level, "error");
        assert.match(line.msg, /"nobody" does not exist/);
        assert.ok(!Number.isNaN(Date.parse(line.time)));
      });

      test("the configuration is that of create, whatever becomes of the bundle", async () => {
        const id = newId();
        const folder = bundle(engine, (config) => {
          config.process.args = ["echo", "one"];
          config.annotations = { a: "one" };
        });
        create(engine, folder, id);
        writeFileSync(join(folder, "config.json"), "{}");
        assert.deepEqual(stateOf(engine, id).annotations, { a: "one" });
        good(engine, "start", id);
        await stopped(id);
        assert.equal(written(folder), "one\n");
        remove(engine, id);
      });
    });

    describe("run", () => {
      test("exit codes, and nothing is left", () => {
        for (const code of [0, 1, 42, 255]) assert.equal(run(engine, `exit ${code}`).code, code);
        // PID 1 cannot kill itself: a child of it tells nothing, so the signal comes from outside.
        assert.deepEqual(JSON.parse(good(engine, "list", "--format", "json")) ?? [], []);
      });

      test("killed from outside: 128 and the signal", async () => {
        const id = newId();
        const child = begin(engine, ["run", "--bundle", bundle(engine, script("echo up; exec sleep 1000")), id]);
        await new Promise((up) => child.stdout?.once("data", up));
        good(engine, "kill", id, "KILL");
        await until("its end", () => child.exitCode !== null);
        assert.equal(child.exitCode, 137);
      });

      test("signals to podrt are the container's", async () => {
        const id = newId();
        const child = begin(engine, [
          "run",
          "--bundle",
          bundle(engine, script("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done")),
          id,
        ]);
        await new Promise((up) => child.stdout?.once("data", up));
        child.kill("SIGTERM");
        await until("its end", () => child.exitCode !== null);
        assert.equal(child.exitCode, 9);
      });

      test("--detach leaves it running; its pid is in the file", () => {
        const id = newId();
        const pidFile = join(engine.folder, `${id}.pid`);
        const folder = bundle(engine, (config) => {
          config.process.args = ["sleep", "1000"];
        });
        const words = [engine.podrt, "--root", engine.root, "run", "--detach", "--pid-file", pidFile, "--bundle", folder, id];
        const r = callAny(engine, ["sh", "-c", `exec ${words.join(" ")} > /dev/null 2>&1`]);
        assert.equal(r.code, 0);
        assert.deepEqual([stateOf(engine, id).status, stateOf(engine, id).pid], ["running", Number(readFileSync(pidFile, "utf8"))]);
        remove(engine, id);
      });

      test("commands that are not there or not executable", () => {
        const none = run(engine, (config) => {
          config.process.args = ["nosuch"];
        });
        assert.equal(none.code, 127);
        assert.match(none.stderr, /executable file `nosuch` not found in \$PATH: No such file or directory/);
        const text = run(engine, (config) => {
          config.process.args = ["/etc/passwd"];
        });
        assert.equal(text.code, 126);
        assert.match(text.stderr, /permission denied/i);
      });

      test("standard input and output are the caller's", () => {
        assert.equal(run(engine, "cat; echo err >&2", { input: "given\n" }).stdout, "given\n");
        assert.equal(run(engine, "cat; echo err >&2", { input: "" }).stderr, "err\n");
      });

      test("descriptors: those that are preserved, and no other", () => {
        const fds = [openSync("/etc/hostname", "r"), openSync("/etc/hosts", "r"), openSync("/etc/os-release", "r")];
        const look = "for f in /proc/self/fd/*; do test -e $f && basename $f; done | tr '\\n' ' '";
        assert.equal(run(engine, look, { fds }).stdout, "0 1 2 ");
        assert.equal(run(engine, look, { fds, words: ["--preserve-fds", "2"] }).stdout, "0 1 2 3 4 ");
        assert.equal(run(engine, "echo $LISTEN_FDS $LISTEN_PID", { fds, env: { LISTEN_FDS: "1" } }).stdout, "1 1\n");
        assert.match(run(engine, look, { fds, words: ["--preserve-fds", "9"] }).stderr, /descriptor \d+ is not open/);
        for (const fd of fds) closeSync(fd);
      });
    });

    describe("terminals", () => {
      test("run in the foreground", () => {
        const r = run(
          engine,
          script("tty; stty size; echo to the console > /dev/console; exit 3", (config) => {
            config.process.terminal = true;
            config.process.consoleSize = { height: 20, width: 60 };
          }),
        );
        assert.deepEqual([r.code, r.stdout], [3, "/dev/pts/0\r\n20 60\r\nto the console\r\n"]);
      });

      test("create hands it to a socket; without one it is refused", async () => {
        const id = newId();
        const socket = join(engine.folder, `${id}.sock`);
        const [file, args] = engine.user ? asUser(engine.user, [buildConsole(engine), socket]) : [buildConsole(engine), [socket]];
        const listener = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
        let text = "";
        listener.stdout?.on("data", (chunk) => {
          text += chunk;
        });
        await until("the socket", () => text.includes("listening"));
        const folder = bundle(
          engine,
          script("tty; read line; echo got $line", (config) => {
            config.process.terminal = true;
          }),
        );
        assert.match(tryCreate(engine, folder, id).stderr, /--console-socket/);
        create(engine, folder, id, "--console-socket", socket);
        good(engine, "start", id);
        await until("the terminal", () => text.includes("/dev/pts/0\r\n"));
        listener.stdin?.write("hello\n");
        await until("the answer", () => text.includes("got hello"));
        await until("its end", () => listener.exitCode !== null);
        remove(engine, id);
      });
    });

    test("two at once do not see each other", () => {
      const [a, b] = [started(engine), started(engine)];
      // One process that looks, whose own number is all that is not the container's.
      const count = (id: string) => inside(engine, id, "exec ls /proc").match(/^\d+$/gm)?.length;
      assert.equal(count(a), count(b));
      assert.equal(exec(engine, a, ["kill", "-9", "-1"]).code === null, false);
      assert.equal(stateOf(engine, b).status, "running");
      for (const id of [a, b]) remove(engine, id);
    });
  });
}
