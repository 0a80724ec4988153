// The network of pods: out through pasta, in through published ports, names, and who sees whom.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { Host, hostImage } from "../lib/host.js";
import { pagePod } from "../lib/page-pod.js";
import { eventually } from "../lib/session.js";

const IMAGE = hostImage("busybox");
const UPLINK = "pod-net__uplink.service";

/** What stands beyond the uplink: pages that say who asks, and a name server that knows web.example.test. */
const SERVERS = `
require("node:http").createServer((q, r) => r.end(q.socket.remoteAddress + "\\n")).listen(8000, "::", () => console.log("ready"));
const dns = require("node:dgram").createSocket({ type: "udp6" });
dns.on("message", (query, from) => {
  // The question: labels up to an empty one, then type and class (RFC 1035, 4.1).
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  const name = query.subarray(12, end).toString("latin1").replace(/[\\x00-\\x3f]/g, ".").slice(1);
  const type = query.readUInt16BE(end + 1);
  const known = name === "web.example.test";
  const data = !known ? undefined : type === 1 ? [10, 99, 0, 1] : type === 28 ? [0xfd, 0x99, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,1] : undefined;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(data ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const answer = data ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data] : [];
  dns.send(Buffer.concat([header, query.subarray(12, end + 5), Buffer.from(answer)]), from.port, from.address);
}).bind(53, "::");
`;

const net = `
apiVersion: v1
kind: Pod
metadata: { name: net }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: server
      image: ${IMAGE}
      command: [sh, -c, "mkdir /page && echo inside > /page/index.html && exec httpd -f -p 8080 -h /page"]
      ports: [{ containerPort: 8080, hostPort: 18080 }]
    - name: client
      image: ${IMAGE}
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
---
apiVersion: v1
kind: Pod
metadata: { name: other }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: client
      image: ${IMAGE}
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
---
apiVersion: v1
kind: Pod
metadata: { name: hostnet }
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
    - name: server
      image: ${IMAGE}
      command: [sh, -c, "mkdir /page && echo on the host > /page/index.html && exec httpd -f -p 18090 -h /page"]
`;

let host: Host;
let servers: ChildProcess;
before(async () => {
  host = await Host.start("t-net");
  servers = spawn("ip", ["netns", "exec", host.upNamespace, process.execPath, "-e", SERVERS], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    servers.stdout?.once("data", resolve);
    servers.once("exit", (code) => reject(new Error(`the servers ended with ${code}`)));
  });
  await host.apply("net", net);
});
after(async () => {
  servers.kill("SIGKILL");
  await host.stop();
});

/** A page as a container gets it; undefined when it does not. */
async function wget(container: string, url: string): Promise<string | undefined> {
  // Not wget's own -T: this static busybox dies of it.
  const ran = await host.podgen(["exec", container, "--", "timeout", "5", "wget", "-q", "-O", "-", url]);
  return ran.code === 0 ? ran.stdout : undefined;
}

test("a pod reaches what is beyond the host's uplink, by IPv4 and by IPv6", async () => {
  await eventually("the uplink is there", async () => (await wget("net/client", "http://10.99.0.1:8000/")) !== undefined, 10_000);
  assert.equal(await wget("net/client", "http://10.99.0.1:8000/"), "::ffff:10.99.0.2\n");
  assert.equal(await wget("net/client", "http://[fd99::1]:8000/"), "fd99::2\n");
  assert.match(await host.property(UPLINK, "StatusText"), /^Connected by pasta$/);
});

test("a pod resolves names by the host's name server", async () => {
  assert.match((await host.run(["cat", "/etc/resolv.conf"])).stdout, /10\.99\.0\.1/);
  assert.match((await wget("net/client", "http://web.example.test:8000/")) ?? "", /10\.99\.0\.2|fd99::2/);
  const unknown = await host.podgen(["exec", "net/client", "--", "nslookup", "nobody.example.test"]);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stdout + unknown.stderr, /NXDOMAIN|can't find|can't resolve/);
  assert.match(await host.ok(["doctor"]), /^ok +names and uplink: .* answers from inside pod net$/m);
});

test("containers of a pod share localhost; pods do not, nor is the host's their own", async () => {
  assert.equal(await wget("net/client", "http://127.0.0.1:8080/"), "inside\n");
  assert.equal(await wget("net/client", "http://localhost:8080/"), "inside\n");
  assert.equal(await wget("other/client", "http://127.0.0.1:8080/"), undefined);
  assert.equal(await host.fetch("http://127.0.0.1:18090/"), "on the host\n");
  assert.equal(await wget("net/client", "http://127.0.0.1:18090/"), undefined);
});

test("a published port answers on the host and from outside, by IPv4 and by IPv6; the container's own does not", async () => {
  for (const url of ["http://127.0.0.1:18080/", "http://[::1]:18080/"]) assert.equal(await host.fetch(url), "inside\n", url);
  for (const url of ["http://10.99.0.2:18080/", "http://[fd99::2]:18080/"]) assert.equal(await host.fetch(url, "outside"), "inside\n", url);
  assert.equal(await host.fetch("http://127.0.0.1:8080/"), undefined);
});

test("a pod with hostNetwork is in the host's network", async () => {
  assert.match(await host.ok(["exec", "hostnet", "--", "ip", "address"]), /inet 10\.99\.0\.2\/24/);
  assert.equal(await wget("hostnet", "http://10.99.0.1:8000/"), "::ffff:10.99.0.2\n");
  assert.equal(await host.fetch("http://10.99.0.2:18090/", "outside"), "on the host\n");
  assert.deepEqual(
    [...(await host.units("pod-hostnet__uplink.service")).values()].map((unit) => unit.active),
    ["inactive"],
  );
});

test("a killed pasta is back within 5 s; the containers have not noticed", async (t) => {
  const before = await host.invocations("net");
  const { mainPid } = await host.unit(UPLINK);
  assert.equal((await host.run(["cat", `/proc/${mainPid}/comm`])).stdout.trim().replace(/\.\w+$/, ""), "pasta");
  await host.root(["kill", "-KILL", String(mainPid)]);
  const killed = performance.now();
  await eventually("another pasta", async () => ![0, mainPid].includes((await host.unit(UPLINK)).mainPid), 5000);
  const left = 5000 - (performance.now() - killed);
  await eventually("a way out", async () => (await wget("net/client", "http://10.99.0.1:8000/")) !== undefined, left);
  t.diagnostic(`a pod's way out was back ${Math.round(performance.now() - killed)} ms after kill -9 of pasta`);
  const now = await host.invocations("net");
  assert.notEqual(now[UPLINK], before[UPLINK]);
  assert.deepEqual({ ...now, [UPLINK]: "" }, { ...before, [UPLINK]: "" });
});

test("on a host without pasta a pod works, and podgen says what it has not", async () => {
  await host.root(["mv", "/usr/bin/pasta", "/usr/bin/pasta.away"]);
  const ran = await host.podgen(["apply", host.write("specs/alone.yaml", pagePod({ name: "alone", port: 18083 }))]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout, "pod/alone created\n");
  assert.match(ran.stderr, /warning: there is no pasta on this machine: .*reach nothing outside/);
  await host.answers("http://127.0.0.1:18083/", "page of alone\n", 5000);
  assert.equal(await wget("alone/log", "http://10.99.0.1:8000/"), undefined);
  assert.equal(await wget("alone/log", "http://127.0.0.1:8080/"), "page of alone\n");

  // A pod that was made while there was one starts without it as well, and says so.
  await host.ok(["restart", "net"]);
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), "inside\n");
  assert.match(await host.journal("--user-unit", UPLINK), /no uplink: pasta is not installed/);
  assert.match(await host.ok(["status", "net"]), /^Status: +Running$/m);
  assert.match(await host.ok(["doctor"]), /^warn +pasta .*not on PATH.*\n +mend: sudo apt install passt$/m);

  await host.root(["mv", "/usr/bin/pasta.away", "/usr/bin/pasta"]);
  await host.ok(["apply", `${host.home}/specs/alone.yaml`]);
  await eventually("a way out", async () => (await wget("alone/log", "http://10.99.0.1:8000/")) !== undefined, 10_000);
});
