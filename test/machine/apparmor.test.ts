// AppArmor profiles of config.json and of exec, on a machine whose kernel has AppArmor: Debian's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { Machine } from "../lib/machine.js";
import type { Config } from "../native/oci.js";

/** All is allowed but to read one file. */
const profile = (name: string, forbidden: string): string =>
  `profile ${name} flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
  deny ${forbidden} r,
}\n`;

let machine: Machine;
let base: Config;
before(async () => {
  // machine.sh copies the folder to /tests.
  const folder = resolve("dist/machine-apparmor");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "text"), profile("podrt-one", "/etc/passwd") + profile("podrt-two", "/etc/group"));
  execFileSync("test/harness/apparmor.sh", [join(folder, "text"), join(folder, "profiles")], { stdio: ["ignore", "ignore", "inherit"] });
  machine = await Machine.start("apparmor", "small", { PODGEN_TEST_UNITS: folder });
  await machine.run(`mount -t securityfs securityfs /sys/kernel/security
    cat /tests/profiles > /sys/kernel/security/apparmor/.load
    grep -q podrt-one /sys/kernel/security/apparmor/profiles`);
  base = JSON.parse(await machine.run("cd /tmp && podrt spec && cat config.json"));
  base.process.terminal = false;
  base.root = { path: "/rootfs", readonly: false };
});
after(() => machine.stop());

let count = 0;

/** The shell's words that make a bundle at $b for the container $id with that profile. */
function bundle(apparmorProfile: string | undefined, ...args: string[]): string {
  const id = `c${count++}`;
  const config = structuredClone(base);
  config.process.args = args;
  Object.assign(config.process, { apparmorProfile });
  return `id=${id} b=/tmp/${id}; mkdir $b; cat > $b/config.json << 'END'\n${JSON.stringify(config)}\nEND\n`;
}

const LOOK =
  "cat /proc/self/attr/current; cat /etc/passwd > /dev/null 2>&1; echo passwd $?; cat /etc/group > /dev/null 2>&1; echo group $?";

test("apparmorProfile confines the container's process", async () => {
  const out = await machine.run(`${bundle("podrt-one", "sh", "-c", LOOK)} podrt run --bundle $b $id`);
  assert.equal(out, "podrt-one (enforce)\npasswd 1\ngroup 0");
});

test("without one nothing is confined", async () => {
  const out = await machine.run(`${bundle(undefined, "sh", "-c", LOOK)} podrt run --bundle $b $id`);
  assert.equal(out, "unconfined\npasswd 0\ngroup 0");
});

test("exec has the container's profile, or the one that --apparmor names", async () => {
  const out = await machine.run(`${bundle("podrt-one", "sleep", "1000")} podrt run --detach --bundle $b $id < /dev/null > /dev/null
    podrt exec $id sh -c '${LOOK}'; podrt exec --apparmor podrt-two $id sh -c '${LOOK}'; podrt delete --force $id`);
  assert.equal(out, "podrt-one (enforce)\npasswd 1\ngroup 0\npodrt-two (enforce)\npasswd 0\ngroup 1");
});

test("a profile that is not loaded: nothing runs, and the line says why", async () => {
  const r = await machine.try(`${bundle("podrt-three", "sh", "-c", LOOK)} podrt run --bundle $b $id`);
  assert.notEqual(r.code, 0);
  assert.equal(r.stdout, "");
  assert.match(r.stderr, /apparmorProfile: podrt-three: is AppArmor enabled, and the profile loaded\?/);
});
