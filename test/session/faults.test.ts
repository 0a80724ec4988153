// What is broken around podgen: images and registries, the bus, the disk. What runs goes on, and nothing half is left.
import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { OddRegistry } from "../lib/odd-registry.js";
import { cutAfter } from "../lib/odd-set-up.js";
import { DIST, PodHost } from "../lib/pods.js";
import { busyboxImage } from "../lib/real-image.js";
import { CHECKOUT, execute, type Ran } from "../lib/session.js";
import { debris, installedFiles, ownFolders, smallPod } from "../lib/small-pod.js";
import { layer, randomLayer, type TinyFile } from "../lib/tiny-image.js";

let host: PodHost;
let registry: OddRegistry;
before(async () => {
  host = await PodHost.start("pgfaults");
  registry = await new OddRegistry().start();
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web", port: 18231, page: "one" }))]);
});
after(async () => {
  await registry.stop();
  await host.stop();
});

/** Applies something that cannot be had as the pod `web`, which runs: it is refused and `web` has not noticed. */
async function refused(image: string, more = ""): Promise<string> {
  const [files, app, infra] = [
    installedFiles(host.session.home),
    await host.incarnation("pod-web_app.service"),
    await host.incarnation("pod-web__infra.service"),
  ];
  const spec = host.spec("other.yaml", smallPod({ name: "web", port: 18231, page: "two", image, more }));
  const ran = await host.podgen(["apply", spec]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.equal(ran.stdout, "");
  assert.deepEqual(installedFiles(host.session.home), files);
  assert.deepEqual([await host.incarnation("pod-web_app.service"), await host.incarnation("pod-web__infra.service")], [app, infra]);
  assert.equal(await host.fetch("http://127.0.0.1:18231/"), "one\n");
  assert.deepEqual(debris(host.session.home), []);
  return ran.stderr;
}

test("an image that is not there: no such layout, no such tag, a registry that says 404", async () => {
  const at = /other\.yaml:9:14: error: /;
  const path = await refused("oci:/nowhere/at/all:busybox");
  assert.match(path, at);
  assert.match(path, /\/nowhere\/at\/all.*\[image-not-found\]/);
  assert.match(path, / \| {7}image: oci:\/nowhere\/at\/all:busybox\n +\| {14}\^~{26}\n/);
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  chmodSync(folder, 0o755);
  assert.match(await refused(`oci:${folder}:busybox`), /\[image-/);
  assert.match(await refused(`${registry.host}/nothing:latest`), /nothing:latest.*\[image-not-found\]/);
  rmSync(folder, { recursive: true });
});

test("a registry that is down", async () => {
  const gone = await new OddRegistry().start();
  const name = gone.host;
  await gone.stop();
  const said = await refused(`${name}/web:latest`);
  assert.match(said, /other\.yaml:9:14: error: .*127\.0\.0\.1.*\[image-unreachable\]/);
});

test("a registry that cuts off in the middle of a layer: the next apply goes on where it stopped", async () => {
  const big = randomLayer("filler", 400_000);
  const reference = registry.add("cut", busyboxImage(big));
  registry.answer = (request, response) => {
    if (!request.url?.endsWith(big.digest)) return false;
    // The first try gets half of it; the others nothing.
    if (request.headers.range === undefined) cutAfter(response, big.blob, 200_000);
    else response.destroy();
    return true;
  };
  const said = await refused(reference);
  assert.match(said, /cut:latest/);
  assert.match(said, /hint: /);

  registry.answer = () => false;
  registry.seen.length = 0;
  const spec = host.spec("web.yaml", smallPod({ name: "web", port: 18231, page: "resumed", image: reference }));
  assert.equal(await host.ok(["apply", spec]), "pod/web configured\n");
  assert.equal(await host.fetch("http://127.0.0.1:18231/"), "resumed\n");
  const asked = registry.blobRequests(big.digest).map((r) => r.range);
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? "", /^bytes=[1-9]\d{4,}-$/);
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web", port: 18231, page: "one" }))]);
});

test("a layer with other bytes than its digest says", async () => {
  const good = randomLayer("filler", 50_000);
  const reference = registry.add("forged", busyboxImage(good));
  const wrong = Buffer.from(good.blob);
  wrong[25_000] = (wrong[25_000] ?? 0) ^ 1;
  registry.blobs.set(good.digest, wrong);
  const said = await refused(reference);
  assert.match(said, new RegExp(`forged:latest.*${good.digest}`, "s"));
  assert.equal(existsSync(layerPath(good.diffId)), false);
});

const layerPath = (diffId: string) => `${ownFolders(host.session.home).data}/storage/layers/${diffId.slice(7)}`;

test("layers that want out of their root write nothing outside", async () => {
  const prey = mkdtempSync(join(tmpdir(), "prey-"));
  chmodSync(prey, 0o777);
  writeFileSync(join(prey, "file"), "safe");
  chmodSync(join(prey, "file"), 0o666);
  const up = "../".repeat(20);
  const outside = prey.slice(1);
  const attempts: Readonly<Record<string, readonly TinyFile[]>> = {
    "a path with ..": [{ name: `${up}${outside}/evil`, content: "evil" }],
    "an absolute path": [{ name: `${prey}/evil`, content: "evil" }],
    "through an absolute link": [
      { name: "way", type: "2", link: prey },
      { name: "way/evil", content: "evil" },
    ],
    "through a relative link": [
      { name: "way", type: "2", link: `${up}${outside}` },
      { name: "way/evil", content: "evil" },
    ],
    "a hard link to a file outside": [
      { name: "inner", type: "1", link: `${up}${outside}/file` },
      { name: "inner", content: "evil" },
    ],
    "a hard link through a link": [
      { name: "way", type: "2", link: prey },
      { name: "inner", type: "1", link: "way/file" },
    ],
  };
  try {
    for (const [what, files] of Object.entries(attempts)) {
      const reference = registry.add("hostile", busyboxImage(layer(files)));
      const spec = host.spec("hostile.yaml", smallPod({ name: "hostile", image: reference }));
      const ran = await host.podgen(["apply", spec]);
      // Refused, or done inside the root: either way the prey is as it was.
      assert.ok(ran.code === 0 || (ran.code === 1 && /hostile:latest.*cannot be unpacked/.test(ran.stderr)), `${what}: ${ran.stderr}`);
      assert.deepEqual(readdirSync(prey), ["file"], what);
      assert.equal(readFileSync(join(prey, "file"), "utf8"), "safe", what);
      assert.equal(statSync(join(prey, "file")).nlink, 1, what);
      assert.deepEqual(debris(host.session.home), [], what);
      await host.ok(["delete", "--ignore-not-found", "hostile"]);
    }
  } finally {
    rmSync(prey, { recursive: true });
  }
});

test("no user bus: said so, with what to do, and nothing is written", async () => {
  const files = installedFiles(host.session.home);
  const spec = host.spec("nobus.yaml", smallPod({ name: "nobus" }));
  const without = { env: { XDG_RUNTIME_DIR: "", DBUS_SESSION_BUS_ADDRESS: "" } };
  for (const args of [["apply", spec], ["diff", spec], ["delete", "web"], ["status"]]) {
    const ran = await host.podgen(args, without);
    assert.equal(ran.code, args[0] === "diff" ? 2 : 1, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
    assert.match(ran.stderr, /^podgen: error: cannot reach the systemd user manager: .*XDG_RUNTIME_DIR is not set/);
    assert.match(ran.stderr, /^ {2}hint: .*ssh.*machinectl shell pgfaults@.*loginctl enable-linger pgfaults/m);
  }
  assert.equal((await host.podgen(["validate", spec], without)).code, 0);
  assert.deepEqual(installedFiles(host.session.home), files);
});

/** A command in a mount namespace of its own, after a script of root's; `podgen` is podgen, run by the user. */
function mounted(script: string): Promise<Ran> {
  const asUser = `podgen() { ${CHECKOUT}/test/harness/session.sh run ${host.user} ${DIST}/podgen "$@"; }`;
  return execute(["unshare", "--mount", "bash", "-c", `set -e; ${asUser}; ${script}`], { timeout: 60_000 });
}

test("a home that cannot be written to", async () => {
  const files = installedFiles(host.session.home);
  const { home } = host.session;
  const spec = host.spec("readonly.yaml", smallPod({ name: "web", port: 18231, page: "two" }));
  const ran = await mounted(`mount --bind ${home} ${home}; mount -o remount,bind,ro ${home}; podgen apply ${spec}`);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.match(ran.stderr, /^podgen: error: .*read-only/m);
  assert.match(ran.stderr, /^ {2}hint: /m);
  assert.deepEqual(installedFiles(home), files);
  assert.equal(await host.fetch("http://127.0.0.1:18231/"), "one\n");
});

/** What is full, and how many KiB are left there: the image does not fit, the new unit files do not, not one file does. */
const FULL = [
  ["the image store", "data", 1500],
  ["the unit folder", "units", 8],
  ["the state folder", "state", 0],
] as const;

for (const [what, place, spare] of FULL)
  test(`a full disk, of ${what}: said so, and everything is as it was`, async () => {
    const { home, uid, gid } = host.session;
    const folder = ownFolders(home)[place];
    const files = installedFiles(home);
    const copy = mkdtempSync(join(tmpdir(), "full-"));
    const image = registry.add(`fills-${place}`, busyboxImage(randomLayer("fill", 3_000_000)));
    const web = smallPod({ name: "web", port: 18231, page: "two", image });
    const spec = host.spec("full.yaml", `${web}---\n${smallPod({ name: "new", image })}`);
    const sums = `(cd ${folder}; find . -path ./storage -prune -o -type f -exec sha256sum {} + | sort)`;
    // The folder's place is taken by a copy that has so much room; what podgen leaves there is compared inside.
    const ran = await mounted(`
      mount -t tmpfs -o mode=700,uid=${uid},gid=${gid} none ${copy}
      cp -a ${folder}/. ${copy}/
      mount -o remount,size=$(($(df -k --output=used ${copy} | tail -n 1) + ${spare}))k ${copy}
      mount --bind ${copy} ${folder}
      before=$${sums}
      code=0; podgen apply ${spec} || code=$?
      diff <(echo "$before") <${sums} || code=99
      exit $code`);
    rmSync(copy, { recursive: true });
    assert.equal(ran.code, 1, ran.stdout + ran.stderr);
    assert.match(ran.stderr, /no space left|disk is full/i);
    assert.match(ran.stderr, /^ {2}hint: /m);
    assert.deepEqual(installedFiles(home), files);
    assert.equal(await host.fetch("http://127.0.0.1:18231/"), "one\n");
  });

test("with room again the same apply goes through", async () => {
  assert.equal(await host.ok(["apply", `${host.session.home}/specs/full.yaml`]), "pod/web configured\npod/new created\n");
  assert.equal(await host.fetch("http://127.0.0.1:18231/"), "two\n");
});

/** Takes a user's lines in /etc/subuid and /etc/subgid for another's of a name as long, or back: nobody else's line moves. */
function renameInSubids(from: string, to: string): void {
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    const at = readFileSync(file, "latin1").search(new RegExp(`^${from}:`, "m"));
    if (at < 0) throw new Error(`${file} has no line of ${from}`);
    const handle = openSync(file, "r+");
    writeSync(handle, to, at, "latin1");
    closeSync(handle);
  }
}

test("no subordinate ids: apply says what will not work and how to mend it, and root's containers run", async () => {
  const poor = await PodHost.start("pgnosub");
  renameInSubids("pgnosub", "-gnosub");
  try {
    const warning =
      /^warning: pgnosub has no ids in \/etc\/subuid: .*only images.*root's.*; as root: usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ pgnosub; then stop all pods and restart podgen-pause\.service$/m;
    const one = await poor.podgen(["apply", poor.spec("one.yaml", smallPod({ name: "one", port: 18232 }))]);
    assert.equal(one.code, 0, one.stderr);
    assert.match(one.stderr, warning);
    assert.equal(await poor.fetch("http://127.0.0.1:18232/"), "one\n");

    const more = "      securityContext: { runAsUser: 999 }\n";
    const two = await poor.podgen(["apply", "-o", "json", poor.spec("two.yaml", smallPod({ name: "two", policy: "Never", more }))]);
    assert.equal(two.code, 1, two.stdout);
    assert.match(two.stderr, warning);
    assert.match(JSON.parse(two.stdout).warnings[0], /usermod --add-subuids/);
    assert.equal(await poor.ok(["status", "-o", "name"]), "pod/one\n");

    const doctor = await poor.podgen(["doctor"]);
    assert.match(doctor.stdout, /^fail +subordinate ids: .*\n +mend: sudo usermod --add-subuids/m);
  } finally {
    renameInSubids("-gnosub", "pgnosub");
    await poor.stop();
  }
});
