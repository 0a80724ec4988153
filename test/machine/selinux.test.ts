// SELinux labels of config.json and of exec, on a machine whose kernel has SELinux, enforcing, with a policy of our own: selinux.policy.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { Machine } from "../lib/machine.js";
import type { Change, Config } from "../native/oci.js";

const LABEL = "u:r:box_t:s0:c1";
const OTHER = "u:r:guest_t:s0:c1";
const FILES = "u:object_r:box_file_t:s0:c1";

let machine: Machine;
let base: Config;
before(async () => {
  // machine.sh copies the folder to /tests.
  const folder = resolve("dist/machine-selinux");
  mkdirSync(folder, { recursive: true });
  execFileSync("checkpolicy", ["-M", "-U", "allow", "-o", join(folder, "policy"), "test/machine/selinux.policy"]);
  execFileSync("cc", [
    "-static",
    "-O1",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-o",
    join(folder, "label"),
    "test/machine/label.c",
  ]);
  machine = await Machine.start("selinux", "small", { PODGEN_TEST_UNITS: folder, PODGEN_TEST_WORDS: "security=selinux enforcing=1" });
  base = JSON.parse(await machine.run("cd /tmp && podrt spec && cat config.json"));
  base.process.terminal = false;
  base.root = { path: "/rootfs", readonly: false };
});
after(() => machine.stop());

let count = 0;

/** The shell's words that make a bundle at $b for the container $id. */
function bundle(label: string | undefined, mountLabel: string | undefined, args: readonly string[], change: Change = () => {}): string {
  const id = `c${count++}`;
  const config = structuredClone(base);
  config.process.args = [...args];
  Object.assign(config.process, { selinuxLabel: label });
  Object.assign(config.linux, { mountLabel });
  change(config);
  return `id=${id} b=/tmp/${id}; mkdir $b; cat > $b/config.json << 'END'\n${JSON.stringify(config)}\nEND
    start() { podrt run --detach --bundle $b $id < /dev/null > $b/out 2> $b/err || { cat $b/err >&2; exit 99; }; }
  `;
}
const sh = (text: string): string[] => ["sh", "-c", text];
/** Its label without the NUL that some kernels end it with. */
const OWN = 'tr -d "\\0" < /proc/self/attr/current; echo';
const LOOK = `${OWN}; cat /open; cat /secret 2> /dev/null; echo secret $?`;

test("SELinux that is there without a policy is none: a label is refused, a mount's is ignored with a warning", async () => {
  const r = await machine.try(`mount -t selinuxfs selinuxfs /sys/fs/selinux
    ${bundle(LABEL, undefined, ["true"])} podrt run --bundle $b $id; echo code $?
    ${bundle(undefined, FILES, ["echo", "ran"])} podrt run --bundle $b $id`);
  assert.equal(r.stdout, "code 1\nran\n");
  assert.match(r.stderr, /selinuxLabel: u:r:box_t:s0:c1: SELinux is not enabled on this machine/);
  assert.match(r.stderr, /linux\.mountLabel is ignored: SELinux is not enabled on this machine/);
});

test("the policy is loaded, and enforced", async () => {
  const out = await machine.run(`dd if=/tests/policy of=/sys/fs/selinux/load bs=1M 2> /dev/null || exit 1
    cp /tests/label /rootfs/bin/label; echo open > /rootfs/open; echo secret > /rootfs/secret
    label=/tests/label; $label set /rootfs/secret u:object_r:secret_t:s0
    cat /sys/fs/selinux/enforce; echo; $label /rootfs/open /rootfs/secret; ${OWN}`);
  assert.equal(
    out,
    "1\n/rootfs/open u:object_r:plain_t:s0\0\n/rootfs/secret u:object_r:secret_t:s0\0\nu:r:podrt_t:s0-s0:c0.c2".replaceAll("\0", ""),
  );
});

test("selinuxLabel confines the container's process", async () => {
  const out = await machine.run(`${bundle(LABEL, FILES, sh(LOOK))} podrt run --bundle $b $id`);
  assert.equal(out, `${LABEL}\nopen\nsecret 1`);
});

test("without one it is not confined", async () => {
  const out = await machine.run(`${bundle(undefined, undefined, sh(LOOK))} podrt run --bundle $b $id`);
  assert.equal(out, "u:r:podrt_t:s0-s0:c0.c2\nopen\nsecret\nsecret 0");
});

test("mountLabel is on what is mounted for the container, and on nothing of the kernel's", async () => {
  const ours = ["/dev", "/dev/null", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys/firmware", "/tmp", "/tmp/etc"];
  const kernels = ["/proc", "/sys", "/sys/fs/cgroup", "/proc/sys"];
  const more: Change = (config) => {
    config.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro"] });
  };
  const out = await machine.run(`label=/tests/label; mkdir -p /rootfs/tmp/etc
    ${bundle(LABEL, FILES, ["label", ...ours, ...kernels], more)} podrt run --bundle $b $id; rmdir /rootfs/tmp/etc`);
  const wanted = [...ours.map((path) => `${path} ${FILES}`), ...kernels.map((path) => `${path} u:object_r:plain_t:s0`)];
  assert.deepEqual(out.split("\n").sort(), wanted.sort());
});

test("in a user namespace, too", async () => {
  const more: Change = (config) => {
    const ids = [{ containerID: 0, hostID: 100_000, size: 1000 }];
    config.linux.namespaces.push({ type: "user" });
    Object.assign(config.linux, { uidMappings: ids, gidMappings: ids });
  };
  const r = await machine.try(`${bundle(LABEL, FILES, sh(`${LOOK}; label /dev /dev/shm`), more)} podrt run --bundle $b $id`);
  assert.equal(r.stdout, `${LABEL}\nopen\nsecret 1\n/dev ${FILES}\n/dev/shm ${FILES}\n`, r.stderr);
});

test("exec has the container's label, or the one that --process-label or --process names", async () => {
  const see = `${OWN}; (: > /dev/shm/mine) 2> /dev/null; echo write $?; cat /secret 2> /dev/null; echo secret $?`;
  const process = { args: sh(see), cwd: "/", user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], selinuxLabel: OTHER };
  const out = await machine.run(`${bundle(LABEL, FILES, sh("echo mine > /dev/shm/mine; exec sleep 1000"))} start
    until podrt exec $id test -s /dev/shm/mine; do sleep 0.1; done
    podrt exec $id sh -c '${see}'; podrt exec --process-label ${OTHER} $id sh -c '${see}'
    cat > $b/process.json << 'END'\n${JSON.stringify(process)}\nEND
    podrt exec --process $b/process.json $id; podrt delete --force $id`);
  const other = `${OTHER}\nwrite 1\nsecret 1`;
  assert.equal(out, `${LABEL}\nwrite 0\nsecret 1\n${other}\n${other}`);
});

test("the session keyring has the label, so that the container's processes may have keys", async () => {
  const out = await machine.run(`${bundle(LABEL, FILES, sh("label keys; exec sleep 1000"))} start
    until grep -q keys $b/out; do sleep 0.1; done; cat $b/out
    podrt exec --process-label ${OTHER} $id label keys; podrt delete --force $id
    ${bundle(undefined, undefined, ["label", "keys"])} podrt run --bundle $b $id`);
  assert.equal(out, `keys ${LABEL}\nkeys ${OTHER}\nkeys u:r:podrt_t:s0-s0:c0.c2`);
});

test("startContainer's hooks are in the container's domain", async () => {
  const hook: Change = (config) => {
    config.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", `(${OWN}) > /dev/shm/hook`] }] };
  };
  const out = await machine.run(`${bundle(LABEL, FILES, ["cat", "/dev/shm/hook"], hook)} podrt run --bundle $b $id`);
  assert.equal(out, LABEL);
});

test("a label that cannot be: nothing runs, and the line says why", async () => {
  const nosuch = "u:r:nosuch_t:s0";
  const lines: readonly [string | undefined, string | undefined, RegExp][] = [
    [nosuch, FILES, /selinuxLabel u:r:nosuch_t:s0: no label of the loaded policy/],
    [LABEL, nosuch, /mount: tmpfs.*nosuch_t|tmpfs: context/],
    // No entry point: the machine's own files are none.
    [LABEL, undefined, /selinuxLabel u:r:box_t:s0:c1: the policy does not let podrt execute sh with it/],
  ];
  for (const [label, mountLabel, words] of lines) {
    const r = await machine.try(`${bundle(label, mountLabel, sh("echo ran"))} podrt run --bundle $b $id; code=$?
      podrt state $id 2> /dev/null; exit $code`);
    assert.notEqual(r.code, 0);
    assert.equal(r.stdout, "");
    assert.match(r.stderr, words);
  }
  const r = await machine.try(`${bundle(LABEL, FILES, ["sleep", "1000"])} start
    podrt exec --process-label ${nosuch} $id echo ran; echo $?
    podrt exec --process-label u:r:box_t:s0:c2 $id echo ran; echo $?; podrt delete --force $id`);
  assert.equal(r.stdout, "255\n126\n");
  assert.match(r.stderr, /selinuxLabel u:r:nosuch_t:s0: no label of the loaded policy/);
  // Files of another category are no entry point either.
  assert.match(r.stderr, /selinuxLabel u:r:box_t:s0:c2: the policy does not let podrt execute echo with it/);
});
