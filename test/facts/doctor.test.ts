// Doctor's rules: each failing case from given inputs, with the command that mends it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "../../src/host/doctor/outcome.js";
import { installCommand } from "../../src/host/doctor/packages.js";
import { isNosuid, parseProbe } from "../../src/host/doctor/read/machine.js";
import { decideIdmap, type IdmapProgram } from "../../src/host/doctor/rules/idmap.js";
import { decideRateLimit, decideReadable, parseJournald } from "../../src/host/doctor/rules/journal.js";
import { decideCgroups, decideUserNamespaces } from "../../src/host/doctor/rules/kernel.js";
import { decidePasta, decidePorts, decideUplink, hasDefaultRoute, parseNameservers } from "../../src/host/doctor/rules/network.js";
import { decideBus, decideLinger, decideRuntimeFolder, decideUnitFolders } from "../../src/host/doctor/rules/session.js";
import { decideDisk, decideDriver, decideMapping, decideOverlay } from "../../src/host/doctor/rules/storage.js";
import { decideSubids } from "../../src/host/doctor/rules/subids.js";

/** Asserts status, a pattern in the detail, and one in the fix (or that there is none). */
function says(outcome: Outcome, status: Outcome["status"], detail: RegExp, fix?: RegExp): void {
  assert.equal(outcome.status, status, outcome.detail);
  assert.match(outcome.detail, detail);
  if (fix) assert.match(outcome.fix ?? "", fix);
  else assert.equal(outcome.fix, undefined);
}

const ids = {
  user: "alice",
  uid: 1000,
  subuid: "alice:100000:65536\n",
  subgid: "alice:100000:65536\n",
  passwd: "root:x:0:0::/:\nalice:x:1000:1000::/home/alice:\n",
  group: "root:x:0:\nalice:x:1000:\n",
  otherSources: [],
};

test("subordinate ids", () => {
  says(decideSubids(ids), "ok", /100000-165535/);
  says(decideSubids({ ...ids, subuid: "1000:100000:65536" }), "ok", /100000-165535/);
  says(
    decideSubids({ ...ids, subuid: "" }),
    "fail",
    /subuid has no range for alice/,
    /--add-subuids 165536-231071 --add-subgids 165536-231071 alice$/,
  );
  says(
    decideSubids({ ...ids, subgid: "# alice:1:2\nbob:100000:65536\nalice:nonsense\n" }),
    "fail",
    /subgid has no range/,
    /--add-subuids 165536/,
  );
  says(decideSubids({ ...ids, subuid: "", subgid: "" }), "fail", /no range/, /--add-subuids 100000-165535/);
  says(decideSubids({ ...ids, subuid: "alice:100000:1000" }), "warn", /1000 ids; images expect 65536/, /usermod/);
  says(decideSubids({ ...ids, subuid: "alice:100000:32768\nalice:200000:32768\n" }), "ok", /100000-132767 and 200000-232767/);
  says(
    decideSubids({ ...ids, passwd: `${ids.passwd}ldap:x:120000:120000::/:\n` }),
    "fail",
    /has the user ldap \(120000\) in it/,
    /sed -i '\/\^alice:100000:65536\$\/d' \/etc\/subuid \/etc\/subgid\nsudo usermod --add-subuids 165536/,
  );
  says(decideSubids({ ...ids, group: `${ids.group}staff:x:165535:\n` }), "fail", /the group staff/, /usermod/);
  says(decideSubids({ ...ids, subuid: `${ids.subuid}bob:165535:10\n` }), "fail", /overlaps 165535-165544 of bob/, /--add-subuids 165545/);
  says(decideSubids({ ...ids, subuid: `${ids.subuid}bob:165536:65536\n` }), "ok", /100000/);
  says(decideSubids({ ...ids, subuid: "", otherSources: ["sss"] }), "warn", /come from sss/);
});

const program = (name: IdmapProgram["name"], more: Partial<IdmapProgram> = {}): IdmapProgram => ({
  name,
  path: `/usr/bin/${name}`,
  setuidRoot: true,
  capabilities: undefined,
  nosuid: false,
  ...more,
});

test("newuidmap and newgidmap", () => {
  const decide = (uid: Partial<IdmapProgram>, gid: Partial<IdmapProgram> = {}, noNewPrivs = false) =>
    decideIdmap({ programs: [program("newuidmap", uid), program("newgidmap", gid)], install: "sudo apt install uidmap", noNewPrivs });
  says(decide({}), "ok", /newuidmap, .*newgidmap/);
  says(decide({ path: undefined }), "fail", /no newuidmap on PATH/, /apt install uidmap/);
  says(
    decide({ setuidRoot: false, capabilities: "" }),
    "fail",
    /neither setuid root nor cap_setuid/,
    /^sudo setcap cap_setuid=ep \/usr\/bin\/newuidmap$/,
  );
  says(decide({}, { setuidRoot: false, capabilities: "" }), "fail", /cap_setgid/, /setcap cap_setgid=ep \/usr\/bin\/newgidmap/);
  says(decide({ setuidRoot: false, capabilities: "/usr/bin/newuidmap cap_setuid=ep" }), "ok", /newuidmap/);
  says(decide({ setuidRoot: false }), "warn", /without getcap/);
  says(decide({ nosuid: true }), "fail", /nosuid/, /remount,suid/);
  says(decide({}, {}, true), "fail", /no_new_privs/);
});

test("the longest mount point decides on nosuid", () => {
  const mounts = ["1 0 8:1 / / rw,relatime - ext4 a rw", "2 1 8:2 / /usr rw,nosuid - ext4 b rw", "3 2 8:3 / /usr/bin rw - ext4 c rw"];
  assert.equal(isNosuid("/usr/bin/newuidmap", mounts.join("\n")), false);
  assert.equal(isNosuid("/usr/bin/newuidmap", mounts.slice(0, 2).join("\n")), true);
  assert.equal(isNosuid("/usrbin/newuidmap", mounts.join("\n")), false);
  assert.equal(isNosuid("/usr/bin/newuidmap", [...mounts, "4 3 8:4 / /usr/bin rw,nosuid - ext4 d rw"].join("\n")), true);
});

test("XDG_RUNTIME_DIR", () => {
  const found = { folder: true, mode: 0o40700, uid: 1000, filesystem: 0x01021994 };
  const decide = (path: string | undefined, more: Partial<typeof found> | undefined) =>
    decideRuntimeFolder({ path, found: more && { ...found, ...more } }, 1000, "alice");
  says(decide("/run/user/1000", {}), "ok", /0700/);
  says(decide(undefined, undefined), "fail", /not set/, /enable-linger alice\nexport XDG_RUNTIME_DIR=\/run\/user\/1000/);
  says(decide("run", undefined), "fail", /not absolute/, /export/);
  says(decide("/run/user/1000", undefined), "fail", /not there/, /enable-linger/);
  says(decide("/run/user/1000", { folder: false }), "fail", /not there/, /enable-linger/);
  says(decide("/run/user/0", { uid: 0 }), "fail", /uid 0, not to you/, /export/);
  says(decide("/run/user/1000", { mode: 0o40755 }), "fail", /mode 0755/, /^chmod 0700 \/run\/user\/1000$/);
  says(decide("/tmp/x", { filesystem: 0xef53 }), "warn", /on disk/, /user-runtime-dir@1000/);
});

test("bus, unit folder, linger", () => {
  const bus = { error: undefined, direct: false, version: 257 };
  const install = "sudo apt install dbus-user-session";
  says(decideBus(bus, install, "alice"), "ok", /systemd 257/);
  says(decideBus({ ...bus, version: 247 }, install, "alice"), "warn", /252 and later/);
  says(
    decideBus({ ...bus, direct: true }, install, "alice"),
    "warn",
    /private socket/,
    /dbus-user-session\nsystemctl --user start dbus.socket/,
  );
  says(
    decideBus({ ...bus, error: { message: "no bus", hint: "log in" } }, install, "alice"),
    "fail",
    /no bus. log in/,
    /enable-linger alice/,
  );
  says(decideUnitFolders(["/etc/systemd/user", "/h/.config/systemd/user"], "/h/.config/systemd/user"), "ok", /\/h\/.config/);
  says(
    decideUnitFolders(["/run/user/1/systemd/user.control", "/h/.config/systemd/user.control", "/etc/systemd/user"], "/c/systemd/user"),
    "fail",
    /does not read \/c\/systemd\/user/,
    /^export XDG_CONFIG_HOME=\/h\/\.config$/,
  );
  says(decideUnitFolders(["/etc/systemd/user"], "/c/systemd/user"), "fail", /does not read \/c\/systemd\/user/);
  says(decideLinger(true, "alice"), "ok", /on/);
  says(decideLinger(false, "alice"), "warn", /first login/, /^podgen linger enable$/);
});

test("user namespaces", () => {
  const facts = { release: "6.1.0-13-amd64", maxUserNamespaces: "15000\n", unprivilegedClone: "1\n", apparmorRestrict: undefined };
  says(decideUserNamespaces(facts), "ok", /6\.1/);
  says(decideUserNamespaces({ ...facts, maxUserNamespaces: "0\n" }), "fail", /max_user_namespaces/, /user.max_user_namespaces = 15000/);
  says(decideUserNamespaces({ ...facts, unprivilegedClone: "0\n" }), "fail", /root's only/, /unprivileged_userns_clone = 1/);
  says(decideUserNamespaces({ ...facts, apparmorRestrict: "1\n" }), "warn", /AppArmor/, /restrict_unprivileged_userns = 0/);
  says(decideUserNamespaces({ ...facts, release: "5.11.22-generic" }), "fail", /kernel 5\.11\.22-generic: .*5\.12 or later/);
  says(decideUserNamespaces({ ...facts, release: "4.18.0-553.el8" }), "fail", /5\.12 or later/);
  says(decideUserNamespaces({ ...facts, release: "5.11.0", apparmorRestrict: "1\n" }), "fail", /5\.12 or later/);
  says(decideUserNamespaces({ ...facts, release: "5.12.0" }), "ok", /5\.12/);
});

test("cgroups", () => {
  says(decideCgroups({ layout: "v2", controllers: ["cpu", "memory", "pids"] }, 1000), "ok", /cpu, memory, pids/);
  says(
    decideCgroups({ layout: "v2", controllers: ["memory", "pids"] }, 1000),
    "warn",
    /cpu is not delegated/,
    /Delegate=cpu cpuset io memory pids[\s\S]*user@1000\.service/,
  );
  says(decideCgroups({ layout: "v2", controllers: [] }, 1000), "warn", /cpu, memory, pids are not/, /user@\.service\.d/);
  says(decideCgroups({ layout: "hybrid", controllers: [] }, 1000), "warn", /hybrid.*unified_cgroup_hierarchy=1/);
});

test("mapping, overlay, driver, disk", () => {
  const drivers = {
    mapping: { ok: true, single: false, reason: "" },
    overlay: true,
    fuseOverlayfs: false,
    error: undefined,
    filesystem: 0xef53,
  };
  says(decideMapping(drivers), "ok", /subordinate ids/);
  says(decideMapping({ ...drivers, mapping: { ok: true, single: true, reason: "no ranges" } }), "warn", /single id.*no ranges/);
  says(decideMapping({ ...drivers, mapping: { ok: false, single: false, reason: "EPERM" } }), "fail", /EPERM/);
  says(decideMapping({ ...drivers, mapping: undefined }), "warn", /does not say/);
  says(decideMapping({ ...drivers, error: "not found" }), "fail", /not found/);
  says(decideOverlay(drivers), "ok", /overlay/);
  says(decideOverlay({ ...drivers, overlay: false }), "warn", /does not mount overlay/);
  says(decideOverlay({ ...drivers, overlay: false, filesystem: 0x6969 }), "warn", /does not work on NFS/, /XDG_DATA_HOME/);
  says(decideOverlay({ ...drivers, error: "x" }), "warn", /could not be tried: x/);
  says(decideDriver(drivers, "i"), "ok", /^overlay$/);
  says(decideDriver({ ...drivers, overlay: false, fuseOverlayfs: true }, "i"), "ok", /fuse-overlayfs/);
  says(decideDriver({ ...drivers, overlay: false }, "sudo apt install fuse-overlayfs"), "warn", /vfs/, /fuse-overlayfs/);
  says(decideDriver({ ...drivers, overlay: false }, "i", "vfs"), "ok", /vfs, set in storage\.json/);
  says(decideDriver(drivers, "i", "overlay"), "ok", /overlay, set/);
  says(decideDriver({ ...drivers, overlay: false }, "i", "overlay"), "fail", /does not work here/, /"auto"/);
  says(decideDriver({ ...drivers, fuseOverlayfs: true }, "i", "fuse-overlayfs"), "ok", /fuse-overlayfs, set/);
  says(decideDriver(drivers, "sudo apt install fuse-overlayfs", "fuse-overlayfs"), "fail", /not there/, /apt install/);
  const disk = { path: "/h", freeBytes: 5 * 2 ** 30, freeInodes: 1e6, inodes: 2e6 };
  says(decideDisk(disk), "ok", /5\.0 GiB free at \/h/);
  says(decideDisk({ ...disk, freeBytes: 2 ** 29 }), "warn", /512 MiB/, /^du -xh -d 2 \/h /);
  says(decideDisk({ ...disk, freeBytes: 2 ** 20 }), "fail", /1 MiB/, /^du -xh -d 2 \/h /);
  says(decideDisk({ ...disk, freeInodes: 5 }), "fail", /5 inodes/, /^du -xh -d 2 \/h /);
  says(decideDisk({ ...disk, freeInodes: 5000 }), "warn", /5000 inodes/, /^du -xh -d 2 \/h /);
  says(decideDisk({ ...disk, inodes: 0, freeInodes: 0 }), "ok", /GiB/);
});

test("podrt's probe, whole and strange", () => {
  const json = '{"podgen":{"overlay":true,"fuseOverlayfs":false},"userns":{"ok":true,"uids":65537,"single":false,"reason":""}}';
  assert.deepEqual(parseProbe(json), { overlay: true, fuseOverlayfs: false, mapping: { ok: true, single: false, reason: "" } });
  assert.deepEqual(parseProbe('{"podgen":3}'), { overlay: undefined, fuseOverlayfs: undefined, mapping: undefined });
  assert.throws(() => parseProbe("no"));
});

test("pasta and ports", () => {
  says(decidePasta("/usr/bin/pasta", "i"), "ok", /pasta/);
  says(decidePasta(undefined, "sudo apt install passt"), "warn", /reach nothing outside/, /passt/);
  says(decidePorts(80), "ok", /from 80 on/);
  says(decidePorts(1024), "ok", /below that is refused/, /ip_unprivileged_port_start = 80/);
});

test("names and uplink", () => {
  const pod = { name: "web", defaultRoute: true, nameservers: ["10.0.2.3"], answered: "10.0.2.3", error: undefined };
  const decide = (more: Partial<typeof pod> | { answered: undefined } | { error: string; answered: undefined } | undefined) =>
    decideUplink({ hostNameservers: ["1.2.3.4"], pod: more && { ...pod, ...more } });
  says(decide({}), "ok", /10\.0\.2\.3 answers from inside pod web/);
  says(decide(undefined), "ok", /not tried from inside a pod/);
  says(decideUplink({ hostNameservers: [], pod: undefined }), "warn", /names no server/);
  says(decide({ defaultRoute: false }), "warn", /no route out/, /podgen status web/);
  says(decide({ nameservers: [] }), "fail", /no name server/, /podgen restart web/);
  says(decide({ answered: undefined }), "fail", /no answer from 10\.0\.2\.3/, /pod-web__uplink\.service/);
  says(decide({ answered: undefined, error: "setns: EPERM" }), "warn", /setns/, /status web/);
});

test("routes and name servers as the kernel and resolv.conf write them", () => {
  const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  assert.ok(hasDefaultRoute(`${head}eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`, ""));
  assert.ok(!hasDefaultRoute(`${head}eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`, ""));
  const zero = "0".repeat(32);
  assert.ok(hasDefaultRoute(head, `${zero} 00 ${zero} 00 fe80 00000400 00000001 00000000 00000003     eth0\n`));
  assert.ok(!hasDefaultRoute(head, `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo\n`));
  assert.ok(!hasDefaultRoute("", ""));
  assert.deepEqual(parseNameservers("# nameserver 9.9.9.9\nsearch x\nnameserver 1.1.1.1\n nameserver ::1 \n"), ["1.1.1.1", "::1"]);
});

test("the journal", () => {
  says(decideReadable(undefined), "ok", /can be read/);
  says(
    decideReadable({ code: "journal-denied", message: "alice may not" }),
    "fail",
    /may not/,
    /mkdir -p \/var\/log\/journal && .*journalctl --flush\nsystemd-cat /,
  );
  says(decideReadable({ code: "journal-failed", message: "broken" }), "fail", /broken/, /^sudo systemctl restart systemd-journald$/);
  assert.deepEqual(parseJournald([""]), { storage: "auto", intervalSeconds: 30, burst: 10_000 });
  const settings = parseJournald([
    "[Journal]\n#RateLimitBurst=1\nRateLimitBurst=5\nStorage=volatile",
    "RateLimitIntervalSec=1min 30s\nRateLimitBurst=500",
  ]);
  assert.deepEqual(settings, { storage: "volatile", intervalSeconds: 90, burst: 500 });
  says(decideRateLimit(settings), "warn", /500 lines in 90 s.*all your units together/, /RateLimitBurst=100000/);
  says(decideRateLimit(parseJournald(["RateLimitIntervalSec=0"])), "ok", /no limit/);
  says(decideRateLimit(parseJournald([""])), "ok", /10000 lines in 30 s/, /journald\.conf\.d/);
  says(decideRateLimit(parseJournald(["Storage=none"])), "fail", /keeps nothing/, /Storage=auto/);
});

test("install commands by distribution", () => {
  const cases: readonly [string, string][] = [
    ["ID=debian\n", "sudo apt install uidmap"],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install uidmap"],
    ["ID=fedora\n", "sudo dnf install shadow-utils"],
    ['NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install shadow-utils"],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "sudo zypper install shadow"],
    ["ID=arch\n", "sudo pacman -S shadow"],
    ["", "sudo apt install uidmap"],
  ];
  for (const [text, command] of cases) assert.equal(installCommand("uidmap", text), command);
});
