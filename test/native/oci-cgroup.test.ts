// The cgroups of OCI containers: limits, devices, freezing, killing, counting; by root on whatever hierarchies this machine has, by a user
// below its own systemd.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  begin,
  bundle,
  type Config,
  call,
  callAny,
  create,
  type Engine,
  engineStart,
  engineStop,
  good,
  newId,
  remove,
  run,
  script,
  started,
  stateOf,
} from "./oci.js";
import { until } from "./user.js";

type Resources = Readonly<Record<string, unknown>>;
const MIB = 1 << 20;
const ROOT = "/sys/fs/cgroup";
const unified = existsSync(join(ROOT, "cgroup.controllers"));

/** The mount of a controller's hierarchy, cgroup2's or v1's; undefined: this machine has no such controller. */
function mountOf(controller: string): string | undefined {
  if (unified) return readFileSync(join(ROOT, "cgroup.controllers"), "utf8").split(/\s/).includes(controller) ? ROOT : undefined;
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((each) => / - cgroup /.test(each) && (each.split(" ").at(-1) ?? "").split(",").includes(controller));
  return line?.split(" ")[4];
}

/** A file of the container's cgroup, by v1's name or cgroup2's. */
function fileOf(engine: Engine, id: string, controller: string, v1: string, v2: string): string {
  const path: string = JSON.parse(readFileSync(join(engine.root, id, "state.json"), "utf8")).cgroup.path;
  return join(mountOf(controller) ?? "", path, unified ? v2 : v1);
}

const limits =
  (resources: Resources, path?: string) =>
  (config: Config): void => {
    config.linux["resources"] = resources;
    if (path === undefined) delete config.linux["cgroupsPath"];
    else config.linux["cgroupsPath"] = path;
  };

/** Folders of that path, wherever they are. */
const folders = (path: string): string[] =>
  [ROOT, ...readdirSync(ROOT).map((name) => join(ROOT, name))]
    .map((mount) => join(mount, path))
    .filter((each) => existsSync(each) && statSync(each).isDirectory());

describe("by root", () => {
  let engine: Engine;
  const base = `/podgen-test-${process.pid}`;
  before(() => {
    engine = engineStart();
  });
  after(() => {
    engineStop(engine);
    for (const each of folders(base)) rmdirSync(each);
  });

  /** Each limit: what is asked for, in which file it is, what is in there. */
  const table: readonly [string, Resources, string, string, string, string, string][] = [
    ["memory.limit", { memory: { limit: 64 * MIB } }, "memory", "memory.limit_in_bytes", "memory.max", `${64 * MIB}`, `${64 * MIB}`],
    [
      "memory.reservation",
      { memory: { reservation: 32 * MIB } },
      "memory",
      "memory.soft_limit_in_bytes",
      "memory.low",
      `${32 * MIB}`,
      `${32 * MIB}`,
    ],
    ["memory.swappiness", { memory: { swappiness: 7 } }, "memory", "memory.swappiness", "memory.max", "7", "max"],
    ["cpu.shares", { cpu: { shares: 512 } }, "cpu", "cpu.shares", "cpu.weight", "512", "59"],
    ["cpu.quota", { cpu: { quota: 50000, period: 200000 } }, "cpu", "cpu.cfs_quota_us", "cpu.max", "50000", "50000 200000"],
    ["cpu.burst", { cpu: { quota: 50000, burst: 20000 } }, "cpu", "cpu.cfs_burst_us", "cpu.max.burst", "20000", "20000"],
    ["cpu.idle", { cpu: { idle: 1 } }, "cpu", "cpu.idle", "cpu.idle", "1", "1"],
    ["cpu.cpus", { cpu: { cpus: "0" } }, "cpuset", "cpuset.cpus", "cpuset.cpus", "0", "0"],
    ["cpu.mems", { cpu: { mems: "0" } }, "cpuset", "cpuset.mems", "cpuset.mems", "0", "0"],
    ["pids.limit", { pids: { limit: 9 } }, "pids", "pids.max", "pids.max", "9", "9"],
    ["pids.limit, none", { pids: { limit: -1 } }, "pids", "pids.max", "pids.max", "max", "max"],
  ];
  for (const [name, resources, controller, v1, v2, value1, value2] of table) {
    test(name, { skip: mountOf(controller) === undefined && `no controller ${controller}` }, () => {
      const id = started(engine, limits(resources, `${base}/${newId()}`));
      assert.equal(readFileSync(fileOf(engine, id, controller, v1, v2), "utf8").trim(), unified ? value2 : value1);
      remove(engine, id);
    });
  }

  test("memory and swap together", { skip: mountOf("memory") === undefined }, () => {
    const id = started(engine, limits({ memory: { limit: 64 * MIB, swap: 96 * MIB } }, `${base}/${newId()}`));
    const file = fileOf(engine, id, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
    assert.equal(readFileSync(file, "utf8").trim(), `${(unified ? 32 : 96) * MIB}`);
    good(engine, "update", "--memory", "128M", "--memory-swap", "128M", id);
    assert.equal(readFileSync(file, "utf8").trim(), `${(unified ? 0 : 128) * MIB}`);
    good(engine, "update", "--memory", "32M", "--memory-swap", "-1", id);
    assert.equal(readFileSync(fileOf(engine, id, "memory", "memory.limit_in_bytes", "memory.max"), "utf8").trim(), `${32 * MIB}`);
    remove(engine, id);
  });

  test("hugepageLimits, also where the controller is on the other hierarchy", () => {
    const there = existsSync(join(ROOT, "unified/cgroup.controllers")) ? join(ROOT, "unified") : (mountOf("hugetlb") ?? "");
    if (!there || !/hugetlb/.test(readFileSync(join(there, "cgroup.controllers"), "utf8"))) return;
    const path = `${base}/${newId()}`;
    const id = started(engine, limits({ hugepageLimits: [{ pageSize: "2MB", limit: 4 * MIB }] }, path));
    assert.equal(readFileSync(join(there, path, "hugetlb.2MB.max"), "utf8").trim(), `${4 * MIB}`);
    remove(engine, id);
  });

  const realtime = join(mountOf("cpu") ?? "", "cpu.rt_runtime_us");
  test("cpu.realtimeRuntime: what has some may be real-time, what has none may not", {
    skip: !existsSync(realtime) && "a kernel without CONFIG_RT_GROUP_SCHED, or cgroup2, which has no such limit",
  }, () => {
    const folder = join(mountOf("cpu") ?? "", base);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cpu.rt_runtime_us"), "100000");
    const wish =
      (runtime: number | undefined, path: string) =>
      (config: Config): void => {
        limits({ cpu: { realtimePeriod: 500_000, realtimeRuntime: runtime } }, path)(config);
        config.process["scheduler"] = { policy: "SCHED_FIFO", priority: 1 };
      };
    const path = `${base}/${newId()}`;
    const id = started(engine, wish(40_000, path));
    const file = (name: string): string => readFileSync(join(mountOf("cpu") ?? "", path, name), "utf8").trim();
    assert.equal(file("cpu.rt_runtime_us"), "40000");
    assert.equal(file("cpu.rt_period_us"), "500000");
    assert.equal(good(engine, "exec", id, "cut", "-d ", "-f41", "/proc/1/stat").trim(), "1");
    good(engine, "update", "--cpu-rt-runtime", "20000", "--cpu-rt-period", "400000", id);
    assert.equal(`${file("cpu.rt_runtime_us")} ${file("cpu.rt_period_us")}`, "20000 400000");
    const more = run(engine, wish(400_000, `${base}/bad`));
    assert.match(more.stderr, /cpu\.rt_runtime_us=400000: more than what the cgroup above .*\/bad has left/);
    const none = run(engine, wish(undefined, `${base}/bad`));
    assert.match(none.stderr, /scheduler/);
    assert.deepEqual([more.code, none.code], [1, 1]);
    assert.deepEqual(folders(`${base}/bad`), []);
    remove(engine, id);
  });

  test("what cannot be is said, and leaves nothing", () => {
    const cases: readonly [Resources, string | undefined, RegExp][] = [
      [{ memory: { limit: 2 * MIB, swap: MIB } }, `${base}/bad`, /memory\.swap/],
      [{ rdma: { none: { hcaHandles: 1 } } }, `${base}/bad`, /rdma/],
      [{ unified: { "nonsense.max": "1" } }, `${base}/bad`, /nonsense\.max/],
      [{ unified: { "cgroup.procs": "1" } }, `${base}/bad`, /cgroup\.procs/],
      [{ cpu: { cpus: "4000" } }, `${base}/bad`, /cpuset\.cpus/],
      [{ cpu: { quota: 1000, burst: 2000 } }, `${base}/bad`, /burst/],
      [{}, "/a/../../b", /cgroupsPath/],
      [{}, "/", /cgroupsPath/],
    ];
    for (const [resources, path, words] of cases) {
      const r = run(engine, limits(resources, path));
      assert.equal(r.code, 1, JSON.stringify(resources));
      assert.match(r.stderr, words);
    }
    assert.deepEqual(folders(`${base}/bad`), []);
  });

  test("a cgroup that has processes is somebody else's", () => {
    const path = `${base}/${newId()}`;
    const id = started(engine, limits({}, path));
    const r = run(engine, limits({}, path));
    assert.equal(r.code, 1);
    assert.match(r.stderr, /has processes already/);
    assert.equal(stateOf(engine, id).status, "running");
    remove(engine, id);
  });

  test("an empty one that was left is taken over, frozen or not", () => {
    const path = `${base}/${newId()}`;
    for (const mount of folders("/").filter((each) => existsSync(join(each, "cgroup.procs")))) {
      mkdirSync(join(mount, path), { recursive: true });
      const freeze = join(mount, path, "cgroup.freeze");
      if (existsSync(freeze)) writeFileSync(freeze, "1");
    }
    assert.equal(run(engine, limits({}, path)).code, 0);
    assert.deepEqual(folders(path), []);
  });

  test("what a create that was killed has left goes with delete --force", async () => {
    const path = `${base}/${newId()}`;
    const folder = bundle(engine, limits({}, path));
    // A hook that takes its time holds the maker where the cgroup is made and the state is not written.
    const config: Config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    config.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "10"] }] };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const id = newId();
    const maker = begin(engine, ["create", "--bundle", folder, id], { stdio: "ignore" });
    const ended = new Promise((resolve) => maker.on("close", resolve));
    await until("the cgroup is there", () => folders(path).length > 0 && existsSync(join(engine.root, id, "config.json")));
    await until("somebody is in it", () => folders(path).some((each) => readFileSync(join(each, "cgroup.procs"), "utf8") !== ""));
    maker.kill("SIGKILL");
    await ended;
    await until("nobody is left", () => folders(path).every((each) => readFileSync(join(each, "cgroup.procs"), "utf8") === ""));
    assert.ok(folders(path).length > 0);
    good(engine, "delete", "--force", id);
    assert.deepEqual(folders(path), []);
  });

  /** Which of the devices answers to open(2), and how. */
  const tries = [
    "for n in 1:3 1:8 5:0 10:200 1:1; do rm -f /dev/try; mknod /dev/try c $(echo $n | tr : ' ') || echo no node $n;",
    "(: < /dev/try) 2>&1 | grep -q 'not permitted' && echo no $n; done; true",
  ].join("\n");
  const devices = (list: readonly Resources[] | undefined): string => {
    const r = run(
      engine,
      script(tries, (config) => {
        limits(list ? { devices: list } : {}, `${base}/${newId()}`)(config);
        config.process.capabilities = { bounding: ["CAP_MKNOD"], effective: ["CAP_MKNOD"], permitted: ["CAP_MKNOD"] };
        config.mounts = config.mounts.map((each) =>
          each.destination === "/dev" ? { ...each, options: (each.options ?? []).filter((option) => option !== "nodev") } : each,
        );
      }),
    );
    assert.equal(r.code, 0, r.stderr);
    return r.stdout.trim().split("\n").join(" ");
  };

  test("devices: none but the usual ones; what the list adds, and takes back", () => {
    const none = { allow: false, access: "rwm" };
    assert.equal(devices(undefined), "no 10:200 no 1:1");
    assert.equal(devices([none]), "no 10:200 no 1:1");
    assert.equal(devices([none, { allow: true, type: "c", major: 10, minor: 200, access: "rw" }]), "no 1:1");
    assert.equal(devices([none, { allow: true, type: "c", major: 1, access: "rwm" }]), "no 10:200");
    assert.equal(devices([{ allow: true, access: "rwm" }]), "");
    assert.equal(
      devices([
        { allow: true, access: "rwm" },
        { allow: false, type: "c", major: 10, minor: 200, access: "rw" },
      ]),
      "no 10:200",
    );
  });

  test("devices: a part of what was allowed is taken back", {
    skip: !folders("/").some((each) => existsSync(join(each, "cgroup.controllers"))),
  }, () => {
    const list = [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, access: "rwm" },
      { allow: false, type: "c", major: 1, minor: 1, access: "rw" },
    ];
    assert.equal(devices(list), "no 10:200 no 1:1");
  });

  test("update --resources, from a file and from standard input", { skip: mountOf("pids") === undefined }, () => {
    const id = started(engine, limits({ pids: { limit: 9 }, devices: [{ allow: false }] }, `${base}/${newId()}`));
    const file = fileOf(engine, id, "pids", "pids.max", "pids.max");
    assert.equal(call(engine, ["update", "--resources", "-", id], { input: '{"pids":{"limit":7}}' }).code, 0);
    assert.equal(readFileSync(file, "utf8").trim(), "7");
    const path = join(engine.folder, "resources.json");
    writeFileSync(path, '{"pids":{"limit":-1}}');
    good(engine, "update", "-r", path, id);
    assert.equal(readFileSync(file, "utf8").trim(), "max");
    assert.match(call(engine, ["update", "--resources", "-", id], { input: '{"pids":{"limit":"7"}}' }).stderr, /resources\.pids\.limit/);
    assert.match(call(engine, ["update", "--memory", "1X", id]).stderr, /--memory/);
    remove(engine, id);
  });

  test("pause stops it, resume goes on", async () => {
    const folder = bundle(engine, script("while :; do echo x; sleep 0.01; done", limits({}, `${base}/${newId()}`)));
    const id = newId();
    create(engine, folder, id);
    good(engine, "start", id);
    const size = (): number => statSync(join(folder, "out")).size;
    await until("it writes", () => size() > 4);
    good(engine, "pause", id);
    assert.equal(stateOf(engine, id).status, "paused");
    const then = size();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(size(), then);
    assert.match(call(engine, ["pause", id]).stderr, /paused, not running/);
    good(engine, "resume", id);
    await until("it goes on", () => size() > then);
    assert.match(call(engine, ["resume", id]).stderr, /running, not paused/);
    good(engine, "pause", id);
    remove(engine, id);
  });

  test("ps: by ps(1) and as JSON", () => {
    const id = started(engine, (config) => {
      limits({}, `${base}/${newId()}`)(config);
      config.process.args = ["sh", "-c", "sleep 1000 & sleep 1000"];
    });
    const pid = stateOf(engine, id).pid;
    const list: number[] = JSON.parse(good(engine, "ps", "--format", "json", id));
    assert.ok(list.includes(pid) && list.length >= 2, `${list}`);
    const lines = good(engine, "ps", id, "-o", "pid,args").trim().split("\n");
    assert.match(lines[0] ?? "", /PID/);
    assert.equal(lines.length, list.length + 1);
    assert.match(call(engine, ["ps", "--format", "xml", id]).stderr, /--format/);
    remove(engine, id);
  });

  test("kill --all reaches everybody, below too, in a shared PID namespace", async () => {
    const id = started(engine, (config) => {
      limits({}, `${base}/${newId()}`)(config);
      config.linux.namespaces = config.linux.namespaces.filter((each) => each.type !== "pid");
      config.process.args = ["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000; sleep 1000"];
    });
    const pids = (): number[] => JSON.parse(good(engine, "ps", "-f", "json", id));
    await until("both are there", () => pids().length >= 3);
    const all = pids();
    const path: string = JSON.parse(readFileSync(join(engine.root, id, "state.json"), "utf8")).cgroup.path;
    for (const each of folders(path)) {
      mkdirSync(join(each, "below"));
      if (existsSync(join(each, "cgroup.kill"))) writeFileSync(join(each, "below/cgroup.procs"), `${all.at(-1)}`);
    }
    assert.deepEqual(pids(), all);
    good(engine, "kill", "--all", id, "KILL");
    for (const each of all) assert.ok(!existsSync(`/proc/${each}/fd`) || !/^\d/.test(readFileSync(`/proc/${each}/cmdline`, "utf8")));
    good(engine, "delete", id);
    assert.deepEqual(folders(path), []);
  });

  test("events: numbers, and that the kernel killed", { skip: mountOf("memory") === undefined }, async () => {
    const id = newId();
    const hungry = "while [ ! -e /go ]; do sleep 0.05; done; head -c 200m /dev/zero | tail > /dev/null; sleep 1000";
    const folder = bundle(engine, script(hungry, limits({ memory: { limit: 24 * MIB, swap: 24 * MIB } }, `${base}/${id}`)));
    create(engine, folder, id);
    good(engine, "start", id);
    const stats = JSON.parse(good(engine, "events", "--stats", id));
    assert.equal(stats.type, "stats");
    assert.equal(stats.id, id);
    assert.equal(stats.data.memory.usage.limit, 24 * MIB);
    assert.ok(stats.data.pids.current >= 1 && stats.data.cpu.usage.total > 0 && stats.data.memory.usage.usage > 0);
    const events = begin(engine, ["events", "--interval", "200ms", id]);
    let text = "";
    events.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => events.on("close", resolve));
    await until("numbers come", () => /"stats"/.test(text));
    writeFileSync(join(engine.rootfs, "go"), "");
    await until("the kernel has killed", () => /"type":"oom"/.test(text), 20_000);
    good(engine, "kill", id, "KILL");
    assert.equal(await ended, 0);
    for (const line of text.trim().split("\n")) assert.equal(JSON.parse(line).id, id);
    remove(engine, id);
  });

  test("the root of a user namespace owns the cgroup that it may write to", () => {
    const owner = (options: string[]): number => {
      const path = `${base}/${newId()}`;
      const id = started(engine, (config) => {
        limits({}, path)(config);
        config.linux.namespaces.push({ type: "user" });
        if (!config.linux.namespaces.some((each) => each.type === "cgroup")) config.linux.namespaces.push({ type: "cgroup" });
        config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 1000 }];
        config.mounts = config.mounts.filter((each) => each.destination !== "/sys/fs/cgroup");
        config.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options });
      });
      const folder = folders(path).find((each) => existsSync(join(each, "cgroup.subtree_control"))) ?? "";
      const uid = statSync(join(folder, "cgroup.procs")).uid;
      assert.equal(statSync(folder).uid, uid);
      assert.equal(statSync(join(folder, "cgroup.max.depth")).uid, 0);
      remove(engine, id);
      return uid;
    };
    assert.equal(owner(["rw", "nosuid", "noexec", "nodev"]), 300000);
    assert.equal(owner(["ro", "nosuid", "noexec", "nodev"]), 0);
  });

  test("where there is no cgroup2 in sight: limits, devices, freezing, exec and the end by v1 alone", {
    skip: (unified || mountOf("devices") === undefined || mountOf("freezer") === undefined) && "no hierarchies of v1",
  }, () => {
    const path = `${base}/${newId()}`;
    const resources = { memory: { limit: 64 * MIB }, cpu: { shares: 512, cpus: "0" }, pids: { limit: 9 }, devices: [{ allow: false }] };
    const family = script("trap '' TERM; setsid sleep 1000 & sleep 1000", limits(resources, path));
    const crossing = [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, access: "rwm" },
      { allow: false, type: "c", major: 1, minor: 1, access: "rw" },
    ];
    const cat = (controller: string, file: string): string => {
      const mount = mountOf(controller);
      return mount === undefined ? "" : `cat ${mount}${path}/${file};`;
    };
    const podrt = `${engine.podrt} --root ${engine.root}`;
    const text = `mount --make-rprivate /
      for each in $(awk '$3 == "cgroup2" { print $2 }' /proc/mounts); do umount $each || exit 9; done
      ${podrt} run -d --bundle ${bundle(engine, family)} v1 < /dev/null > /dev/null || exit 8
      ${cat("memory", "memory.limit_in_bytes")} ${cat("cpu", "cpu.shares")} ${cat("cpuset", "cpuset.cpus")} ${cat("pids", "pids.max")}
      ${podrt} pause v1; cat ${mountOf("freezer")}${path}/freezer.state; ${podrt} state v1 | grep -c paused; ${podrt} resume v1
      ${podrt} exec v1 sh -c 'grep -c ":devices:" /proc/self/cgroup; ls /sys/fs/cgroup/devices/cgroup.procs'
      ${podrt} kill --all v1 KILL; ${podrt} delete v1 || ${podrt} delete --force v1; echo deleted
      ${podrt} run --bundle ${bundle(engine, limits({ devices: crossing }, path))} v2 2>&1`;
    const r = callAny(engine, ["unshare", "--mount", "sh", "-c", text]);
    const wanted: readonly [string, string][] = [
      ["memory", `${64 * MIB}\n`],
      ["cpu", "512\n"],
      ["cpuset", "0\n"],
      ["pids", "9\n"],
    ];
    const read = wanted.map(([controller, value]) => (mountOf(controller) === undefined ? "" : value)).join("");
    const refused = "podrt: cgroup: cgroup v1 cannot take back a part of what another device rule allows\n";
    assert.equal(r.stdout, `${read}FROZEN\n1\n1\n/sys/fs/cgroup/devices/cgroup.procs\ndeleted\n${refused}`, r.stderr);
    assert.deepEqual(folders(path), []);
  });

  /** cgroup2's folder of a container. */
  const folder2 = (path: string): string => folders(path).find((each) => existsSync(join(each, "cgroup.events"))) ?? "";
  const none2 = !unified && !existsSync(join(ROOT, "unified/cgroup.controllers")) && "no cgroup2";

  test("exec's process is born in it: to be moved would take long", { skip: none2 }, async (t) => {
    const path = `${base}/${newId()}`;
    const id = started(engine, limits({}, path));
    const procs = join(folder2(path), "cgroup.procs");
    let moved = 0;
    const watcher = watch(procs, () => moved++);
    t.after(() => watcher.close());
    const mine = good(engine, "exec", id, "sh", "-c", "cat /proc/self/cgroup");
    assert.equal(mine, good(engine, "exec", id, "cat", "/proc/1/cgroup"));
    assert.match(mine, /^0::\/$/m);
    // What has happened is in the queue, which a turn of the loop reads.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    assert.equal(moved, 0);
    // The watch works.
    writeFileSync(procs, `${stateOf(engine, id).pid}`);
    await until("a move is seen", () => moved > 0);
    remove(engine, id);
  });

  test("exec where the container has divided its cgroup: to its first process, or where one says", { skip: none2 }, () => {
    const path = `${base}/${newId()}`;
    const huge = mountOf("hugetlb") === undefined || unified;
    const id = started(engine, limits(huge ? { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MIB }] } : { pids: { limit: 50 } }, path));
    const folder = folder2(path);
    for (const name of ["init", "other"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "init/cgroup.procs"), `${stateOf(engine, id).pid}`);
    const controller = readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ")[0];
    if (controller) {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
      assert.throws(() => writeFileSync(join(folder, "cgroup.procs"), `${process.pid}`), /EBUSY/);
      assert.match(good(engine, "exec", id, "cat", "/proc/self/cgroup"), /^0::\/init$/m);
    }
    assert.match(good(engine, "exec", "--cgroup", "other", id, "cat", "/proc/self/cgroup"), /^0::\/other$/m);
    assert.match(good(engine, "exec", "--cgroup", "/init", id, "cat", "/proc/self/cgroup"), /^0::\/init$/m);
    for (const wrong of ["nowhere", "../x"]) assert.match(call(engine, ["exec", "--cgroup", wrong, id, "true"]).stderr, /cgroup: /);
    remove(engine, id);
  });

  test("exec into one that is full of processes", { skip: mountOf("pids") === undefined && "no controller pids" }, () => {
    const path = `${base}/${newId()}`;
    const id = started(engine, limits({ pids: { limit: 1 } }, path));
    assert.equal(readFileSync(fileOf(engine, id, "pids", "pids.current", "pids.current"), "utf8").trim(), "1");
    assert.equal(good(engine, "exec", id, "echo", "in"), "in\n");
    remove(engine, id);
  });

  test("a container without a cgroup of its own", () => {
    const r = callAny(engine, [
      engine.podrt,
      "--root",
      engine.root,
      "--cgroup-manager=disabled",
      "run",
      "--bundle",
      bundle(engine, script("cat /proc/self/cgroup", limits({}))),
      newId(),
    ]);
    assert.equal(r.code, 0, r.stderr);
  });
});

describe("by a user", () => {
  let engine: Engine;
  before(() => {
    engine = engineStart("occgroup1");
  });
  after(() => engineStop(engine));

  const withSystemd = (path: string | undefined, rest: readonly string[]): ReturnType<typeof callAny> => {
    const folder = bundle(engine, (config) => {
      config.process.args = ["sleep", "1000"];
      limits({ devices: [{ allow: false, access: "rwm" }] }, path)(config);
      config.annotations = { "org.systemd.property.TimeoutStopSec": "uint64 3", "org.systemd.property.Description": "'a test'" };
    });
    const words = [engine.podrt, "--root", engine.root, "--systemd-cgroup", "create", "--bundle", folder, ...rest].join(" ");
    return callAny(engine, ["sh", "-c", `exec ${words} < /dev/null > '${folder}/out' 2>&1`]);
  };
  const show = (unit: string): string => callAny(engine, ["systemctl", "--user", "show", unit, "-P", "ActiveState"]).stdout.trim();

  test("a scope of systemd's, in the slice that is asked for; gone with the container", () => {
    const id = newId();
    assert.equal(withSystemd(`user-occ.slice:test:${id}`, [id]).code, 0);
    const unit = `test-${id}.scope`;
    assert.equal(show(unit), "active");
    const pid = stateOf(engine, id).pid;
    assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), new RegExp(`/user\\.slice/user-occ\\.slice/${unit}$`, "m"));
    good(engine, "start", id);
    good(engine, "pause", id);
    assert.equal(stateOf(engine, id).status, "paused");
    good(engine, "resume", id);
    assert.deepEqual(JSON.parse(good(engine, "ps", "-f", "json", id)), [pid]);
    remove(engine, id);
    assert.equal(show(unit), "inactive");
  });

  test("a name of its own without cgroupsPath; a slice that is none is refused", () => {
    const id = newId();
    assert.equal(withSystemd(undefined, [id]).code, 0);
    assert.equal(show(`podrt-${id}.scope`), "active");
    remove(engine, id);
    assert.equal(withSystemd("/a/b", [newId()]).code, 1);
    assert.equal(withSystemd("../x.slice:a:b", [newId()]).code, 1);
  });

  test("without a session of the user it says so", () => {
    const folder = bundle(engine, limits({}));
    const r = callAny(engine, [engine.podrt, "--root", engine.root, "--systemd-cgroup", "run", "--bundle", folder, newId()], {
      env: { XDG_RUNTIME_DIR: "/nowhere", DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere/bus" },
    });
    assert.equal(r.code, 1);
    assert.match(r.stderr, /systemd: .*\/nowhere\/bus.*no session of this user/);
  });

  test("without systemd: below the cgroup that it is in, and gone afterwards; a limit that cannot be is an error", () => {
    const id = started(engine, limits({}));
    const path = JSON.parse(readFileSync(join(engine.root, id, "state.json"), "utf8")).cgroup.path;
    assert.match(path, new RegExp(`/login\\.scope/podrt-${id}$`));
    remove(engine, id);
    assert.deepEqual(folders(path), []);
    if (!unified) assert.match(run(engine, limits({ pids: { limit: 5 } })).stderr, /pids/);
  });
});
