// podgen image commit, and pods under each storage driver: started, written to, committed, restarted, deleted, and nothing is left.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { debris, ownFolders } from "../lib/small-pod.js";

let host: PodHost;
let settings: string;
before(async () => {
  host = await PodHost.start("pgcmt");
  settings = `${host.session.home}/.config/podgen`;
  mkdirSync(settings, { recursive: true });
  execFileSync("chown", ["-R", "pgcmt:", `${host.session.home}/.config`]);
});
after(() => host.stop());

const SECRET = "apiVersion: v1\nkind: Secret\nmetadata: { name: key }\nstringData: { pw: hunter2 }\n---\n";
const pod = (name: string, reference = image("busybox"), annotation = ""): string => `${SECRET}apiVersion: v1
kind: Pod
metadata: { name: ${name}${annotation} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${reference}
      command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
      env: [{ name: PW, valueFrom: { secretKeyRef: { name: key, key: pw } } }]
      volumeMounts:
        - { name: secret, mountPath: /run/secrets/key }
        - { name: empty, mountPath: /srv/empty }
  volumes:
    - { name: secret, secret: { secretName: key } }
    - { name: empty, emptyDir: {} }
`;
const inside = (name: string, script: string) => host.ok(["exec", name, "--", "sh", "-c", script]);
const apply = (name: string, ...more: string[]) => host.ok(["apply", host.spec(`${name}.yaml`, pod(name, ...more))]);
const commit = (words: string[], env: Record<string, string> = {}) =>
  host.ok(["image", "commit", "-q", ...words], { env }).then((text) => text.trim());

const listed = async (): Promise<{ reference: string; digest: string; configDigest: string }[]> =>
  JSON.parse(await host.ok(["image", "ls", "-o", "json"])).items;

/** Who serves a file system for the user. */
const servers = async () => (await host.run(["pgrep", "--euid", host.user, "-c", "fuse-overlayfs"])).stdout.trim();

const KINDS: Readonly<Record<string, RegExp>> = { overlay: /^overlay\n$/, "fuse-overlayfs": /^fuse/, vfs: /^(?!overlay|fuse)./ };

for (const [driver, kind] of Object.entries(KINDS))
  test(`driver ${driver}: a pod runs, is committed, and a pod of that image has what was written and nothing of what was mounted`, async () => {
    writeFileSync(`${settings}/storage.json`, JSON.stringify({ driver }));
    await apply("web");
    assert.match(await inside("web", "awk '$2 == \"/\" { print $3 }' /proc/mounts"), kind);
    await inside("web", "echo kept > /etc/mark; chown 33:44 /etc/mark; rm /etc/group; echo mine > /srv/empty/x; cat /run/secrets/key/pw");
    const words = ["web/app", `localhost/web:${driver}`, "--change", 'CMD ["sh"]', "-c", "ENV A=1 B='2 3'", "-m", "for Ada", "-a", "Bob"];
    const digest = await commit([...words, ...(driver === "overlay" ? ["--pause"] : [])]);
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);

    await apply("again", `localhost/web:${driver}`);
    assert.equal(
      await inside("again", "cat /etc/mark; stat -c %u:%g /etc/mark; ls /etc/group 2>&1 | wc -l; ls /srv/empty; echo $B"),
      "kept\n33:44\n1\n2 3\n",
    );
    await host.ok(["restart", "web"]);
    assert.equal(await inside("web", "ls /etc/mark 2>/dev/null; ls /etc/group"), "/etc/group\n", "what was not committed is gone");
    await host.ok(["delete", "web", "again"]);
    assert.equal(await servers(), "0");
    const { data } = ownFolders(host.session.home);
    assert.deepEqual(existsSync(`${data}/containers`) ? readdirSync(`${data}/containers`) : [], []);
  });

test("the image: configuration, history, no secret; it is saved, loaded and the same again", async () => {
  const reference = "localhost/web:overlay";
  const config = JSON.parse(await host.ok(["image", "inspect", "--config", reference]));
  const base = JSON.parse(await host.ok(["image", "inspect", "--config", image("busybox")]));
  assert.deepEqual(config.config.Cmd, ["sh"]);
  assert.deepEqual(config.config.Env.slice(-2), ["A=1", "B=2 3"]);
  assert.deepEqual(config.rootfs.diff_ids.slice(0, -1), base.rootfs.diff_ids);
  const [step] = JSON.parse(await host.ok(["image", "history", reference, "-o", "json"])).steps;
  assert.equal(step.layer, config.rootfs.diff_ids.at(-1));
  assert.equal(step.comment, "for Ada");
  assert.match(step.createdBy, /^podgen image commit web\/app; CMD \["sh"\]; ENV A=1/);
  assert.doesNotMatch(JSON.stringify(config), /hunter2/);
  const file = `${host.session.home}/web.tar`;
  await host.ok(["image", "save", "-o", file, reference]);
  assert.equal(readFileSync(file).includes("hunter2"), false);
  await host.ok(["image", "load", "--name", "loaded:1", file]);
  const ids = await listed();
  const idOf = (name: string) => ids.find((i) => i.reference === name)?.configDigest;
  assert.ok(idOf(reference) !== undefined && idOf(reference) === idOf("localhost/loaded:1"));
  assert.equal((await host.podgen(["image", "fsck", "--deep"])).code, 0);
});

test("a pod with ids of its own: the image has those that the container saw; stopped, it gives the same image as running", async () => {
  writeFileSync(`${settings}/storage.json`, "{}");
  await apply("own", image("busybox"), ', annotations: { "podgen.io/userns": "auto:size=65536" }');
  await inside("own", "echo x > /own; chown 33:44 /own; chmod 4755 /own; touch /root-s");
  const env = { SOURCE_DATE_EPOCH: "1000000000" };
  const running = await commit(["own", "own:1", "--iidfile", "own.id"], env);
  await host.ok(["stop", "own"]);
  assert.equal(await commit(["own", "own:2", "--format", "oci"], env), running);
  const docker = await commit(["own/app", "own:docker", "-f", "docker", "-c", "ONBUILD RUN true"], env);
  const found = (await listed()).find((i) => i.digest === docker);
  const inspected = JSON.parse(await host.ok(["image", "inspect", "own:docker"]));
  assert.deepEqual(
    [inspected.Id, inspected.Created, inspected.Config.OnBuild],
    [found?.configDigest, "2001-09-09T01:46:40Z", ["RUN true"]],
  );
  assert.match(inspected.LayersData.at(-1).MIMEType, /^application\/vnd\.docker\.image\.rootfs\.diff\.tar$/);
  assert.equal(readFileSync(`${host.session.home}/own.id`, "utf8"), JSON.parse(await host.ok(["image", "inspect", "own:1"])).Id);
  await apply("plain", "localhost/own:1");
  assert.equal(await inside("plain", "stat -c '%u %g %a %Y' /own; stat -c %u /root-s"), "33 44 4755 1000000000\n0\n");
  await host.ok(["delete", "plain"]);
});

test("an image is mounted for a shell of unshare: its files with their owners, nothing to write to; not pruned meanwhile, and gone with the shell", async () => {
  const podgen = `${DIST}/podgen`;
  const refused = await host.podgen(["image", "mount", "own:1"]);
  assert.deepEqual([refused.code, /podgen unshare/.test(refused.stderr)], [1, true]);
  const script = [
    `at=$(${podgen} image mount own:1) && stat -c '%u %g %a' $at/own && test ! -e $at/proc/self && touch $at/x 2>&1 | grep -o 'Read-only file system'`,
    `${podgen} image mount | sed "s|$XDG_RUNTIME_DIR||"`,
    `test "$(${podgen} image mount own:1)" = $at && ls -A $(dirname $at) | wc -l`,
    `cd $at && ${podgen} image unmount own:1 2>&1 | grep -o --max-count=1 'busy'; cd / && ${podgen} image umount own:1 && ${podgen} image mount && ls -A $(dirname $at)`,
    `${podgen} image unmount own:1 2>&1 | grep -o 'is not mounted here'`,
  ].join("\n");
  const digest = (await listed()).find((i) => i.reference === "localhost/own:1")?.digest.slice(7) ?? "";
  const seen = (await host.ok(["unshare", "--", "sh", "-c", script])).split("\n");
  const listing = `localhost/own:1 /podgen/mounts/${digest}`;
  assert.deepEqual(seen, [
    "33 44 4755",
    "Read-only file system",
    listing,
    "2",
    "Device or resource busy".slice(-4),
    ".empty",
    "is not mounted here",
    "",
  ]);
  const mounts = `/run/user/${host.session.uid}/podgen/mounts`;
  assert.deepEqual(readdirSync(mounts), []);

  // Held by a shell elsewhere, without a name and without a pod.
  const held = spawn(
    "test/harness/session.sh",
    [
      "run",
      host.user,
      podgen,
      "unshare",
      "--",
      "sh",
      "-c",
      `cd $(${podgen} image mount own:docker) && echo there && cat > /dev/null; cat own > /dev/null && echo read`,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  let said = "";
  held.stdout.on("data", (piece: Buffer) => {
    said += piece;
  });
  const ended = new Promise((done) => held.once("exit", done));
  await eventually("the image is mounted", () => said.includes("there"));
  await host.ok(["image", "untag", "own:docker", "own:1", "own:2"]);
  await host.ok(["image", "prune"]);
  held.stdin.end();
  await ended;
  assert.match(said, /read/);
  assert.deepEqual(readdirSync(mounts), []);
  const layer = `${ownFolders(host.session.home).data}/storage/layers`;
  const before = readdirSync(layer).length;
  await host.ok(["image", "prune"]);
  assert.ok(readdirSync(layer).length < before, "with the shell went the hold");
});

test("podgen is killed -9 in the middle: the container that stood still goes on, no image is there, and prune clears up", async () => {
  await apply("web");
  await inside("web", "head -c 200000000 /dev/zero > /big");
  const pid = await host.mainPid("pod-web_app.service");
  const group = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  const events =
    ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map((root) => `${root}${group}/cgroup.events`).find((file) => existsSync(file)) ?? "";
  const commits = spawn("test/harness/session.sh", ["run", host.user, `${DIST}/podgen`, "image", "commit", "--pause", "web", "killed:1"], {
    stdio: "ignore",
  });
  const ended = new Promise((done) => commits.once("exit", done));
  const packer = await eventually("podrt packs", async () =>
    Number((await host.run(["pgrep", "-f", "-u", host.user, "podrt changes --bundle"])).stdout.trim()),
  );
  await eventually("it stands in the middle", () => {
    process.kill(packer, "SIGSTOP");
    if (/frozen 1/.test(readFileSync(events, "utf8"))) return true;
    process.kill(packer, "SIGCONT");
    return false;
  });
  // session.sh has become podgen.
  commits.kill("SIGKILL");
  await ended;
  process.kill(packer, "SIGCONT");
  await eventually("the container goes on", () => /frozen 0/.test(readFileSync(events, "utf8")));
  assert.equal(await inside("web", "echo up"), "up\n");
  assert.equal(
    (await listed()).some((i) => i.reference.includes("killed")),
    false,
  );
  await host.ok(["image", "prune"]);
  assert.deepEqual(debris(host.session.home), []);
  await host.ok(["delete", "web"]);
});

test("refused by name: another definition than it was started with, what no layer can have, words that are none", async () => {
  const said = async (...words: string[]) => {
    const ran = await host.podgen(["image", "commit", ...words]);
    assert.notEqual(ran.code, 0);
    return ran.stderr;
  };
  const config = `${ownFolders(host.session.home).data}/pods/own/app/config.json`;
  const text = readFileSync(config, "utf8");
  // By the digest while state.json is there; after a reboot by the time.
  execFileSync("sed", ["-i", 's/"io.podgen.digest": "/&0/', config]);
  assert.match(await said("own", "x"), /own\/app: its definition was changed after it was started/);
  await host.run(["rm", "-r", `/run/user/${host.session.uid}/podgen/pods/own`]);
  assert.match(await said("own", "x"), /its definition was changed/);
  writeFileSync(config, text);
  assert.match(await said("own", "x", "-c", "RUN true"), /no such instruction[\s\S]*CMD, ENTRYPOINT/);
  assert.match(await said("own", "x", "-c", "ONBUILD RUN true"), /--format docker/);
  assert.match(await said("own", "x", "-c", "ENV A=$B"), /variables are not expanded/);
  assert.match(await said("none", "x"), /there is no pod "none"/);
  assert.match(await said("own/none", "x"), /no container "none"/);
  await host.ok(["delete", "own"]);
  await host.ok(["image", "prune", "--all"]);
  assert.deepEqual(debris(host.session.home), []);
  const { data } = ownFolders(host.session.home);
  assert.deepEqual(readdirSync(`${data}/storage/layers`), []);
});
