// Deployments and StatefulSets under a real systemd --user: pods come, change some at a time, go back when they fail, and go.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

let host: PodHost;
const busybox = image("busybox");
before(async () => {
  host = await PodHost.start("pgwork");
});
after(() => host.stop());

interface Wish {
  readonly kind?: string;
  readonly name?: string;
  readonly replicas?: number;
  /** A shell's command that goes on when it hears no SIGTERM. */
  readonly does?: string;
  /** More lines of the spec, indented by two. */
  readonly more?: string;
  /** More fields of the container. */
  readonly container?: string;
}

function workload({ kind = "Deployment", name = "web", replicas = 3, does = "sleep 3600", more = "", container = "" }: Wish): string {
  return `apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
${more}
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: app
          image: ${busybox}
          command: [sh, -c, "trap 'exit 0' TERM; ${does} & wait $!"]
${container.replace(/^/gm, "          ")}
`;
}

const apply = (wish: Wish, ...options: string[]) =>
  host.podgen(["apply", ...options, host.spec(`${wish.name ?? "web"}.yaml`, workload(wish))]);
const unit = (pod: string) => `pod-${pod}_app.service`;

/** Names of the pods whose main process lives, by what podrt says of them. */
function living(): string[] {
  const folder = `${host.session.runtime}/podgen/pods`;
  return (existsSync(folder) ? readdirSync(folder) : []).filter((pod) => {
    try {
      const { pid, startTime } = JSON.parse(readFileSync(`${folder}/${pod}/app/state.json`, "utf8"));
      return (
        readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ")[19] === startTime
      );
    } catch {
      return false;
    }
  });
}

/** Looks all the time while something is done: the fewest and the most pods that lived, and all that did. */
async function watched<T>(work: Promise<T>): Promise<{ result: T; fewest: number; most: number; names: Set<string> }> {
  const names = new Set<string>();
  let [fewest, most, busy] = [Number.POSITIVE_INFINITY, 0, true];
  const looking = (async () => {
    while (busy) {
      const now = living();
      for (const name of now) names.add(name);
      [fewest, most] = [Math.min(fewest, now.length), Math.max(most, now.length)];
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  const result = await work.finally(() => {
    busy = false;
  });
  await looking;
  return { result, fewest, most, names };
}

test("a Deployment makes its pods, which people find by its name", async () => {
  const ran = await apply({});
  assert.equal(ran.stdout, "pod/web-0 created\npod/web-1 created\npod/web-2 created\n", ran.stderr);
  const { items } = JSON.parse(await host.ok(["status", "web", "-o", "json"]));
  assert.deepEqual(
    items.map((p: { name: string; phase: string; owner: object }) => [p.name, p.phase, p.owner]),
    [0, 1, 2].map((index) => [`web-${index}`, "Running", { kind: "Deployment", name: "web", index }]),
  );
  assert.equal(
    (await host.run(["systemctl", "--user", "is-enabled", "pod-web-0.service", "pod-web-2.service"])).stdout,
    "enabled\nenabled\n",
  );
  const exec = await host.podgen(["exec", "deploy/web", "--", "hostname"]);
  assert.deepEqual([exec.stdout, exec.stderr], ["web-0\n", "podgen: deployment/web has 3 pods: this is web-0\n"]);
  assert.equal((await apply({}, "--detailed-exitcode")).code, 0);
});

test("a rolling update stands a pod in first: none of three is missing at any time, and the stand-in goes", async () => {
  const shown = await host.podgen(["diff", host.spec("web.yaml", workload({ does: "sleep 3601" }))]);
  assert.match(shown.stdout, /^deployment\/web in 5 steps\n {2}1\. web-3 up and ready, meanwhile\n {2}2\. web-0 up/m);
  const before = await Promise.all([0, 1, 2].map((i) => host.incarnation(unit(`web-${i}`))));
  const { result, fewest, most, names } = await watched(apply({ does: "sleep 3601" }));
  assert.equal(result.stdout, "pod/web-0 configured\npod/web-1 configured\npod/web-2 configured\n", result.stderr);
  assert.ok(fewest >= 3 && most === 4, `${fewest} to ${most}`);
  assert.ok(names.has("web-3"));
  const now = await Promise.all([0, 1, 2].map((i) => host.incarnation(unit(`web-${i}`))));
  assert.ok(now.every((incarnation, i) => incarnation !== before[i]));
  assert.equal(await host.property(unit("web-3"), "LoadState"), "not-found");
  assert.equal(existsSync(`${host.session.home}/.local/share/podgen/pods/web-3`), false);
});

test("an update that fails is put back whole, and the first that was to change is the only one that did", async () => {
  // Hopeless: it is not tried again.
  const wish = { does: "exit 126; :", more: "  strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }" };
  const before = await Promise.all([1, 2].map((i) => host.incarnation(unit(`web-${i}`))));
  const { result, fewest } = await watched(apply(wish));
  assert.equal(result.code, 3, result.stdout + result.stderr);
  assert.equal(result.stdout, "pod/web-0 rolled back\npod/web-1 rolled back\npod/web-2 rolled back\n");
  assert.match(result.stderr, /pod web-0, container app: exited with status 126/);
  assert.ok(fewest >= 2, `${fewest}`);
  assert.deepEqual(await Promise.all([1, 2].map((i) => host.incarnation(unit(`web-${i}`)))), before);
  assert.equal((await apply({ does: "sleep 3601" }, "--detailed-exitcode")).code, 0, "all is as it was");
});

test("fewer and more replicas: the others are not disturbed", async () => {
  const before = await host.incarnation(unit("web-0"));
  assert.equal((await apply({ does: "sleep 3601", replicas: 1 })).stdout, "pod/web-0 unchanged\npod/web-1 deleted\npod/web-2 deleted\n");
  assert.deepEqual(living(), ["web-0"]);
  assert.equal((await apply({ does: "sleep 3601", replicas: 2 })).stdout, "pod/web-0 unchanged\npod/web-1 created\n");
  assert.equal(await host.incarnation(unit("web-0")), before);
});

test("paused: the template waits, replicas do not", async () => {
  const before = await host.incarnation(unit("web-0"));
  const ran = await apply({ does: "sleep 3602", replicas: 1, more: "  paused: true" });
  assert.equal(ran.stdout, "pod/web-1 deleted\n");
  assert.match(ran.stderr, /^note: deployment\/web is paused: web-0 stays as before\n/);
  assert.equal(await host.incarnation(unit("web-0")), before);
});

test("Recreate: no new pod is there beside an old one", async () => {
  await apply({ does: "sleep 3602", replicas: 2 });
  const { result, fewest, most } = await watched(apply({ does: "sleep 3603", replicas: 2, more: "  strategy: { type: Recreate }" }));
  assert.equal(result.stdout, "pod/web-0 configured\npod/web-1 configured\n", result.stderr);
  assert.deepEqual([fewest, most], [0, 2]);
  const failed = await apply({ does: "exit 126; :", replicas: 2, more: "  strategy: { type: Recreate }" });
  assert.equal(failed.code, 3, failed.stderr);
  assert.deepEqual(living(), ["web-0", "web-1"]);
});

test("an apply that is killed in the middle of a rollout is mended by the next one", async () => {
  const wish = { does: "sleep 3604", replicas: 3, more: "  minReadySeconds: 30" };
  await apply({ does: "sleep 3603" });
  const spec = host.spec("web.yaml", workload(wish));
  const slow = host.run(["sh", "-c", `echo $$ > pid; exec ${DIST}/podgen apply "$0"`, spec], { timeout: 60_000 });
  await eventually("a stand-in", () => living().includes("web-3"), 30_000);
  process.kill(Number(readFileSync(`${host.session.home}/pid`, "utf8")), "SIGKILL");
  assert.equal((await slow).code, 137);
  const { result, fewest } = await watched(apply({ does: "sleep 3604", replicas: 3 }));
  assert.equal(result.code, 0, result.stderr);
  assert.ok(fewest >= 3, `${fewest}`);
  assert.deepEqual(living(), ["web-0", "web-1", "web-2"]);
});

test("minReadySeconds: a pod that does not stay up fails the rollout, in the time that it has", async () => {
  const wish = { does: "sleep 1", replicas: 3, more: "  minReadySeconds: 3\n  progressDeadlineSeconds: 4" };
  const { result, fewest } = await watched(apply(wish));
  assert.equal(result.code, 3, result.stdout + result.stderr);
  assert.match(result.stderr, /pod web-3, container app: was not up for 3 s without a break \(minReadySeconds\)/);
  assert.ok(fewest >= 3, `${fewest}`);
  assert.deepEqual(living(), ["web-0", "web-1", "web-2"]);
});

test("delete takes all pods of the workload, whatever number its file says", async () => {
  const file = host.spec("web.yaml", workload({ replicas: 1 }));
  assert.equal(await host.ok(["delete", "-f", file]), "pod/web-0 deleted\npod/web-1 deleted\npod/web-2 deleted\n");
  assert.deepEqual(living(), []);
  assert.match((await host.podgen(["delete", "deployment/web"])).stderr, /there is no deployment "web"/);
});

test("what makes no pods is remembered as far as it matters, and a Namespace's deletion says that it holds nothing", async () => {
  const secret =
    "{ apiVersion: v1, kind: Secret, metadata: { name: login }, type: kubernetes.io/dockerconfigjson, stringData: { .dockerconfigjson: '{\"auths\":{}}' } }";
  const account = "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: default }, imagePullSecrets: [{ name: login }] }";
  const file = host.spec("ns.yaml", `${secret}\n---\n${account}\n---\n{ apiVersion: v1, kind: Namespace, metadata: { name: prod } }\n`);
  await host.ok(["apply", file]);
  await apply({ replicas: 1 });
  const kept = await host.podgen(["delete", "-f", file]);
  assert.match(kept.stdout, /^secret\/login kept: pod web-0 refers to it\nserviceaccount\/default kept: pod web-0 refers to it$/m);
  assert.equal(kept.stderr, "note: namespace/prod holds nothing: names are unique per user here\n");
  assert.equal(await host.ok(["delete", "web"]), "pod/web-0 deleted\nsecret/login deleted\nserviceaccount/default deleted\n");
});

const SET = {
  kind: "StatefulSet",
  name: "db",
  replicas: 2,
  more: "  serviceName: db\n  volumeClaimTemplates:\n    - { metadata: { name: data }, spec: { accessModes: [ReadWriteOnce] } }",
  container: "volumeMounts: [{ name: data, mountPath: /data }]",
  does: "hostname >> /data/names; sleep 3600",
};

test("a StatefulSet starts one pod after the other, each with a claim of its own; updates go downwards", async () => {
  const started = (pod: string) => host.property(unit(pod), "ExecMainStartTimestampMonotonic").then(Number);
  await apply(SET);
  assert.ok((await started("db-0")) < (await started("db-1")));
  assert.match(await host.ok(["exec", "db-1", "--", "cat", "/data/names"]), /^db-1\n$/);
  const ran = await apply({ ...SET, does: `${SET.does}1` });
  assert.equal(ran.code, 0, ran.stderr);
  assert.ok((await started("db-0")) > (await started("db-1")));
});

test("a StatefulSet's order holds without podgen; claims stay when pods go", async () => {
  const pods = ["pod-db-1.service", "pod-db-0.service"];
  await host.run(["systemctl", "--user", "stop", ...pods], { timeout: 60_000 });
  // As at boot: all that default.target wants, in one transaction.
  assert.equal((await host.run(["systemctl", "--user", "start", "default.target"], { timeout: 60_000 })).code, 0);
  for (const pod of pods) await host.active(pod);
  const [first, second] = await Promise.all([0, 1].map((i) => host.property(unit(`db-${i}`), "ExecMainStartTimestampMonotonic")));
  assert.ok(Number(first) < Number(second));
  await host.ok(["delete", "sts/db"]);
  const claims = `${host.session.home}/.local/share/podgen/volumes`;
  assert.deepEqual(readdirSync(claims).sort(), ["data-db-0", "data-db-1"]);
  await apply({ ...SET, replicas: 1 });
  assert.match(await host.ok(["exec", "db-0", "--", "cat", "/data/names"]), /^(db-0\n){2,}$/);
  await host.ok(["delete", "db"]);
});

test("ordinals, partition and Parallel of a StatefulSet; matchExpressions; a pod that ends after its sleep", async () => {
  const more = "  ordinals: { start: 5 }\n  podManagementPolicy: Parallel\n  updateStrategy: { rollingUpdate: { partition: 6 } }\n";
  const policy = "  persistentVolumeClaimRetentionPolicy: { whenScaled: Retain, whenDeleted: Retain }";
  const container = "lifecycle: { preStop: { sleep: { seconds: 1 } } }";
  const spec = (does: string): string => {
    const text = workload({ kind: "StatefulSet", name: "nums", replicas: 2, does, more: more + policy, container });
    return host.spec(
      "nums.yaml",
      text.replace("matchLabels: { app: nums }", "matchExpressions: [{ key: app, operator: In, values: [nums, x] }]"),
    );
  };
  assert.equal(await host.ok(["apply", spec("sleep 3600")]), "pod/nums-5 created\npod/nums-6 created\n");
  assert.equal((await host.run(["systemctl", "--user", "list-dependencies", "--after", unit("nums-6")])).stdout.includes("nums-5"), false);
  const before = await host.incarnation(unit("nums-5"));
  const ran = await host.podgen(["apply", spec("sleep 3601")]);
  assert.equal(ran.stdout, "pod/nums-6 configured\n", ran.stderr);
  assert.match(ran.stderr, /^note: statefulset\/nums: nums-5 stays as before: partition is 6$/m);
  assert.equal(await host.incarnation(unit("nums-5")), before);
  const from = Date.now();
  await host.ok(["delete", "sts/nums"]);
  assert.ok(Date.now() - from >= 1000, "preStop has slept");
});

test("a DaemonSet has one pod; with OnDelete it is replaced when it was deleted", async () => {
  const spec = (does: string): string => {
    const text = workload({ kind: "DaemonSet", name: "agent", does, more: "  updateStrategy: { type: OnDelete }" });
    return host.spec("agent.yaml", text.replace("  replicas: 3\n", ""));
  };
  await host.ok(["apply", spec("sleep 3600")]);
  const kept = await host.podgen(["apply", spec("sleep 3601")]);
  assert.match(kept.stderr, /^note: daemonset\/agent: agent-0 stays as before: its updateStrategy is OnDelete/m);
  await host.ok(["delete", "agent-0"]);
  assert.equal(await host.ok(["apply", spec("sleep 3601")]), "pod/agent-0 created\n");
  assert.match(await host.ok(["exec", "agent", "--", "cat", "/proc/1/cmdline"]), /sleep 3601/);
  await host.ok(["delete", "ds/agent"]);
});

test("a ReplicationController has pods of its template's labels, which stay as they are; with none, apply says so", async () => {
  const spec = (replicas: number, does: string): string => {
    const text = workload({ kind: "ReplicationController", name: "old", does, replicas });
    return host.spec("old.yaml", text.replace("apps/v1", "v1").replace("  selector: { matchLabels: { app: old } }\n", ""));
  };
  await host.ok(["apply", spec(1, "sleep 3600")]);
  const kept = await host.podgen(["apply", spec(1, "sleep 3601")]);
  assert.match(kept.stderr, /^note: replicationcontroller\/old: old-0 stays as before: a ReplicationController never replaces pods/m);
  assert.match(await host.ok(["exec", "rc/old", "--", "cat", "/proc/1/cmdline"]), /sleep 3600/);
  const none = await host.podgen(["apply", spec(0, "sleep 3601")]);
  assert.equal(none.stdout, "pod/old-0 deleted\n", none.stderr);
  assert.match(none.stderr, /^note: replicationcontroller\/old has no pods: its replicas are 0$/m);
});
