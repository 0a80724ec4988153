// podgen doctor on a booted host: all is well, then one thing at a time is broken, found, and mended by what doctor says.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, must } from "../lib/host.js";
import type { RunOptions } from "../lib/session.js";

interface Check {
  readonly id: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix?: string;
}

/** sudo, made of polkit: alice may have root's units run, as somebody who administers the machine. */
const SUDO = '#!/bin/sh\nPATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH exec systemd-run --quiet --pipe --wait --collect -- "$@"\n';
const ALLOWED =
  'polkit.addRule(function (action) { if (action.id == "org.freedesktop.systemd1.manage-units") return polkit.Result.YES; });\n';

let host: Host;
before(async () => {
  host = await Host.start("t-doctor");
  await host.root(["tee", "/usr/local/bin/sudo"], { input: SUDO });
  await host.root(["chmod", "755", "/usr/local/bin/sudo"]);
  await host.root(["tee", "/etc/polkit-1/rules.d/00-test.rules"], { input: ALLOWED });
  await host.root(["systemctl", "restart", "polkit"]);
});
after(() => host.stop());

async function doctor(options: RunOptions = {}): Promise<ReadonlyMap<string, Check>> {
  const ran = await host.podgen(["doctor", "-o", "json"], options);
  const { ok, checks }: { ok: boolean; checks: Check[] } = JSON.parse(ran.stdout);
  assert.equal(
    ok,
    checks.every((check) => check.status !== "fail"),
  );
  assert.equal(ran.code, ok ? 0 : 1);
  return new Map(checks.map((check) => [check.id, check]));
}

test("on a healthy host nothing fails, and only what the kernel lacks is warned of", async () => {
  const checks = await doctor();
  const bad = [...checks.values()].filter((check) => check.status !== "ok");
  // Controllers are the machine's: a hybrid one has none to give.
  assert.deepEqual(
    bad.filter((check) => check.id !== "cgroups"),
    [],
  );
  assert.notEqual(checks.get("cgroups")?.status, "fail");
  assert.match(checks.get("id-mapping")?.detail ?? "", /made with your subordinate ids/);
  assert.match(checks.get("storage-driver")?.detail ?? "", /^overlay$/);
});

interface Case {
  readonly what: string;
  /** A shell script of root's. */
  readonly broken: string;
  readonly id: string;
  readonly status: "warn" | "fail";
  readonly detail: RegExp;
  /** Other checks that are not ok as a consequence. */
  readonly also?: readonly string[];
  /** What one of those says. */
  readonly said?: RegExp;
  /** Puts back what the fix did not. */
  readonly afterwards?: string;
  /** What is awaited before the next look. */
  readonly settle?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const SAVE_IDS = "cp /etc/subuid /etc/subgid /root/";
const RESTORE_IDS = "cp /root/subuid /root/subgid /etc/";

const CASES: readonly Case[] = [
  {
    what: "no subordinate uids",
    broken: `${SAVE_IDS}; sed -i /^alice:/d /etc/subuid`,
    id: "subordinate-ids",
    status: "fail",
    detail: /\/etc\/subuid has no range for alice/,
    also: ["id-mapping"],
    afterwards: RESTORE_IDS,
  },
  {
    what: "subordinate uids of another user's",
    broken: `${SAVE_IDS}; echo bob:120000:10 >> /etc/subuid`,
    id: "subordinate-ids",
    status: "fail",
    detail: /overlaps 120000-120009 of bob/,
    afterwards: RESTORE_IDS,
  },
  {
    what: "a real user within the subordinate uids",
    broken: `${SAVE_IDS}; useradd --uid 100500 carol`,
    id: "subordinate-ids",
    status: "fail",
    detail: /has the user carol \(100500\) in it/,
    afterwards: `userdel carol; ${RESTORE_IDS}`,
  },
  {
    what: "newuidmap without its privilege",
    broken: "setcap -r /usr/bin/newuidmap 2> /dev/null; chmod u-s /usr/bin/newuidmap",
    id: "idmap-helpers",
    status: "fail",
    detail: /newuidmap has neither setuid root nor cap_setuid/,
    also: ["id-mapping"],
    said: /made with a single id only, .*newuidmap failed \(.+\).*set-user-id root/,
    afterwards: "setcap -r /usr/bin/newuidmap; chmod u+s /usr/bin/newuidmap",
  },
  {
    what: "a runtime folder that others can look into",
    broken: "chmod 755 /run/user/1000",
    id: "runtime-folder",
    status: "fail",
    detail: /has mode 0755/,
  },
  {
    what: "no XDG_RUNTIME_DIR",
    broken: "true",
    env: { XDG_RUNTIME_DIR: "", DBUS_SESSION_BUS_ADDRESS: "" },
    id: "runtime-folder",
    status: "fail",
    detail: /XDG_RUNTIME_DIR is not set/,
    also: ["user-bus", "unit-folder"],
  },
  {
    what: "a manager with another XDG_CONFIG_HOME",
    broken: "true",
    env: { XDG_CONFIG_HOME: "/home/alice/elsewhere" },
    id: "unit-folder",
    status: "fail",
    detail: /does not read \/home\/alice\/elsewhere\/systemd\/user/,
  },
  {
    what: "a journal that is not alice's to read",
    broken: "gpasswd -d alice systemd-journal > /dev/null; rm -rf /var/log/journal; systemctl restart systemd-journald",
    id: "journal",
    status: "fail",
    detail: /alice may not read the journal/,
    // journald may take the line that makes alice's file a moment later.
    settle: "sudo journalctl --sync",
    afterwards: "usermod -a -G systemd-journal alice",
  },
  {
    what: "a journald that keeps nothing",
    broken: "printf '[Journal]\\nStorage=none\\n' > /etc/systemd/journald.conf; systemctl restart systemd-journald",
    id: "journal-rate",
    status: "fail",
    detail: /Storage=none/,
  },
];

for (const each of CASES)
  test(`${each.what}: found, and mended by its fix`, async () => {
    const env = each.env ?? {};
    await host.root(["sh", "-c", each.broken]);
    try {
      const found = await doctor({ env });
      const check = found.get(each.id);
      assert.equal(check?.status, each.status, JSON.stringify(check));
      assert.match(check?.detail ?? "", each.detail);
      const others = [...found.values()].filter((c) => c.status !== "ok" && c.id !== each.id && c.id !== "cgroups");
      assert.deepEqual(
        others.map((c) => c.id),
        each.also ?? [],
      );
      if (each.said) assert.match(others.map((c) => c.detail).join("\n"), each.said);
      const fix = check?.fix;
      assert.ok(fix, "it has a fix");
      // In one shell with the doctor that comes after: a fix may be for the shell's own environment.
      const script = `${fix}\n${each.settle ?? "true"}\npodgen doctor -o json > ~/.after`;
      await host.run(["sh", "-c", script], { env });
      const after: Check[] = JSON.parse(host.read(".after") ?? "").checks;
      assert.deepEqual(
        after.filter((c) => c.status !== "ok" && c.id !== "cgroups"),
        [],
      );
    } finally {
      await host.root(["sh", "-c", each.afterwards ?? "true"]);
    }
  });

test("no room for images: said, with the folder", async () => {
  await host.root(["sh", "-c", "mkdir /mnt/small && mount -t tmpfs -o size=20m,uid=1000,mode=700 tmpfs /mnt/small"]);
  const check = (await doctor({ env: { XDG_DATA_HOME: "/mnt/small" } })).get("disk");
  assert.equal(check?.status, "fail");
  assert.match(check?.detail ?? "", /20 MiB free at \/mnt\/small/);
  assert.ok(check?.fix, "it has a fix");
  assert.match(must(await host.run(["sh", "-c", check.fix]), check.fix), /\/mnt\/small$/m);
});

test("as text: a line per check, and the fix below what is not well", async () => {
  await host.root(["chmod", "755", "/run/user/1000"]);
  const ran = await host.podgen(["doctor"]);
  await host.root(["chmod", "700", "/run/user/1000"]);
  assert.equal(ran.code, 1);
  assert.match(ran.stdout, /^fail {2}XDG_RUNTIME_DIR: \/run\/user\/1000 has mode 0755.*\n {6}mend: chmod 0700 \/run\/user\/1000$/m);
  assert.match(must(await host.podgen(["doctor"]), "doctor"), /^ok {4}XDG_RUNTIME_DIR: /m);
});
