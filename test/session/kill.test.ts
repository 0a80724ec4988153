// kill -9 of podgen's own processes, one at a time: their pod is whole again within 5 s, another one has not noticed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { processesOf, smallPod, unitsOf } from "../lib/small-pod.js";

const WHOLE_AGAIN = 5000;
const ONE = { name: "one", port: 18241 };
const TWO = { name: "two", port: 18242 };
const PAUSE = "podgen-pause.service";
const APP = "pod-one_app.service";
const INFRA = "pod-one__infra.service";
const UPLINK = "pod-one__uplink.service";
const FORWARD = "pod-one__18241-tcp.service";
const SERVICES = [APP, INFRA, UPLINK, FORWARD];
const url = ({ port }: { port: number }) => `http://127.0.0.1:${port}/`;

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgkill");
  await host.ok(["apply", host.spec("one.yaml", smallPod(ONE)), host.spec("two.yaml", smallPod(TWO))]);
  // The forwarders start with their first connection.
  assert.equal(await host.fetch(url(ONE)), "one\n");
  assert.equal(await host.fetch(url(TWO)), "two\n");
});
after(() => host.stop());

/** InvocationID of units, by name: another one after every start. */
async function invocations(units: readonly string[]): Promise<Record<string, string>> {
  const shown = await host.run(["systemctl", "--user", "show", "-p", "Id", "-p", "InvocationID", ...units]);
  const blocks = shown.stdout.trim().split("\n\n");
  return Object.fromEntries(blocks.map((b) => [/^Id=(.*)$/m.exec(b)?.[1] ?? "", /^InvocationID=(.*)$/m.exec(b)?.[1] ?? ""]));
}
const neighbours = () => invocations(SERVICES.map((unit) => unit.replace("one", "two").replace("18241", "18242")));

/** Every service of the pod runs, and none of them is one of the dead. */
async function whole(dead: ReadonlySet<number>): Promise<boolean> {
  const states = await Promise.all(
    [...SERVICES, PAUSE].map(async (unit) => [await host.property(unit, "ActiveState"), await host.mainPid(unit)] as const),
  );
  return states.every(([state, pid]) => state === "active" && pid > 0 && !dead.has(pid));
}

/** Kills the units' main processes and awaits that the pod is whole and answers; milliseconds that took. */
async function killAndMend(units: readonly string[]): Promise<number> {
  const before = await invocations(units);
  const dead = new Set(await Promise.all(units.map((unit) => host.mainPid(unit))));
  for (const pid of dead) process.kill(pid, "SIGKILL");
  const killed = performance.now();
  const left = () => WHOLE_AGAIN - (performance.now() - killed);
  for (const unit of units)
    await eventually(
      `${unit} is started anew`,
      async () => {
        // A connection is what starts a forwarder that was stopped along with infra.
        await host.fetch(url(ONE));
        return (await invocations([unit]))[unit] !== before[unit];
      },
      left(),
    );
  await eventually("the pod answers", async () => (await host.fetch(url(ONE))) === "one\n", left());
  await eventually("pod one is whole", () => whole(dead), left());
  return Math.round(performance.now() - killed);
}

/** Unit whose process is killed, and the services of the pod that go on. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["the forwarder", FORWARD, [APP, INFRA, UPLINK]],
  ["pasta", UPLINK, [APP, INFRA, FORWARD]],
  ["the pause process", PAUSE, SERVICES],
  ["a container", APP, [INFRA, UPLINK, FORWARD]],
  ["infra, which is the relay too", INFRA, [APP, UPLINK, FORWARD]],
];

for (const [what, unit, undisturbed] of CASES)
  test(`kill -9 of ${what}`, async (t) => {
    const [others, own] = [await neighbours(), await invocations(undisturbed)];
    t.diagnostic(`whole again after ${await killAndMend([unit])} ms`);
    // pasta looks every second whether the process by which it found its namespace is still there.
    if (unit === INFRA) await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual(await invocations(undisturbed), own);
    assert.deepEqual(await neighbours(), others);
    assert.equal(await host.fetch(url(TWO)), "two\n");
  });

test("kill -9 of infra and the pause process together: new containers share the namespace of those that run", async (t) => {
  const others = await neighbours();
  t.diagnostic(`whole again after ${await killAndMend([PAUSE, INFRA])} ms`);
  assert.deepEqual(await neighbours(), others);
  const namespaces = await Promise.all(
    [APP, "pod-two_app.service", PAUSE].map(
      async (unit) => (await host.run(["readlink", `/proc/${await host.mainPid(unit)}/ns/user`])).stdout,
    ),
  );
  assert.equal(new Set(namespaces).size, 1, namespaces.join(""));
});

test("kill -9 of infra again and again: no start limit ends it", async () => {
  for (let i = 0; i < 4; i++) await killAndMend([INFRA]);
});

test("kill -9 of infra while an init container is at work: the pod comes up all the same", async () => {
  const app = smallPod({ name: "three" });
  const reference = /image: (\S+)/.exec(app)?.[1] ?? "";
  const init = `  initContainers: [{ name: prep, image: "${reference}", command: [sh, -c, "trap exit TERM; sleep 2 & wait $!"] }]\n`;
  await host.ok(["apply", host.spec("three.yaml", app.replace("  containers:\n", `${init}  containers:\n`))]);
  await host.ok(["stop", "three"]);
  const start = host.podgen(["start", "three"]);
  await host.active("pod-three_prep.service", "activating");
  process.kill(await host.mainPid("pod-three__infra.service"), "SIGKILL");
  assert.equal((await start).code, 0);
  await host.active("pod-three_app.service", "active", WHOLE_AGAIN);
  assert.equal(JSON.parse(await host.ok(["status", "three", "-o", "json"])).items[0].phase, "Running");
  await host.ok(["delete", "three"]);
});

test("what was killed needs no apply, and delete finds all of it", async () => {
  const files = ["one", "two"].map((name) => `${host.session.home}/specs/${name}.yaml`);
  assert.equal(await host.ok(["apply", ...files]), "pod/one unchanged\npod/two unchanged\n");
  await host.ok(["delete", "one", "two"]);
  assert.deepEqual(await unitsOf(host), []);
  await eventually("no process is left", async () => (await processesOf(host)) === "");
});
