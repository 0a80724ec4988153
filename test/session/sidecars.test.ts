// Init containers, sidecars and restart policies of containers' own: who starts when, who is started again, and when a pod is done.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

const PATIENCE = 60_000;

let host: PodHost;
let folder: string;

before(async () => {
  host = await PodHost.start("sidecars");
  folder = `${host.session.home}/notes`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
});
after(() => host.stop());

/** Notes begin and end, and ends when told to: by SIGTERM, or by a file. */
const service = (name: string): string =>
  `note ${name}; trap 'sleep 0.2; note ${name} ended; exit 0' TERM; while [ ! -e /notes/${name}.end ]; do sleep 0.05; done; note ${name} done`;

interface Wanted {
  readonly name: string;
  readonly script: string;
  /** Fields of the container. */
  readonly more?: string;
}

function container({ name, script, more = "" }: Wanted): string {
  return `    - name: ${name}
      image: ${image("busybox")}
      command: [sh, -c, ${JSON.stringify(`note() { echo $* >> /notes/log; }; ${script}`)}]
      volumeMounts: [{ name: notes, mountPath: /notes }]
${more}`;
}

function pod(policy: string, inits: readonly Wanted[], mains: readonly Wanted[], more = ""): string {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  return host.spec(
    "row.yaml",
    `apiVersion: v1
kind: Pod
metadata: { name: row }
spec:
  restartPolicy: ${policy}
  terminationGracePeriodSeconds: 5
${more}  initContainers:
${inits.map(container).join("")}  containers:
${mains.map(container).join("")}  volumes: [{ name: notes, hostPath: { path: ${folder} } }]
`,
  );
}

const SIDECAR = "      restartPolicy: Always\n";
const unit = (name: string): string => `pod-row_${name}.service`;
const notes = (): string[] => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, "utf8").trim().split("\n") : []);
const tell = (name: string): void => writeFileSync(`${folder}/${name}`, "");
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> =>
  eventually(() => `${what}; notes: ${notes().join(", ")}`, probe, PATIENCE);
const noted = (note: string): Promise<unknown> => until(`"${note}" is noted`, () => notes().includes(note));

test("sidecars start among the init containers, go on beside the others, end after them in reverse order, and are started again", async () => {
  const slow = `${SIDECAR}      lifecycle: { postStart: { exec: { command: [sh, -c, "while [ ! -e /notes/go ]; do sleep 0.05; done; echo hooked >> /notes/log"] } } }\n`;
  const inits = [
    { name: "first", script: "note first" },
    { name: "one", script: service("one"), more: slow },
    { name: "second", script: "note second" },
    { name: "two", script: service("two"), more: SIDECAR },
  ];
  const apply = host.podgen(["apply", pod("Always", inits, [{ name: "main", script: service("main") }])]);
  await noted("one");
  assert.equal(await Promise.race([apply, "waits"]), "waits");
  assert.deepEqual(notes(), ["first", "one"]);
  tell("go");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);
  await noted("main");
  assert.deepEqual(notes(), ["first", "one", "hooked", "second", "two", "main"]);
  const shown = await host.ok(["status", "row"]);
  assert.match(shown, /Ready: +3\/3/);
  assert.match(shown, /^one \(sidecar\) +Running/m);
  assert.match(shown, /^first \(init\) +Completed/m);

  // What it does is its own affair: neither init containers nor others are started anew.
  const main = await host.incarnation(unit("main"));
  tell("one.end");
  await noted("one done");
  rmSync(`${folder}/one.end`);
  await until("it is back", () => notes().filter((n) => n === "one").length === 2);
  assert.equal(await host.incarnation(unit("main")), main);
  await host.active(unit("one"), "active", PATIENCE);

  await host.ok(["stop", "row"]);
  assert.deepEqual(notes().slice(-3), ["main ended", "two ended", "one ended"]);
  await host.ok(["delete", "row"]);
});

test("all of a pod has one grace: sidecars stop with what the others have left of it, which is two seconds at least", async () => {
  const deaf = (name: string): string => `trap '' TERM; note ${name}; while :; do sleep 0.05; done`;
  const inits = [
    { name: "side", script: deaf("side"), more: SIDECAR },
    {
      name: "patient",
      script: `trap 'note told; sleep 0.5; note ended; exit 0' TERM; note patient; while :; do sleep 0.05; done`,
      more: SIDECAR,
    },
  ];
  const spec = pod("Always", inits, [{ name: "main", script: deaf("main") }]);
  writeFileSync(spec, readFileSync(spec, "utf8").replace("GracePeriodSeconds: 5", "GracePeriodSeconds: 3"));
  await host.ok(["apply", spec]);
  await noted("main");
  await host.ok(["stop", "row"]);
  assert.deepEqual(notes().slice(-2), ["told", "ended"], "late as it is, nobody is killed at once");
  assert.match(await host.log(unit("side")), /podrt: hook: warning: stop: it has not ended within the 2 s that were left of 3; killing it/);
  for (const name of ["side", "main"]) assert.notEqual(await host.property(unit(name), "ActiveState"), "active");
  await host.ok(["delete", "row"]);
});

test("a pod is done when its containers are: its sidecars end then, and an apply of the same leaves it alone", async () => {
  const inits = [
    { name: "side", script: service("side"), more: SIDECAR },
    { name: "prep", script: "note prep" },
  ];
  const mains = [
    { name: "quick", script: "note quick" },
    { name: "main", script: service("main") },
  ];
  const spec = pod("OnFailure", inits, mains);
  await host.ok(["apply", spec]);
  await noted("main");
  await host.active(unit("quick"), "inactive", PATIENCE);
  assert.equal(await host.property(unit("side"), "ActiveState"), "active");
  // A restart that somebody asks for is no end of its own.
  await host.ok(["restart", "row/main"]);
  await until("it runs again", () => notes().filter((n) => n === "main").length === 2);
  assert.equal(await host.property(unit("side"), "ActiveState"), "active");

  tell("main.end");
  await host.active(unit("main"), "inactive", PATIENCE);
  await noted("side ended");
  await host.active(unit("side"), "inactive", PATIENCE);
  const shown = JSON.parse(await host.ok(["status", "row", "-o", "json"])).items[0];
  assert.deepEqual(
    [shown.phase, shown.containers.map((c: { phase: string }) => c.phase)],
    ["Succeeded", ["Completed", "Completed", "Completed", "Completed"]],
  ); // prettier-ignore
  assert.equal(await host.ok(["apply", spec]), "pod/row unchanged\n");
  assert.equal(notes().filter((n) => n === "side").length, 1);

  rmSync(`${folder}/main.end`);
  await host.ok(["restart", "row"]);
  await until("all of it runs again", () => notes().filter((n) => n === "main").length === 3);
  assert.equal(await host.property(unit("side"), "ActiveState"), "active");
  await host.ok(["delete", "row"]);
});

test("with restartPolicy Never an init container that fails is the end of the pod, and apply says so", async () => {
  const inits = [
    { name: "side", script: service("side"), more: SIDECAR },
    { name: "prep", script: "note prep; exit 3" },
  ];
  const spec = pod("Never", inits, [{ name: "main", script: service("main") }]);
  const failed = await host.podgen(["apply", spec]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /container prep: exited with status 3$/m);
  assert.deepEqual(notes(), ["side", "prep", "side ended"]);

  await host.podgen(["apply", "--no-wait", spec]);
  await host.active("pod-row.service", "inactive", PATIENCE);
  await host.active("pod-row__infra.service", "inactive", PATIENCE);
  assert.match(await host.podgen(["status", "row"]).then((r) => r.stdout), /Status: +Failed/);
  assert.equal(notes().filter((n) => n === "prep").length, 2);
  assert.ok(!notes().includes("main"));
  await host.ok(["delete", "row"]);
});

test("rules by exit code: of a container and of an init container, by status and by signal; then the container's own policy", async () => {
  const count = "n=$(cat /notes/$0.n 2> /dev/null || echo 0); echo $((n + 1)) > /notes/$0.n; note $0 $n";
  const rules = (codes: string): string =>
    `      restartPolicy: Never\n      restartPolicyRules: [{ action: Restart, exitCodes: { operator: In, values: [${codes}] } }]\n`;
  const named = (name: string, script: string): string => script.replaceAll("$0", name);
  const inits = [{ name: "prep", script: named("prep", `${count}; [ $n = 1 ] || exit 42`), more: rules("42") }];
  const mains = [
    { name: "one", script: named("one", `${count}; [ $n = 0 ] && kill -KILL $$ || exit 7`), more: rules("137") },
    { name: "two", script: named("two", `${count}; exit 5`), more: "      restartPolicy: Never\n" },
  ];
  await host.podgen(["apply", "--no-wait", pod("Always", inits, mains)]);
  await host.active(unit("one"), "failed", PATIENCE);
  await host.active(unit("two"), "failed", PATIENCE);
  assert.deepEqual(notes().sort(), ["one 0", "prep 0", "prep 1", "two 0"].concat(notes().filter((n) => n === "one 1")).sort());
  assert.equal(await host.property(unit("prep"), "ActiveState"), "active");
  await host.ok(["delete", "row"]);
});

test("activeDeadlineSeconds counts from the pod's start, through restarts of its containers; a pod that is done has met it", async () => {
  const deadline = "  activeDeadlineSeconds: 4\n";
  const mains = [{ name: "main", script: "note main; sleep 0.5; exit 1" }];
  const spec = pod("Always", [{ name: "side", script: service("side"), more: SIDECAR }], mains, deadline);
  await host.podgen(["apply", "--no-wait", spec]);
  await until("it was restarted", () => notes().filter((n) => n === "main").length >= 2);
  await noted("side ended");
  await host.active("pod-row.service", "inactive", PATIENCE);
  const status = await host.podgen(["status", "row", "-o", "json"]);
  const [shown] = JSON.parse(status.stdout).items;
  assert.deepEqual([status.code, shown.phase, shown.reason], [3, "Failed", "DeadlineExceeded"]);
  assert.match(await host.log("pod-row.service"), /DeadlineExceeded: pod row was active for longer than its 4 s; stopping it/);
  // A start begins anew.
  await host.ok(["start", "row"]).catch(() => undefined);
  assert.doesNotMatch((await host.podgen(["status", "row"])).stdout, /DeadlineExceeded/);
  await host.ok(["delete", "row"]);

  await host.ok([
    "apply",
    pod("Never", [{ name: "prep", script: "true" }], [{ name: "main", script: "note main" }], "  activeDeadlineSeconds: 1\n"),
  ]);
  await host.active(unit("main"), "inactive", PATIENCE);
  await until("its deadline has passed", async () => (await host.property("pod-row__deadline.timer", "SubState")) !== "waiting");
  await host.active("pod-row__deadline.service", "inactive", PATIENCE);
  assert.match(await host.ok(["status", "row"]), /Status: +Succeeded$/m);
  await host.ok(["delete", "row"]);
});

test("a sidecar whose readiness needs a main container holds nothing back: what follows waits for its start alone", async () => {
  const probe = `${SIDECAR}      readinessProbe: { exec: { command: [test, -e, /notes/go] }, periodSeconds: 1 }\n`;
  const spec = pod(
    "Always",
    [{ name: "aid", script: "sleep 1000", more: probe }],
    [{ name: "main", script: "touch /notes/go; sleep 1000" }],
  );
  const applied = await host.podgen(["apply", spec]);
  assert.equal(applied.code, 0, applied.stderr);
  assert.equal(await host.property(unit("main"), "ActiveState"), "active");
  await host.ok(["delete", "row"]);
});
