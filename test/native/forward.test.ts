// podrt forward: a published port, from a client on another machine (a network namespace) through the host's into a pod's.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { after, afterEach, before, describe, it } from "node:test";
import { asUser, type TestUser, until, userStart, userStop } from "./user.js";

const PEER = resolve("test/native/forward-peer.mjs");
const HOST = "pgn3h"; // namespaces of the network, by ip-netns(8)
const CLIENT = "pgn3c";
const POD_ADDRESS = "10.88.0.5";
/** Who stands for a client whose own address the pod cannot be shown. */
const STAND_IN = "192.0.2.1";
const STAND_IN_6 = "2001:db8::1";

/** A pod's network: with its own address, or with loopback alone, as without pasta. */
const BARE = "ip link set lo up";
const WITH_ADDRESS = `${BARE}; ip link add eth0 type veth peer name away; ip link set away up; ip addr add ${POD_ADDRESS}/24 dev eth0; ip addr add fd88::5/64 dev eth0 nodad
    ip link set eth0 up; ip route add default via 10.88.0.1; ip -6 route add default via fd88::1`;
/** In which no socket can speak for others: the answers do not come back. */
const OPAQUE = `ip rule add pref 1 to ${STAND_IN} unreachable; ip -6 rule add pref 1 to ${STAND_IN_6} unreachable`;

let user: TestUser;
let infra: ChildProcess;
const children = new Set<ChildProcess>();

interface Running {
  readonly child: ChildProcess;
  readonly lines: Interface;
  readonly unread: AsyncIterator<string>;
  readonly ended: Promise<number | null>;
}

/** Starts a program that the test ends at the latest. */
function start(file: string, args: readonly string[]): Running {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.add(child);
  child.stdin.on("error", () => {});
  const ended = new Promise<number | null>((done) => {
    child.once("exit", (code) => {
      children.delete(child);
      done(code);
    });
  });
  const lines = createInterface({ input: child.stdout });
  return { child, lines, unread: lines[Symbol.asyncIterator](), ended };
}

/** The next line, also one that came together with those before it. */
async function nextLine(running: Running): Promise<string> {
  const { value, done } = await running.unread.next();
  if (done) throw new Error("it ended without a word");
  return value;
}

const run = (file: string, ...args: string[]): string =>
  execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Runs a client in the client's namespace (or the host's) and gives what it printed. */
async function client(...words: string[]): Promise<Record<string, unknown>> {
  return clientIn(CLIENT, ...words);
}
async function clientIn(namespace: string, ...words: string[]): Promise<Record<string, unknown>> {
  const one = start("nsenter", [`--net=/run/netns/${namespace}`, process.execPath, PEER, ...words]);
  return JSON.parse(await nextLine(one));
}

/** A server in the pod, listening. */
async function server(protocol: string, host: string, port: number, ...more: string[]): Promise<Running> {
  const one = start("nsenter", ["-t", String(infra.pid), "-n", process.execPath, PEER, "server", protocol, host, String(port), ...more]);
  assert.equal(await nextLine(one), "listening");
  return one;
}

/** One that answers late. */
async function slowServer(ms: string): Promise<Running> {
  const one = start("nsenter", ["-t", String(infra.pid), "-n", process.execPath, PEER, "slow", "0.0.0.0", "8080", ms]);
  assert.equal(await nextLine(one), "listening");
  return one;
}

async function stop(running: Running): Promise<void> {
  running.child.kill("SIGKILL");
  await running.ended;
}

/** Everything that ends a pod: its namespaces' holder, and a state that names it. */
async function startInfra(network = WITH_ADDRESS): Promise<void> {
  const one = start(...asUser(user, ["unshare", "-Urn", "sh", "-ec", `${network}; echo ready; exec sleep infinity`]));
  assert.equal(await nextLine(one), "ready");
  infra = one.child;
  stateOf(infra);
}

const namespaceOf = (pid: number | undefined): string => readlinkSync(`/proc/${pid}/ns/net`);

/** Says that this process is the pod's infra. */
function stateOf(process: ChildProcess): void {
  const startTime = readFileSync(`/proc/${process.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
  const dir = join(user.runtimeDir, "podgen/pods/web/_infra");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "state.new"), JSON.stringify({ pid: process.pid, startTime, digest: "", startedAt: 0 }));
  run("mv", join(dir, "state.new"), join(dir, "state.json"));
  run("chown", "-R", `${user.name}:`, join(user.runtimeDir, "podgen"));
}

/** The forwarder on sockets of the host's namespace; it starts with the first connection, as under a socket unit. */
async function forward(
  port: number,
  protocol: string,
  listen: readonly string[],
  prefix: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Running> {
  return activated(["forward", "--join", "pods/web/_infra", "--port", String(port), "--protocol", protocol, ...more], listen, prefix);
}

/** podrt with these words, likewise. */
async function activated(podrt: readonly string[], listen: readonly string[], prefix: readonly string[] = []): Promise<Running> {
  const protocol = podrt.includes("udp") ? "udp" : "tcp";
  const activate = [
    "systemd-socket-activate",
    "-E",
    "XDG_RUNTIME_DIR",
    ...(protocol === "udp" ? ["-d"] : []),
    ...listen.flatMap((address) => ["-l", address]),
  ];
  const words = [...prefix, ...activate, user.podrt, ...podrt];
  const [file, args] = asUser(user, words);
  const one = start("nsenter", [`--net=/run/netns/${HOST}`, file, ...args]);
  const listening = () =>
    run("nsenter", `--net=/run/netns/${HOST}`, "ss", "-Hnl", protocol === "udp" ? "-u" : "-t")
      .split("\n")
      .filter(Boolean).length;
  await until("the sockets", () => listening() >= listen.length);
  return one;
}

const NETWORK = `
ip netns add ${HOST}; ip netns add ${CLIENT}
ip -n ${HOST} link set lo up; ip -n ${CLIENT} link set lo up
ip -n ${HOST} link add wire type veth peer name wire netns ${CLIENT}
ip -n ${HOST} addr add 10.99.0.1/24 dev wire; ip -n ${CLIENT} addr add 10.99.0.2/24 dev wire; ip -n ${CLIENT} addr add 10.99.0.3/24 dev wire
ip -n ${HOST} addr add 10.99.0.11/24 dev wire
ip -n ${HOST} addr add fd99::1/64 dev wire nodad; ip -n ${CLIENT} addr add fd99::2/64 dev wire nodad
ip -n ${HOST} addr add 169.254.9.1/24 dev wire; ip -n ${CLIENT} addr add 169.254.9.2/24 dev wire
ip -n ${HOST} addr add fe80::9:1/64 dev wire nodad; ip -n ${CLIENT} addr add fe80::9:2/64 dev wire nodad
ip -n ${HOST} link set wire up; ip -n ${CLIENT} link set wire up`;

before(async () => {
  user = userStart("pgn3");
  for (const name of [HOST, CLIENT]) execFileSync("sh", ["-c", `ip netns del ${name} 2>/dev/null || true`]);
  execFileSync("sh", ["-ec", NETWORK], { stdio: "inherit" });
  await startInfra();
});
afterEach(() => {
  for (const child of children) if (child !== infra) child.kill("SIGKILL");
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const name of [HOST, CLIENT]) run("ip", "netns", "del", name);
  rmSync(join(user.runtimeDir, "podgen"), { recursive: true, force: true });
  userStop(user);
});

describe("TCP", () => {
  // [where the server listens, what it sees of an IPv4 client, of an IPv6 client]
  const servers: readonly [string, RegExp, RegExp][] = [
    ["127.0.0.1", /^10\.99\.0\.2 \d+ 127\.0\.0\.1$/, /^192\.0\.2\.1 \d+ 127\.0\.0\.1$/],
    ["0.0.0.0", /^10\.99\.0\.2 \d+ 127\.0\.0\.1$/, /^192\.0\.2\.1 \d+ 127\.0\.0\.1$/],
    ["::1", /^2001:db8::1 \d+ ::1$/, /^fd99::2 \d+ ::1$/],
    ["::", /^::ffff:10\.99\.0\.2 \d+ ::ffff:127\.0\.0\.1$/, /^fd99::2 \d+ ::1$/],
    [POD_ADDRESS, new RegExp(`^10\\.99\\.0\\.2 \\d+ ${POD_ADDRESS}$`), new RegExp(`^192\\.0\\.2\\.1 \\d+ ${POD_ADDRESS}$`)],
    ["fd88::5", /^2001:db8::1 \d+ fd88::5$/, /^fd99::2 \d+ fd88::5$/],
  ];
  for (const [host, v4, v6] of servers)
    it(`a server on ${host} sees the client's address where it can be kept, else the stand-in`, async () => {
      await forward(8080, "tcp", ["[::]:18080"]);
      await server("tcp", host, 8080);
      assert.match(String((await client("hello", "10.99.0.1", "18080")).line), v4);
      assert.match(String((await client("hello", "fd99::1", "18080")).line), v6);
    });

  it("a link-local neighbour is not taken for the pod itself", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "::", 8080);
    for (let i = 0; i < 2; i++) {
      assert.match(String((await client("hello", "169.254.9.1", "18080")).line), /^::ffff:192\.0\.2\.1 \d+ ::ffff:127\.0\.0\.1$/);
      assert.match(String((await client("hello", "fe80::9:1%wire", "18080")).line), /^2001:db8::1 \d+ ::1$/);
    }
  });

  it("many clients may have the stand-in at once", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "127.0.0.1", 8080);
    const result = await client("bulk", "fd99::1", "18080", "100", "10000");
    assert.deepEqual([result.same, result.errors, result.peers], [100, [], [STAND_IN]]);
  });

  it("the client's port is kept too, also for two connections that differ by the host's address alone", async () => {
    await forward(8080, "tcp", ["10.99.0.1:18080", "10.99.0.11:18080"]);
    await server("tcp", "0.0.0.0", 8080);
    const held = start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "talk", "10.99.0.1", "18080", "40404"]);
    assert.match(await nextLine(held), /10\.99\.0\.2 40404 /);
    // The pod sees both on one address and port of its own, so this one must come from another port.
    const other = String((await client("hello", "10.99.0.11", "18080", "40404")).line);
    assert.match(other, /^10\.99\.0\.2 /);
    assert.doesNotMatch(other, / 40404 /);
    assert.match(await nextLine(held), /echo/);
  });

  it("a client on the host's loopback gets a plain connection", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "::", 8080);
    assert.match(String((await clientIn(HOST, "hello", "127.0.0.1", "18080")).line), /^::ffff:127\.0\.0\.1 /);
    assert.match(String((await clientIn(HOST, "hello", "::1", "18080")).line), /^::1 /);
    assert.match(String((await clientIn(HOST, "hello", "10.99.0.1", "18080")).line), /^::ffff:10\.99\.0\.1 /);
  });

  it("200 connections at once with a megabyte each, the end carried over; and little memory after it", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "0.0.0.0", 8080);
    const result = await client("bulk", "10.99.0.1", "18080", "200", "1048576");
    assert.deepEqual([result.same, result.errors, result.peers], [200, [], ["10.99.0.2"]]);
    await until("all to be closed", () => readFds(f.child) < 20);
    // Anonymous pages are what it has for itself; the program's text is every podrt's.
    const anonymous = () => Number(readFileSync(`/proc/${f.child.pid}/smaps_rollup`, "utf8").match(/Anonymous: +(\d+)/)?.[1]);
    await until("its memory to be given back", () => anonymous() <= 100);
  });

  it("waits for a server that is away, and sends what came meanwhile", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    const waiting = Promise.all(Array.from({ length: 20 }, () => client("hello", "10.99.0.1", "18080")));
    await new Promise((wake) => setTimeout(wake, 1500));
    await server("tcp", "127.0.0.1", 8080);
    for (const one of await waiting) {
      assert.match(String(one.line), /^10\.99\.0\.2 /);
      assert.ok(Number(one.ms) < 5000);
    }
    const first = await server("tcp", "127.0.0.1", 8081);
    await stop(first);
  });

  it("resets a connection that found no server in ten seconds", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    const result = await client("hello", "10.99.0.1", "18080");
    assert.equal(result.error, "ECONNRESET");
    assert.ok(Number(result.ms) > 9_000 && Number(result.ms) < 12_000, `${result.ms} ms`);
  });

  it("holds back a client that the server does not read", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "0.0.0.0", 8080, "read-late");
    const { written } = await client("stall", "10.99.0.1", "18080");
    // The kernel's buffers of two connections, and one pipe; nothing piles up in between.
    const most = (name: string) => Number(readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8").trim().split(/\s+/)[2]);
    assert.ok(Number(written) < 2 * (most("tcp_rmem") + most("tcp_wmem")) + (1 << 20), `${written} bytes were taken`);
    assert.ok(Number(readFileSync(`/proc/${f.child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]) < 4096);
  });

  it("goes on when descriptors are used up, without burning time", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"], ["prlimit", "--nofile=64:64"]);
    await server("tcp", "0.0.0.0", 8080);
    const holder = start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "hold", "10.99.0.1", "18080", "15"]);
    assert.deepEqual(JSON.parse(await nextLine(holder)), { lines: 15 });
    const rest = client("bulk", "10.99.0.1", "18080", "60", "10000");
    const before = cpuTicks(f.child);
    await new Promise((wake) => setTimeout(wake, 1000));
    holder.child.stdin?.end();
    const result = await rest;
    assert.deepEqual([result.same, result.errors], [60, []]);
    assert.ok(cpuTicks(f.child) - before < 30, "less than 0.3 s of processor time");
  });

  it("is told when the server breaks off", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    const s = await server("tcp", "0.0.0.0", 8080);
    const talk = start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "talk", "10.99.0.1", "18080"]);
    assert.match(await nextLine(talk), /line/);
    assert.match(await nextLine(talk), /echo/);
    await stop(s);
    await until("the end", async () => /how/.test(await nextLine(talk)));
    await talk.ended;
  });
});

/** Open descriptors of a process. */
function readFds(child: ChildProcess): number {
  return run("ls", `/proc/${child.pid}/fd`).split("\n").length;
}
function cpuTicks(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

describe("UDP", () => {
  for (const host of ["0.0.0.0", "127.0.0.1", POD_ADDRESS])
    it(`a server on ${host}: two clients, their addresses, replies from where they asked`, async () => {
      await forward(5353, "udp", ["[::]:15353"]);
      await server("udp", host, 5353);
      const both = await Promise.all([
        client("udp", "10.99.0.1", "15353", "20", "41000"),
        client("udp", "10.99.0.11", "15353", "20", "42000"),
      ]);
      assert.deepEqual(both, [
        { replies: 20, from: ["10.99.0.1"], line: "10.99.0.2 41000 n19" },
        { replies: 20, from: ["10.99.0.11"], line: "10.99.0.2 42000 n19" },
      ]);
    });

  it("IPv6, and a server of both families", async () => {
    await forward(5353, "udp", ["[::]:15353"]);
    await server("udp", "::", 5353);
    assert.deepEqual(await client("udp", "fd99::1", "15353", "5", "41000"), { replies: 5, from: ["fd99::1"], line: "fd99::2 41000 n4" });
    assert.deepEqual(await client("udp", "10.99.0.11", "15353", "5", "41000"), {
      replies: 5,
      from: ["10.99.0.11"],
      line: "::ffff:10.99.0.2 41000 n4",
    });
  });

  it("on a socket of one family", async () => {
    await forward(5353, "udp", ["10.99.0.1:15353", "[fd99::1]:15353"]);
    await server("udp", "0.0.0.0", 5353);
    assert.equal((await client("udp", "10.99.0.1", "15353", "3")).replies, 3);
    const both = await Promise.all(["41000", "42000"].map((port) => client("udp", "fd99::1", "15353", "3", port)));
    for (const one of both) {
      assert.equal(one.replies, 3);
      assert.match(String(one.line), /^192\.0\.2\.1 \d+ n2$/);
    }
    assert.equal((await clientIn(HOST, "udp", "10.99.0.1", "15353", "3")).replies, 3);
  });

  for (const [host, address, seen] of [
    ["::1", "10.99.0.1", STAND_IN_6],
    ["127.0.0.1", "fd99::1", STAND_IN],
    ["0.0.0.0", "169.254.9.1", STAND_IN],
  ] as const)
    it(`a server on ${host} and a client of ${address} meet by the stand-in`, async () => {
      await forward(5353, "udp", ["[::]:15353"]);
      await server("udp", host, 5353);
      const one = await client("udp", address, "15353", "3");
      assert.deepEqual([one.replies, String(one.line).split(" ")[0]], [3, seen]);
    });

  it("a client on the host's loopback is seen as one", async () => {
    await forward(5353, "udp", ["[::]:15353"]);
    await server("udp", "127.0.0.1", 5353);
    assert.match(String((await clientIn(HOST, "udp", "127.0.0.1", "15353", "3")).line), /^127\.0\.0\.1 \d+ n2$/);
  });

  it("a server that comes back is found again", async () => {
    await forward(5353, "udp", ["[::]:15353"]);
    assert.equal((await client("udp", "10.99.0.1", "15353", "1", "41000")).replies, 0);
    const s = await server("udp", "0.0.0.0", 5353);
    assert.equal((await client("udp", "10.99.0.1", "15353", "3", "41000")).replies, 3);
    await stop(s);
    await server("udp", "127.0.0.1", 5353);
    assert.equal((await client("udp", "10.99.0.1", "15353", "3", "41000")).replies, 3);
  });

  it("no more flows than there may be, and those that are there go on", async () => {
    await forward(5353, "udp", ["[::]:15353"], ["prlimit", "--nofile=64:64"]);
    await server("udp", "0.0.0.0", 5353);
    const first = await Promise.all(Array.from({ length: 16 }, (_, i) => client("udp", "10.99.0.1", "15353", "1", String(41000 + i))));
    assert.ok(first.every((one) => one.replies === 1));
    const [late, old] = await Promise.all([
      client("udp", "10.99.0.1", "15353", "1", "42000"),
      client("udp", "10.99.0.1", "15353", "5", "41000"),
    ]);
    assert.deepEqual([late.replies, old.replies], [0, 5]);
  });

  it("only present clients are taken for local: the server may talk to others from its port", async () => {
    await forward(5353, "udp", ["[::]:15353"]);
    await server("udp", "0.0.0.0", 5353);
    await client("udp", "10.99.0.1", "15353", "3");
    const way = (to: string): string =>
      run("nsenter", "-t", String(infra.pid), "-n", "ip", "route", "get", to, "ipproto", "udp", "sport", "5353");
    assert.match(way("10.99.0.2"), /^local 10\.99\.0\.2 dev lo/);
    assert.match(way("10.99.0.77"), /via 10\.88\.0\.1 dev eth0/);
  });
});

describe("a Service's balancer", () => {
  const LIST = "/tmp/pgn3-backends";
  /** One pod with two servers stands for two pods; none of them has containers, so all count that have namespaces. */
  const balance = (protocol: string, listen: readonly string[], ...more: string[]): Promise<Running> =>
    activated(["balance", "--backends", LIST, "--protocol", protocol, "--not-ready", ...more], listen);
  const backends = (...lines: string[]): void => {
    writeFileSync(`${LIST}.new`, lines.map((line) => `${line}\n`).join(""), { mode: 0o644 });
    run("mv", `${LIST}.new`, LIST);
  };
  after(() => rmSync(LIST, { force: true }));

  it("spreads connections, each with its client's address; what one server does not take another one does", async () => {
    backends("web 8080", "web 8081", "nobody 8080");
    await balance("tcp", ["[::]:18080"]);
    const first = await server("tcp", "127.0.0.1", 8080);
    const one = await client("bulk", "10.99.0.1", "18080", "50", "100000");
    assert.deepEqual([one.same, one.errors, one.peers], [50, [], ["10.99.0.2"]]);
    await server("tcp", "127.0.0.1", 8081);
    await stop(first);
    const two = await client("bulk", "10.99.0.1", "18080", "50", "100000");
    assert.deepEqual([two.same, two.errors, two.peers], [50, [], ["10.99.0.2"]]);
  });

  it("waits for a pod that comes, reads the list anew, and resets what found none", async () => {
    backends("later 8080");
    await balance("tcp", ["[::]:18080"]);
    const waiting = client("hello", "10.99.0.1", "18080");
    await new Promise((wake) => setTimeout(wake, 300));
    await server("tcp", "127.0.0.1", 8080);
    backends("web 8080");
    assert.match(String((await waiting).line), /^10\.99\.0\.2 /);
    backends();
    const lost = await client("hello", "10.99.0.1", "18080");
    assert.equal(lost.error, "ECONNRESET");
    assert.ok(Number(lost.ms) > 9_000, `${lost.ms} ms`);
  });

  it("lets in whom it may", async () => {
    backends("web 8080");
    await balance("tcp", ["[::]:18080"], "--allow", "10.99.0.2/32", "--allow", "fd99::/64");
    await server("tcp", "::", 8080);
    assert.match(String((await client("hello", "10.99.0.1", "18080")).line), /10\.99\.0\.2 /);
    assert.match(String((await client("hello", "fd99::1", "18080")).line), /^fd99::2 /);
    assert.equal((await client("hello", "169.254.9.1", "18080")).error, "ECONNRESET");
  });

  it("carries datagrams, and the replies from where they were asked", async () => {
    backends("web 5353");
    await balance("udp", ["[::]:15353"]);
    await server("udp", "0.0.0.0", 5353);
    // The first ones may come before its forwarder has joined the pod, and are lost as on any way.
    await until("the first reply", async () => Number((await client("udp", "10.99.0.1", "15353", "1")).replies) === 1);
    assert.deepEqual(await client("udp", "10.99.0.11", "15353", "20", "41000"), {
      replies: 20,
      from: ["10.99.0.11"],
      line: "10.99.0.2 41000 n19",
    });
  });

  it("has a small child per pod", async () => {
    backends("web 8080");
    const b = await balance("tcp", ["[::]:18080"]);
    await server("tcp", "127.0.0.1", 8080);
    await client("hello", "10.99.0.1", "18080");
    const children = readFileSync(`/proc/${b.child.pid}/task/${b.child.pid}/children`, "utf8").trim().split(" ");
    assert.equal(children.length, 1);
    const anonymous = (pid: number | string | undefined): number =>
      Number(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").match(/Anonymous: +(\d+)/)?.[1]);
    await until("their memory to be given back", () => anonymous(b.child.pid) <= 100 && anonymous(children[0]) <= 100);
  });
});

/** The pod's network is this one for the tests of a block. */
function network(script: string): void {
  before(async () => {
    infra.kill("SIGKILL");
    await startInfra(script);
  });
  after(async () => {
    infra.kill("SIGKILL");
    await startInfra();
  });
}
const seenBy = async (word: string, ...words: string[]): Promise<unknown> => (await client(word, ...words)).line;

describe("a pod of loopback alone", () => {
  network(BARE);
  it("is reached by everybody, by nobody as itself", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await forward(5353, "udp", ["[::]:15353"]);
    await server("tcp", "127.0.0.1", 8080);
    await server("udp", "127.0.0.1", 5353);
    assert.match(String(await seenBy("hello", "10.99.0.1", "18080")), /^10\.99\.0\.2 /);
    assert.match(String(await seenBy("hello", "fd99::1", "18080")), /^192\.0\.2\.1 /);
    assert.match(String(await seenBy("udp", "10.99.0.1", "15353", "3")), /^10\.99\.0\.2 \d+ n2$/);
    assert.match(String(await seenBy("udp", "fd99::1", "15353", "3")), /^192\.0\.2\.1 \d+ n2$/);
  });
});

describe("a pod in which no socket can speak for others", () => {
  network(`${WITH_ADDRESS}; ${OPAQUE}`);
  for (const [host, v4, v6] of [
    ["127.0.0.1", `${POD_ADDRESS} 127.0.0.1`, `${POD_ADDRESS} 127.0.0.1`],
    ["0.0.0.0", `${POD_ADDRESS} ${POD_ADDRESS}`, `${POD_ADDRESS} ${POD_ADDRESS}`],
    ["::", `::ffff:${POD_ADDRESS} ::ffff:${POD_ADDRESS}`, "fd88::5 fd88::5"],
    ["::1", "fd88::5 ::1", "fd88::5 ::1"],
    [POD_ADDRESS, `${POD_ADDRESS} ${POD_ADDRESS}`, `${POD_ADDRESS} ${POD_ADDRESS}`],
  ] as const)
    it(`a server on ${host} sees the pod's own address`, async () => {
      await forward(8080, "tcp", ["[::]:18080"]);
      await server("tcp", host, 8080);
      assert.equal(String(await seenBy("hello", "10.99.0.1", "18080")).replace(/ \d+ /, " "), v4);
      assert.equal(String(await seenBy("hello", "fd99::1", "18080")).replace(/ \d+ /, " "), v6);
    });

  for (const host of ["127.0.0.1", "0.0.0.0", POD_ADDRESS])
    it(`a UDP server on ${host} as well`, async () => {
      await forward(5353, "udp", ["[::]:15353"]);
      await server("udp", host, 5353);
      for (const address of ["10.99.0.1", "fd99::1"]) {
        const one = await client("udp", address, "15353", "3");
        assert.deepEqual([one.replies, String(one.line).split(" ")[0]], [3, POD_ADDRESS]);
      }
    });
});

describe("a pod in which no socket can speak for others, of loopback alone", () => {
  network(`${BARE}; ${OPAQUE}`);
  it("is closed to other machines, and open to the host's loopback", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await forward(5353, "udp", ["[::]:15353"]);
    await server("tcp", "::", 8080);
    await server("udp", "::", 5353);
    const [v4, v6, udp] = await Promise.all([
      client("hello", "10.99.0.1", "18080"),
      client("hello", "fd99::1", "18080"),
      client("udp", "10.99.0.1", "15353", "1"),
    ]);
    assert.deepEqual([v4.error, v6.error, udp.replies], ["ECONNRESET", "ECONNRESET", 0]);
    assert.match(String((await clientIn(HOST, "hello", "127.0.0.1", "18080")).line), /^::ffff:127\.0\.0\.1 /);
    assert.equal((await clientIn(HOST, "udp", "127.0.0.1", "15353", "3")).replies, 3);
  });
});

describe("its life", () => {
  it("waits for infra, goes on when it is killed, and ends with 0 when another pod's has taken its place", async () => {
    infra.kill("SIGKILL");
    await until("infra's end", () => !children.has(infra));
    const f = await forward(8080, "tcp", ["[::]:18080"]);
    const hello = client("hello", "10.99.0.1", "18080");
    await new Promise((wake) => setTimeout(wake, 500));
    await startInfra();
    await server("tcp", "0.0.0.0", 8080);
    assert.match(String((await hello).line), /^10\.99\.0\.2 /);
    // Two of the same namespaces, one after the other, and one of its own.
    const namespaces = start("nsenter", ["-t", String(infra.pid), "-U", "-n", "sleep", "infinity"]).child;
    await until("it has entered", () => namespaceOf(namespaces.pid) === namespaceOf(infra.pid));
    for (let i = 0; i < 2; i++) {
      infra.kill("SIGKILL");
      await until("infra's end", () => !children.has(infra));
      assert.match(String((await client("hello", "10.99.0.1", "18080")).line), /^10\.99\.0\.2 /);
      infra = start("nsenter", ["-t", String(namespaces.pid), "-U", "-n", "sleep", "infinity"]).child;
      await until("it has entered", () => namespaceOf(infra.pid) === namespaceOf(namespaces.pid));
      stateOf(infra);
      assert.match(String((await client("hello", "10.99.0.1", "18080")).line), /^10\.99\.0\.2 /);
    }
    infra.kill("SIGKILL");
    await startInfra();
    assert.equal(await f.ended, 0);
  });

  it("lets connections go on for a second on SIGTERM, then exits with 0", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "0.0.0.0", 8080);
    const talk = start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "talk", "10.99.0.1", "18080"]);
    const seen: string[] = [];
    talk.lines.on("line", (line) => seen.push(line));
    await until("a first echo", () => seen.length > 2);
    const before = seen.length;
    const at = Date.now();
    f.child.kill("SIGTERM");
    assert.equal(await f.ended, 0);
    assert.ok(Date.now() - at > 800 && Date.now() - at < 2000, `${Date.now() - at} ms`);
    assert.ok(seen.length > before + 4, "it went on meanwhile");
  });

  it("on SIGTERM: what is at rest ends at once, an answer that is owed may come", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"], [], ["--linger", "20"]);
    const slow = await slowServer("1500");
    const asked = client("ask", "10.99.0.1", "18080");
    assert.equal(await nextLine(slow), "asked");
    f.child.kill("SIGTERM");
    assert.equal((await asked).line, "10.99.0.2");
    assert.equal(await f.ended, 0);
  });

  it("drain: what somebody waits for may come first, new connections wait, and mark --ended lets them in", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    const first = await slowServer("1500");
    const podrt = (...words: string[]): Running => {
      const [file, args] = asUser(user, ["env", "SERVICE_RESULT=success", user.podrt, ...words]);
      return start(file, args);
    };
    const owed = client("ask", "10.99.0.1", "18080");
    assert.equal(await nextLine(first), "asked");
    const drained = podrt("drain", "--seconds", "20", "pods/web/app");
    await until("the mark", () => existsSync(join(user.runtimeDir, "podgen/pods/web/_infra/draining/app")));
    let late = false;
    const next = client("hello", "10.99.0.1", "18080").then((answer) => {
      late = true;
      return answer;
    });
    assert.equal((await owed).line, "10.99.0.2");
    assert.equal(await drained.ended, 0);
    await stop(first);
    await server("tcp", "0.0.0.0", 8080);
    // Other containers of the pod end before: it is this one that they wait for.
    const other = podrt("drain", "--seconds", "0", "pods/web/other");
    assert.equal(await other.ended, 0);
    assert.equal(await podrt("mark", "--ended", "pods/web/other").ended, 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(late, false);
    assert.equal(await podrt("mark", "--ended", "pods/web/app").ended, 0);
    assert.match(String((await next).line), /^10\.99\.0\.2 /);
  });

  it("drain gives up when its time is over, and refuses what is no run folder", async () => {
    await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "0.0.0.0", 8080);
    const talk = start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "talk", "10.99.0.1", "18080"]);
    await nextLine(talk);
    const at = Date.now();
    const drain = (...words: string[]): Running => {
      const [file, args] = asUser(user, [user.podrt, "drain", ...words]);
      return start(file, args);
    };
    assert.equal(await drain("--seconds", "1", "pods/web/app").ended, 0);
    assert.ok(Date.now() - at > 900, "it goes on all the time");
    for (const words of [["--seconds", "x", "pods/web/app"], ["pods/web/app"], ["--seconds", "1"]])
      assert.equal(await drain(...words).ended, 64);
    assert.equal(await drain("--seconds", "1", "pods/web/..").ended, 125);
    const [file, args] = asUser(user, ["env", "SERVICE_RESULT=success", user.podrt, "mark", "--ended", "pods/web/app"]);
    assert.equal(await start(file, args).ended, 0);
  });

  it("ends at once on SIGTERM when nothing is open", async () => {
    const f = await forward(8080, "tcp", ["[::]:18080"]);
    await server("tcp", "0.0.0.0", 8080);
    await client("hello", "10.99.0.1", "18080");
    await until("it to be closed", () => readFds(f.child) < 14);
    const at = Date.now();
    f.child.kill("SIGTERM");
    assert.equal(await f.ended, 0);
    assert.ok(Date.now() - at < 500);
  });

  it("a new one after kill -9 finds its rules there", async () => {
    for (const protocol of ["tcp", "udp"]) {
      await server(protocol, "0.0.0.0", 7000);
      for (let i = 0; i < 2; i++) {
        const f = await forward(7000, protocol, ["[::]:17000"]);
        const result = await client(...(protocol === "tcp" ? ["hello", "10.99.0.1", "17000"] : ["udp", "10.99.0.1", "17000", "2"]));
        assert.match(String(result.line), /^10\.99\.0\.2 /);
        await stop(f);
      }
    }
    const rules = run("nsenter", "-t", String(infra.pid), "-n", "ip", "rule").split("\n");
    assert.equal(rules.length, new Set(rules).size, rules.join("\n"));
    assert.equal(rules.filter((rule) => rule.includes("sport 7000")).length, 1);
  });

  it("refuses to run without sockets, or with the wrong ones", async () => {
    const words = [user.podrt, "forward", "--join", "pods/web/_infra", "--port", "8080", "--protocol"];
    const [file, args] = asUser(user, [...words, "tcp"]);
    assert.equal(await start(file, args).ended, 125);
    for (const bad of [
      [user.podrt, "forward"],
      [...words, "sctp"],
      [...words.slice(0, 5), "0", "--protocol", "tcp"],
    ]) {
      const [program, rest] = asUser(user, bad);
      assert.equal(await start(program, rest).ended, 64);
    }
    const [activate, rest] = asUser(user, ["systemd-socket-activate", "-E", "XDG_RUNTIME_DIR", "-l", "10.99.0.1:16000", ...words, "udp"]);
    const wrong = start("nsenter", [`--net=/run/netns/${HOST}`, activate, ...rest]);
    await until("the socket", () => run("nsenter", `--net=/run/netns/${HOST}`, "ss", "-Hnlt").includes(":16000"));
    start("nsenter", [`--net=/run/netns/${CLIENT}`, process.execPath, PEER, "hello", "10.99.0.1", "16000"]);
    assert.equal(await wrong.ended, 125);
  });
});
