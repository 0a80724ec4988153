// What a container may do: capabilities, seccomp, and that it cannot reach podrt's own program.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { exec, inside, layer, layerOf, output, payload, running, startPod, toEnd, unitOf } from "./container.js";
import { mainPid, messages, systemctl } from "./pod.js";
import { type TestUser, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("pgct3");
});
after(() => userStop(user));

const STATUS = "grep -E '^(Cap...|Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t' | tr '\\n' ' '";

describe("capabilities", () => {
  const none = "0000000000000000";
  const field = "00000000800405fb";

  test("root has the bounding set, and nothing inheritable", async () => {
    assert.equal(
      await output(user, "caps", STATUS),
      `CapInh:${none} CapPrm:${field} CapEff:${field} CapBnd:${field} CapAmb:${none} NoNewPrivs:0 Seccomp:2 `,
    );
  });

  test("another user has none", async () => {
    const text = await output(user, "caps", STATUS, { process: { user: { uid: 1000, gid: 1000 } } });
    assert.equal(text, `CapInh:${none} CapPrm:${none} CapEff:${none} CapBnd:${field} CapAmb:${none} NoNewPrivs:0 Seccomp:2 `);
  });

  test("unless ambient", async () => {
    const bounding = ["CAP_NET_BIND_SERVICE", "CAP_CHOWN"];
    const text = await output(user, "caps", STATUS, {
      process: {
        user: { uid: 1000, gid: 1000 },
        capabilities: { bounding, permitted: bounding, effective: bounding, ambient: ["CAP_NET_BIND_SERVICE"] },
      },
    });
    const net = "0000000000000400";
    assert.equal(text, `CapInh:${net} CapPrm:${net} CapEff:${net} CapBnd:0000000000000401 CapAmb:${net} NoNewPrivs:0 Seccomp:2 `);
  });

  test("all dropped: root has none either", async () => {
    const text = await output(user, "caps", STATUS, { caps: [] });
    assert.equal(text, `CapInh:${none} CapPrm:${none} CapEff:${none} CapBnd:${none} CapAmb:${none} NoNewPrivs:0 Seccomp:2 `);
  });

  test("one that is unknown is refused", async () => {
    const end = await toEnd(user, "caps", { args: ["true"], caps: ["CAP_CHOWN", "CAP_FLY"] });
    assert.ok(end.lines.includes("podrt: run: bundle: process.capabilities.bounding[1]: unknown capability CAP_FLY"));
  });

  test("mounting and namespaces are refused without CAP_SYS_ADMIN", async () => {
    const text = await output(user, "caps", "mount -t tmpfs x /tmp 2>&1; unshare --mount true 2>&1; hostname x 2>&1; true");
    assert.match(text, /mount: .*(denied|not permitted)[\s\S]*unshare.*not permitted[\s\S]*hostname: .*not permitted/);
  });
});

describe("seccomp", () => {
  // Of the profile of containers-common: what it refuses with EPERM, what it does not know (ENOSYS), and what needs a capability.
  test("system calls of the default profile are refused", async () => {
    const text = await output(user, "calls", "echo > /tmp/swap; swapon /tmp/swap 2>&1; true");
    assert.match(text, /Operation not permitted/);
  });

  test("also with capabilities that the usual sets do not have, and with none", async () => {
    for (const caps of [["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"], []])
      assert.equal(await output(user, "calls", "grep -c Seccomp:.2 /proc/self/status", { caps }), "1");
  });

  test("unconfined has none", async () => {
    const annotations = { "io.podgen.seccomp": "unconfined" };
    assert.equal(await output(user, "calls", "grep Seccomp: /proc/self/status", { annotations }), "Seccomp:\t0");
  });

  test("with noNewPrivileges, too", async () => {
    const text = await output(user, "calls", STATUS, { process: { noNewPrivileges: true } });
    assert.match(text, /NoNewPrivs:1 Seccomp:2/);
  });
});

describe("podrt's own program is out of reach (CVE-2019-5736)", () => {
  const digest = (): string => createHash("sha256").update(readFileSync(user.podrt)).digest("hex");

  test("what is /proc/self/exe as an interpreter gets a sealed page, not podrt", async () => {
    const before = digest();
    const evil = layer(
      user,
      "evil-exe",
      "mkdir -p bin; printf '#!/proc/self/exe\\n' > bin/evil; printf '#!/bin/evil\\n' > bin/twice; chmod 755 bin/*",
    );
    const layers = [layerOf(user), evil];
    // Named by a magic link: refused before the start.
    const end = await toEnd(user, "evil", { args: ["evil"], layers });
    assert.equal(end.status, 126, end.lines.join("\n"));
    assert.ok(
      end.lines.some((line) => line.includes("its interpreter /proc/self/exe")),
      end.lines.join("\n"),
    );
    // By way of another script, which only the kernel follows: podrt would print its usage and exit with 64.
    const twice = await toEnd(user, "evil", { args: ["twice"], layers });
    assert.deepEqual([twice.status, payload(twice.lines, "evil")], [127, []]);
    const id = running(user, "evil", { layers });
    const r = exec(user, "evil", ["twice"]);
    assert.deepEqual([r.code, r.stdout, r.stderr], [127, "", ""]);
    systemctl(user, "stop", id);
    assert.equal(digest(), before);
  });

  test("when the file changes after the check, what runs is not podrt either", () => {
    const before = digest();
    // A volume with a loop that swaps an honest file for one that names /proc/self/exe: whichever the check and the kernel see.
    const id = running(user, "swap", {
      args: [
        "sh",
        "-c",
        "cd /tmp; printf '#!/proc/self/exe\\n' > a; printf '#!/bin/true\\n' > b; chmod 755 a b; while :; do ln -f a x; ln -f b x; done",
      ],
      caps: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"],
    });
    const outcomes = new Set<number | null>();
    for (let i = 0; i < 30; i++) outcomes.add(exec(user, "swap", ["/tmp/x"]).code);
    assert.ok(outcomes.has(0) || outcomes.has(126), String([...outcomes]));
    assert.equal(digest(), before);
    systemctl(user, "stop", id);
  });

  test("a process in the container never sees podrt in /proc, nor may open what it could be", async () => {
    // Looks at all of /proc, without a pause, while commands are executed in the container: by ids, podrt's process is root's there.
    const id = running(user, "watch", {
      args: [
        "sh",
        "-c",
        "while :; do for p in /proc/[0-9]*; do e=$(readlink $p/exe) && case $e in *podrt*) echo seen $e; echo x 2>/dev/null >> $p/exe && echo WRITTEN $e;; esac; done; done",
      ],
      caps: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"],
    });
    const before = digest();
    for (let i = 0; i < 30; i++) assert.equal(exec(user, "watch", ["true"]).code, 0);
    const seen = payload(messages(user, unitOf("watch")).map(String), "watch");
    assert.deepEqual(
      seen.filter((line) => line !== "seen /memfd:podrt (deleted)"),
      [],
    );
    assert.equal(digest(), before);
    assert.ok(mainPid(user, id) > 0);
    assert.equal(inside(user, "watch", "ls /proc/1/root/home 2>&1 || true"), "ls: /proc/1/root/home: No such file or directory");
    systemctl(user, "stop", id);
  });
});
