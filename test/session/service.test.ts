// What annotations ask of systemd, under a real one: a payload that says itself when it is ready and that it is alive, and one that has
// its listening sockets from systemd.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually, runOk } from "../lib/session.js";

/** Much longer than any of it takes: a busy machine is no fault. */
const PATIENCE = 60_000;

let host: PodHost;
let folder: string;

before(async () => {
  host = await PodHost.start("ocsdservice");
  folder = `${host.session.home}/service`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const payload = `${folder}/payload`;
  execFileSync("cc", ["-static", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", payload, "test/session/service-payload.c"]);
  chmodSync(payload, 0o755);
});
after(() => host.stop());

const unit = (pod: string): string => `pod-${pod}_app.service`;

interface Wanted {
  readonly name: string;
  /** Lines of annotations. */
  readonly asks: Readonly<Record<string, string>>;
  /** A YAML list. */
  readonly ports?: string;
  readonly more?: string;
  readonly policy?: string;
  readonly inits?: string;
}

/** A pod whose container `app` does what its FIFO says; returns the spec's path. */
function pod({ name, asks, ports = "[]", more = "", policy = "Always", inits = "" }: Wanted): string {
  const fifo = `${folder}/${name}.fifo`;
  if (!existsSync(fifo)) execFileSync("mkfifo", ["-m", "666", fifo]);
  const annotations = Object.entries(asks).map(([key, value]) => `    ${key}: "${value}"\n`);
  return host.spec(
    `${name}.yaml`,
    `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  annotations:
${annotations.join("")}spec:
  terminationGracePeriodSeconds: 2
  restartPolicy: ${policy}
${inits}  containers:
    - name: app
      image: ${image("busybox")}
      command: [/service/payload, /service, ${name}]
      ports: ${ports}
      volumeMounts: [{ name: service, mountPath: /service }]
${more}  volumes: [{ name: service, hostPath: { path: ${folder} } }]
`,
  );
}

/** Has the payload send a message (`;` between lines), or do something. */
const tell = (name: string, line: string): void => writeFileSync(`${folder}/${name}.fifo`, `${line}\n`);
/** The last value that the payload has noted under a key. */
function noted(name: string, key: string): string | undefined {
  const path = `${folder}/${name}.log`;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].at(-1)?.[1];
}
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> => eventually(what, probe, PATIENCE);
const shows = (name: string, property: string, wanted: string): Promise<unknown> =>
  until(`${property} of ${name} is ${wanted}`, async () => (await host.property(unit(name), property)) === wanted);

interface Shown {
  readonly phase: string;
  readonly ready: boolean;
  readonly reason?: string;
  readonly exitCode?: number;
  readonly message: string;
}

/** The container, as podgen status says it. */
async function status(name: string): Promise<Shown> {
  const ran = await host.podgen(["status", name, "-o", "json"]);
  return JSON.parse(ran.stdout).items[0].containers[0];
}

test("sdnotify container: apply waits for the payload's READY=1; its STATUS= is seen; a reload is no outage", async () => {
  const spec = pod({ name: "says", asks: { "io.containers.sdnotify": "container" } });
  const apply = host.podgen(["apply", "--timeout", "100", spec]);
  await until("it runs", () => noted("says", "pid") !== undefined);
  assert.deepEqual([noted("says", "pid"), noted("says", "NOTIFY_SOCKET"), noted("says", "WATCHDOG_USEC")], ["1", "/run/podgen/notify", ""]);
  assert.equal(noted("says", "open"), "0 1 2 ");
  tell("says", "STATUS=warming up");
  await shows("says", "StatusText", "warming up");
  assert.equal(await host.property(unit("says"), "ActiveState"), "activating");
  const early = await status("says");
  assert.deepEqual([early.phase, early.ready, early.message], ["Starting", false, "warming up"]);
  assert.equal(await Promise.race([apply, "waits"]), "waits");

  tell("says", "READY=1;STATUS=serving");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);
  await shows("says", "StatusText", "serving");
  assert.equal((await status("says")).phase, "Running");
  assert.equal(await host.property("pod-says.service", "ActiveState"), "active");

  tell("says", "RELOADING=1");
  await shows("says", "ActiveState", "reloading");
  assert.equal((await status("says")).phase, "Running");
  tell("says", "READY=1");
  await shows("says", "ActiveState", "active");
});

test("what the payload says of other processes and descriptors is not believed; its end of the socket is all it can touch", async () => {
  const main = await host.property(unit("says"), "MainPID");
  const infra = await host.property("pod-says__infra.service", "MainPID");
  tell("says", `MAINPID=1;STATUS=one`);
  await shows("says", "StatusText", "one");
  tell("says", `MAINPID=${infra};FDSTORE=1;STATUS=two`);
  await shows("says", "StatusText", "two");
  assert.equal(await host.property(unit("says"), "MainPID"), main);
  assert.equal(await host.property(unit("says"), "NFileDescriptorStore"), "0");
  const touched = await host.podgen(["exec", "says/app", "--", "sh", "-c", "chmod 0 $0 || rm $0", "/run/podgen/notify"]);
  assert.notEqual(touched.code, 0);
  assert.match(touched.stderr, /chmod.*Read-only file system[\s\S]*rm.*(busy|Read-only)/);
});

test("a container that does not ask has no socket; a user of the container who is not root may use theirs", async () => {
  const more = "      securityContext: { runAsUser: 1234, runAsGroup: 1234 }\n";
  const spec = pod({ name: "other", asks: { "sdnotify.podgen.io/app": "container" }, more });
  const apply = host.podgen(["apply", "--timeout", "100", spec]);
  await until("it runs", () => noted("other", "pid") !== undefined);
  tell("other", "READY=1");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);
  assert.equal(noted("other", "said"), undefined);

  await host.ok(["apply", pod({ name: "mute", asks: { "podgen.io/sdnotify": "ignore" } })]);
  assert.deepEqual([noted("mute", "NOTIFY_SOCKET"), noted("mute", "LISTEN_FDS")], ["", ""]);
  assert.equal((await host.podgen(["exec", "mute/app", "--", "test", "-e", "/run/podgen/notify"])).code, 1);
  await host.ok(["delete", "mute", "other"]);
});

test("an apply of one that never says it fails in time, one that ends before fails at once, with the reason", async () => {
  const asks = { "podgen.io/sdnotify": "container" };
  const late = await host.podgen(["apply", "--timeout", "2", pod({ name: "late", asks })]);
  assert.equal(late.code, 1, late.stderr);
  assert.match(late.stderr, /container app: did not become ready in time/);

  const spec = pod({ name: "ends", asks, policy: "Never" });
  const apply = host.podgen(["apply", "--timeout", "100", spec]);
  await until("it runs", () => noted("ends", "pid") !== undefined);
  tell("ends", "exit 0");
  const ended = await apply;
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /container app: ended before it said that it is ready/);
});

test("watchdog: a payload that stops pinging is aborted and started anew, and status says why", async () => {
  const asks = { "podgen.io/sdnotify": "container", "watchdog-sec.podgen.io/app": "4" };
  const spec = pod({ name: "dog", asks });
  const apply = host.podgen(["apply", "--timeout", "100", spec]);
  await until("it runs", () => noted("dog", "pid") !== undefined);
  assert.deepEqual([noted("dog", "WATCHDOG_USEC"), noted("dog", "WATCHDOG_PID")], ["4000000", ""]);
  tell("dog", "READY=1");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);

  tell("dog", "mute");
  await shows("dog", "NRestarts", "1");
  assert.equal(noted("dog", "aborted"), "yes");
  await until("it runs again", async () => (await host.mainPid(unit("dog"))) > 0);
  tell("dog", "READY=1");
  await shows("dog", "ActiveState", "active");
  const { phase, reason, exitCode } = await status("dog");
  assert.deepEqual([phase, reason, exitCode], ["Running", "Watchdog", 34]);
  assert.match(await host.ok(["status", "dog"]), /app +Running +1 .*Watchdog \(exit 34\)/);
  await host.ok(["delete", "dog", "says"]);
});

test("socket activation: the container has the sockets themselves, by name, and nothing else; they stay while it restarts", async () => {
  const { TCP, UDP } = { TCP: 18471, UDP: 18472 };
  const ports = `[{ name: http, containerPort: 80, hostPort: ${TCP} }, { name: dns, containerPort: 53, hostPort: ${UDP}, protocol: UDP, hostIP: 127.0.0.1 }]`;
  const inits = `  initContainers: [{ name: prep, image: ${image("busybox")}, command: ["true"] }]\n`;
  await host.ok(["apply", pod({ name: "web", asks: { "socket-activation.podgen.io/app": "http,dns" }, ports, inits })]);
  await until("it runs", () => noted("web", "pid") !== undefined);
  assert.deepEqual([noted("web", "LISTEN_FDS"), noted("web", "LISTEN_PID"), noted("web", "pid")], ["2", "1", "1"]);
  assert.equal(noted("web", "open"), "0 1 2 3s 4s ");
  const names = noted("web", "LISTEN_FDNAMES")?.split(":") ?? [];
  assert.deepEqual([...names].sort(), ["dns", "http"]);

  const http = `socket ${3 + names.indexOf("http")}\n`;
  const ask = (): Promise<string> => runOk(host.user, ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${TCP}; cat <&3`]);
  assert.equal(await ask(), http);
  const echo = `exec 3<>/dev/udp/127.0.0.1/${UDP}; echo hello >&3; timeout 20 dd bs=64 count=1 <&3 2> /dev/null`;
  assert.equal(await runOk(host.user, ["bash", "-c", echo]), "hello\n");
  assert.equal(await host.property("pod-web__18471-tcp.service", "LoadState"), "not-found");

  // Who connects while it is away waits for the next one, which has the same sockets.
  const socket = await host.incarnation("pod-web__18471-tcp.socket");
  await host.run(["systemctl", "--user", "kill", "--signal=KILL", unit("web")]);
  assert.equal(await ask(), http);
  await shows("web", "NRestarts", "1");
  assert.equal(await host.incarnation("pod-web__18471-tcp.socket"), socket);
});

test("another socket is handed over by a restart; without the annotation the forwarder is back; a stop closes all", async () => {
  const ports = (more: string): string => `[{ name: http, containerPort: 80, hostPort: 18471 }${more}]`;
  const before = await host.mainPid(unit("web"));
  const asks = { "socket-activation.podgen.io/app": "http,admin" };
  await host.ok(["apply", pod({ name: "web", asks, ports: ports(", { name: admin, containerPort: 81, hostPort: 18473 }") })]);
  await until("it runs anew", async () => (await host.mainPid(unit("web"))) !== before && noted("web", "open") === "0 1 2 3s 4s ");
  assert.deepEqual(noted("web", "LISTEN_FDNAMES")?.split(":").sort(), ["admin", "http"]);
  assert.match(await runOk(host.user, ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/18473; cat <&3"]), /^socket [34]\n$/);

  const none = { "podgen.io/sdnotify": "conmon" };
  await host.ok(["apply", pod({ name: "web", asks: none, ports: ports("") })]);
  await until("it has none", () => noted("web", "LISTEN_FDS") === "" && noted("web", "open") === "0 1 2 ");
  assert.equal(await host.property("pod-web__18471-tcp.service", "LoadState"), "loaded");
  assert.equal(await host.property("pod-web__18473-tcp.socket", "LoadState"), "not-found");

  await host.ok(["apply", pod({ name: "web", asks, ports: ports(", { name: admin, containerPort: 81, hostPort: 18473 }") })]);
  await host.ok(["stop", "web"]);
  for (const port of [18471, 18473]) assert.equal(await host.property(`pod-web__${port}-tcp.socket`, "ActiveState"), "inactive");
  await host.ok(["start", "web"]);
  assert.match(await runOk(host.user, ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/18471; cat <&3"]), /^socket [34]\n$/);
  const log = await runOk(
    host.user,
    ["journalctl", "--user", "-o", "cat", "--no-pager", "--grep", "ordering cycle|refusing.*socket", "-n", "5"],
    {},
  ).catch(() => "");
  assert.equal(log.trim(), "");
});
