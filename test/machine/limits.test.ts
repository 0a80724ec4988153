// Limits that the kernel keeps: podrt as root on a machine of pure cgroup v2 with all controllers, by cgroup folders.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Machine } from "../lib/machine.js";
import { machineBundle, machineConfig } from "../lib/machine-bundle.js";
import { unitTests } from "../lib/machine-units.js";
import type { Change, Config } from "../native/oci.js";

const MIB = 1024 * 1024;

let machine: Machine;
let base: Config;
before(async () => {
  machine = await Machine.start("limits", "small", { PODGEN_TEST_UNITS: unitTests("test_oci_mounts", "test_oci_cgroup") });
  base = await machineConfig(machine);
});
after(() => machine.stop());

/** And what is done with it; $cg is its whole path. */
function bundle(args: readonly string[], resources: object, change?: Change): string {
  return `${machineBundle(base, args, resources, change)}
    cg=$all/$cg
    inside() { podrt exec $id "$@"; }
    end() { podrt delete --force $id; }
    stats() { podrt events --stats $id; }
    all_sleep() { [ $(for pid in $(cat $cg/cgroup.procs); do cat /proc/$pid/comm; done | grep -c '^sleep$') = 3 ]; }
    until_true() { i=0; until eval "$1"; do sleep 0.1; i=$((i + 1)); [ $i -lt 100 ] || return 1; done; }
  `;
}

const SLEEP = ["sleep", "1000"];
/** Writes on as much memory. */
const eat = (mib: number): string[] => ["dd", "if=/dev/zero", "of=/dev/null", `bs=${mib}M`, "count=1"];
/** "KEY NUMBER" of a text of such lines. */
const line = (text: string, key: string): number => Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);

describe("memory", () => {
  const small = { memory: { limit: 32 * MIB, swap: 32 * MIB } };

  test("what takes more than it may is killed, and the exit code says so", async () => {
    const r = await machine.try(`${bundle(eat(128), small)} run`);
    assert.equal(r.code, 137, r.stderr);
    const fits = await machine.try(`${bundle(eat(16), small)} run`);
    assert.equal(fits.code, 0, fits.stderr);
  });

  test("one that is killed beside the first process: the container lives, its events tell", async () => {
    const out = await machine.run(`${bundle(SLEEP, small)} start
      podrt events --interval 1h $id > $b/events &
      sleep 0.3
      inside ${eat(128).join(" ")} 2> /dev/null; echo exit $?
      cat $cg/memory.events $cg/memory.max $cg/memory.swap.max
      until_true '[ -s $b/events ]'
      podrt state $id | grep status; stats; end; wait; cat $b/events`);
    assert.match(out, /^exit 137$/m);
    assert.equal(line(out, "oom_kill"), 1);
    assert.match(out, new RegExp(`^${32 * MIB}\n0$`, "m"));
    assert.match(out, /"status": ?"running"/);
    assert.match(out, /\{"type":"oom","id":"c\d+"\}/);
    const said = JSON.parse(out.split("\n").find((text) => text.startsWith('{"type":"stats"')) ?? "null");
    assert.equal(said.data.memory.usage.limit, 32 * MIB);
    assert.ok(said.data.memory.usage.failcnt > 0);
    assert.ok(said.data.memory.usage.max <= 32 * MIB);
  });

  test("swap is memory and swap together, as runtime-spec says", async () => {
    const both = { memory: { limit: 24 * MIB, swap: 64 * MIB } };
    const out = await machine.run(`${bundle(SLEEP, both)} start
      cat $cg/memory.max $cg/memory.swap.max
      inside ${eat(44).join(" ")} 2> /dev/null; echo fits $?
      echo peak $(cat $cg/memory.swap.peak)
      inside ${eat(100).join(" ")} 2> /dev/null; echo killed $?
      end`);
    assert.match(out, new RegExp(`^${24 * MIB}\n${40 * MIB}\nfits 0$`, "m"));
    assert.ok(line(out, "peak") > 0);
    assert.match(out, /^killed 137$/m);
  });

  test("what unified says goes to the file of that name", async () => {
    const out = await machine.run(`${bundle(SLEEP, { unified: { "memory.high": "20971520", "memory.oom.group": "1" } })} start
      cat $cg/memory.high $cg/memory.oom.group; end`);
    assert.equal(out, "20971520\n1");
  });
});

describe("pids", () => {
  test("a fork bomb stays within", async () => {
    const out = await machine.run(`${bundle(["sh", "-c", "f() { f | f & }; f; exec sleep 1000"], { pids: { limit: 20 } })} start
      until_true 'grep -qv "max 0" $cg/pids.events'
      echo max $(cat $cg/pids.max); echo peak $(cat $cg/pids.peak); cat $cg/pids.events
      podrt delete --force $id; [ ! -e $cg ] && echo gone`);
    assert.equal(line(out, "max"), 20);
    assert.equal(line(out, "peak"), 20);
    assert.match(out, /gone/);
  });

  test("a limit of 0 or -1 is none", async () => {
    for (const limit of [0, -1]) {
      assert.equal(await machine.run(`${bundle(SLEEP, { pids: { limit } })} start; cat $cg/pids.max; end`), "max");
    }
  });
});

describe("cpu", () => {
  const spin = ["sh", "-c", "while :; do :; done"];

  test("a quota throttles", async () => {
    const out = await machine.run(`${bundle(spin, { cpu: { quota: 10_000, period: 100_000 } })} start
      cat $cg/cpu.max; at() { cut -d' ' -f1 /proc/uptime; }
      echo from $(at) $(grep usage_usec $cg/cpu.stat); sleep 2; echo to $(at) $(grep usage_usec $cg/cpu.stat)
      cat $cg/cpu.stat; stats; end`);
    assert.match(out, /^10000 100000$/m);
    assert.ok(line(out, "nr_throttled") >= 5, out);
    const at = (word: string): number[] => (new RegExp(`^${word} ([\\d.]+) usage_usec (\\d+)$`, "m").exec(out) ?? []).slice(1).map(Number);
    const [[from = 0, before = 0], [to = 0, now = 0]] = [at("from"), at("to")];
    const share = (now - before) / 1e6 / (to - from);
    assert.ok(share < 0.15, `a tenth of a processor is ${share}`);
    const said = JSON.parse(out.split("\n").at(-1) ?? "");
    assert.ok(said.data.cpu.throttling.throttledPeriods >= 5);
    assert.ok(said.data.cpu.throttling.throttledTime > 0);
  });

  test("shares are weights: the heavier one has more of the one processor", async () => {
    const out = await machine.run(`
      ${bundle(spin, { cpu: { shares: 4096 } })} start; heavy=$cg; first=$id
      ${bundle(spin, { cpu: { shares: 256 } })} start
      # What has run before both did does not count.
      of() { echo $1 $(sed -n 's/^usage_usec //p' $2/cpu.stat); }
      of a $heavy; of b $cg; sleep 2; of c $heavy; of d $cg
      cat $heavy/cpu.weight $cg/cpu.weight; podrt delete --force $first; end`);
    const heavy = line(out, "c") - line(out, "a");
    const light = line(out, "d") - line(out, "b");
    assert.ok(heavy > 3 * light, out);
  });

  test("cpuset", async () => {
    const set = { cpu: { cpus: "0", mems: "0" } };
    assert.equal(await machine.run(`${bundle(SLEEP, set)} start; cat $cg/cpuset.cpus $cg/cpuset.mems; end`), "0\n0");
    const r = await machine.try(`${bundle(SLEEP, { cpu: { cpus: "7" } })} run; code=$?; [ -e $cg ] && echo left; exit $code`);
    assert.notEqual(r.code, 0);
    assert.equal(r.stdout, "");
    assert.match(r.stderr, /cpuset\.cpus/);
  });
});

/** A disk of the machine: its numbers, and a rule that lets a container read it. */
async function disk(): Promise<{ major: number; minor: number }> {
  const [major = 0, minor = 0] = (await machine.run("cat /sys/block/nvme0n1/dev")).split(":").map(Number);
  return { major, minor };
}

const DENY = { allow: false, access: "rwm" };

test("io: reading and writing are slowed down, each to its own rate", async () => {
  const of = await disk();
  const devices = [DENY, { allow: true, type: "b", ...of, access: "rwm" }];
  const blockIO = { throttleReadBpsDevice: [{ ...of, rate: MIB }], throttleWriteBpsDevice: [{ ...of, rate: 2 * MIB }] };
  const node: Change = (config) => {
    config.linux["devices"] = [{ path: "/dev/nvme0n1", type: "b", ...of, fileMode: 0o600, uid: 0, gid: 0 }];
  };
  const out = await machine.run(`${bundle(SLEEP, { devices, blockIO }, node)} start
    cat $cg/io.max
    now() { tr -d . < /proc/uptime | cut -d' ' -f1; }
    dd() { inside dd bs=256k "$@" 2> /dev/null || echo failed; }
    from=$(now); dd if=/dev/nvme0n1 of=/dev/null count=8 iflag=direct; echo read $(($(now) - from))
    swapoff /dev/nvme0n1
    from=$(now); dd if=/dev/zero of=/dev/nvme0n1 count=16 oflag=direct; echo written $(($(now) - from)); cat $cg/io.stat; end
    mkswap /dev/nvme0n1 > /dev/null; swapon /dev/nvme0n1`);
  assert.match(out, new RegExp(`^${of.major}:${of.minor} rbps=${MIB} wbps=${2 * MIB} riops=max wiops=max$`, "m"));
  assert.doesNotMatch(out, /failed/);
  // Centiseconds. Two MiB at one a second, four at two; the first slice is for free.
  assert.ok(line(out, "read") > 100, out);
  assert.ok(line(out, "written") > 100, out);
  assert.match(out, /rbytes=2097152 wbytes=4194304/);
});

describe("devices", () => {
  /** As podman writes it: all denied, making nodes allowed, and what every container has. */
  const list = (...more: object[]): object => ({
    devices: [
      DENY,
      ...["c", "b"].map((type) => ({ allow: true, type, access: "m" })),
      ...[3, 5, 7, 8, 9].map((minor) => ({ allow: true, type: "c", major: 1, minor, access: "rwm" })),
      { allow: true, type: "c", major: 5, minor: 0, access: "rwm" },
      { allow: true, type: "c", major: 5, minor: 2, access: "rwm" },
      { allow: true, type: "c", major: 136, access: "rwm" },
      ...more,
    ],
  });
  const makes: Change = (config) => {
    for (const set of ["bounding", "effective", "permitted"] as const) {
      config.process.capabilities = { ...config.process.capabilities, [set]: [...(config.process.capabilities?.[set] ?? []), "CAP_MKNOD"] };
    }
  };

  test("what is not on the list cannot be opened, though it can be made", async () => {
    const script = `cd /tmp; rm -f ok kmsg disk
      mknod ok c 1 3 && echo word > ok && echo opened
      mknod kmsg c 1 11 && echo made; cat kmsg; echo x > kmsg
      mknod disk b ${Object.values(await disk()).join(" ")}; head -c 1 disk
      head -c 4 /dev/urandom | wc -c; rm -f ok kmsg disk`;
    const r = await machine.try(`${bundle(["sh", "-c", script], list(), makes)} run`);
    assert.equal(r.stdout, "opened\nmade\n4\n");
    assert.match(r.stderr, /can't open 'kmsg': Operation not permitted/);
    assert.match(r.stderr, /can't create kmsg: Operation not permitted/);
    assert.match(r.stderr, /disk: Operation not permitted/);
  });

  test("a device for reading alone", async () => {
    const of = await disk();
    const script = `cd /tmp; rm -f disk; mknod disk b ${of.major} ${of.minor}
      head -c 5 disk | wc -c; (: > disk) 2>&1; (: <> disk) 2>&1; rm -f disk`;
    const r = await machine.try(`${bundle(["sh", "-c", script], list({ allow: true, type: "b", ...of, access: "r" }), makes)} run`);
    assert.match(r.stdout, /^5\n.*Operation not permitted\n.*Operation not permitted\n$/, r.stderr);
  });

  test("exec's processes are held by the same", async () => {
    const r = await machine.try(`${bundle(SLEEP, list(), makes)} start
      inside sh -c 'mknod /tmp/kmsg c 1 11; cat /tmp/kmsg; echo $?; head -c 1 /dev/zero | wc -c; rm /tmp/kmsg'; end`);
    assert.match(r.stderr, /kmsg': Operation not permitted/);
    assert.equal(r.stdout, "1\n1\n");
  });
});

describe("all of a container", () => {
  const noPids: Change = (config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "pid");
  };
  const family = ["sh", "-c", "(setsid sh -c 'sleep 1000 & sleep 1000' &); exec sleep 1000"];

  test("ends with delete --force, without a PID namespace too", async () => {
    const out = await machine.run(`${bundle(family, {}, noPids)} start; until_true all_sleep; echo there
      pids=$(cat $cg/cgroup.procs); end; [ -e $cg ] && echo left; for pid in $pids; do [ ! -d /proc/$pid ] || echo $pid; done`);
    assert.equal(out, "there");
  });

  test("gets a signal by kill --all", async () => {
    const out = await machine.run(`${bundle(family, {}, noPids)} start; until_true all_sleep
      podrt kill --all $id KILL; until_true '[ ! -s $cg/cgroup.procs ]'
      wc -l < $cg/cgroup.procs; podrt delete $id`);
    assert.equal(out, "0");
  });

  test("stands still while it is paused, and can be killed then", async () => {
    const counts = ["sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i > /tmp/count-frozen; done"];
    const out =
      await machine.run(`${bundle(counts, {})} start; until_true '[ -s /rootfs/tmp/count-frozen ]'; podrt pause $id; podrt state $id | grep status
      cat $cg/cgroup.events; a=$(cat /rootfs/tmp/count-frozen); sleep 0.5; b=$(cat /rootfs/tmp/count-frozen)
      [ "$a" = "$b" ] && echo still; podrt resume $id; until_true '[ "$b" != "$(cat /rootfs/tmp/count-frozen)" ]' && echo moves
      podrt pause $id; podrt delete --force $id; [ -e $cg ] || echo gone; rm /rootfs/tmp/count-frozen`);
    assert.match(out, /"status": ?"paused"/);
    assert.equal(line(out, "frozen"), 1);
    assert.match(out, /^still\nmoves\ngone$/m);
  });
});

describe("update", () => {
  test("by words: what was too little is enough", async () => {
    const out = await machine.run(`${bundle(SLEEP, { memory: { limit: 24 * MIB, swap: 24 * MIB }, pids: { limit: 10 } })} start
      inside ${eat(48).join(" ")} 2> /dev/null; echo before $?
      podrt update --memory 96M --memory-swap 128M --pids-limit 7 --cpu-quota 20000 --cpu-share 512 $id
      inside ${eat(48).join(" ")} 2> /dev/null; echo after $?
      cat $cg/memory.max $cg/memory.swap.max $cg/pids.max $cg/cpu.max; end`);
    assert.equal(out, `before 137\nafter 0\n${96 * MIB}\n${32 * MIB}\n7\n20000 100000`);
  });

  test("by a file: what it does not name stays", async () => {
    const out = await machine.run(`${bundle(SLEEP, { memory: { limit: 24 * MIB }, cpu: { quota: 50_000, period: 100_000 } })} start
      echo '{"pids": {"limit": 9}, "cpu": {"quota": -1}}' | podrt update --resources - $id
      cat $cg/memory.max $cg/pids.max $cg/cpu.max; end`);
    assert.equal(out, `${24 * MIB}\n9\nmax 100000`);
  });
});

test("what the kernel does not take is an error, and nothing is left", async () => {
  const r = await machine.try(`${bundle(["true"], { unified: { "memory.nosuch": "1" } })} run; code=$?; [ -e $cg ] && echo left
    podrt state $id 2> /dev/null && echo there; exit $code`);
  assert.notEqual(r.code, 0);
  assert.match(r.stderr, /memory\.nosuch/);
  assert.equal(r.stdout, "");
});

describe("a user", () => {
  /** As bundle(), by alice; `group`: the cgroup she has been given, or none. */
  const alice = (script: string, resources: object, cgroup?: string, change: Change = () => {}): string =>
    `${bundle(["sh", "-c", script], resources, (config) => {
      const ids = [{ containerID: 0, hostID: 1000, size: 1 }];
      config.linux.namespaces.push({ type: "user" });
      Object.assign(config.linux, { uidMappings: ids, gidMappings: ids });
      config.root.readonly = true;
      if (cgroup === undefined) delete config.linux["cgroupsPath"];
      else config.linux["cgroupsPath"] = cgroup;
      change(config);
    })}
    mkdir -p /run/alice && chown alice:alice /run/alice $b
    as_alice() { su alice -c "podrt --root /run/alice run --bundle $b $id"; }
  `;
  const look = "cat /proc/self/cgroup; grep -c ' /sys/fs/cgroup cgroup2 ro,' /proc/self/mounts; ls /sys/fs/cgroup/cgroup.procs";

  test("with a cgroup of her own has limits that hold", async () => {
    const script = `${look}; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; ${eat(128).join(" ")} 2> /dev/null; echo exit $?`;
    const resources = { memory: { limit: 32 * MIB, swap: 32 * MIB }, pids: { limit: 30 } };
    const r = await machine.try(`cd /sys/fs/cgroup
      echo '+memory +pids +cpu' > cgroup.subtree_control
      mkdir -p alice/session
      chown alice:alice alice alice/cgroup.procs alice/cgroup.subtree_control alice/session alice/session/cgroup.procs
      ${alice(script, resources, "/alice/box")}
      (echo 0 > alice/session/cgroup.procs; as_alice); code=$?; [ -e alice/box ] && echo left; exit $code`);
    assert.equal(r.stdout, `0::/\n1\n/sys/fs/cgroup/cgroup.procs\n${32 * MIB}\n30\nexit 137\n`, r.stderr);
  });

  test("without one has her container, without limits", async () => {
    const r = await machine.try(`${alice(look, {})} as_alice`);
    assert.equal(r.code, 0, r.stderr);
    assert.equal(r.stdout, "0::/\n1\n/sys/fs/cgroup/cgroup.procs\n");
  });

  test("with the machine's network has /sys as it is there, read-only", async () => {
    const shared: Change = (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "network");
    };
    const r = await machine.try(`${alice(`${look}; mkdir /sys/fs/cgroup/x`, {}, undefined, shared)} as_alice`);
    // The machine's own is below that of the container.
    assert.match(r.stdout, /^0::\/\n[12]\n\/sys\/fs\/cgroup\/cgroup\.procs\n$/, r.stderr);
    assert.match(r.stderr, /Read-only file system/);
  });
});

for (const name of ["test_oci_mounts", "test_oci_cgroup"])
  test(`podrt's own ${name}`, async () => {
    await machine.run(`/tests/${name}`);
  });
