// podgen plan: it changes nothing, by count; and apply of its file does just what it said, or nothing.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, image, PodHost } from "../lib/pods.js";
import { buildProgram } from "../lib/session.js";

let host: PodHost;
let counter: { file: string; folder: string };
const busybox = image("busybox");
before(async () => {
  host = await PodHost.start("txplan");
  counter = await buildProgram("test/lib/bus-counter.ts");
  execFileSync("chmod", ["-R", "a+rX", counter.folder]);
});
after(async () => {
  execFileSync("rm", ["-rf", counter.folder]);
  await host.stop();
});

function web(beat: string): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: hunter2 }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${busybox}
      command: [sh, -c, "echo ${beat}; exec sleep 1000"]
      env: [{ name: PW, valueFrom: { secretKeyRef: { name: login, key: password } } }]
    - { name: log, image: "${busybox}", command: [sleep, "1000"] }
`;
}

/** All that is in the home and in the runtime folder, with what a write would change of it. */
function contents(): string {
  const places = [host.session.home, `${host.session.runtime}/podgen`].filter((place) => existsSync(place));
  return execFileSync("find", [...places, "-printf", "%p %i %s %C@ %m\\n"], { encoding: "utf8" })
    .split("\n")
    .sort()
    .join("\n");
}

async function calls(words: readonly string[]): Promise<{ code: number; members: string[] }> {
  const ran = await host.run(["node", counter.file, `${DIST}/podgen`, ...words], { timeout: 60_000 });
  return JSON.parse(ran.stdout) as { code: number; members: string[] };
}

test("the planner writes no file and calls nothing that changes, and few calls at that", async () => {
  const [spec, other] = [host.spec("web.yaml", web("one")), host.spec("other.yaml", web("two"))];
  const empty = contents();
  const first = await calls(["plan", spec]);
  assert.equal(first.code, 1);
  assert.equal(contents(), empty);
  await host.ok(["apply", spec]);
  const applied = contents();
  const unchanged = await calls(["plan", spec]);
  const changed = await calls(["plan", other]);
  assert.deepEqual([unchanged.code, changed.code], [0, 1]);
  assert.deepEqual(contents().split("\n"), applied.split("\n"));
  const reading = /^(Hello|Get|GetAll|ListUnitsByPatterns|ListUnitFilesByPatterns|GetConnectionCredentials|GetNameOwner)$/;
  for (const { members } of [first, unchanged, changed]) {
    assert.deepEqual(
      members.filter((m) => !reading.test(m)),
      [],
    ); // prettier-ignore
    assert.ok(members.length > 0 && members.length <= 12, members.join(" "));
  }
});

test("each container has a verdict, and why", async () => {
  const { code, stdout } = await host.podgen(["plan", host.spec("web.yaml", web("two")), "-o", "json"]);
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout).pods[0].containers, [
    { name: "app", verdict: "recreate", reasons: ["bundle changed: command"] },
    { name: "log", verdict: "unchanged", reasons: [] },
  ]);
});

test("apply of a plan: refused once its spec, or what is installed, has moved; else it is what is done", async () => {
  const spec = host.spec("web.yaml", web("two"));
  const file = `${host.session.home}/web.plan`;
  const planned = await host.podgen(["plan", spec, "-o", file]);
  assert.equal(planned.code, 1, planned.stderr);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.doesNotMatch(execFileSync("cat", [file], { encoding: "utf8" }), /hunter2/);
  const before = await host.incarnation("pod-web_app.service");

  host.spec("web.yaml", web("three"));
  const moved = await host.podgen(["apply", file]);
  assert.equal(moved.code, 1);
  assert.match(moved.stderr, /does not hold any more; nothing was changed:\n {2}.*web\.yaml has changed/);
  assert.equal(await host.incarnation("pod-web_app.service"), before);

  host.spec("web.yaml", web("two"));
  assert.equal((await host.podgen(["apply", file, "--prune"])).code, 64);
  const log = await host.incarnation("pod-web_log.service");
  assert.equal(await host.ok(["apply", file]), "pod/web configured\n");
  assert.match(await host.log("pod-web_app.service"), /^two$/m);
  assert.equal(await host.incarnation("pod-web_log.service"), log);

  const again = await host.podgen(["apply", file]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /pod web is installed in another version/);
  await host.ok(["delete", "web"]);
});

test("specs: what was applied last against what is written, through applies, failures and rollbacks", async () => {
  const kept = `${host.session.home}/.local/state/podgen/specs.json`;
  const spec = host.spec("web.yaml", web("one"));
  const fresh = await host.podgen(["diff", "--specs", spec]);
  assert.equal(fresh.code, 1);
  assert.match(fresh.stdout, /^\+\+\+ Pod\/web\n/m);
  await host.ok(["apply", spec]);
  assert.equal(statSync(kept).mode & 0o777, 0o600);
  assert.doesNotMatch(execFileSync("cat", [kept], { encoding: "utf8" }), /hunter2|aHVudGVyMg/);
  host.spec("web.yaml", `# a comment\n${web("one")}`);
  assert.deepEqual(await host.podgen(["diff", "--specs", spec]), { code: 0, stdout: "", stderr: "" });

  host.spec("web.yaml", web("two").replace("hunter2", "hunter3"));
  const changed = await host.podgen(["diff", "--specs", spec]);
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /^--- Pod\/web\n[\s\S]*^- +- echo one; exec sleep 1000\n\+ +- echo two; exec sleep 1000\n/m);
  assert.match(changed.stdout, /^- {2}password: \(secret [0-9a-f]{12}\)\n\+ {2}password: \(secret [0-9a-f]{12}\)\n/m);
  assert.doesNotMatch(changed.stdout, /hunter|pod-web_app\.service/);
  assert.match(await both(spec), /^--- Pod\/web\n[\s\S]*pod\/web configured\n/m);
  const { specs } = JSON.parse((await host.podgen(["diff", "--specs", "-o", "json", spec])).stdout);
  assert.deepEqual(
    specs.map((s: { object: string; action: string }) => [s.object, s.action]),
    [
      ["Pod/web", "update"],
      ["Secret/login", "update"],
    ],
  ); // prettier-ignore

  // What fails is not what was applied.
  host.spec("web.yaml", web("two").replace("[sh, -c", "[/no/such/program, -c"));
  assert.equal((await host.podgen(["apply", spec])).code, 3);
  host.spec("web.yaml", web("one"));
  assert.equal((await host.podgen(["diff", "--specs", spec])).stdout, "");
  host.spec("web.yaml", web("two"));
  await host.ok(["apply", spec]);
  await host.ok(["rollback", "web"]);
  host.spec("web.yaml", web("one"));
  assert.equal((await host.podgen(["diff", "--specs", spec])).stdout, "");
  // Of no consequence, and yet applied.
  host.spec("web.yaml", web("one").replace("metadata: { name: web }", "metadata: { name: web, annotations: { who: me } }"));
  assert.equal((await host.podgen(["diff", "--specs", spec])).code, 1);
  assert.equal(await host.ok(["apply", spec]), "pod/web unchanged\n");
  assert.equal((await host.podgen(["diff", "--specs", spec])).code, 0);
  await host.ok(["delete", "-f", spec]);
  assert.equal(existsSync(kept), false);
});

async function both(spec: string): Promise<string> {
  return (await host.podgen(["diff", "--specs", "--units", spec])).stdout;
}

test("what a plan cannot be made of is refused: standard input, a word that may be a mistyped format", async () => {
  assert.equal((await host.podgen(["plan", "-", "-o", "x.plan"], { input: web("one") })).code, 64);
  assert.equal((await host.podgen(["plan", host.spec("web.yaml", web("one")), "-o", "jsno"])).code, 64);
});
