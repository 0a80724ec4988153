// podrt as root on a machine of cgroup v1 alone: each controller that Debian's kernel still has there, in a hierarchy of its own.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Machine } from "../lib/machine.js";
import { machineBundle, machineConfig } from "../lib/machine-bundle.js";
import type { Change, Config } from "../native/oci.js";

const MIB = 1024 * 1024;

let machine: Machine;
let base: Config;
/** The numbers of the machine's disk. */
let disk: { major: number; minor: number };
before(async () => {
  machine = await Machine.start("cgroup1", "small", { PODGEN_TEST_WORDS: "podgen.cgroups=v1" });
  base = await machineConfig(machine);
  const [major = 0, minor = 0] = (await machine.run("cat /sys/block/nvme0n1/dev")).split(":").map(Number);
  disk = { major, minor };
});
after(() => machine.stop());

/** And how it ends, and what it leaves. */
function bundle(args: readonly string[], resources: object, change?: Change): string {
  return `${machineBundle(base, args, resources, change)}
    end() { podrt delete --force $id; left; }
    left() { for each in $all/*/$cg; do [ ! -e $each ] || echo left $each; done; }
  `;
}

const SLEEP = ["sleep", "1000"];
const DENY = { allow: false, access: "rwm" };

test("the machine has v1, and nothing of cgroup2", async () => {
  const out = await machine.run("ls /sys/fs/cgroup | tr '\\n' ' '; grep cgroup2 /proc/mounts || echo none");
  assert.equal(out, "blkio cpu cpuacct devices freezer hugetlb misc net_cls net_prio perf_event pids rdma none");
});

test("limits are where they belong, update changes them, delete leaves nothing", async () => {
  const resources = {
    cpu: { shares: 512, quota: 20_000, period: 50_000, burst: 1000 },
    pids: { limit: 30 },
    blockIO: {
      throttleReadBpsDevice: [{ ...disk, rate: MIB }],
      throttleWriteBpsDevice: [{ ...disk, rate: 2 * MIB }],
      throttleReadIOPSDevice: [{ ...disk, rate: 100 }],
      throttleWriteIOPSDevice: [{ ...disk, rate: 200 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 4 * MIB }],
    network: { classID: 1_048_577, priorities: [{ name: "lo", priority: 5 }] },
  };
  const files = [
    "cpu/$cg/cpu.shares",
    "cpu/$cg/cpu.cfs_quota_us",
    "cpu/$cg/cpu.cfs_period_us",
    "cpu/$cg/cpu.cfs_burst_us",
    "pids/$cg/pids.max",
    ...["read_bps", "write_bps", "read_iops", "write_iops"].map((name) => `blkio/$cg/blkio.throttle.${name}_device`),
    "hugetlb/$cg/hugetlb.2MB.limit_in_bytes",
    "net_cls/$cg/net_cls.classid",
  ];
  const number = `${disk.major}:${disk.minor}`;
  const out = await machine.run(`${bundle(SLEEP, resources)} start; cd $all; cat ${files.join(" ")}; grep lo net_prio/$cg/net_prio.ifpriomap
    podrt update --pids-limit 40 --cpu-share 256 --cpu-quota 10000 $id; cat pids/$cg/pids.max cpu/$cg/cpu.shares cpu/$cg/cpu.cfs_quota_us; end`);
  const io = [MIB, 2 * MIB, 100, 200].map((rate) => `${number} ${rate}`);
  assert.deepEqual(out.split("\n"), ["512", "20000", "50000", "1000", "30", ...io, `${4 * MIB}`, "1048577", "lo 5", "40", "256", "10000"]);
});

test("what this kernel has not is refused by name, and leaves nothing", async () => {
  const cases: readonly [object, RegExp][] = [
    // Debian builds it without CONFIG_MEMCG_V1, CONFIG_CPUSETS_V1, CONFIG_RT_GROUP_SCHED.
    [{ memory: { limit: 64 * MIB } }, /memory\.limit_in_bytes=67108864: the controller memory is not available/],
    [{ cpu: { cpus: "0" } }, /cpuset\.cpus=0: the controller cpuset is not available/],
    [{ cpu: { realtimeRuntime: 1000 } }, /cpu\.rt_runtime_us=1000: this kernel has no such limit/],
    [{ rdma: { mlx5_0: { hcaHandles: 3, hcaObjects: 4 } } }, /rdma\.max=mlx5_0 hca_handle=3 hca_object=4: No such device/],
    [{ unified: { "pids.max": "1" } }, /unified: pids\.max/],
    [
      {
        devices: [
          DENY,
          { allow: true, type: "c", major: 1, access: "rwm" },
          { allow: false, type: "c", major: 1, minor: 11, access: "rwm" },
        ],
      },
      /cgroup v1 cannot take back a part of what another device rule allows/,
    ],
  ];
  for (const [resources, words] of cases) {
    const r = await machine.try(`${bundle(["echo", "ran"], resources)} run; code=$?; left; exit $code`);
    assert.equal(r.code, 1, JSON.stringify(resources));
    assert.equal(r.stdout, "");
    assert.match(r.stderr, words);
  }
});

describe("devices", () => {
  const makes: Change = (config) => {
    for (const set of ["bounding", "effective", "permitted"] as const) {
      config.process.capabilities = { ...config.process.capabilities, [set]: [...(config.process.capabilities?.[set] ?? []), "CAP_MKNOD"] };
    }
  };
  const look = (): string => `cd /tmp; rm -f kmsg disk; mknod kmsg c 1 11; mknod disk b ${disk.major} ${disk.minor}
    head -c 5 disk | wc -c; (: <> disk) 2>&1; (: > kmsg) 2>&1; head -c 4 /dev/urandom | wc -c; rm -f kmsg disk`;

  test("none but the usual ones and what is listed, as it is listed; exec's processes are held by the same", async () => {
    const devices = [DENY, { allow: true, type: "b", ...disk, access: "r" }];
    const out = await machine.run(`${bundle(SLEEP, { devices }, makes)} start
      podrt exec $id sh -c '${look()}'; podrt exec --cap CAP_MKNOD $id sh -c '${look()}'
      grep -c '^a' $all/devices/$cg/devices.list; end`);
    const seen = /^5\n.*Operation not permitted\n.*Operation not permitted\n4$/;
    const lines = out.split("\n");
    assert.equal(lines.length, 9, out);
    assert.match(lines.slice(0, 4).join("\n"), seen);
    assert.match(lines.slice(4, 8).join("\n"), seen);
    assert.equal(lines[8], "0");
  });

  test("all are there where all are allowed", async () => {
    const r = await machine.try(`${bundle(["sh", "-c", look()], { devices: [{ allow: true, access: "rwm" }] }, makes)} run; left`);
    assert.equal(r.stdout, "5\n4\n", r.stderr);
  });
});

test("reading of a disk is slowed down", async () => {
  const devices = [DENY, { allow: true, type: "b", ...disk, access: "rwm" }];
  const node: Change = (config) => {
    config.linux["devices"] = [{ path: "/dev/nvme0n1", type: "b", ...disk, fileMode: 0o600, uid: 0, gid: 0 }];
  };
  const read = "dd if=/dev/nvme0n1 of=/dev/null bs=256k count=8 iflag=direct";
  const out = await machine.run(`${bundle(SLEEP, { devices, blockIO: { throttleReadBpsDevice: [{ ...disk, rate: MIB }] } }, node)} start
    now() { tr -d . < /proc/uptime | cut -d' ' -f1; }
    from=$(now); podrt exec $id ${read} 2> /dev/null || echo failed; echo centiseconds $(($(now) - from)); podrt events --stats $id; end`);
  assert.doesNotMatch(out, /failed/);
  // Two MiB at one a second; the first slice is for free.
  assert.ok(Number(/^centiseconds (\d+)$/m.exec(out)?.[1]) > 100, out);
  const { data } = JSON.parse(out.split("\n").at(-1) ?? "");
  const bytes = data.blkio.ioServiceBytesRecursive.find(
    (each: { op: string; major: number }) => each.op === "Read" && each.major === disk.major,
  );
  assert.equal(bytes.value, 2 * MIB);
});

test("a quota throttles", async () => {
  const out = await machine.run(`${bundle(["sh", "-c", "while :; do :; done"], { cpu: { quota: 10_000, period: 100_000 } })} start
    at() { cut -d' ' -f1 /proc/uptime; }; of() { cat $all/cpuacct/$cg/cpuacct.usage; }
    echo $(at) $(of); sleep 2; echo $(at) $(of); grep nr_throttled $all/cpu/$cg/cpu.stat; end`);
  const [from = 0, before = 0, to = 0, now = 0] = (out.match(/[\d.]+/g) ?? []).map(Number);
  assert.ok((now - before) / 1e9 / (to - from) < 0.15, out);
  assert.ok(Number(/nr_throttled (\d+)/.exec(out)?.[1]) >= 5, out);
});

describe("all of a container", () => {
  const noPids: Change = (config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
  };
  const family = ["sh", "-c", "(setsid sh -c 'sleep 1000 & sleep 1000' &); exec sleep 1000"];
  const wait = `i=0; until [ $(for pid in $(cat $all/freezer/$cg/cgroup.procs); do cat /proc/$pid/comm; done | grep -c '^sleep$') = 3 ]
    do sleep 0.1; i=$((i + 1)); [ $i -lt 200 ] || exit 98; done`;

  test("is paused, and goes on", async () => {
    const out = await machine.run(`${bundle(["sh", "-c", "while :; do echo x; sleep 0.01; done"], {})} start
      podrt pause $id; cat $all/freezer/$cg/freezer.state; podrt state $id | grep status
      a=$(wc -c < $b/out); sleep 0.3; [ $a = $(wc -c < $b/out) ] && echo still
      podrt resume $id; until [ $(wc -c < $b/out) -gt $a ]; do sleep 0.1; done; podrt pause $id; end`);
    assert.match(out, /^FROZEN\n *"status": ?"paused",?\nstill$/);
  });

  test("is killed, below and without a PID namespace too", async () => {
    const r = await machine.try(`${bundle(family, {}, noPids)} start; ${wait}
      for each in $all/*/$cg; do mkdir $each/below; done; pid=$(sed -n 2p $all/freezer/$cg/cgroup.procs)
      for each in $all/*/$cg; do echo $pid > $each/below/cgroup.procs; done
      podrt ps --format json $id | grep -o '[0-9]\\+' | wc -l
      podrt kill --all $id KILL; podrt delete $id; left; pidof sleep`);
    assert.equal(r.stdout, "3\n", r.stderr);
  });

  test("ends with delete --force", async () => {
    const r = await machine.try(`${bundle(family, {}, noPids)} start; ${wait}
      end; pidof sleep`);
    assert.equal(r.stdout, "", r.stderr);
  });
});

test("the container sees its own cgroups, read-only", async () => {
  const script =
    "cut -d: -f3 /proc/self/cgroup | sort -u; ls /sys/fs/cgroup/pids/cgroup.procs; mkdir /sys/fs/cgroup/pids/x 2>&1; ls /sys/fs/cgroup | wc -l";
  const out = await machine.run(`${bundle(["sh", "-c", script], {})} run; left; ls /sys/fs/cgroup | wc -l`);
  const [own, procs, made, inside, outside] = out.split("\n");
  assert.deepEqual([own, procs], ["/", "/sys/fs/cgroup/pids/cgroup.procs"]);
  assert.match(made ?? "", /Read-only file system/);
  assert.equal(inside, outside);
});
