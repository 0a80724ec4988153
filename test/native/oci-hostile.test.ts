// podrt as an OCI runtime among those who disturb it: killed at any step, called twice at once, given what is somebody else's.
import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  begin,
  bundle,
  type Change,
  call,
  callAny,
  create,
  type Engine,
  engineStart,
  engineStop,
  good,
  newId,
  remove,
  run,
  script,
  started,
  stateOf,
  written,
} from "./oci.js";
import { until } from "./user.js";

const sleeping: Change = (config) => {
  config.process.args = ["sleep", "1000"];
};

/** createRuntime's hook takes its time: somebody may come in between. */
const slow =
  (seconds: string): Change =>
  (config) => {
    sleeping(config);
    config.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", seconds] }] };
  };

/** Processes whose command line has `word`. */
function processesWith(word: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(word);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Folders of cgroups named after a container, in whatever hierarchy. */
const cgroupsOf = (id: string): string => {
  const r = spawnSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", `*${id}*`], { encoding: "utf8" });
  return r.stdout.trim();
};

const ended = (child: ChildProcess): Promise<number | null> => new Promise((done) => child.once("close", done));

for (const name of [undefined, "ocreview1"]) {
  describe(name === undefined ? "by root" : "by a user", () => {
    let engine: Engine;
    before(() => {
      engine = engineStart(name);
    });
    after(() => engineStop(engine));

    const creating = (id: string, change: Change): ChildProcess =>
      begin(engine, ["create", "--bundle", bundle(engine, change), id], { stdio: "ignore" });
    const isCreating = (id: string): Promise<void> =>
      until(`${id} to be creating`, () => {
        const r = call(engine, ["state", id]);
        return r.code === 0 && JSON.parse(r.stdout).status === "creating";
      });

    describe("two at once", () => {
      test("delete --force during create waits for its end, and leaves nobody", async () => {
        const id = newId();
        const child = creating(id, slow("0.7"));
        const end = ended(child);
        await isCreating(id);
        good(engine, "delete", "--force", id);
        assert.equal(await end, 0);
        assert.match(call(engine, ["state", id]).stderr, /does not exist/);
        await until("no process to be left", () => processesWith(id).length === 0);
        assert.equal(cgroupsOf(id), "");
      });

      test("delete during create is refused when it is there", async () => {
        const id = newId();
        const end = ended(creating(id, slow("0.7")));
        await isCreating(id);
        const r = call(engine, ["delete", id]);
        assert.deepEqual([r.code, await end], [1, 0]);
        assert.match(r.stderr, /is created: cannot delete/);
        assert.equal(stateOf(engine, id).status, "created");
        remove(engine, id);
      });

      test("who asks for the state does not disturb a create", async () => {
        const asking = Array.from({ length: 40 }, () => ended(begin(engine, ["list"], { stdio: "ignore" })));
        for (let i = 0; i < 10; i++) {
          const id = newId();
          create(engine, bundle(engine, sleeping), id);
          remove(engine, id);
        }
        assert.deepEqual(new Set(await Promise.all(asking)), new Set([0]));
      });

      test("of several that start one, one does; of several that delete it, none fails with --force", async () => {
        const id = newId();
        create(engine, bundle(engine, sleeping), id);
        const starts = await Promise.all([0, 1, 2, 3].map(() => ended(begin(engine, ["start", id], { stdio: "ignore" }))));
        assert.equal(starts.filter((code) => code === 0).length, 1);
        assert.equal(stateOf(engine, id).status, "running");
        const ends = await Promise.all([0, 1, 2, 3].map(() => ended(begin(engine, ["delete", "--force", id], { stdio: "ignore" }))));
        assert.deepEqual(ends, [0, 0, 0, 0]);
      });
    });

    describe("podrt is killed", () => {
      test("while it creates: its first process ends with it, delete mends the rest", async () => {
        const id = newId();
        const child = creating(id, slow("1"));
        await isCreating(id);
        // By session.sh it is the same pid.
        child.kill("SIGKILL");
        await until("the first process to end", () => processesWith(id).length === 0, 3000);
        assert.equal(stateOf(engine, id).status, "stopped");
        good(engine, "delete", id);
        assert.equal(cgroupsOf(id), "");
      });

      test("at any moment: nobody is left whom delete --force does not find", async () => {
        for (let i = 0; i < 30; i++) {
          const id = newId();
          const child = creating(id, sleeping);
          const end = ended(child);
          await new Promise((wake) => setTimeout(wake, i));
          child.kill("SIGKILL");
          await end;
          good(engine, "delete", "--force", id);
          await until(`nobody of ${id} to be left`, () => processesWith(id).length === 0, 3000);
        }
        assert.deepEqual(JSON.parse(good(engine, "list", "--format", "json")), []);
      });

      test("by the end of whoever reads its terminal: the container ends with it", async () => {
        const id = newId();
        const folder = bundle(
          engine,
          script("while :; do echo x; done", (config) => {
            config.process.terminal = true;
          }),
        );
        const command = `${engine.podrt} --root ${engine.root} run --bundle ${folder} ${id} < /dev/null 2> /dev/null | head -1`;
        const r = callAny(engine, ["sh", "-c", command]);
        assert.equal(r.stdout.trim(), "x");
        assert.match(call(engine, ["state", id]).stderr, /does not exist/);
      });
    });

    describe("the folder of all containers", () => {
      test("one where everybody may write is refused, and says nothing of containers", () => {
        const root = join(engine.folder, "everybody");
        mkdirSync(root);
        if (engine.user) chownSync(root, engine.user.uid, engine.user.uid);
        chmodSync(root, 0o777);
        for (const words of [["list"], ["state", "x"], ["delete", "--force", "x"], ["create", "--bundle", bundle(engine), "x"]]) {
          const r = callAny(engine, [engine.podrt, "--root", root, ...words]);
          assert.equal(r.code, 1, words[0]);
          assert.match(r.stderr, /everybody may write there/);
        }
      });

      test("one of another user is refused", () => {
        const root = join(engine.folder, "others");
        mkdirSync(root);
        chownSync(root, 65533, 65533);
        const r = callAny(engine, [engine.podrt, "--root", root, "state", "x"]);
        assert.equal(r.code, 1);
        assert.match(r.stderr, /belongs to user 65533/);
      });

      test("root does not take a user's XDG_RUNTIME_DIR", { skip: name !== undefined }, () => {
        const theirs = join(engine.folder, "theirs");
        mkdirSync(theirs);
        chownSync(theirs, 65533, 65533);
        const r = callAny(engine, [engine.podrt, "create", "--bundle", "/nowhere", newId()], { env: { XDG_RUNTIME_DIR: theirs } });
        assert.match(r.stderr, /\/nowhere: No such file/);
        assert.deepEqual(readdirSync(theirs), []);
      });
    });

    test("a host's file as standard input stays its owner's", { skip: name !== undefined }, () => {
      const file = join(engine.folder, "private");
      writeFileSync(file, "private\n", { mode: 0o600 });
      const id = started(engine);
      for (const words of [["exec", "--user", "1000", id, "cat"]]) {
        const fd = openSync(file, "r");
        const r = spawnSync(engine.podrt, ["--root", engine.root, ...words], { stdio: [fd, "pipe", "pipe"], encoding: "utf8" });
        closeSync(fd);
        assert.deepEqual([r.status, r.stdout], [0, "private\n"]);
      }
      assert.equal(statSync(file).uid, 0);
      // What an engine gives are pipes, and those may be opened by name.
      const piped = `${engine.podrt} --root ${engine.root} exec --user 1000 ${id} sh -c 'echo x > /dev/stdout' | cat`;
      assert.equal(callAny(engine, ["sh", "-c", piped]).stdout, "x\n");
      remove(engine, id);
    });

    test("a created container holds nothing of the host but what it was given", () => {
      const id = newId();
      const folder = bundle(engine, sleeping);
      create(engine, folder, id);
      const fds = `/proc/${stateOf(engine, id).pid}/fd`;
      const links = readdirSync(fds).map((fd) => readlinkSync(join(fds, fd)));
      const given = [join(folder, "out"), join(folder, "err")];
      const held = links.filter((link) => !given.includes(link) && (link.startsWith(engine.folder) || link.startsWith("/sys/fs/cgroup")));
      assert.deepEqual(held, []);
      remove(engine, id);
    });

    test("limits bind the payload, not podrt: no descriptor but the first three", async () => {
      const id = newId();
      const folder = bundle(engine, (config) => {
        config.process.args = ["echo", "started"];
        config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 3, hard: 3 }];
      });
      create(engine, folder, id);
      good(engine, "start", id);
      await until("its word", () => written(folder) === "started\n");
      remove(engine, id);
    });

    test("a created container that is paused can be resumed, started and ended", { skip: name !== undefined }, () => {
      const id = newId();
      create(engine, bundle(engine, sleeping), id);
      good(engine, "pause", id);
      good(engine, "resume", id);
      good(engine, "start", id);
      good(engine, "pause", id);
      good(engine, "kill", id, "KILL");
      remove(engine, id);
      const other = newId();
      create(engine, bundle(engine, sleeping), other);
      good(engine, "pause", other);
      remove(engine, other);
    });

    test("a cgroup in which others live is not taken, for it would be killed with the container", { skip: name !== undefined }, () => {
      const path = `/podrt-test-${newId()}`;
      const id = newId();
      create(
        engine,
        bundle(engine, (config) => {
          sleeping(config);
          config.linux["cgroupsPath"] = `${path}/below`;
        }),
        id,
      );
      const r = run(engine, (config) => {
        config.linux["cgroupsPath"] = path;
      });
      assert.match(r.stderr, /has processes already/);
      assert.equal(stateOf(engine, id).status, "created");
      remove(engine, id);
      for (const folder of cgroupsOf(path.slice(1)).split("\n")) if (folder) spawnSync("rmdir", [folder]);
    });

    test("a startContainer hook that leaves its group is killed all the same when its time is over", () => {
      const id = newId();
      const folder = bundle(engine, (config) => {
        sleeping(config);
        // busybox has no setpgid; a shell with job control puts its children into groups of their own, whom the hook waits for.
        config.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-mc", "sleep 1000 & wait"], timeout: 1 }] };
      });
      create(engine, folder, id);
      const r = call(engine, ["start", id], { timeout: 10_000 });
      assert.equal(r.code, 1);
      assert.match(r.stderr, /not done after 1 s, and killed/);
      remove(engine, id);
    });

    test("an error whose words are no UTF-8 is JSON in the log all the same", { skip: name !== undefined }, () => {
      const log = join(engine.folder, "log.json");
      const folder = bundle(engine, (config) => {
        // Of a path of 400 bytes 300 are shown: half of its last letter is.
        const part = "\u00e9".repeat(100);
        config.process.args = [`/x${part}/${part}`];
      });
      const r = callAny(engine, [
        engine.podrt,
        "--root",
        engine.root,
        "--log",
        log,
        "--log-format",
        "json",
        "run",
        "--bundle",
        folder,
        newId(),
      ]);
      assert.equal(r.code, 127);
      for (const line of readFileSync(log, "utf8").trim().split("\n")) assert.match(JSON.parse(line).msg, /executable file/);
    });

    test("closed standard descriptors are /dev/null, whatever podrt opens", () => {
      const out = join(engine.folder, "fds");
      const folder = bundle(
        engine,
        script("ls -l /proc/self/fd > /tmp/fds; exit 5", (config) => {
          config.mounts.push({ destination: "/tmp", type: "bind", source: engine.folder, options: ["bind", "rw"] });
        }),
      );
      const r = callAny(engine, ["sh", "-c", `${engine.podrt} --root ${engine.root} run --bundle ${folder} ${newId()} <&- >&- 2>&-`]);
      assert.equal(r.code, 5);
      const links = readFileSync(out, "utf8");
      assert.match(links, /0 -> \/dev\/null/);
      assert.doesNotMatch(links, new RegExp(engine.root));
      assert.equal(existsSync(out), true);
    });
  });
}
