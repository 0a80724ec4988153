// podrt exec: a command in a running container, with and without a terminal.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { exec, inside, processesOf, running, startPod, unitOf } from "./container.js";
import { mainPid, namespaceOf, sh, systemctl } from "./pod.js";
import { asUser, runAs, spawnAs, type TestUser, until, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("pgct4");
  running(user, "app", { process: { cwd: "/srv", env: ["A=1", "B=2"] } });
  running(user, "web", { annotations: { "io.podgen.user": "web" } });
});
after(() => userStop(user));

describe("without a terminal", () => {
  test("the exit code is the command's; 128+N after a signal; 126 and 127", () => {
    for (const [words, code] of [
      [["true"], 0],
      [["sh", "-c", "exit 42"], 42],
      [["sh", "-c", "kill -9 $$"], 137],
      [["sh", "-c", "kill -TERM $$"], 143],
      [["nothere"], 127],
      [["/etc/passwd"], 126],
    ] as const)
      assert.equal(exec(user, "app", words).code, code, words.join(" "));
    assert.equal(exec(user, "app", ["nothere"]).stderr, "podrt: exec: exec: nothere: not found in the container\n");
  });

  test("streams are ours; standard input only when asked for", () => {
    const r = exec(user, "app", ["sh", "-c", "cat; echo out; echo err >&2"]);
    assert.deepEqual([r.stdout, r.stderr], ["out\n", "err\n"]);
    const words = [user.podrt, "exec", "--interactive", "pods/web/app", "--", "tr", "a-z", "A-Z"];
    assert.equal(runAs(user, words, Buffer.from("hello")).stdout, "HELLO");
    const big = Buffer.alloc(300_000, "x");
    assert.equal(runAs(user, [...words.slice(0, 5), "wc", "-c"], big).stdout, "300000\n");
  });

  test("all namespaces are the container's, and its limits hold", () => {
    const pid = mainPid(user, unitOf("app"));
    for (const type of ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"])
      assert.equal(inside(user, "app", `readlink /proc/self/ns/${type}`), namespaceOf(pid, type), type);
    assert.match(
      inside(user, "app", "grep -E 'Seccomp:|CapEff|CapBnd' /proc/self/status"),
      /CapEff:\s+00000000800405fb\nCapBnd:\s+00000000800405fb\nSeccomp:\s+2/,
    );
  });

  test("user, folder and environment are the container's, or as asked", () => {
    assert.equal(inside(user, "app", "pwd; id -u; echo $A$B$HOME"), "/srv\n0\n12/root");
    assert.equal(inside(user, "web", "id -un; echo $HOME; grep CapEff /proc/self/status"), "web\n/srv\nCapEff:\t0000000000000000");
    assert.equal(
      inside(user, "app", "id -u; id -g; grep CapEff /proc/self/status", ["--user", "33:55"]),
      "33\n55\nCapEff:\t0000000000000000",
    );
    assert.equal(inside(user, "web", "id -un", ["--user=root"]), "root");
    assert.equal(inside(user, "app", "pwd; echo $B$C", ["--cwd", "/etc", "--env", "B=x", "--env=C=y z"]), "/etc\nxy z");
    assert.match(exec(user, "app", ["true"], ["--user", "ghost"]).stderr, /^podrt: exec: user: ghost: not in the image's \/etc\/passwd\n$/);
    assert.match(exec(user, "app", ["true"], ["--cwd", "/no"]).stderr, /^podrt: exec: cwd: \/no: No such file/);
    for (const fd of [3, 4, 5, 6, 7, 8, 9]) assert.equal(exec(user, "app", ["true"], ["--cwd", `/proc/self/fd/${fd}`]).code, 125);
  });

  test("at the very start of a container a command waits for the container's own", () => {
    // Each says what it could not do, but for the times when there is no container.
    const ask = `while [ ! -e /tmp/pgct4-stop ]; do ${user.podrt} exec pods/web/app -- true 2>&1 | grep -v 'does not run'; done`;
    const restarts = `for i in 1 2 3 4 5 6 7 8; do systemctl --user restart ${unitOf("app")}; done`;
    const loops = Array.from({ length: 4 }, () => `(${ask}) &`).join("\n");
    const said = sh(user, `rm -f /tmp/pgct4-stop\n${loops}\n${restarts}\ntouch /tmp/pgct4-stop\nwait\nrm -f /tmp/pgct4-stop`);
    assert.doesNotMatch(said, /Permission denied/);
  });

  test("no descriptor of ours gets in", () => {
    const script = `exec 7< /etc/passwd 8> /dev/null; exec ${user.podrt} exec pods/web/app -- sh -c 'ls /proc/$$/fd; true'`;
    assert.equal(sh(user, script), "0\n1\n2");
  });

  test("signals are passed on", async () => {
    const child = spawnAs(user, [
      user.podrt,
      "exec",
      "pods/web/app",
      "--",
      "sh",
      "-c",
      "trap 'echo got; exit 9' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    await until("the command", () => text.includes("up"));
    const code = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    assert.equal(await code, 9);
    assert.match(text, /got/);
  });

  test("a container that does not run is told as such", () => {
    const id = running(user, "gone");
    systemctl(user, "stop", id);
    const r = exec(user, "gone", ["true"]);
    assert.deepEqual([r.code, r.stderr], [125, "podrt: exec: container: pods/web/gone does not run\n"]);
    assert.equal(exec(user, "never", ["true"]).code, 125);
    assert.match(exec(user, "_infra", ["true"]).stderr, /not a container's/);
    assert.match(exec(user, "../../../..", ["true"]).stderr, /^podrt: exec: /);
  });

  test("usage", () => {
    const bad = [[], ["pods/web/app"], ["pods/web/app", "--"], ["--what", "pods/web/app", "--", "true"]];
    for (const words of [
      ...bad,
      ["--cwd", "rel", "pods/web/app", "--", "y"],
      ["--env", "X", "pods/web/app", "--", "y"],
      ["--attach-fd", "1", "pods/web/app", "--", "y"],
    ])
      assert.equal(runAs(user, [user.podrt, "exec", ...words]).code, 64, words.join(" "));
  });
});

describe("--attach-fd", () => {
  test("waits for the byte, so that the caller can move it into the unit's cgroup first", async () => {
    const [file, args] = asUser(user, [
      "bash",
      "-c",
      `exec ${user.podrt} exec --attach-fd 3 pods/web/app -- sh -c 'echo in; sleep 5' 3<&0`,
    ]);
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    await until("podrt", () => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").includes("--attach-fd"));
    await new Promise((wake) => setTimeout(wake, 200));
    assert.equal(text, "");
    sh(
      user,
      `busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager AttachProcessesToUnit ssau ${unitOf("app")} '' 1 ${child.pid}`,
    );
    child.stdin?.write("g");
    await until("the command", () => text === "in\n");
    assert.ok(processesOf(user, unitOf("app")).length >= 3);
    child.kill("SIGKILL");
    child.stdin?.destroy();
  });

  test("gives up when nobody answers, or the caller closes it", () => {
    const run = (from: string) => runAs(user, ["bash", "-c", `${user.podrt} exec --attach-fd 3 pods/web/app -- echo in 3${from}`]);
    const closed = run("< /dev/null");
    assert.deepEqual([closed.code, closed.stderr], [125, "podrt: exec: attach: the caller gave up\n"]);
    const late = run("< <(sleep 6)");
    assert.deepEqual([late.code, late.stdout], [125, ""]);
    assert.match(late.stderr, /nobody has put us into the container's cgroup: Connection timed out/);
  });
});

describe("with a terminal", () => {
  /** Runs under script(1), which gives a pty; `keys` are typed. What comes out. */
  function typed(command: string, keys: string, size = "rows 40 cols 123"): { text: string; code: number } {
    const inner = `stty ${size}; ${user.podrt} exec --tty --interactive pods/web/app -- ${command}; echo code $?; stty -a | grep -o -- '-*icanon'`;
    const [file, args] = asUser(user, ["script", "-qec", inner, "/dev/null"]);
    const text = execFileSync(file, args, { input: keys, encoding: "utf8", timeout: 20_000 }).replaceAll(/\r|\^@/g, "");
    return { text, code: Number(/code (\d+)/.exec(text)?.[1]) };
  }

  test("it is one: of the container's devpts, with our size, and its own session", () => {
    const { text, code } = typed("sh -c 'tty; stty size; ls /dev/pts; ps -o pid,tty 2>/dev/null | head -1; exit 5'", "");
    assert.match(text, /\/dev\/pts\/0\n40 123\n0\s+ptmx\n/);
    assert.equal(code, 5);
  });

  test("keys reach it; ours is raw meanwhile and as before afterwards", () => {
    const { text, code } = typed("sh -c 'read line; echo \"<$line>\"; exit 3'", "hello\n");
    assert.match(text, /<hello>/);
    assert.equal(code, 3);
    assert.match(text, /\nicanon\n$/);
  });

  test("^C ends the command, not us", async () => {
    const inner = `${user.podrt} exec --tty --interactive pods/web/app -- sh -c 'echo up; sleep 60'; echo code $?`;
    const [file, args] = asUser(user, ["script", "-qec", inner, "/dev/null"]);
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    await until("the command", () => text.includes("up"));
    child.stdin?.write("\u0003");
    await until("its end", () => text.includes("code 130"));
    child.stdin?.end();
  });

  test("much output comes whole", () => {
    const { text } = typed("sh -c 'seq 1 20000'", "");
    assert.equal(text.split("\n").filter((line) => /^\d+$/.test(line)).length, 20000);
  });

  test("without --interactive, and without a terminal on our side", () => {
    const r = exec(user, "app", ["sh", "-c", "tty; test -t 1 && echo yes; exit 4"], ["--tty"]);
    assert.deepEqual([r.code, r.stdout], [4, "/dev/pts/0\r\nyes\r\n"]);
  });

  test("a user other than root owns it", () => {
    const r = exec(user, "app", ["sh", "-c", "id -u; echo x > $(tty) && echo opened"], ["--tty", "--user", "web"]);
    assert.match(r.stdout, /^33\r\nx\r\nopened\r\n$/);
  });
});
