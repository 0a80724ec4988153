// podgen.io/after and podgen.io/requires under a real systemd: who starts after whom, who stops before whom, and what a stop or a crash of one
// does to the other.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

/** Much longer than any of it takes: a busy machine is no fault. */
const PATIENCE = 60_000;

let host: PodHost;
let folder: string;
let spec: string;

before(async () => {
  host = await PodHost.start("srvorder");
  folder = `${host.session.home}/shared`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  spec = host.spec("order.yaml", [web(), migrate(), db()].join("---\n"));
});
after(() => host.stop());

interface Wanted {
  readonly name: string;
  readonly annotations?: string;
  readonly policy?: string;
  /** What it does between its first line in the log and its last. */
  readonly body: string;
  readonly inits?: string;
}

const log = (line: string): string => `echo ${line} >> /f/log`;
/** Runs until it is told to stop, and takes its time then. */
const serve = (name: string): string =>
  `trap '${log(`${name}-stops`)}; sleep 0.3; ${log(`${name}-ends`)}; exit 0' TERM; ${log(`${name}-starts`)}; while :; do sleep 3600 & wait $!; done`;

function pod({ name, annotations = "", policy = "Always", body, inits = "" }: Wanted): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, annotations: { ${annotations} } }
spec:
  restartPolicy: ${policy}
  terminationGracePeriodSeconds: 5
  volumes: [{ name: f, hostPath: { path: ${folder} } }]
${inits}  containers:
    - name: app
      image: ${image("busybox")}
      command: [sh, -c, "${body}"]
      volumeMounts: [{ name: f, mountPath: /f }]
`;
}

const web = (): string =>
  pod({ name: "web", annotations: 'podgen.io/after: "migrate:completed", podgen.io/requires: db', body: serve("web") });
const migrate = (): string =>
  pod({
    name: "migrate",
    annotations: "podgen.io/requires: db",
    policy: "OnFailure",
    body: `${log("migrate-starts")}; until [ -e /f/migrated ]; do sleep 0.05; done; ${log("migrate-ends")}`,
  });
/** Not ready before its init container lets it. */
const db = (): string =>
  pod({
    name: "db",
    body: serve("db"),
    inits: `  initContainers:
    - name: slow
      image: ${image("busybox")}
      command: [sh, -c, "until [ -e /f/go ]; do sleep 0.05; done"]
      volumeMounts: [{ name: f, mountPath: /f }]
`,
  });

const lines = (): string[] => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, "utf8").trim().split("\n") : []);
const touch = (name: string): void => writeFileSync(`${folder}/${name}`, "");
const forget = (): void => {
  for (const name of ["log", "go", "migrated"]) rmSync(`${folder}/${name}`, { force: true });
};
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> =>
  eventually(() => `${what}; so far: ${lines().join(" ")}`, probe, PATIENCE);
const state = (pod: string): Promise<string> => host.property(`pod-${pod}.service`, "ActiveState");
const systemctl = async (...words: string[]): Promise<void> => {
  const ran = await host.run(["systemctl", "--user", ...words], { timeout: PATIENCE });
  assert.equal(ran.code, 0, ran.stderr);
};

/** What status says of web. */
async function waiting(): Promise<readonly unknown[]> {
  const { phase, waitsFor } = JSON.parse((await host.podgen(["status", "web", "-o", "json"])).stdout).items[0];
  return [phase, waitsFor];
}

/** Lets the slow ones go on, each only when who waits for it could have started too early. */
async function comesUpInOrder(queued: boolean): Promise<void> {
  await until("the init container runs", async () => (await host.property("pod-db_slow.service", "ActiveState")) === "activating");
  if (queued) assert.deepEqual(await waiting(), ["Waiting", "pod db to be ready, pod migrate to be completed"]);
  assert.deepEqual(lines(), []);
  touch("go");
  await until("migrate runs", () => lines().includes("migrate-starts"));
  // db may still be at its first line: it counts as ready when it was started.
  await until("db runs", () => lines().includes("db-starts"));
  await until("web waits", async () => (await host.property("pod-web__gate.service", "StatusText")) !== "");
  assert.equal(await host.property("pod-web__gate.service", "StatusText"), "waits for pod migrate to be completed");
  assert.deepEqual(await waiting(), ["Waiting", "pod migrate to be completed"]);
  assert.ok(!lines().includes("web-starts"), lines().join(" "));
  touch("migrated");
  await until("web runs", () => lines().includes("web-starts"));
  assert.deepEqual(lines().slice(-2), ["migrate-ends", "web-starts"]);
  await until("web is ready", async () => (await state("web")) === "active");
}

test("apply starts pods in their order, whatever the order in the file", async () => {
  const applied = host.podgen(["apply", "--timeout", "100", spec]);
  await comesUpInOrder(false);
  const { code, stderr } = await applied;
  assert.equal(code, 0, stderr);
  assert.equal((await host.podgen(["diff", spec])).code, 0);
});

test("all stopped at once: who waits stops first, and the others only when it has ended", async () => {
  forget();
  await systemctl("stop", "pod-db.service", "pod-web.service", "pod-migrate.service");
  assert.deepEqual(lines(), ["web-stops", "web-ends", "db-stops", "db-ends"]);
  for (const pod of ["web", "db", "migrate"]) assert.equal(await state(pod), "inactive");
});

test("as at boot, started by default.target: the same order", async () => {
  forget();
  await systemctl("start", "--no-block", "default.target");
  await comesUpInOrder(true);
});

test("a container of a required pod that crashes disturbs nobody else; one that is stopped takes its dependants along, and they stop first", async () => {
  const before = await host.incarnation("pod-web_app.service");
  const dbBefore = await host.incarnation("pod-db_app.service");
  await systemctl("kill", "--signal=KILL", "pod-db_app.service");
  await until("db is back", async () => {
    const now = await host.incarnation("pod-db_app.service");
    return now !== dbBefore && !now.startsWith("0\n") && (await host.property("pod-db_app.service", "ActiveState")) === "active";
  });
  assert.equal(await host.incarnation("pod-web_app.service"), before);
  await until("db's shell hears signals", () => lines().filter((line) => line === "db-starts").length === 2);
  rmSync(`${folder}/log`);
  await systemctl("stop", "pod-db.service");
  assert.deepEqual(lines(), ["web-stops", "web-ends", "db-stops", "db-ends"]);
  assert.deepEqual([await state("web"), await state("migrate")], ["inactive", "inactive"]);
});

test("one pod started alone brings what it requires, and does not wait for what it is only after", async () => {
  forget();
  touch("go");
  await systemctl("start", "pod-web.service");
  assert.deepEqual([await state("web"), await state("db"), await state("migrate")], ["active", "active", "inactive"]);
  assert.deepEqual(lines().sort(), ["db-starts", "web-starts"]);
});

test("what is required is not deleted alone; both are, and nothing is left", async () => {
  const alone = await host.podgen(["delete", "db"]);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /pod "db" is required by pod "(web|migrate)", which stays/);
  forget();
  await host.ok(["delete", "-f", spec]);
  assert.deepEqual(lines(), ["web-stops", "web-ends", "db-stops", "db-ends"]);
});

test("what is waited for in vain is named, and a name that is not there", async () => {
  forget();
  touch("go");
  const late = await host.podgen(["apply", "--timeout", "3", spec]);
  assert.equal(late.code, 1, late.stdout + late.stderr);
  assert.match(late.stderr, /pod-web__gate\.service|web/);
  assert.match(late.stderr, /not started in time: it waits for pod migrate to be completed/);
  const alone = await host.podgen(["diff", host.spec("alone.yaml", web().replace("requires: db", "requires: dbx"))]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /there is no pod "dbx", neither here nor installed/);
});
