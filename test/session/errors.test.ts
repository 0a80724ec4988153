// Containers that do not come up: what is said of them, which exit code it gives, and that what ran before runs again.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PodHost } from "../lib/pods.js";
import { eventually, execute } from "../lib/session.js";
import { installedFiles, ownFolders, processesOf, smallPod, unitsOf } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgerrors");
});
after(() => host.stop());

const SECRET = "s3cret-hunter2";
/** Objects that the container `app` uses, as a file and as a variable. */
const objects = (page: string, password = SECRET) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: "${page}\\n" }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${password} }
`;
const uses = `      env:
        - { name: PASSWORD, valueFrom: { secretKeyRef: { name: login, key: password } } }
        - { name: PAGE, valueFrom: { configMapKeyRef: { name: page, key: index.html } } }
      volumeMounts: [{ name: login, mountPath: /login }]
    - name: neighbour
      image: IMAGE
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
  volumes: [{ name: login, secret: { secretName: login } }]
`;
function web(page: string, command?: string, port = 18221, password = SECRET): string {
  const text = smallPod({ name: "web", port, page, ...(command === undefined ? {} : { command }), more: uses });
  const reference = /image: (\S+)/.exec(text)?.[1] ?? "";
  return text.replace("image: IMAGE", `image: ${reference}`) + objects(page, password);
}

/** What the container `app` is, and what is said of it. */
const HOPELESS: readonly (readonly [string, string, RegExp])[] = [
  [
    "an entrypoint that is not there",
    "[/no/such/program]",
    /^error: pod web, container app: exited with status 127\n {2}its last lines:\n(?: {4}\| .*\n)* {4}\| .*\/no\/such\/program.*not found.*\n {2}next: journalctl --user-unit pod-web_app\.service$/m,
  ],
  [
    "an entrypoint that cannot be executed",
    "[/etc/passwd]",
    /^error: pod web, container app: exited with status 126\n {2}its last lines:\n(?: {4}\| .*\n)* {4}\| .*\/etc\/passwd.*\n {2}next: /m,
  ],
];

for (const [what, command, report] of HOPELESS)
  test(`${what}, in the first pod ever: reported, and nothing is left`, async () => {
    const ran = await host.podgen(["apply", host.spec("web.yaml", web("first", command))]);
    assert.equal(ran.code, 1, ran.stdout + ran.stderr);
    assert.equal(ran.stdout, "pod/web failed\n");
    assert.match(ran.stderr, report);
    const { home } = host.session;
    const files = Object.keys(installedFiles(home)).filter((path) => !/\/podgen\/bin\/|\/manifest\.json$/.test(path));
    assert.deepEqual(files, []);
    assert.deepEqual(JSON.parse(readFileSync(`${ownFolders(home).state}/manifest.json`, "utf8")), { version: 1, pods: {}, objects: {} });
    assert.deepEqual(await unitsOf(host), []);
    assert.equal(await processesOf(host), "");
  });

test("containers that end at once, by restart policy", async () => {
  const ends = (name: string, policy: "Always" | "OnFailure" | "Never", status: number) =>
    smallPod({ name, policy, command: `[sh, -c, "echo says ${name}; exit ${status}"]` });
  const text = [
    ends("always0", "Always", 0),
    ends("always3", "Always", 3),
    ends("onfailure0", "OnFailure", 0),
    ends("onfailure3", "OnFailure", 3),
    ends("never0", "Never", 0),
    ends("never3", "Never", 3),
  ].join("---\n");
  const ran = await host.podgen(["apply", "-o", "json", host.spec("ends.yaml", text)]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  const report = JSON.parse(ran.stdout);
  assert.equal(report.exitCode, 1);
  const said = Object.fromEntries(
    report.pods.map((pod: { name: string; outcome: string; failures: { exitCode?: number; reason: string; lastLines: string[] }[] }) => [
      pod.name,
      [pod.outcome, ...pod.failures.map((f) => [f.exitCode, f.reason, ...new Set(f.lastLines)])],
    ]),
  );
  assert.deepEqual(said, {
    always0: ["failed", [0, "exited with status 0, 3 times in a row", "says always0"]],
    always3: ["failed", [3, "exited with status 3, 3 times in a row", "says always3"]],
    onfailure0: ["created"],
    onfailure3: ["failed", [3, "exited with status 3, 3 times in a row", "says onfailure3"]],
    never0: ["created"],
    never3: ["failed", [3, "exited with status 3", "says never3"]],
  });
  assert.match(ran.stderr, /^error: pod never3, container app: exited with status 3\n {2}its last lines:\n {4}\| says never3\n/m);
  const pods = JSON.parse(await host.ok(["status", "-o", "json"])).items.map((p: { name: string; phase: string }) => [p.name, p.phase]);
  assert.deepEqual(pods, [
    ["never0", "Succeeded"],
    ["onfailure0", "Succeeded"],
  ]);
  assert.deepEqual(
    (await unitsOf(host)).filter((unit) => /always|never3|failure3|failed/.test(unit)),
    [],
  );
  const again = await host.podgen([
    "apply",
    host.spec("ends.yaml", [ends("never0", "Never", 0), ends("onfailure0", "OnFailure", 0)].join("---\n")),
  ]);
  assert.deepEqual([again.code, again.stdout], [0, "pod/never0 unchanged\npod/onfailure0 unchanged\n"]);
  await host.ok(["delete", "never0", "onfailure0"]);
});

test("a change that fails is taken back: the files byte for byte, the pod as it ran", async () => {
  await host.ok(["apply", host.spec("web.yaml", web("old"))]);
  assert.equal(await host.fetch("http://127.0.0.1:18221/"), "old\n");
  const before = installedFiles(host.session.home);
  const units = (await unitsOf(host)).filter((u) => !u.includes("-tcp.service"));
  const neighbour = await host.incarnation("pod-web_neighbour.service");
  for (const [what, command, report] of HOPELESS) {
    // Another page, another port and another password go along with it.
    const ran = await host.podgen(["apply", host.spec("web.yaml", web("new", command, 18222, "other-password"))]);
    assert.equal(ran.code, 3, what + ran.stdout + ran.stderr);
    assert.equal(ran.stdout, "pod/web rolled back\n");
    assert.match(ran.stderr, report);
    assert.deepEqual(installedFiles(host.session.home), before, what);
    assert.deepEqual(
      (await unitsOf(host)).filter((u) => !u.includes("-tcp.service")),
      units,
    );
    assert.equal(await host.fetch("http://127.0.0.1:18221/"), "old\n");
    assert.equal(await host.fetch("http://127.0.0.1:18222/"), undefined);
    assert.equal(await host.incarnation("pod-web_neighbour.service"), neighbour, "the neighbour was restarted");
  }
  assert.equal(await host.ok(["apply", host.spec("web.yaml", web("old"))]), "pod/web unchanged\n");
});

test("two pods with one secret: what is taken back of the one that fails, the other keeps", async () => {
  const secret = `      env: [{ name: PASSWORD, valueFrom: { secretKeyRef: { name: shared, key: password } } }]\n`;
  const pair = (password: string, bad?: string) =>
    [
      smallPod({ name: "good", more: secret }),
      smallPod({ name: "bad", more: secret, ...(bad === undefined ? {} : { command: bad }) }),
      `apiVersion: v1\nkind: Secret\nmetadata: { name: shared }\nstringData: { password: ${password} }\n`,
    ].join("---\n");
  const passwords = async (...pods: string[]) => {
    const said = [];
    for (const pod of pods) said.push((await host.ok(["exec", `${pod}/app`, "--", "sh", "-c", "echo $PASSWORD"])).trim());
    return said;
  };
  const created = await host.podgen(["apply", host.spec("pair.yaml", pair("one", "[/nope]"))]);
  assert.deepEqual([created.code, created.stdout], [1, "pod/good created\npod/bad failed\n"]);
  await host.ok(["restart", "good"]);
  assert.deepEqual(await passwords("good"), ["one"]);

  await host.ok(["apply", host.spec("pair.yaml", pair("two"))]);
  const changed = await host.podgen(["apply", host.spec("pair.yaml", pair("three", "[/nope]"))]);
  assert.deepEqual([changed.code, changed.stdout], [3, "pod/good configured\npod/bad rolled back\n"]);
  await host.ok(["restart", "good", "bad"]);
  assert.deepEqual(await passwords("good", "bad"), ["three", "two"]);
  await host.ok(["delete", "good", "bad"]);
  assert.deepEqual(
    Object.keys(installedFiles(host.session.home)).filter((path) => /\/secrets\/shared\//.test(path)),
    [],
  );
});

test("a stopped pod whose change fails runs its old version", async () => {
  await host.ok(["stop", "web"]);
  const before = installedFiles(host.session.home);
  const ran = await host.podgen(["apply", host.spec("web.yaml", web("new", "[/no/such/program]"))]);
  assert.equal(ran.code, 3, ran.stdout + ran.stderr);
  assert.deepEqual(installedFiles(host.session.home), before);
  assert.equal(await host.fetch("http://127.0.0.1:18221/"), "old\n");
});

test("a secret is shown nowhere, and its files are the owner's alone", async () => {
  const shown: [string, string][] = [];
  const collect = async (...args: string[]) => {
    const ran = await host.podgen(args);
    shown.push([args.join(" "), ran.stdout + ran.stderr]);
    return ran;
  };
  const changed = host.spec("changed.yaml", web("old", undefined, 18221, `${SECRET}-2`));
  assert.match((await collect("diff", changed)).stdout, /: secret changed$/m);
  await collect("diff", "-o", "json", changed);
  await collect("apply", "--dry-run", changed);
  await collect("apply", "-o", "json", changed);
  await collect("status", "-o", "json");
  await collect("status", "web");
  await collect("ps", "-o", "yaml");
  await collect("apply", host.spec("broken.yaml", web("old").replace("stringData: {", "stringData: { other: [1],")));
  await collect("apply", host.spec("broken.yaml", web("new", "[/no/such/program]", 18221, `${SECRET}-3`)));
  // The container itself has it.
  assert.equal(await host.ok(["exec", "web/app", "--", "cat", "/login/password"]), `${SECRET}-2`);
  assert.match(await host.ok(["exec", "web/app", "--", "sh", "-c", "echo $PASSWORD"]), new RegExp(SECRET));

  shown.push(["systemctl show", (await host.run(["systemctl", "--user", "show", "pod*"])).stdout]);
  shown.push(["systemctl cat", (await host.run(["systemctl", "--user", "cat", "pod*"])).stdout]);
  await execute(["journalctl", "--sync"], {});
  shown.push(["journal", (await execute(["journalctl", "--output", "json", "--all", `_UID=${host.session.uid}`], {})).stdout]);
  assert.ok(shown.at(-1)?.[1].includes("pod-web_app.service"), "the journal was read");
  let programs = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const [cmdline, environ] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
    if (!/^(podrt|pasta|\S*pasta)/.test(cmdline) && !cmdline.includes("podrt")) continue;
    programs++;
    shown.push([`process ${pid}`, cmdline + environ]);
  }
  assert.ok(programs >= 2, "podrt's processes were looked at");
  for (const [where, text] of shown) assert.ok(!text.includes(SECRET) && !text.includes(btoa(SECRET)), `the secret is in: ${where}`);

  const found = (await host.run(["grep", "-rl", SECRET, ...Object.values(ownFolders(host.session.home))])).stdout
    .split("\n")
    .filter(Boolean);
  assert.ok(found.length > 0, "the store has it");
  for (const file of found) {
    assert.match(file, /\/(secrets|objects)\//);
    assert.match((await host.run(["stat", "-c", "%a %U", file])).stdout, /^600 pgerrors/);
  }
});

test("delete takes all of it away, the secret too", async () => {
  await host.ok(["delete", "web"]);
  await eventually("no process is left", async () => (await processesOf(host)) === "");
  assert.deepEqual(await unitsOf(host), []);
  const folders = Object.values(ownFolders(host.session.home));
  assert.equal((await host.run(["grep", "-rl", SECRET, ...folders])).stdout, "");
});

/** A process may be gone before it is read. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
