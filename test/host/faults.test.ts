// One process of podgen's is killed at a time: its pod is whole again within 5 s, its neighbour has not noticed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, hostImage } from "../lib/host.js";
import { pagePod } from "../lib/page-pod.js";
import { eventually } from "../lib/session.js";

const WHOLE_AGAIN = 5000;
const ONE = { name: "one", port: 18081 };
const TWO = { name: "two", port: 18082 };
const url = (pod: { port: number }) => `http://127.0.0.1:${pod.port}/`;

let host: Host;
before(async () => {
  host = await Host.start("t-faults");
  host.write("specs/one.yaml", pagePod(ONE));
  await host.ok(["apply", `${host.home}/specs/one.yaml`, host.write("specs/two.yaml", pagePod(TWO))]);
  // The forwarders start with their first connection.
  await host.answers(url(ONE), "page of one\n", WHOLE_AGAIN);
  await host.answers(url(TWO), "page of two\n", WHOLE_AGAIN);
});
after(() => host.stop());

test("a second apply finds nothing to do, and nothing is waiting for a reload", async () => {
  assert.equal(await host.ok(["apply", `${host.home}/specs`]), "pod/one unchanged\npod/two unchanged\n");
  assert.equal(await host.property("pod-one_app.service", "NeedDaemonReload"), "no");
});

/** Every service of the pod is active, and none is the one with this main process. */
async function whole(pod: string, dead: number): Promise<boolean> {
  const units = await host.units(`pod-${pod}.service`, `pod-${pod}_*`);
  const names = [...units.keys()].sort();
  assert.ok(names.includes(`pod-${pod}_app.service`) && names.includes(`pod-${pod}_log.service`), `${pod} has ${names.join(", ")}`);
  return [...units.values()].every((unit) => unit.active === "active" && unit.mainPid !== dead);
}

interface Case {
  readonly what: string;
  readonly unit: string;
  /** Services of the pod `one` that go on as they were. */
  readonly undisturbed: readonly string[];
}

const APP = "pod-one_app.service";
const LOG = "pod-one_log.service";
const INFRA = "pod-one__infra.service";
const UPLINK = "pod-one__uplink.service";
const FORWARD = "pod-one__18081-tcp.service";

const CASES: readonly Case[] = [
  { what: "a container", unit: APP, undisturbed: [LOG, INFRA, UPLINK, FORWARD] },
  { what: "the forwarder", unit: FORWARD, undisturbed: [APP, LOG, INFRA, UPLINK] },
  { what: "pasta", unit: UPLINK, undisturbed: [APP, LOG, INFRA, FORWARD] },
  { what: "infra, which is the relay too", unit: INFRA, undisturbed: [APP, LOG, UPLINK, FORWARD] },
  { what: "the pause process", unit: "podgen-pause.service", undisturbed: [APP, LOG, INFRA, UPLINK, FORWARD] },
];

for (const { what, unit, undisturbed } of CASES)
  test(`kill -9 of ${what}`, async (t) => {
    const neighbour = await host.invocations("two");
    const before = await host.invocations("one");
    const { mainPid, invocation } = await host.unit(unit);
    assert.ok(mainPid > 0, `${unit} has no main process`);
    await host.root(["kill", "-KILL", String(mainPid)]);
    const killed = performance.now();
    await eventually(`a new ${unit}`, async () => (await host.unit(unit)).invocation !== invocation, WHOLE_AGAIN);
    await eventually("pod one is whole", () => whole("one", mainPid), WHOLE_AGAIN - (performance.now() - killed));
    await host.answers(url(ONE), "page of one\n", WHOLE_AGAIN - (performance.now() - killed));
    t.diagnostic(`whole again ${Math.round(performance.now() - killed)} ms after kill -9 of ${what}`);

    // pasta looks every second whether the process by which it found its namespace is still there.
    if (unit === INFRA) await new Promise((resolve) => setTimeout(resolve, 2500));
    const now = await host.invocations("one");
    for (const name of undisturbed) assert.equal(now[name], before[name], `${name} was restarted`);
    assert.deepEqual(await host.invocations("two"), neighbour, "the neighbour's units");
    assert.equal(await host.fetch(url(TWO)), "page of two\n");
  });

test("after the death of infra the containers' lines are in the journal", async () => {
  const beats = async () => (await host.ok(["logs", "one/log"])).split("\n").filter((line) => line === "beat").length;
  const before = await beats();
  for (let i = 1; i <= 3; i++) {
    const { mainPid } = await host.unit(INFRA);
    await host.root(["kill", "-KILL", String(mainPid)]);
    await host.ok(["exec", "one/log", "--", "sh", "-c", "echo beat > /proc/1/fd/1"]);
    await eventually("pod one is whole", () => whole("one", mainPid), WHOLE_AGAIN);
    await eventually("one beat more", async () => (await beats()) === before + i, WHOLE_AGAIN);
  }
});

test("a burst of lines is in the journal of this systemd, whole and in order", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `line ${i + 1}`);
  await host.apply(
    "burst",
    `apiVersion: v1
kind: Pod
metadata: { name: burst }
spec:
  restartPolicy: Never
  containers:
    - name: app
      image: ${hostImage("busybox")}
      command: [sh, -c, "i=0; while [ $((i += 1)) -le 3000 ]; do echo line $i; done"]
`,
  );
  const found = async () => (await host.ok(["logs", "burst"])).trim().split("\n");
  await eventually("3000 lines", async () => (await found()).length >= lines.length, WHOLE_AGAIN);
  assert.deepEqual(await found(), lines);
  await host.ok(["delete", "burst"]);
});

test("after delete no process of podgen's and no pasta is left", async () => {
  await host.ok(["delete", "one", "two"]);
  const left = await host.run(["pgrep", "--list-full", "--euid", "alice", "podrt|pasta"]);
  assert.equal(left.stdout, "");
  // What ran in the pods had other ids than alice's.
  assert.equal((await host.run(["pgrep", "--list-full", "httpd"])).stdout, "");
  assert.deepEqual([...(await host.units("pod-*", "podgen-*")).keys()], []);
});
