// Attacks on runtimes that are known by name, tried on podgen's own path: each test is called what it stops (native/SECURITY.md).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { exec, inside, layer, layerOf, output, payload, running, startPod, toEnd, unitOf } from "./container.js";
import { messages, sh, systemctl } from "./pod.js";
import { runAs, type TestUser, userStop } from "./user.js";

let user: TestUser;
let attack: string;

before(() => {
  user = startPod("pghard");
  attack = join(user.home, "attack");
  execFileSync("cc", ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-static", "-o", attack, "test/native/attack.c"]);
  const tools = layer(user, "tools", `mkdir bin; cp ${attack} bin/attack`);
  running(user, "app", { layers: [layerOf(user), tools] });
});
after(() => userStop(user));

describe("descriptors of the host (CVE-2024-21626)", () => {
  test("a working folder that is one is refused, at the start and in exec", async () => {
    for (const fd of [3, 7]) {
      const end = await toEnd(user, "cwd", { args: ["pwd"], process: { cwd: `/proc/self/fd/${fd}` } });
      assert.equal(end.status, 125, end.lines.join("\n"));
      assert.equal(exec(user, "app", ["pwd"], ["--cwd", `/proc/self/fd/${fd}/..`]).code, 125);
    }
  });

  test("a command that is one is not executed", async () => {
    for (const path of ["/proc/self/fd/3", "/dev/fd/5", "/proc/1/fd/3"]) {
      assert.ok([126, 127].includes(exec(user, "app", [path]).code ?? 0), path);
      assert.ok([126, 127].includes((await toEnd(user, "cmd", { args: [path] })).status), path);
    }
  });

  test("no process of the container holds a folder of the host", () => {
    const script = "for l in /proc/[0-9]*/fd/* /proc/[0-9]*/cwd /proc/[0-9]*/root; do readlink $l; done | sort -u";
    for (const line of inside(user, "app", script).split("\n")) assert.match(line, /^(\/|\/dev\/null|\/proc\/.*|(pipe|socket):\[\d+\])$/);
  });
});

describe("paths that change meanwhile (CVE-2021-30465)", () => {
  test("a volume whose folder becomes a link to the host's while another container mounts in it", async () => {
    const victim = join(user.home, "victim");
    const shared = join(user.home, "shared");
    mkdirSync(victim, { recursive: true });
    sh(user, `mkdir -m 777 -p ${shared}; rm -rf ${victim} && mkdir ${victim}`);
    const up = "../../../../../../../..";
    const id = running(user, "racer", {
      args: [
        "sh",
        "-c",
        `cd /v; while :; do mkdir -p x; rm -rf x; ln -s ${up}${victim} x; rm x; ln -s /proc/1/root${victim} x; rm x; done`,
      ],
      mounts: [{ destination: "/v", type: "bind", source: shared, options: ["rw"] }],
    });
    const statuses = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const end = await toEnd(user, "victim", {
        args: ["sh", "-c", "touch /v/x/deep/written; true"],
        mounts: [
          { destination: "/v", type: "bind", source: shared, options: ["rw"] },
          { destination: "/v/x/deep", type: "tmpfs", options: [] },
        ],
      });
      statuses.add(end.status);
    }
    systemctl(user, "stop", id);
    assert.equal(sh(user, `ls -A ${victim}`), "");
    assert.ok(
      [...statuses].every((status) => status === 0 || status === 125),
      String([...statuses]),
    );
  });
});

describe("what masks and devices are made of (CVE-2025-31133, CVE-2025-52565)", () => {
  /** A folder for /dev in which everything podrt could use leads elsewhere. */
  const mounts = (): { destination: string; type: string; source: string; options: string[] }[] => {
    const dev = join(user.home, "dev");
    sh(user, `rm -rf ${dev}; mkdir -p ${dev}; cd ${dev}; for n in null console tty ptmx; do ln -s /proc/sysrq-trigger $n; done`);
    return [{ destination: "/dev", type: "bind", source: dev, options: ["rbind", "rw"] }];
  };

  test("masks are the machine's /dev/null, whatever the container has of that name", async () => {
    const text = await output(user, "mask", "stat -c '%t:%T' /proc/keys /proc/timer_list; readlink /dev/null", {
      mounts: mounts(),
      process: { terminal: true },
    });
    assert.equal(text.replaceAll("\r", ""), "1:3\n1:3\n/proc/sysrq-trigger");
  });

  test("standard input is no link's target in the place of /dev/null", async () => {
    const end = await toEnd(user, "null", { args: ["true"], mounts: mounts() });
    assert.equal(end.status, 125);
    assert.ok(
      end.lines.some((line) => line.startsWith("podrt: run: stdin: /dev/null of the container")),
      end.lines.join("\n"),
    );
  });

  test("/dev/console of an image is not what the terminal is mounted on", async () => {
    const evil = layer(user, "evil-console", "mkdir -p dev; ln -s /proc/sysrq-trigger dev/console; ln -s /proc dev/pts");
    const text = await output(user, "console", "stat -c %F:%t /dev/console; readlink -f /dev/pts; stat -f -c %t /dev/pts", {
      layers: [layerOf(user), evil],
      process: { terminal: true },
    });
    assert.equal(text.replaceAll("\r", ""), "character special file:88\n/dev/pts\n1cd1");
  });
});

describe("groups and capabilities that nobody gave (CVE-2022-2989, CVE-2022-27652)", () => {
  test("groups are the image's for that user, never the host's", async () => {
    const groups = "grep Groups: /proc/self/status | tr -d '\\t' | tr -s ' '";
    assert.equal(inside(user, "app", groups).trim(), "Groups:");
    assert.equal(inside(user, "app", "id -G", ["--user", "web"]), "44 55");
    assert.equal(inside(user, "app", "id -G", ["--user", "33:7"]), "7");
    assert.equal((await output(user, "groups", groups, { process: { user: { uid: 5, gid: 6, additionalGids: [7] } } })).trim(), "Groups:7");
  });

  test("nothing is inheritable, in exec neither", () => {
    assert.match(inside(user, "app", "grep CapInh /proc/self/status"), /CapInh:\t0{16}/);
    assert.match(inside(user, "app", "grep CapInh /proc/self/status", ["--user", "web"]), /CapInh:\t0{16}/);
  });
});

describe("the terminal and the keys of whoever calls exec", () => {
  test("TIOCSTI: a command that has the terminal as its output cannot type into it", () => {
    const words = `${user.podrt} exec pods/web/app -- attack terminal`;
    const said = runAs(user, ["script", "-qec", words, "/dev/null"]).stdout;
    assert.match(said, /^terminal 1 sti EPERM ctty EPERM steal EPERM sti EPERM/);
  });

  test("keyrings: the keys of the caller's session are not there", () => {
    const found = runAs(user, [attack, "keys", attack, "keys"]).stdout;
    assert.match(found, /^done /);
    const said = runAs(user, [attack, "keys", user.podrt, "exec", "pods/web/app", "--", "attack", "keys"]);
    assert.doesNotMatch(said.stdout, /done/);
    assert.match(said.stdout, /^(E\w+ ){4}$/m);
  });
});

describe("paths without end", () => {
  test("a destination longer than a path may be fails the start, and leaves nothing", async () => {
    const end = await toEnd(user, "long", {
      args: ["true"],
      mounts: [{ destination: `/${"d".repeat(250)}`.repeat(20), type: "tmpfs", options: [] }],
    });
    assert.equal(end.status, 125, end.lines.join("\n"));
    assert.equal(payload(end.lines, "long").filter((line) => line.startsWith("podrt: run: ")).length, 1);
  });

  test("forty links in a row, a link to itself, and names of 255 bytes", async () => {
    const evil = layer(
      user,
      "evil-links",
      `ln -s loop loop; i=0; ln -s /tmp l0; while [ $i -lt 60 ]; do ln -s l$i l$((i+1)); i=$((i+1)); done; mkdir ${"n".repeat(255)}`,
    );
    const layers = [layerOf(user), evil];
    const at = (destination: string) => ({ layers, mounts: [{ destination, type: "tmpfs", options: [] }] });
    assert.equal((await toEnd(user, "links", { args: ["true"], ...at("/loop/x") })).status, 125);
    assert.equal((await toEnd(user, "links", { args: ["true"], ...at("/l60/x") })).status, 125);
    assert.equal(await output(user, "links", "stat -f -c %T /tmp/x", at("/l20/x")), "tmpfs");
    assert.equal(await output(user, "links", `stat -f -c %T /${"n".repeat(255)}`, at(`/${"n".repeat(255)}`)), "tmpfs");
  });
});

test("the machine is as it was", () => {
  assert.equal(existsSync("/dev/null"), true);
  assert.match(execFileSync("stat", ["-c", "%t:%T:%a", "/dev/null"], { encoding: "utf8" }), /^1:3:666/);
  assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(user.home));
  assert.ok(messages(user, unitOf("app")).length >= 0);
});
