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
  before(async () => {
    const specs = [pod("oom", EAT, { memory: "32Mi" }), pod("busy", ["sh", "-c", "while :; do :; done"], { memory: "24Mi", cpu: "100m" })];
    await machine.run(
      `${ALICE}cat > /home/alice/pods.yaml << 'END'\n${specs.join("\n---\n")}\nEND\nalice podgen apply /home/alice/pods.yaml`,
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
    const [busy, oom] = list.items;
    const { phase, reason, exitCode, signal } = oom.containers[0];
    assert.deepEqual([oom.name, oom.phase, phase, reason, exitCode, signal], ["oom", "Failed", "Error", "OOMKilled", 137, "SIGKILL"]);
    assert.deepEqual([busy.name, busy.phase], ["busy", "Running"]);
    assert.match(await machine.run("dmesg | grep 'Memory cgroup out of memory'"), /\(dd\)/);
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
