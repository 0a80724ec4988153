// podgen watch where something goes wrong: with one file, with an image, with the folder, with the watcher. The rest goes on.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { OddRegistry } from "../lib/odd-registry.js";
import { DIST, PodHost } from "../lib/pods.js";
import { busyboxImage } from "../lib/real-image.js";
import { CHECKOUT, eventually } from "../lib/session.js";
import { ownFolders, smallPod } from "../lib/small-pod.js";
import { randomLayer } from "../lib/tiny-image.js";

const SOON = 20_000;

let host: PodHost;
let watcher: Watcher | undefined;
before(async () => {
  host = await PodHost.start("pgwatch");
});
after(() => host.stop());
afterEach(async () => {
  await watcher?.stop();
  watcher = undefined;
  const pods = Object.keys(JSON.parse(readFileSync(manifestPath(), "utf8")).pods);
  if (pods.length > 0) await host.ok(["delete", ...pods]);
});

const manifestPath = () => `${ownFolders(host.session.home).state}/manifest.json`;

/** A watcher in the foreground on a folder of its own, and what it has said. */
class Watcher {
  readonly folder: string;
  said = "";
  #process: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(name: string) {
    this.folder = `${host.session.home}/${name}`;
    mkdirSync(this.folder, { recursive: true });
    execFileSync("chown", [`${host.user}:`, this.folder]);
  }

  start(...options: string[]): this {
    const path = `PATH=${process.env["PATH"]}:${host.session.home}/bin`;
    const words = ["run", host.user, "env", path, `${DIST}/podgen`, "watch", "--timeout", "10", ...options, this.folder];
    const child = spawn(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
      }); // prettier-ignore
    this.#ended = new Promise((resolve) => child.once("exit", resolve));
    this.#process = child;
    return this;
  }

  get alive(): boolean {
    return this.#process?.exitCode === null;
  }

  async stop(): Promise<void> {
    this.#process?.kill("SIGTERM");
    await this.#ended;
  }

  put(name: string, content: string | Uint8Array, mode = 0o644): void {
    const [hidden, path] = [`${this.folder}/.${name}`, `${this.folder}/${name}`];
    writeFileSync(hidden, content);
    chmodSync(hidden, mode);
    // Root owns it: what the mode says holds for the user.
    renameSync(hidden, path);
  }

  says(what: RegExp, timeout = SOON): Promise<unknown> {
    return eventually(`${what} in:\n${this.said}`, () => what.test(this.said), timeout);
  }

  count(what: RegExp): number {
    return this.said.match(new RegExp(what, "gm"))?.length ?? 0;
  }
}

const active = (pod: string, container = "app") => host.active(`pod-${pod}_${container}.service`, "active", SOON);
const app = (pod: string) => host.incarnation(`pod-${pod}_app.service`);
const pods = async (): Promise<string[]> => JSON.parse(await host.ok(["status", "-o", "json"])).items.map((p: { name: string }) => p.name);

test("an empty folder is nothing to apply, and something to watch", async () => {
  watcher = new Watcher("empty");
  const ran = await host.podgen(["apply", watcher.folder]);
  assert.deepEqual([ran.code, ran.stdout], [1, ""]);
  assert.match(ran.stderr, /empty: no specs in this folder\n {2}hint: .*\.yaml.*-R/);
  watcher.start();
  await watcher.says(/^watching /m);
  watcher.put("e.yaml", smallPod({ name: "e" }));
  await active("e");
});

test("files that cannot be read, or are no text, stop none of the others; apply of the folder is refused", async () => {
  watcher = new Watcher("unread");
  watcher.put("latin.yaml", Buffer.from("# caf\xe9\n", "latin1"));
  watcher.put("secret.yaml", smallPod({ name: "secret" }), 0o000);
  watcher.put("huge.yaml", Buffer.alloc(17 << 20, "#"));
  watcher.put("good.yaml", smallPod({ name: "good" }));
  watcher.start();
  await active("good");
  watcher.put("more.yaml", smallPod({ name: "more" }));
  await active("more");
  await watcher.says(/more created/);
  assert.equal(watcher.count(/latin\.yaml: is not UTF-8 text/), 1, watcher.said);
  assert.equal(watcher.count(/secret\.yaml: permission denied/), 1, watcher.said);
  assert.equal(watcher.count(/huge\.yaml: larger than 16 MiB/), 1, watcher.said);
  const ran = await host.podgen(["apply", watcher.folder]);
  assert.equal(ran.code, 1);
  rmSync(`${watcher.folder}/huge.yaml`);
  chmodSync(`${watcher.folder}/secret.yaml`, 0o644);
  await active("secret");
});

test("a change that failed is not made again for another file's sake, but when its own file changes", async () => {
  watcher = new Watcher("failed");
  watcher.put("wa.yaml", smallPod({ name: "wa" }));
  watcher.put("wb.yaml", smallPod({ name: "wb" }));
  watcher.start();
  await Promise.all([active("wa"), active("wb")]);
  await watcher.says(/wb created/);
  const bad = smallPod({ name: "wa", command: "[/no/such/program]" });
  watcher.put("wa.yaml", bad);
  await watcher.says(/pod\/wa rolled-back/);
  await watcher.says(/pod wa is left as it is until .*wa\.yaml/);
  const before = await app("wa");
  for (let i = 1; i <= 2; i++) {
    watcher.put("wb.yaml", smallPod({ name: "wb", page: `v${i}` }));
    await eventually("wb has changed", () => (watcher?.count(/^pod\/wb configured/) ?? 0) === i, SOON);
  }
  assert.equal(await app("wa"), before);
  assert.equal(watcher.count(/rolled-back/), 1, watcher.said);
  // Nor by a watcher that starts anew.
  await watcher.stop();
  watcher.start();
  watcher.put("wb.yaml", smallPod({ name: "wb", page: "v3" }));
  await eventually("wb has changed", () => (watcher?.count(/^pod\/wb configured/) ?? 0) === 3, SOON);
  assert.deepEqual([await app("wa"), watcher.count(/rolled-back/)], [before, 1]);
  watcher.put("wa.yaml", `${bad}# once more\n`);
  await eventually("it was tried", () => watcher?.count(/rolled-back/) === 2, SOON);
  watcher.put("wa.yaml", smallPod({ name: "wa", page: "good" }));
  await watcher.says(/pod\/wa configured/);
  // What a rollback left is not brought again: its file says it still.
  await host.ok(["rollback", "wa"]);
  const back = await app("wa");
  watcher.put("wb.yaml", smallPod({ name: "wb", page: "v4" }));
  await eventually("wb has changed", () => (watcher?.count(/^pod\/wb configured/) ?? 0) === 4, SOON);
  assert.equal(await app("wa"), back);
  watcher.put("wa.yaml", smallPod({ name: "wa", page: "better" }));
  await eventually("the next version comes", () => (watcher?.count(/^pod\/wa configured/) ?? 0) === 2, SOON);
});

test("an image that cannot be pulled is its own file's matter, and is tried again by itself", async () => {
  const registry = await new OddRegistry().start();
  try {
    const extra = randomLayer("extra", 100_000);
    const image = registry.add("cut", busyboxImage(extra));
    let broken = true;
    registry.answer = (request, response) => {
      if (!broken || !request.url?.endsWith(extra.digest)) return false;
      response.writeHead(403, { "content-type": "application/json" });
      response.end('{"errors":[]}');
      return true;
    };
    watcher = new Watcher("images");
    watcher.put("bad.yaml", smallPod({ name: "bad", image }));
    watcher.put("good.yaml", smallPod({ name: "good" }));
    watcher.start();
    await active("good");
    await watcher.says(/bad\.yaml:\d+:\d+: error: /);
    broken = false;
    await active("bad");
    assert.equal(watcher.count(/bad\.yaml:\d+:\d+: error: /), 1, watcher.said);
  } finally {
    await registry.stop();
  }
});

test("kill -9 of the first apply before it starts anything: the watcher starts the pod", async () => {
  watcher = new Watcher("killed");
  watcher.put("k.yaml", smallPod({ name: "k" }));
  const words = ["run", host.user, `${DIST}/podgen`, "apply", `${watcher.folder}/k.yaml`];
  const apply = spawn(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: "ignore" });
  const ended = new Promise((resolve) => apply.once("exit", resolve));
  // Between the manifest and the start lie the files, the enabling and a reload.
  while (!readFileSync(manifestPath(), "utf8").includes('"unfinished"')) await new Promise((resolve) => setImmediate(resolve));
  apply.kill("SIGKILL");
  await ended;
  assert.notEqual(await host.property("pod-k.service", "ActiveState"), "active");
  assert.match(readFileSync(manifestPath(), "utf8"), /"unfinished"/);
  watcher.start();
  await active("k");
  await watcher.says(/pod\/k /);
  assert.doesNotMatch(readFileSync(manifestPath(), "utf8"), /unfinished|fresh/);
  // Stopped by hand it stays, whatever the watcher does meanwhile.
  await host.ok(["stop", "k"]);
  watcher.put("other.yaml", smallPod({ name: "other" }));
  await watcher.says(/other created/);
  assert.equal(await host.property("pod-k.service", "ActiveState"), "inactive");
});

test("the folder is moved away: nothing is deleted, even with --prune; when it is back the watcher goes on", async () => {
  watcher = new Watcher("moved");
  watcher.put("here.yaml", smallPod({ name: "here" }));
  watcher.put("there.yaml", smallPod({ name: "there" }));
  watcher.start("--prune");
  await Promise.all([active("here"), active("there")]);
  await watcher.says(/there created/);
  const before = await app("here");
  renameSync(watcher.folder, `${watcher.folder}.away`);
  await watcher.says(/moved is away/);
  await new Promise((resolve) => setTimeout(resolve, 7500));
  assert.deepEqual([watcher.alive, await pods(), await app("here")], [true, ["here", "there"], before], watcher.said);
  renameSync(`${watcher.folder}.away`, watcher.folder);
  await eventually("it watches again", () => watcher?.count(/^watching /) === 2, SOON);
  watcher.put("here.yaml", smallPod({ name: "here", page: "back" }));
  await watcher.says(/here configured/);
  // Another folder in its place, without the second file.
  const other = new Watcher("moved.new");
  other.put("here.yaml", smallPod({ name: "here", page: "other" }));
  renameSync(watcher.folder, `${watcher.folder}.old`);
  renameSync(other.folder, watcher.folder);
  await eventually("here is the other folder's", () => watcher?.count(/here configured/) === 2, SOON);
  await watcher.says(/^pod\/there deleted \(.*there\.yaml is gone\)$/m);
});

test("a pod that is taken out of its file: reported without --prune, deleted with it", async () => {
  watcher = new Watcher("taken");
  const one = smallPod({ name: "one" });
  watcher.put("both.yaml", `${one}---\n${smallPod({ name: "two" })}`);
  watcher.start();
  await Promise.all([active("one"), active("two")]);
  await watcher.says(/two created/);
  watcher.put("both.yaml", one);
  await watcher.says(/both\.yaml does not have two any more.*podgen delete two/);
  watcher.put("third.yaml", smallPod({ name: "third" }));
  await watcher.says(/third created/);
  assert.equal(watcher.count(/does not have/), 1);
  assert.deepEqual(await pods(), ["one", "third", "two"]);
  await watcher.stop();
  watcher.start("--prune");
  await watcher.says(/^pod\/two deleted \(no longer in .*both\.yaml\)$/m);
  // A file that is cut off to nothing is no wish.
  watcher.put("third.yaml", "");
  await watcher.says(/third\.yaml does not have third any more/);
  assert.deepEqual(await pods(), ["one", "third"]);
});

test("a container that failed by itself is run again once it is mended", async () => {
  watcher = new Watcher("mended");
  const version = (code: number) =>
    smallPod({ name: "job", policy: "Never", command: `[sh, -c, "sleep 3; echo ended ${code}; exit ${code}"]` });
  watcher.put("job.yaml", version(3));
  watcher.start();
  await watcher.says(/job created/);
  await host.active("pod-job_app.service", "failed", SOON);
  watcher.put("other.yaml", smallPod({ name: "other" }));
  await watcher.says(/other created/);
  assert.equal(await host.property("pod-job_app.service", "ActiveState"), "failed", "it is not run again as it is");
  watcher.put("job.yaml", version(0));
  await eventually("the new version has run", async () => /^ended 0$/m.test(await host.log("pod-job_app.service")), SOON);
});

test("variables: the file of values is watched wherever it is; a unit gets the file and no value", async () => {
  watcher = new Watcher("variables");
  const values = host.spec("watch.env", "PAGE=one\n");
  watcher.put("v.yaml", smallPod({ name: "v", page: "${PAGE}" }));
  watcher.start("--env-file", values);
  await active("v");
  const before = await app("v");
  host.spec("watch.env", "PAGE=two\n");
  await eventually("v is another one", async () => (await app("v")) !== before, SOON);
  await watcher.stop();
  const refused = await host.podgen(["watch", watcher.folder, "--install", "--set", "PAGE=x"]);
  assert.deepEqual([refused.code, /--install takes no --set/.test(refused.stderr)], [64, true]);
  await host.ok(["watch", watcher.folder, "--install", "--env-file", "specs/watch.env"], { cwd: host.session.home });
  const unit = await host.run(["sh", "-c", "cat ~/.config/systemd/user/podgen-watch-*variables.service"]);
  assert.match(unit.stdout, /^ExecStart=.* "--env-file" "\/.*\/specs\/watch\.env"$/m);
  await host.ok(["watch", watcher.folder, "--uninstall"]);
});

/** Debian has neither of today's programs: where there is none, one that can no more than this overlay asks for stands in. */
function kustomizeProgram(): void {
  try {
    execFileSync("sh", ["-c", "command -v kustomize || kubectl kustomize --help"], { stdio: "ignore" });
  } catch {
    mkdirSync(`${host.session.home}/bin`, { recursive: true });
    const script = '#!/bin/sh\nexec cat "$2/../base/pod.yaml"\n';
    writeFileSync(`${host.session.home}/bin/kustomize`, script, { mode: 0o755 });
  }
}

test("-k: an overlay, with the base that it refers to; while kustomize fails, what runs stays", async () => {
  kustomizeProgram();
  watcher = new Watcher("overlay");
  const base = `${host.session.home}/base`;
  mkdirSync(base);
  const put = (page: string): void => writeFileSync(`${base}/pod.yaml`, smallPod({ name: "k", page }));
  writeFileSync(`${base}/kustomization.yaml`, "resources: [pod.yaml]\n");
  put("one");
  watcher.put("kustomization.yaml", "resources: [../base]\n");
  watcher.start("--prune", "-k");
  await watcher.says(/^pod\/k created/m);
  await active("k");
  const first = await app("k");
  put("two");
  await eventually("the base's change has come", async () => (await app("k")) !== first, SOON);
  await watcher.says(/^pod\/k configured/m);
  const second = await app("k");
  renameSync(`${base}/pod.yaml`, `${base}/away`);
  await watcher.says(/^error: kustomize|^error: kubectl kustomize/m);
  assert.equal(await app("k"), second);
  renameSync(`${base}/away`, `${base}/pod.yaml`);
  put("three");
  await eventually("it goes on", async () => (await app("k")) !== second, SOON);
  const both = await host.podgen(["watch", watcher.folder, "-k", watcher.folder]);
  assert.deepEqual([both.code, /watch takes one folder/.test(both.stderr)], [64, true]);
  await watcher.stop();
  await host.ok(["watch", "--install", "-k", watcher.folder]);
  const unit = await host.run(["sh", "-c", "cat ~/.config/systemd/user/podgen-watch-*overlay.service"]);
  assert.match(unit.stdout, /^ExecStart=.* "watch" "-k" "\/.*\/overlay"$/m);
  await host.ok(["watch", watcher.folder, "--uninstall"]);
});

test("--install --path: systemd looks at the folder, the watcher comes when something changes and goes when it is done", async () => {
  watcher = new Watcher("flat");
  const name = (await host.run(["systemd-escape", "--path", watcher.folder])).stdout.trim();
  const [service, path] = [`podgen-watch-${name}.service`, `podgen-watch-${name}.path`];
  const rests = () => host.active(service, "inactive", SOON);
  watcher.put("a.yaml", smallPod({ name: "fa" }));
  const installed = await host.podgen(["watch", "--install", "--path", watcher.folder]);
  assert.deepEqual([installed.code, installed.stderr], [0, ""]);
  await active("fa");
  await rests();
  await host.active(path, "active", SOON);
  const before = await app("fa");
  watcher.put("b.yaml", smallPod({ name: "fb" }));
  watcher.put("a.yaml", smallPod({ name: "fa", page: "two" }));
  await Promise.all([active("fb"), eventually("fa is another one", async () => (await app("fa")) !== before, SOON)]);
  await rests();
  mkdirSync(`${watcher.folder}/deeper`);
  const again = await host.podgen(["watch", "--install", "--path", watcher.folder]);
  assert.match(again.stderr, /^note: systemd watches folders one by one: the 1 in /m);
  await host.ok(["watch", "--install", watcher.folder]);
  assert.equal(await host.property(path, "LoadState"), "not-found", "the other way takes the path unit away");
  await host.active(service, "active", SOON);
  await host.ok(["watch", "--uninstall", watcher.folder]);
  assert.equal((await host.podgen(["watch", "--path", watcher.folder])).code, 64);
});

test("git checkout of another branch: what it has is applied, what it has no more goes with --prune", async () => {
  watcher = new Watcher("repo");
  const git = (...words: string[]) =>
    execFileSync("git", ["-C", watcher?.folder ?? "", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "safe.directory=*", ...words]);
  watcher.put("g.yaml", smallPod({ name: "g" }));
  watcher.put("h.yaml", smallPod({ name: "h" }));
  git("init", "--quiet", "--initial-branch=one");
  git("add", "g.yaml", "h.yaml");
  git("commit", "--quiet", "--message=one");
  git("checkout", "--quiet", "-b", "two");
  watcher.put("g.yaml", smallPod({ name: "g", page: "two" }));
  git("rm", "--quiet", "h.yaml");
  git("commit", "--quiet", "--all", "--message=two");
  git("checkout", "--quiet", "one");
  watcher.start("--prune");
  await Promise.all([active("g"), active("h")]);
  await watcher.says(/^pod\/h created/m);
  const before = await app("g");
  git("checkout", "--quiet", "two");
  await watcher.says(/^pod\/g configured/m);
  assert.notEqual(await app("g"), before);
  await watcher.says(/^pod\/h deleted \(.*h\.yaml is gone\)/m);
  git("checkout", "--quiet", "one");
  await active("h");
  assert.deepEqual((await pods()).sort(), ["g", "h"]);
});

test("the folder is replaced by a link to another one: nothing is deleted where that has no specs, what it gets is applied", async () => {
  watcher = new Watcher("linked");
  const elsewhere = new Watcher("elsewhere");
  watcher.put("l.yaml", smallPod({ name: "l" }));
  watcher.start("--prune");
  await active("l");
  await watcher.says(/^pod\/l created/m);
  renameSync(watcher.folder, `${watcher.folder}.old`);
  symlinkSync(elsewhere.folder, watcher.folder);
  await watcher.says(/l\.yaml is gone; its pods go on: l\./);
  elsewhere.put("m.yaml", smallPod({ name: "m" }));
  await active("m");
  assert.ok((await pods()).includes("m"));
});
