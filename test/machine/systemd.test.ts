// Limits under a systemd that has the controllers: podgen's containers of a user, and podrt as podman's runtime, by root and by a user.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { Machine } from "../lib/machine.js";

const MIB = 1024 * 1024;
const IMAGES = "/var/lib/podgen-test/images";
const IMAGE = "oci:/opt/podgen/images:busybox";
const PODRT = "/opt/podgen/dist/podrt";
/** Emulated, node and podman take seconds to begin. */
const SLOW = 200_000;

const pod = (name: string, command: readonly string[], limits: object): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "app", image: IMAGE, command, resources: { limits } }],
    },
  });

/** Limits of the pod as a whole: its slice's. */
const pair = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "pair" },
  spec: {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    resources: { limits: { memory: "40Mi", cpu: "500m" }, requests: { memory: "8Mi", cpu: "250m" } },
    containers: [
      { name: "quiet", image: IMAGE, command: ["sleep", "1000"] },
      { name: "eats", image: IMAGE, command: ["dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"] },
    ],
    volumes: [
      { name: "mem", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: "disk", emptyDir: { sizeLimit: "1Mi" } },
    ],
  },
});

const EAT = ["dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"];

let machine: Machine;
before(async () => {
  execFileSync("bash", ["test/harness/images.sh", IMAGES], { stdio: ["ignore", "ignore", "inherit"] });
  machine = await Machine.start("systemd", "debian", { PODGEN_TEST_IMAGES: IMAGES });
});
after(() => machine.stop());

/** A shell's words that run a command as alice, in her session. */
const ALICE = `alice() {
  runuser -u alice -- env -C /home/alice HOME=/home/alice XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "$@"
}
`;

test("a user's manager has the controllers", async () => {
  const delegated = await machine.run("cat /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers");
  for (const controller of ["cpu", "memory", "pids"]) assert.ok(delegated.split(" ").includes(controller), delegated);
});

describe("podgen's containers of a user", () => {
  let applied: Awaited<ReturnType<Machine["try"]>>;
  before(async () => {
    const specs = [
      pod("oom", EAT, { memory: "32Mi" }),
      pod("busy", ["sh", "-c", "while :; do :; done"], { memory: "24Mi", cpu: "100m" }),
      pair,
    ];
    applied = await machine.try(
      `${ALICE}cat > /home/alice/pods.yaml << 'END'\n${specs.join("\n---\n")}\nEND\nalice podgen apply --no-wait /home/alice/pods.yaml`,
      SLOW,
    );
    // Whether an apply that waits sees these ends is the emulator's pace.
    await machine.run(
      `${ALICE}until [ "$(alice systemctl --user show -P Result pod-oom_app.service pod-pair_eats.service | grep -c oom-kill)" = 2 ]; do sleep 1; done`,
      SLOW,
    );
  });

  test("one that takes more memory than it may is killed, and status shows it", async () => {
    const unit = await machine.run(`${ALICE}alice systemctl --user show -p Result,ExecMainStatus,MemoryMax,MemoryPeak pod-oom_app.service`);
    assert.match(unit, /^Result=oom-kill$/m);
    assert.match(unit, /^ExecMainStatus=9$/m);
    assert.match(unit, new RegExp(`^MemoryMax=${32 * MIB}$`, "m"));
    assert.match(unit, new RegExp(`^MemoryPeak=${32 * MIB}$`, "m"));
    const list = JSON.parse(await machine.run(`${ALICE}alice podgen status -o json`, SLOW));
    const [busy, oom, both] = list.items;
    const eats = both.containers.find((c: { name: string }) => c.name === "eats");
    assert.deepEqual([both.name, eats?.reason], ["pair", "OOMKilled"]);
    const { phase, reason, exitCode, signal } = oom.containers[0];
    assert.deepEqual([oom.name, oom.phase, phase, reason, exitCode, signal], ["oom", "Failed", "Error", "OOMKilled", 137, "SIGKILL"]);
    assert.deepEqual([busy.name, busy.phase], ["busy", "Running"]);
    assert.match(await machine.run("dmesg | grep 'Memory cgroup out of memory'"), /\(dd\)/);
  });

  test("limits of the pod hold for all its containers together; what nothing holds is said once", async () => {
    assert.equal(applied.code, 0, applied.stderr);
    assert.equal(applied.stderr.match(/has no effect/g)?.length, 2, applied.stderr);
    assert.match(applied.stderr, /volume "disk" of pod "pair": its size limit has no effect/);
    assert.match(applied.stderr, /pod "pair": requests\.memory has no effect: no memory is reserved/);
    assert.doesNotMatch(applied.stderr, /not enforced/);
    const out = await machine.run(
      `${ALICE}cd /sys/fs/cgroup/$(alice systemctl --user show -P ControlGroup pod-pair.slice)
      cat memory.max cpu.max cpu.weight memory.min; grep oom_kill memory.events
      alice systemctl --user show -P ActiveState pod-pair_quiet.service
      alice podgen exec pair/quiet -- sh -c 'echo inside'`,
      SLOW,
    );
    assert.match(out, new RegExp(`^${40 * MIB}\n50000 100000\n10\n${8 * MIB}\noom_kill [1-9]\\d*\nactive\ninside$`, "m"));
  });

  test("one that would take a processor gets its part", async () => {
    const out = await machine.run(`${ALICE}cd /sys/fs/cgroup/$(alice systemctl --user show -P ControlGroup pod-busy_app.service)
      cat cpu.max memory.max; at() { cut -d' ' -f1 /proc/uptime; }
      echo from $(at) $(grep usage_usec cpu.stat); sleep 2; echo to $(at) $(grep usage_usec cpu.stat); cat cpu.stat`);
    assert.match(out, new RegExp(`^10000 100000\n${24 * MIB}$`, "m"));
    const at = (word: string): number[] => (new RegExp(`^${word} ([\\d.]+) usage_usec (\\d+)$`, "m").exec(out) ?? []).slice(1).map(Number);
    const [[from = 0, before = 0], [to = 0, now = 0]] = [at("from"), at("to")];
    assert.ok((now - before) / 1e6 / (to - from) < 0.15, out);
    assert.ok(Number(/^nr_throttled (\d+)$/m.exec(out)?.[1]) >= 5, out);
    await machine.run(`${ALICE}alice systemctl --user kill --signal KILL pod-busy_app.service`);
  });
});

describe("podman with podrt, by systemd's cgroups", () => {
  const inside = `cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max /sys/fs/cgroup/pids.max /proc/self/cgroup
    ${EAT.join(" ")} 2> /dev/null; echo $?`;
  const run = `podman --runtime ${PODRT} run --rm --network none --memory 32m --memory-swap 48m --pids-limit 50 --name box ${IMAGE} sh -c '${inside}'`;
  const wanted = `${32 * MIB}\n${16 * MIB}\n50\n0::/\n137\n`;

  test("by root", async () => {
    const r = await machine.try(`${run}; ls -d /sys/fs/cgroup/machine.slice/libpod-*.scope 2> /dev/null`, SLOW);
    assert.ok(r.stdout.startsWith(wanted), `${r.stdout}${r.stderr}`);
    assert.doesNotMatch(r.stdout, /libpod/);
  });

  test("by a user", async () => {
    const r = await machine.try(`${ALICE}alice ${run}`, SLOW);
    assert.ok(r.stdout.startsWith(wanted), `${r.stdout}${r.stderr}`);
  });
});
