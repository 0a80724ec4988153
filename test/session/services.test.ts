// Services under a real systemd: connections spread over the ready pods, none lost while a pod restarts, and what status and delete say.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";

/** Much longer than any of it takes: a busy machine is no fault. */
const PATIENCE = 60_000;
const NODE = 31080;
const URL = `http://127.0.0.1:${NODE}/`;

let host: PodHost;
let spec: string;

before(async () => {
  host = await PodHost.start("srvsvc");
  spec = host.spec("web.yaml", [service(), webPod("one"), webPod("two")].join("---\n"));
});
after(() => host.stop());

const service = (more = ""): string => `apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
${more}  ports:
    - { port: 80, targetPort: page, nodePort: ${NODE} }
`;

const webPod = (name: string): string =>
  smallPod({ name, more: "      ports: [{ name: page, containerPort: 8080 }]\n" }).replace(
    "metadata: {",
    "metadata: { labels: { app: web },",
  );

/** Who answered, of so many requests one after the other. */
async function answers(count: number): Promise<string[]> {
  const ran = await host.run(["sh", "-c", `for i in $(seq ${count}); do curl --silent --fail --max-time 30 ${URL} || echo lost; done`], {
    timeout: PATIENCE,
  });
  return ran.stdout.trim().split("\n");
}

test("one apply starts pods and Service; connections go to both pods in turn", async () => {
  const applied = await host.podgen(["apply", spec]);
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /^service\/web created$/m);
  assert.deepEqual([...new Set(await answers(2))].length >= 1, true);
  await eventually("both answer", async () => new Set(await answers(4)).size === 2, PATIENCE);
  assert.deepEqual((await answers(8)).sort(), [...Array(4).fill("one"), ...Array(4).fill("two")]);
  assert.equal((await host.podgen(["diff", spec])).code, 0);
  const status = JSON.parse(await host.ok(["status", "-o", "json"]));
  assert.deepEqual(status.items.map((p: { name: string }) => p.name).sort(), ["one", "two"]);
  assert.deepEqual(status.services[0].ports, [`${NODE}->page/tcp`]);
  assert.deepEqual(status.services[0].pods, [
    { name: "one", ready: true },
    { name: "two", ready: true },
  ]);
});

test("a pod that is not up gets none; its restart, and the other's meanwhile, lose no connection", async () => {
  await host.ok(["stop", "two"]);
  assert.deepEqual([...new Set(await answers(6))], ["one"]);
  assert.match(await host.ok(["status"]), /web +NodePort .* 1\/2 +one,two \(not ready\)/);
  // Both are away for a moment.
  const during = answers(20);
  await host.ok(["restart", "one"]);
  await host.ok(["start", "two"]);
  const who = await during;
  assert.equal(who.length, 20);
  // One at a time: only what the ending server had taken itself can be lost, and it ends once.
  assert.ok(who.filter((name) => name === "lost").length <= 1, who.join(" "));
  await eventually("both answer again", async () => new Set(await answers(4)).size === 2, PATIENCE);
});

test("with no pod at all connections wait for the first one that comes", async () => {
  await host.ok(["stop", "one", "two"]);
  const waiting = answers(1);
  await host.ok(["start", "two"]);
  assert.deepEqual(await waiting, ["two"]);
  await host.ok(["start", "one"]);
});

test("a pod of a later apply joins, one that goes leaves, and the Service restarts for neither", async () => {
  const before = await host.incarnation(`podgen-svc-web__${NODE}-tcp.service`);
  const third = host.spec("three.yaml", webPod("three"));
  assert.match(await host.ok(["apply", third]), /^service\/web configured$/m);
  await eventually("all three answer", async () => new Set(await answers(6)).size === 3, PATIENCE);
  await host.ok(["delete", "three"]);
  assert.equal(new Set(await answers(6)).size, 2);
  assert.equal(await host.incarnation(`podgen-svc-web__${NODE}-tcp.service`), before);
  assert.equal((await host.podgen(["diff", spec])).code, 0);
});

test("sessionAffinity: a client comes to the same pod, and to the other one when that is away", async () => {
  const sticky = host.spec("web.yaml", [service("  sessionAffinity: ClientIP\n"), webPod("one"), webPod("two")].join("---\n"));
  await host.ok(["apply", sticky]);
  const [first = "", ...rest] = await answers(6);
  assert.deepEqual([...new Set(rest)], [first]);
  await host.ok(["stop", first]);
  assert.deepEqual([...new Set(await answers(3))], [first === "one" ? "two" : "one"]);
  await host.ok(["start", first]);
});

test("a LoadBalancer listens at its addresses alone, lets its ranges in alone, and knows pods that are not ready where it shall", async () => {
  const text = `apiVersion: v1
kind: Service
metadata: { name: edge }
spec:
  type: LoadBalancer
  clusterIP: ""
  selector: { app: web }
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv4]
  loadBalancerIP: 127.0.0.2
  externalIPs: [127.0.0.3]
  loadBalancerSourceRanges: [127.0.0.2/32, 10.0.0.0/8]
  publishNotReadyAddresses: true
  sessionAffinity: ClientIP
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } }
  ports: [{ port: 31081, targetPort: page }]
`;
  const applied = await host.podgen(["apply", host.spec("edge.yaml", text)]);
  assert.equal(applied.code, 0, applied.stderr);
  const get = async (from: string, to: string): Promise<string> => {
    const ran = await host.run(["curl", "--silent", "--fail", "--max-time", "30", "--interface", from, `http://${to}:31081/`]);
    return ran.code === 0 ? ran.stdout.trim() : "none";
  };
  for (const address of ["127.0.0.2", "127.0.0.3"]) assert.match(await get("127.0.0.2", address), /^(one|two)$/, address);
  assert.equal(await get("127.0.0.1", "127.0.0.2"), "none", "of no range");
  assert.equal(await get("127.0.0.2", "127.0.0.1"), "none", "nobody listens there");
  await host.ok(["delete", "service/edge"]);
});

test("a port that is taken is refused, by an installed Service too; deleting one leaves nothing of it", async () => {
  const other = host.spec("other.yaml", smallPod({ name: "other", port: NODE }));
  const refused = await host.podgen(["apply", other]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /published by the installed Service "web"/);
  assert.match(await host.ok(["delete", "service/web"]), /^service\/web deleted$/m);
  for (const place of [
    "systemd/user/podgen-svc-web__31080-tcp.socket",
    "systemd/user/sockets.target.wants/podgen-svc-web__31080-tcp.socket",
  ])
    assert.ok(!existsSync(`${host.session.home}/.config/${place}`), place);
  assert.ok(!existsSync(`${host.session.home}/.local/share/podgen/services`));
  assert.equal(await host.fetch(URL), undefined);
  await host.ok(["delete", "one", "two"]);
});

test("more than a handful at a time: apply --prune is refused without --yes, a watcher leaves them and says so", async () => {
  const service = (n: number): string =>
    `---\napiVersion: v1\nkind: Service\nmetadata: { name: many-${n} }\nspec: { type: NodePort, selector: { app: none }, ports: [{ port: ${31700 + n}, nodePort: ${31700 + n} }] }\n`;
  const stays = service(0);
  const all = [1, 2, 3, 4, 5, 6].map(service).join("");
  const spec = host.spec("many/all.yaml", stays + all);
  await host.ok(["apply", spec]);
  const folder = spec.replace(/\/[^/]*$/, "");
  host.spec("many/all.yaml", stays);
  const refused = await host.podgen(["apply", "--prune", spec]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /--prune would delete 6: Service "many-1".*\n {2}hint: --yes/);
  assert.equal((await host.podgen(["apply", "--yes", spec])).code, 64, "it says nothing alone");
  const looked = await host.podgen(["watch", "--once", "--prune", folder], { timeout: 60_000 });
  assert.match(looked.stderr, /more than 5 would go at a time, which --prune does with --yes alone/);
  assert.equal(await host.property("podgen-svc-many-6__31706-tcp.socket", "ActiveState"), "active");
  const pruned = await host.podgen(["watch", "--once", "--prune", "--yes", folder], { timeout: 60_000 });
  assert.match(pruned.stdout, /^service\/many-6 deleted/m, pruned.stderr);
  assert.equal(await host.property("podgen-svc-many-0__31700-tcp.socket", "ActiveState"), "active");
  await host.ok(["delete", "service/many-0"]);
});
