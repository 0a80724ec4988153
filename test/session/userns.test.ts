// User namespaces of pods' own, from spec to files: keep-id, auto, nomap, hostUsers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { ownFolders } from "../lib/small-pod.js";

let host: PodHost;
/** First subordinate id on the host. */
let subId: number;
before(async () => {
  host = await PodHost.start("ocus");
  const line = readFileSync("/etc/subuid", "utf8")
    .split("\n")
    .find((text) => text.startsWith("ocus:"));
  subId = Number(line?.split(":")[1]);
  const shared = `${host.session.home}/shared`;
  mkdirSync(shared);
  writeFileSync(`${shared}/mine`, "");
  execFileSync("chown", ["-R", "ocus:", shared]);
});
after(() => host.stop());

/** Of nobody else's test. */
const PORT = 18471;

interface Wish {
  readonly annotation?: string;
  readonly hostUsers?: boolean;
  readonly more?: string;
}

const pod = (name: string, { annotation, hostUsers, more = "" }: Wish): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name}${annotation === undefined ? "" : `, annotations: { ${annotation} }`} }
spec:
  ${hostUsers === undefined ? "" : `hostUsers: ${hostUsers}`}
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${image("busybox")}
      command: [sleep, "3600"]
      ${more}
      volumeMounts:
        - { name: empty, mountPath: /empty }
        - { name: secret, mountPath: /secret }
        - { name: shared, mountPath: /shared }
  volumes:
    - { name: empty, emptyDir: {} }
    - { name: secret, secret: { secretName: login } }
    - { name: shared, hostPath: { path: ${host.session.home}/shared } }
---
`;

const SECRET = "apiVersion: v1\nkind: Secret\nmetadata: { name: login }\nstringData: { pw: x }\n---\n";
const specs = (): string =>
  SECRET +
  pod("keep", { annotation: '"podgen.io/userns": "keep-id"' }) +
  pod("one", { hostUsers: false, more: `ports: [{ containerPort: 8080, hostPort: ${PORT} }]` }) +
  pod("two", { annotation: '"io.podman.annotations.userns": "auto:size=2000"', more: "securityContext: { runAsUser: 33 }" }) +
  pod("none", { annotation: '"podgen.io/userns": nomap' }) +
  pod("usual", { hostUsers: true });

/** By podrt itself: Node would be started forty times. */
const inside = async (name: string, line: string): Promise<string> => {
  const podrt = `${ownFolders(host.session.home).data}/bin/podrt`;
  const ran = await host.run([podrt, "exec", `pods/${name}/app`, "--", "sh", "-c", line]);
  if (ran.code !== 0) throw new Error(`${name}: ${line}: exit ${ran.code}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout.trim();
};
const map = async (name: string): Promise<number[]> =>
  numbers(readFileSync(`/proc/${await host.mainPid(`pod-${name}_app.service`)}/uid_map`, "utf8"));
const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);
const shifted = (): string[] => {
  const folder = `${ownFolders(host.session.home).data}/storage/shifted`;
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

test("each mode has its maps; two pods of mode auto have no id in common", async () => {
  await host.ok(["apply", host.spec("all.yaml", specs())]);
  const { uid } = host.session;
  assert.deepEqual(await map("usual"), [0, uid, 1, 1, subId, 65536]);
  assert.deepEqual(await map("keep"), [0, subId, uid, uid, uid, 1, uid + 1, subId + uid, 65536 - uid]);
  assert.deepEqual(await map("none"), [0, subId, 65536]);
  const [one, two] = [await map("one"), await map("two")];
  assert.deepEqual([one[0], one[2], two[0], two[2]], [0, 4096, 0, 2000]);
  const [a = 0, b = 0] = [one[1], two[1]];
  assert.ok(a >= subId && b >= subId && (a + 4096 <= b || b + 2000 <= a), `${a} ${b}`);
  assert.ok(Math.max(a + 4096, b + 2000) <= subId + 65536);
});

test("a published port and a way out, as in other pods", async () => {
  await inside("one", "mkdir /tmp/www; echo page > /tmp/www/index.html; httpd -p 8080 -h /tmp/www");
  assert.equal(await host.fetch(`http://127.0.0.1:${PORT}/index.html`), "page\n");
  const uplink = (name: string): Promise<string> => host.property(`pod-${name}__uplink.service`, "StatusText");
  const wanted = await eventually("the usual pod has its uplink, or is told why not", () => uplink("usual"));
  await eventually(`one's uplink says "${wanted}", too`, async () => (await uplink("one")) === wanted);
});

test("podgen exec", async () => {
  assert.equal(await host.ok(["exec", "two/app", "--", "id", "-u"]), "33\n");
});

test("who containers run as: in keep-id the user, where nobody says anything; else as always", async () => {
  const { uid, gid } = host.session;
  assert.equal(await inside("keep", "id -u; id -g"), `${uid}\n${gid}`);
  assert.equal(await inside("two", "id -u"), "33");
  for (const name of ["one", "none", "usual"]) assert.equal(await inside(name, "id -u"), "0", name);
});

test("the image's files are root's, in each mode; its container can read its Secret and write its emptyDir", async () => {
  for (const name of ["keep", "one", "two", "none", "usual"]) {
    assert.equal(await inside(name, "stat -c %u:%g / /bin /etc /bin/busybox /etc/hosts /dev /empty /secret/pw | sort -u"), "0:0", name);
    assert.equal(
      await inside(name, "cat /secret/pw; touch /empty/f /tmp/f && stat -c %u /empty/f"),
      `x${await inside(name, "id -u")}`,
      name,
    );
  }
});

test("a folder of the host: its files are the user's in keep-id, nobody's in auto and nomap", async () => {
  const { uid, home } = host.session;
  assert.equal(await inside("keep", "stat -c %u /shared/mine; touch /shared/made"), String(uid));
  assert.equal(statSync(`${home}/shared/made`).uid, uid);
  for (const name of ["one", "none"]) {
    assert.equal(await inside(name, "stat -c %u /shared/mine"), "65534");
    assert.equal(await inside(name, "echo x > /shared/mine || echo refused"), "refused");
  }
  assert.equal(await inside("usual", "stat -c %u /shared/mine"), "0");
});

test("a second apply changes nothing; a restart keeps the ids; infra may be killed", async () => {
  assert.match(await host.ok(["apply", `${host.session.home}/specs/all.yaml`]), /^(pod\/\w+ unchanged\n)+$/);
  const before = await map("one");
  await host.ok(["restart", "one"]);
  assert.deepEqual(await map("one"), before);
  const unit = "pod-one__infra.service";
  const pid = await host.mainPid(unit);
  const app = await host.mainPid("pod-one_app.service");
  process.kill(pid, "SIGKILL");
  await eventually("infra is back", async () => ![0, pid].includes(await host.mainPid(unit)));
  await host.active(unit);
  assert.equal(await host.mainPid("pod-one_app.service"), app);
  assert.equal(await inside("one", "echo here"), "here");
  process.kill(app, "SIGKILL");
  await eventually("the container is back", async () => ![0, app].includes(await host.mainPid("pod-one_app.service")));
  await host.active("pod-one_app.service");
  assert.deepEqual(await map("one"), before);
});

test("copies of layers are shared by pods of the same map, and go with the last one; a range is free again", async () => {
  const before = shifted();
  assert.equal(new Set(before.map((name) => name.slice(65))).size, 4, before.join());
  const again = host.spec("again.yaml", SECRET + pod("again", { annotation: '"podgen.io/userns": nomap' }));
  await host.ok(["apply", again]);
  assert.deepEqual(shifted(), before);
  await host.ok(["delete", "none"]);
  assert.deepEqual(shifted(), before);
  await host.ok(["delete", "again"]);
  const less = shifted();
  assert.equal(new Set(less.map((name) => name.slice(65))).size, 3);
  const [range, copies] = [await map("two"), less.length];
  await host.ok(["delete", "two"]);
  assert.ok(shifted().length < copies);
  const next = host.spec("next.yaml", SECRET + pod("next", { annotation: '"podgen.io/userns": "auto:size=2000"' }));
  await host.ok(["apply", next]);
  assert.deepEqual(await map("next"), range);
});

test("another mode: the pod starts over with other ids, and its emptyDir is a new one", async () => {
  const text =
    SECRET + pod("next", { annotation: '"podgen.io/userns": keep-id:uid=7,gid=8' }).replace("keep-id:uid=7,gid=8", '"keep-id:uid=7,gid=8"');
  await inside("next", "echo old > /empty/old");
  await host.ok(["apply", host.spec("next.yaml", text)]);
  assert.equal(await inside("next", "id -u; id -g; ls /empty"), "7\n8");
  assert.equal(await inside("next", "stat -c %u /shared/mine"), "7");
});

test("no room, and words that mean nothing, are refused before anything is touched", async () => {
  const big = host.spec("big.yaml", SECRET + pod("big", { annotation: '"podgen.io/userns": "auto:size=65000"' }));
  const ran = await host.podgen(["apply", big]);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /userns auto: no room for 65000 ids: user ocus has 65536, and other pods have 4096 of them/);
  const odd = await host.podgen(["validate", host.spec("odd.yaml", pod("odd", { annotation: '"podgen.io/userns": kept' }))]);
  assert.match(odd.stderr, /"kept" is none of "shared", "keep-id"/);
});

test("delete leaves nothing", async () => {
  await host.ok(["delete", "keep", "one", "next", "usual"]);
  assert.deepEqual(shifted(), []);
  const { data } = ownFolders(host.session.home);
  for (const folder of ["containers", "empty", "pods"])
    assert.deepEqual(existsSync(`${data}/${folder}`) ? readdirSync(`${data}/${folder}`) : [], [], folder);
});
