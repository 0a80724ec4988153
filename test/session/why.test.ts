// podgen why, of pods that are broken for a different reason each: it ends at that reason.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";

const PATIENCE = 30_000;

let host: PodHost;
before(async () => {
  host = await PodHost.start("txwhy");
  const exec = (probe: string, more = "") =>
    `      ${probe}: { exec: { command: [sh, -c, "echo sorry; exit 1"] }, periodSeconds: 1, failureThreshold: 1${more} }\n`;
  const requires = smallPod({ name: "waits" }).replace(
    "{ name: waits }",
    '{ name: waits, annotations: { podgen.io/requires: "unready:ready" } }',
  );
  const late = smallPod({ name: "late" }).replace("spec:\n", "spec:\n  activeDeadlineSeconds: 1\n");
  const init = smallPod({ name: "init" }).replace(
    "  containers:\n",
    `  initContainers: [{ name: prep, image: "${/image: (\S+)/.exec(smallPod({ name: "x" }))?.[1]}", command: [sh, -c, "echo no database; exit 4"] }]\n  containers:\n`,
  );
  const pods = [
    smallPod({ name: "fine" }),
    smallPod({ name: "crash", command: '[sh, -c, "echo out of luck; exit 3"]' }),
    smallPod({ name: "gone", command: "[/no/such/program]" }),
    smallPod({ name: "unready", more: exec("readinessProbe") }),
    smallPod({ name: "sick", more: exec("livenessProbe") }),
    requires,
    late,
    init,
  ];
  await host.ok(["apply", "--no-wait", ...pods.map((text, i) => host.spec(`${i}.yaml`, text))]);
});
after(() => host.stop());

/** Asks until it says so: crashes and probes take their time. */
const says = (pod: string, what: RegExp): Promise<string> => {
  let said = "";
  return eventually(
    () => `${what} in:\n${said}`,
    async () => {
      const ran = await host.podgen(["why", pod]);
      said = ran.stdout + ran.stderr;
      return what.test(ran.stdout) && ran.code === 3 ? ran.stdout : undefined;
    },
    PATIENCE,
  );
};

test("a pod that runs has none", async () => {
  await host.active("pod-fine.service", "active", PATIENCE);
  const ran = await host.podgen(["why", "fine"]);
  assert.deepEqual([ran.code, ran.stdout], [0, "pod fine is as it should be\n"]);
});

test("a crash loop: how it ended, its last words, where to look", async () => {
  const text = await says("crash", /CrashLoopBackOff[\s\S]*because it exited with status 3\n[\s\S]*\| out of luck\n/);
  assert.match(text, /next: podgen logs crash\/app/);
  await says("gone", /exited with status 127: its command is not in the image/);
});

test("probes: the one that holds it from being ready, and the one that has ended it", async () => {
  await says("unready", /container app runs and is not ready\n[\s\S]*its readiness probe has failed \d+ times in a row: .*sorry/);
  await says("sick", /because it [a-z ]+\S+\n[\s\S]*because its liveness probe has ended it: .*sorry/);
});

test("others first: an init container, a pod that it waits for and why that one is not ready, a deadline", async () => {
  await says("init", /init container prep: [\s\S]*exited with status 4[\s\S]*\| no database/);
  await says("waits", /pod waits is Waiting[\s\S]*it waits for pod unready[\s\S]*its readiness probe has failed/);
  await says("late", /it was ended: DeadlineExceeded/);
});

test("as JSON, and of a pod that is not there", async () => {
  const { items } = JSON.parse((await host.podgen(["why", "unready", "-o", "json"])).stdout);
  assert.equal(items[0].pod, "unready");
  assert.ok(items[0].causes.length >= 3);
  assert.equal((await host.podgen(["why", "nobody"])).code, 1);
});
