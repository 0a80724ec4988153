// The generated units under a real systemd: the relations of UNITS.md, with podrt and without podgen. What is killed
// comes back with all that hangs on it, and nothing else is disturbed; what is stopped is gone when the stop returns.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { eventually } from "../lib/session.js";
import { UnitHost } from "../lib/unit-host.js";

let host: UnitHost;
/** Where containers leave marks for the test; the user's root is the container's. */
let marks: string;

before(async () => {
  const folder = mkdtempSync("/var/lib/podgen-test/payload-");
  chmodSync(folder, 0o755);
  execFileSync("cc", ["-static", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", `${folder}/payload`, "test/session/payload.c"]);
  host = await UnitHost.start("pgunits", `${folder}/payload`);
  rmSync(folder, { recursive: true });
  marks = `${host.session.home}/marks`;
});
after(() => host.stop());
beforeEach(async () => {
  await host.ok("stop", "pod-*");
  await host.systemctl("reset-failed");
  rmSync(marks, { recursive: true, force: true });
  mkdirSync(marks);
  host.own(marks);
});

const IMAGE = "registry.test/payload:1";
const container = (name: string, command: string, more = ""): string =>
  `    - { name: ${name}, image: "${IMAGE}", command: [/payload, ${command}]${more} }\n`;
const MARKS = `, volumeMounts: [{ name: marks, mountPath: /marks }]`;

/** A pod of an init container that counts its runs, a server behind port 18081, and a sibling. */
function web(over: { init?: string; app?: string; log?: string; spec?: string; hostPort?: number } = {}): string {
  const { init = container("prep", "note, /marks/prep", MARKS), hostPort = 18081 } = over;
  const port = `, ports: [{ containerPort: 80, hostPort: ${hostPort} }]`;
  return (
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec:\n  terminationGracePeriodSeconds: 4\n${over.spec ?? ""}` +
    `  initContainers:\n${init}  containers:\n${over.app ?? container("app", 'serve, "80"', port)}${over.log ?? container("log", "sleep")}` +
    `  volumes: [{ name: marks, hostPath: { path: ${marks} } }]\n`
  );
}

const POD = "pod-web.service";
const INFRA = "pod-web__infra.service";
const APP = "pod-web_app.service";
const LOG = "pod-web_log.service";
const SOCKET = "pod-web__18081-tcp.socket";
const FORWARD = "pod-web__18081-tcp.service";

const runs = (): number => (existsSync(`${marks}/prep`) ? readFileSync(`${marks}/prep`, "utf8").split("\n").length - 1 : 0);
const active = async (unit: string): Promise<string> => host.show(unit, "ActiveState");
const comesUp = (unit: string): Promise<unknown> => eventually(`${unit} is active`, async () => (await active(unit)) === "active", 15_000);
const alive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

/** What the published port says; undefined when nothing listens. */
function ask(port = 18081, address = "127.0.0.1"): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, address);
    socket.setTimeout(8000, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(text));
  });
}

async function up(spec = web()): Promise<void> {
  await host.install(spec);
  await host.ok("start", POD);
}
/** Waits until a unit is active with another main process. */
function replaced(unit: string, pid: number): Promise<unknown> {
  const probe = async (): Promise<boolean> => {
    const now = await host.mainPid(unit);
    return now > 1 && now !== pid && (await active(unit)) === "active";
  };
  return eventually(`${unit} is back`, probe, 15_000);
}
/** Kills a unit's main process and waits until it has another. */
async function kill(unit: string): Promise<void> {
  const pid = await host.mainPid(unit);
  assert.ok(pid > 1);
  process.kill(pid, "SIGKILL");
  await replaced(unit, pid);
}

test("start returns when all are ready, stop when all are gone; three times", async () => {
  await host.install(web());
  for (let round = 1; round <= 3; round++) {
    await host.ok("start", POD);
    for (const unit of [POD, INFRA, APP, LOG, SOCKET, "pod-web_prep.service"]) assert.equal(await active(unit), "active", unit);
    assert.equal(runs(), round);
    assert.equal(await ask(), "served\n");
    assert.equal(await ask(18081, "::1"), "served\n");
    const pids = await Promise.all([INFRA, APP, LOG, FORWARD].map((u) => host.mainPid(u)));
    await host.ok("stop", POD);
    for (const pid of pids) assert.ok(!alive(pid), `pid ${pid} outlived the stop`);
    for (const unit of [POD, INFRA, APP, LOG, SOCKET, FORWARD]) assert.equal(await active(unit), "inactive", unit);
    assert.equal(await ask(), undefined);
  }
});

test("restart of the pod gives everything a new life", async () => {
  await up();
  const before = await Promise.all([INFRA, APP, LOG].map((u) => host.mainPid(u)));
  await host.ok("restart", POD);
  const now = await Promise.all([INFRA, APP, LOG].map((u) => host.mainPid(u)));
  for (const [i, pid] of now.entries()) assert.notEqual(pid, before[i]);
  assert.equal(runs(), 2);
  assert.equal(await ask(), "served\n");
});

test("a container that is killed comes back alone", async () => {
  await up();
  const [infra, log] = [await host.mainPid(INFRA), await host.mainPid(LOG)];
  await kill(APP);
  assert.deepEqual([await host.mainPid(INFRA), await host.mainPid(LOG), runs()], [infra, log, 1]);
  assert.equal(await ask(), "served\n");
});

test("a container that is restarted keeps its port open, and a sibling that was stopped stays so", async () => {
  await up();
  await host.ok("stop", LOG);
  const restart = host.ok("restart", APP);
  assert.equal(await ask(), "served\n");
  await restart;
  await kill(APP);
  assert.equal(await active(LOG), "inactive");
});

test("infra killed: the containers, their logs and the port go on", async () => {
  await up();
  assert.equal(await ask(), "served\n");
  const units = [APP, LOG, FORWARD, "pod-web_prep.service"];
  const before = await Promise.all(units.map((u) => host.show(u, "InvocationID")));
  await kill(INFRA);
  assert.deepEqual(await Promise.all(units.map((u) => host.show(u, "InvocationID"))), before);
  assert.equal(runs(), 1);
  assert.equal(await active(POD), "active");
  assert.equal(await ask(), "served\n");
});

test("infra and a container killed together", async () => {
  await up();
  const [app, log] = [await host.mainPid(APP), await host.mainPid(LOG)];
  process.kill(app, "SIGKILL");
  await kill(INFRA);
  await replaced(APP, app);
  assert.equal(await host.mainPid(LOG), log);
  assert.equal(await ask(), "served\n");
});

test("infra restarted by hand, under containers that run: they keep their namespaces and logs", async () => {
  await up();
  const spaces = async (unit: string) => readlinkSync(`/proc/${await host.mainPid(unit)}/ns/net`);
  const before = [await spaces(APP), await host.mainPid(APP)];
  await host.ok("restart", INFRA);
  assert.deepEqual([await spaces(INFRA), await host.mainPid(APP)], before);
  assert.equal(await ask(), "served\n");
});

test("the pause process killed or stopped: pods go on, and start again", async () => {
  await up();
  const pids = await Promise.all([INFRA, APP, LOG].map((u) => host.mainPid(u)));
  await kill("podgen-pause.service");
  await host.ok("stop", "podgen-pause.service");
  assert.deepEqual(await Promise.all([INFRA, APP, LOG].map((u) => host.mainPid(u))), pids);
  assert.equal(await ask(), "served\n");
  await host.ok("restart", POD);
  assert.equal(await ask(), "served\n");
});

test("the forwarder killed: the next connection has another", async () => {
  await up();
  assert.equal(await ask(), "served\n");
  await kill(FORWARD);
  assert.equal(await ask(), "served\n");
});

test("the uplink killed: it comes back under running containers; infra killed: it goes on", async () => {
  const uplink = "pod-web__uplink.service";
  await host.install(web(), { pasta: "/usr/bin/pasta" });
  await host.ok("start", POD);
  await comesUp(uplink);
  const [app, pasta] = [await host.mainPid(APP), await host.mainPid(uplink)];
  await kill(uplink);
  assert.equal(await host.mainPid(APP), app);
  assert.notEqual(await host.mainPid(uplink), pasta);
  const second = await host.mainPid(uplink);
  await kill(INFRA);
  assert.deepEqual([await host.mainPid(uplink), await host.mainPid(APP)], [second, app]);
  await host.ok("stop", POD);
  assert.equal(await active(uplink), "inactive");
});

test("a failing init container holds the containers back; mended, it lets them come", async () => {
  await host.install(web({ init: container("prep", "need, /marks/go", MARKS) }));
  await host.ok("start", "--no-block", POD);
  await eventually("it has failed twice", async () => Number(await host.show("pod-web_prep.service", "NRestarts")) >= 1);
  assert.notEqual(await active(APP), "active");
  assert.equal(await active(POD), "activating");
  writeFileSync(`${marks}/go`, "");
  // The second try comes after the back-off's first step.
  await eventually("all is up", async () => (await active(APP)) === "active" && (await active(LOG)) === "active", 25_000);
  await comesUp(POD);
});

test("a pod is stopped while its init container fails, and has not failed itself", async () => {
  await host.install(web({ init: container("prep", 'exit, "1"') }));
  await host.ok("start", "--no-block", POD);
  await eventually("it has failed", async () => Number(await host.show("pod-web_prep.service", "NRestarts")) >= 1);
  await host.ok("stop", POD);
  assert.equal(await host.show(POD, "ActiveState", "Result"), "inactive success");
  assert.notEqual(await active("pod-web_prep.service"), "activating");
});

test("init containers come in order, each after the success of the one before", async () => {
  const inits = container("one", "note, /marks/prep", MARKS) + container("two", "need, /marks/prep", MARKS);
  await up(web({ init: inits }));
  assert.equal(await host.show("pod-web_two.service", "ActiveState", "SubState"), "active exited");
  assert.equal(runs(), 1);
});

test("restarting an init container runs what comes after it anew: what diff counts on", async () => {
  await up();
  const [infra, app] = [await host.mainPid(INFRA), await host.mainPid(APP)];
  await host.ok("restart", "pod-web_prep.service");
  await replaced(APP, app);
  assert.equal(runs(), 2);
  assert.equal(await host.mainPid(INFRA), infra);
});

test("restartPolicy: Never stays ended, OnFailure returns from a failure and from SIGTERM", async () => {
  await up(web({ spec: "  restartPolicy: Never\n", log: container("log", 'exit, "3"') }));
  await eventually("it has ended", async () => (await active(LOG)) === "failed");
  assert.equal(await host.show(LOG, "ExecMainStatus", "NRestarts"), "3 0");
  await host.ok("stop", POD);

  await up(web({ spec: "  restartPolicy: OnFailure\n", log: container("log", 'exit, "0"') }));
  await eventually("it has ended", async () => (await host.show(LOG, "ActiveState", "Result")) === "inactive success");
  await kill(APP);
});

test("a container that will not end is killed when the grace is over, and the pod's stop waits for that", async () => {
  await up(web({ log: container("log", "stubborn") }));
  const pid = await host.mainPid(LOG);
  const started = performance.now();
  await host.ok("stop", POD);
  const took = performance.now() - started;
  assert.ok(took > 3500 && took < 9000, `${took} ms`);
  assert.ok(!alive(pid));
});

test("no grace: killed at once", async () => {
  await up(web({ log: container("log", "stubborn") }).replace("Seconds: 4", "Seconds: 0"));
  const started = performance.now();
  await host.ok("stop", POD);
  assert.ok(performance.now() - started < 3500);
});

test("a forwarder that cannot run does not close the port for good, nor spin", async () => {
  await host.install(web());
  const drop = `${host.facts.paths.units}/${FORWARD}.d`;
  mkdirSync(drop);
  writeFileSync(`${drop}/broken.conf`, "[Service]\nExecStart=\nExecStart=/bin/false\n");
  await host.ok("daemon-reload");
  await host.ok("start", POD);
  // A client that waits, and hence wakes the socket again and again: far more often than systemd's 20 in 2 s.
  const waiting = ask();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  assert.equal(await active(SOCKET), "active");
  const tries = Number(await host.show(FORWARD, "NRestarts"));
  assert.ok(tries >= 5 && tries < 60, `${tries} restarts in 4 s`);
  rmSync(drop, { recursive: true });
  await host.ok("daemon-reload");
  assert.equal(await waiting, "served\n");
});

test("a socket with another address is opened anew by its restart, also when the forwarder runs", async () => {
  await up();
  assert.equal(await ask(), "served\n");
  const path = `${host.facts.paths.units}/${SOCKET}`;
  writeFileSync(path, readFileSync(path, "utf8").replace("ListenStream=18081", "ListenStream=18082"));
  await host.ok("daemon-reload");
  await host.ok("restart", SOCKET);
  assert.equal(await ask(), undefined);
  assert.equal(await ask(18082), "served\n");
});

test("a port that somebody else has: the pod comes up without it, the socket says so", async () => {
  const { createServer } = await import("node:net");
  const other = createServer().listen(18081, "::");
  try {
    await up();
    assert.equal(await host.show(SOCKET, "ActiveState", "Result"), "failed resources");
    assert.equal(await active(POD), "active");
  } finally {
    other.close();
  }
});

test("limits and grace change under a running container by a reload alone", async () => {
  await up();
  const life = await host.invocation(APP);
  await host.install(web().replace("Seconds: 4", "Seconds: 9"));
  assert.equal(await host.show(APP, "TimeoutStopUSec", "InvocationID"), `9s ${life}`);
});
