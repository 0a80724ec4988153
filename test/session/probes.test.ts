// Probes of real containers that fail and recover: what they gate, what they end, what is said of them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { createServer as createTls } from "node:https";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

const PATIENCE = 20_000;
const APP = "pod-web_app.service";
const PROBE = "pod-web_app__probe.service";

let host: PodHost;
let folder: string;
let mark: string;

before(async () => {
  host = await PodHost.start("probing");
  folder = `${host.session.home}/notes`;
  mark = `${host.session.runtime}/podgen/pods/web/app/ready`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
});
after(() => host.stop());

const put = (name: string): void => writeFileSync(`${folder}/${name}`, "yes");
const take = (name: string): void => rmSync(`${folder}/${name}`, { force: true });
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> => eventually(what, probe, PATIENCE);
const isReady = (): boolean => existsSync(mark);
const pid = async (): Promise<number> => Number(await host.property(APP, "MainPID"));

const SERVER = ["httpd", "-f", "-p", "8080", "-h", "/notes"];
const UP = "startupProbe: { exec: { command: [test, -e, /notes/up] }, periodSeconds: 1, failureThreshold: 1000 }";
const READY = "readinessProbe: { httpGet: { port: http, path: /ready }, periodSeconds: 1, failureThreshold: 1, successThreshold: 1 }";
const LIVE = "livenessProbe: { httpGet: { port: 8080, path: /live }, periodSeconds: 1, failureThreshold: 2 }";

/** A pod `web` with a container `app`, which serves the folder of notes. */
function pod(probes: readonly string[], { command = SERVER, more = "" }: { command?: readonly string[]; more?: string } = {}): string {
  return host.spec(
    "web.yaml",
    `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
${more}  containers:
    - name: app
      image: ${image("busybox")}
      command: ${JSON.stringify(command)}
      ports: [{ name: http, containerPort: 8080 }]
      volumeMounts: [{ name: notes, mountPath: /notes }]
${probes.map((probe) => `      ${probe}\n`).join("")}  volumes: [{ name: notes, hostPath: { path: ${folder} } }]
`,
  );
}

interface Status {
  readonly items: readonly [
    {
      readonly ready: number;
      readonly phase: string;
      readonly containers: readonly [
        {
          readonly ready: boolean;
          readonly restarts: number;
          readonly message: string;
          readonly probes: Readonly<Record<string, { state: string; last: string; run: number; message: string }>>;
        },
      ];
    },
  ];
}
const status = async (): Promise<Status["items"][0]> => (JSON.parse(await host.ok(["status", "web", "-o", "json"])) as Status).items[0];

test("the startup probe gates the others, readiness gates the pod's unit and an apply", async () => {
  const apply = host.podgen(["apply", pod([UP, READY, LIVE])]);
  await until("it is asked whether it has started", async () =>
    /startup probe failed \([2-9]/.test(await host.property(PROBE, "StatusText")),
  );
  // Nothing is at /live, and nobody asks for it.
  assert.equal((await status()).containers[0].probes["liveness"]?.last, "unknown");
  assert.equal(await host.property(APP, "ActiveState"), "active");
  assert.equal(await host.property(PROBE, "ActiveState"), "activating");
  assert.equal(isReady(), false);
  put("live");
  put("up");
  await until("it has started and is not ready", async () =>
    /^not ready; readiness probe failed .*HTTP: status 404$/.test(await host.property(PROBE, "StatusText")),
  );
  assert.equal(await host.property("pod-web.service", "ActiveState"), "activating");
  assert.equal(await Promise.race([apply, "waits"]), "waits");
  put("ready");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);
  assert.equal(isReady(), true);
  assert.equal(await host.property("pod-web.service", "ActiveState"), "active");
  const { ready, containers } = await status();
  assert.deepEqual([ready, containers[0].restarts], [1, 0]);
  assert.deepEqual(
    Object.entries(containers[0].probes)
      .map(([name, { state }]) => `${name} ${state}`)
      .sort(),
    ["liveness ok", "readiness ok", "startup ok"],
  );
});

test("the runner is small, and idle between tries", async () => {
  const runner = Number(await host.property(PROBE, "MainPID"));
  const rollup = readFileSync(`/proc/${runner}/smaps_rollup`, "utf8");
  const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(rollup)?.[1]);
  // What is clean is podrt's own text, of which all that runs it have a part.
  assert.ok(kib("Private_Dirty") <= 100, rollup);
});

test("readiness goes and comes with its probe; the container stays", async () => {
  const before = await pid();
  take("ready");
  await until("the mark goes", () => !isReady());
  await until("status says so", async () => (await status()).ready === 0);
  assert.match(
    await host.ok(["status", "web"]),
    /app +Running, not ready[\s\S]*app +readiness +failed +failed \(\d+ in a row\) +HTTP: status 404/,
  );
  put("ready");
  await until("the mark comes", isReady);
  assert.equal(await pid(), before);
  const log = await host.log(APP);
  assert.match(log, /podrt: readiness probe failed, not ready: HTTP: status 404/);
  assert.match(log, /podrt: readiness probe succeeds again/);
});

test("a failed liveness probe has the container started again, and says why", async () => {
  const before = await pid();
  take("live");
  await until("another one runs", async () => (await pid()) !== before && (await pid()) !== 0);
  put("live");
  await until("it is ready again", isReady);
  assert.equal(await host.property(APP, "NRestarts"), "1");
  assert.match(await host.log(APP), /podrt: liveness probe failed 2 times, ending the container to start it again: HTTP: status 404/);
  const [container] = (await status()).containers;
  assert.equal(container.restarts, 1);
  assert.equal(container.message, "restarted, its liveness probe failed: HTTP: status 404");
});

test("changed probes restart their unit alone; removed ones leave the container ready", async () => {
  const before = await pid();
  const slower = READY.replace("failureThreshold: 1", "failureThreshold: 2");
  const changed = await host.ok(["apply", "-o", "json", pod([UP, slower, LIVE])]);
  assert.match(changed, /pod-web_app__probe\.service restarted/);
  assert.doesNotMatch(changed, /pod-web_app\.service/);
  assert.equal(isReady(), true);
  assert.match(await host.ok(["apply", pod([UP, slower, LIVE])]), /unchanged/);
  // One that is killed is back, knows that the container had started, and is right about the present.
  take("up");
  await host.run(["systemctl", "--user", "kill", "--signal=KILL", "--kill-whom=main", PROBE]);
  await until("it is back", async () => (await host.property(PROBE, "NRestarts")) === "1" && isReady());
  await host.ok(["apply", pod([LIVE])]);
  assert.equal(isReady(), true);
  await host.ok(["apply", pod([READY])]);
  assert.equal(isReady(), true);
  await host.ok(["apply", pod([])]);
  assert.equal(isReady(), true);
  assert.equal(await host.property(PROBE, "LoadState"), "not-found");
  assert.equal(await pid(), before);
});

test("an apply that does not become ready says what the probe says, and the old state is back", async () => {
  await host.ok(["apply", pod([READY])]);
  const before = await pid();
  const failed = await host.podgen(["apply", "--timeout", "2", pod([READY.replace("/ready", "/never")])]);
  assert.equal(failed.code, 3, failed.stderr);
  assert.match(failed.stderr, /did not become ready in time: readiness probe failed \(\d+ of 1\): HTTP: status 404/);
  await until("it is ready as before", isReady);
  assert.equal(await pid(), before);
  await host.ok(["delete", "web"]);
});

test("exec: as the container's own, ended with all of its group at the time-out; a clean end is a failure; its own grace", async () => {
  for (const name of ["out", "deaf"]) take(name);
  const script = "id -u > /notes/out; cat /proc/self/cgroup >> /notes/out; echo $WORD >> /notes/out; sleep 4321 & exec sleep 4322";
  const probe = `livenessProbe: { exec: { command: [sh, -c, ${JSON.stringify(script)}] }, timeoutSeconds: 1, periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 1 }`;
  const main = "trap 'echo term >> /notes/deaf' TERM; while :; do sleep 0.1; done";
  const env = "env: [{ name: WORD, value: mine }]";
  const user = "securityContext: { runAsUser: 1234 }";
  await host.ok(["apply", pod([probe, env, user], { command: ["sh", "-c", main], more: "  restartPolicy: OnFailure\n" })]);
  const before = await pid();
  await until("another one runs", async () => (await pid()) !== before && (await pid()) !== 0);
  const out = readFileSync(`${folder}/out`, "utf8");
  assert.match(out, /^1234\n/);
  assert.match(out, /\nmine\n$/);
  // Seen from its own cgroup namespace, whose root is the container's cgroup.
  assert.doesNotMatch(out, /\.\.\//);
  assert.match(readFileSync(`${folder}/deaf`, "utf8"), /term/);
  assert.match(await host.log(APP), /podrt: liveness probe failed 2 times, ending the container to start it again: exec: sh: timed out/);
  await host.ok(["delete", "web"]);
  const left = execFileSync("sh", ["-c", `pgrep -f 'sleep 432[12]' || true`], { encoding: "utf8" });
  assert.equal(left, "");
});

test("a container that ends with 0 when its probe asks it to is started again by OnFailure, not by Never", async () => {
  const main = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
  const probe = 'livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 }';
  await host.ok(["apply", pod([probe], { command: ["sh", "-c", main], more: "  restartPolicy: OnFailure\n" })]);
  await until("it was started again", async () => Number(await host.property(APP, "NRestarts")) > 0);
  await host.ok(["delete", "web"]);
  await host.ok(["apply", pod([probe], { command: ["sh", "-c", main], more: "  restartPolicy: Never\n" })]);
  await host.active(APP, "failed", PATIENCE);
  assert.match((await host.podgen(["status", "web"])).stdout, /Status: +Failed/);
  await until("its probes have ended", async () => (await host.property(PROBE, "ActiveState")) === "inactive");
  await host.ok(["delete", "web"]);
});

/** A server on the host's loopback, in whose network the pod is; closed with all its connections. */
async function listen(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): AddressInfo | string | null;
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("probes, last words and standard input of a pod with a user namespace of its own, too", async () => {
  for (const name of ["up", "ready"]) put(name);
  const script =
    "trap 'echo bye > /dev/termination-log; exit 0' TERM; httpd -p 8080 -h /notes; exec 3<&0; while read line; do echo heard $line; done <&3 & wait";
  const tcp = "livenessProbe: { tcpSocket: { port: http }, periodSeconds: 1, failureThreshold: 1000 }";
  const spec = pod([UP, READY, tcp, "stdin: true", "securityContext: { runAsUser: 1000 }"], { command: ["sh", "-c", script] });
  writeFileSync(spec, readFileSync(spec, "utf8").replace("name: web }", 'name: web, annotations: { podgen.io/userns: "auto" } }'));
  await host.ok(["apply", spec]);
  assert.ok(isReady());
  const { containers } = await status();
  await until("all were asked", async () => Object.values((await status()).containers[0].probes).every((p) => p.state === "ok"));
  assert.deepEqual(Object.keys(containers[0].probes).sort(), ["liveness", "readiness", "startup"]);
  await host.ok(["attach", "--no-output", "web/app"], { input: "word\n" });
  await until("it was heard", async () => (await host.log(APP)).includes("heard word"));
  await host.ok(["stop", "web"]);
  const said = (JSON.parse((await host.podgen(["status", "web", "-o", "json"])).stdout) as Status).items[0].containers[0];
  assert.equal((said as { terminationMessage?: string }).terminationMessage, "bye\n");
  await host.ok(["delete", "web"]);
});

test("HTTPS with anybody's certificate, gRPC, TCP, and servers that never come to an end", async () => {
  const key = `${host.session.home}/key.pem`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", key, "-days", "2", "-subj", "/CN=x"], {
    stdio: "ignore",
  });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket.on("error", () => undefined));
  };
  const answers: string[] = [];
  const tls = createTls({ key: readFileSync(key), cert: readFileSync(key) }, (request, response) => {
    answers.push(`${request.url} ${request.headers.host} ${request.headers["x-a"]}`);
    response.end("x".repeat(100_000));
  }).on("connection", keep);
  const rpc = createServer()
    .on("session", (session) => keep(session.socket as Socket))
    .on("stream", (stream: ServerHttp2Stream) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const serving = Buffer.concat(chunks).subarray(7).toString() === "good" ? 1 : 2;
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, serving]));
      });
    });
  const drip = createTcp((socket) => {
    keep(socket);
    socket.write("HTTP/1.1 200 OK\r\n");
    const timer = setInterval(() => socket.write("X: y\r\n"), 50);
    socket.on("close", () => clearInterval(timer));
  });
  try {
    const [https, grpc, slow] = await Promise.all([listen(tls), listen(rpc), listen(drip)]);
    const probes = [
      `readinessProbe: { httpGet: { scheme: HTTPS, port: ${https}, path: "/a?b", httpHeaders: [{ name: Host, value: shop }, { name: X-A, value: c }] }, periodSeconds: 1, timeoutSeconds: 20 }`,
      `livenessProbe: { grpc: { port: ${grpc}, service: good }, periodSeconds: 1, timeoutSeconds: 20 }`,
      `startupProbe: { tcpSocket: { port: ${grpc}, host: localhost }, periodSeconds: 1, timeoutSeconds: 20 }`,
    ];
    const more = "  hostNetwork: true\n";
    const command = ["sleep", "100000"];
    await host.ok(["apply", pod(probes, { command, more })]);
    await until("all were asked", async () => Object.values((await status()).containers[0].probes).every((p) => p.state === "ok"));
    assert.equal(answers[0], "/a?b shop c");
    const bad = [
      `readinessProbe: { grpc: { port: ${grpc}, service: other }, periodSeconds: 1, timeoutSeconds: 20 }`,
      `livenessProbe: { httpGet: { port: ${slow} }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1000 }`,
    ];
    await host.ok(["apply", "--no-wait", pod(bad, { command, more })]);
    const messages = async (): Promise<string[]> =>
      Object.values((await status()).containers[0].probes)
        .map((p) => p.message)
        .sort();
    await until("both have failed", async () => (await messages()).every((message) => message !== ""));
    assert.deepEqual(await messages(), ["gRPC: the service says NOT_SERVING", "receive: timed out"]);
    await host.ok(["delete", "web"]);
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const server of [tls, rpc, drip]) server.close();
  }
});
