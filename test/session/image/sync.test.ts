// podgen image sync between a real registry, folders and layouts; skopeo reads what it wrote, and wrote what it reads.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { needPodrt, podrt } from "../../lib/store.js";
import { image, layer, writeLayout } from "../../lib/tiny-image.js";

const run = promisify(execFile);
let folder: string;
let open: Registry;
let locked: Registry;
const digests = new Map<string, string>();

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-sync-"));
  [open, locked] = await Promise.all([startRegistry(), startRegistry({ auth: "robot:secret", tls: true })]);
  const common = layer([{ name: "common", content: "all have it" }]);
  const tags = ["1.0", "1.1", "2.0-rc1", "latest"];
  const images = Object.fromEntries(tags.map((tag) => [tag, image([common, layer([{ name: "tag", content: tag }])])]));
  await writeLayout(join(folder, "made"), images);
  for (const tag of tags) digests.set(tag, images[tag]?.digest ?? "");
  const copies = createCopies({ data: folder, settings: folder, podrt, env: { HOME: folder } });
  for (const [i, tag] of tags.entries())
    for (const repository of i < 2 ? ["team/app", "other"] : ["team/app"])
      await copies.copy(
        `oci:${folder}/made:${tag}`,
        `docker://${open.host}/${repository}:${tag}`,
        { all: false, preserve: true },
        () => undefined,
      );
});
after(async () => {
  await Promise.all([open.stop(), locked.stop()]);
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function sync(...words: string[]): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder };
  const started = run(join(dirname(podrt), "podgen"), ["image", "sync", ...words], { env, cwd: folder });
  return started.then(
    (done) => ({ code: 0, ...done }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
}
const lines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .sort();
const raw = async (place: string) => (await run("skopeo", ["inspect", "--tls-verify=false", "--raw", place])).stdout;
const tagsOf = async (repository: string, ...options: string[]) =>
  JSON.parse((await run("skopeo", ["list-tags", "--tls-verify=false", ...options, `docker://${repository}`])).stdout).Tags;

test("a repository to a folder, and as skopeo names it; a second time there is nothing to do; from there to a registry and a layout", async () => {
  const first = await sync("--src", "docker", "--dest", "dir", "--scoped", `${open.host}/team/app`, "stick");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /copied 4 images, 0 there already\n$/);
  await run("skopeo", [
    "sync",
    "--src-tls-verify=false",
    "--src",
    "docker",
    "--dest",
    "dir",
    "--scoped",
    `${open.host}/team/app`,
    `${folder}/theirs`,
  ]);
  const below = async (root: string) => (await readdir(join(folder, root, open.host, "team"))).sort();
  assert.deepEqual(await below("stick"), await below("theirs"));
  assert.equal(await raw(`dir:${folder}/stick/${open.host}/team/app:1.1`), await raw(`docker://${open.host}/team/app:1.1`));
  const again = await sync("--src", "docker", "--dest", "dir", "--scoped", `${open.host}/team/app`, "stick", "-q");
  assert.equal(again.stderr, "copied 0 images, 4 there already\n");
  assert.equal(lines(again.stdout).length, 4);
  // skopeo's folders are as good.
  const back = await sync("-s", "dir", "-d", "docker", "theirs", `${open.host}/back`, "--append-suffix=-x");
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual((await tagsOf(`${open.host}/back/app`)).sort(), ["1.0-x", "1.1-x", "2.0-rc1-x", "latest-x"]);
  assert.match(
    (await sync("-s", "dir", "-d", "docker", "theirs", `${open.host}/back`, "--append-suffix=-x")).stderr,
    /copied 0 images, 4 there/,
  );
  assert.equal((await sync("-s", "dir", "-d", "oci", "stick", "layout")).code, 0);
  assert.equal((await sync("-s", "oci", "-d", "docker", "layout", `${open.host}/third`)).code, 0);
  assert.equal(await raw(`docker://${open.host}/third/app:1.0`), await raw(`oci:${folder}/made:1.0`));
  assert.match((await sync("-s", "oci", "-d", "oci", "layout", "layout")).stderr, /4 there already/);
});

test("a file: tags, expressions, versions, a login and TLS of the registry's own; dry-run copies nothing", async () => {
  const certificates = join(folder, ".config/containers/certs.d", locked.host);
  const file = (more: string) =>
    writeFile(join(folder, "images.yaml"), `"${open.host}":\n  images:\n    other: []\n  images-by-semver:\n    team/app: "~1.0"\n${more}`);
  await file(
    `  images-by-tag-regex:\n    third/app: ^lat\n"${locked.host}":\n  images: { mine: ["7"] }\n  tls-verify: false\n  credentials: { username: robot, password: secret }\n`,
  );
  await run("skopeo", [
    "copy",
    "-q",
    "--dest-tls-verify=false",
    "--dest-creds",
    "robot:secret",
    `oci:${folder}/made:1.0`,
    `docker://${locked.host}/mine:7`,
  ]);
  const dry = await sync("--dry-run", "--scoped", "-s", "yaml", "-d", "dir", "images.yaml", "out");
  assert.equal(dry.code, 0, dry.stderr);
  assert.deepEqual(
    lines(dry.stdout).map((line) => line.split(" ")[0]),
    [
      `${open.host}/other:1.0`,
      `${open.host}/other:1.1`,
      `${open.host}/team/app:1.0`,
      `${open.host}/third/app:latest`,
      `${locked.host}/mine:7`,
    ]
      .map((n) => `docker://${n}`)
      .sort(),
  );
  assert.ok(!(await readdir(folder)).includes("out"));
  const done = await sync("--scoped", "-s", "yaml", "-d", "dir", "images.yaml", "out");
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /copied 5 images/);
  assert.equal(await raw(`dir:${folder}/out/${locked.host}/mine:7`), await raw(`oci:${folder}/made:1.0`));
  assert.ok(!`${done.stdout}${done.stderr}`.includes("secret"));
  // Without them it does not go; with --keep-going the others do.
  await file(`"${locked.host}":\n  images: { mine: ["7"] }\n  tls-verify: false\n`);
  const stopped = await sync("-s", "yaml", "-d", "dir", "images.yaml", "none", "--scoped");
  assert.equal(stopped.code, 1);
  const most = await sync("--keep-going", "-s", "yaml", "-d", "dir", "images.yaml", "most", "--scoped");
  assert.equal(most.code, 1);
  assert.match(most.stderr, /podgen image login/);
  assert.match(most.stderr, /copied 3 images, 0 there already, 1 failed\n$/);
  await rm(certificates, { recursive: true, force: true });
});

test("refused before anything is copied: two of one name, mistakes in the file, what is missing", async () => {
  await writeFile(join(folder, "two.yaml"), `"${open.host}":\n  images: { other: ["1.0"], team/other: ["1.0"], team/app: ["1.0"] }\n`);
  const both = await sync("-s", "yaml", "-d", "dir", "two.yaml", "two");
  assert.deepEqual([both.code, /would both be dir:.*two\/other:1\.0/.test(both.stderr)], [1, true], both.stderr);
  assert.ok(!(await readdir(folder)).includes("two"));
  await writeFile(join(folder, "bad.yaml"), `"${open.host}":\n  images: { other: [] }\n  password: hunter2\n`);
  const bad = await sync("-s", "yaml", "-d", "dir", "bad.yaml", "two");
  assert.match(bad.stderr, /bad\.yaml:3:3: error: .*password/);
  assert.ok(!bad.stderr.includes("hunter2"));
  for (const [words, code, what] of [
    [["-s", "docker", "a.example/b", "x"], 64, /--dest is missing/],
    [["-d", "dir", "a.example/b", "x"], 64, /--src is missing/],
    [["-s", "dir", "-d", "docker", "nowhere", "localhost:1"], 1, /nowhere is no folder/],
    [["-s", "dir", "-d", "docker", "made", "localhost:1"], 1, /no image to copy/],
    [["-s", "dir", "-d", "docker", "made", "nothost/x"], 64, /no place in a registry/],
    [["-s", "yaml", "-d", "dir", "none.yaml", "x"], 1, /no such file/],
  ] as const) {
    const ended = await sync(...words);
    assert.deepEqual([ended.code, what.test(ended.stderr)], [code, true], `${words.join(" ")}: ${ended.code} ${ended.stderr}`);
  }
});

test("a destination's own links, and images that are there, are not written through", async () => {
  await Promise.all(["stick2/theirs", "elsewhere"].map((path) => mkdir(join(folder, path), { recursive: true })));
  await symlink(join(folder, "elsewhere"), join(folder, "stick2", open.host));
  const linked = await sync("--src", "docker", "--dest", "dir", "--scoped", `${open.host}/other:1.0`, "stick2");
  assert.equal(linked.code, 1);
  assert.match(linked.stderr, /stick2\/localhost:\d+ is a link, which a sync does not follow/);
  assert.deepEqual(await readdir(join(folder, "elsewhere")), []);
  await writeFile(join(folder, "stick2/theirs/manifest.json"), "{}");
  const inside = await sync("--src", "docker", "--dest", "dir", `${open.host}/other:1.0`, "stick2/theirs/deep");
  assert.equal(inside.code, 0, "the destination itself is the user's word");
  await rm(join(folder, "stick2", open.host));
  await mkdir(join(folder, "stick2", open.host));
  await writeFile(join(folder, "stick2", open.host, "manifest.json"), "{}");
  const within = await sync("--src", "docker", "--dest", "dir", "--scoped", `${open.host}/other:1.0`, "stick2");
  assert.match(within.stderr, /stick2\/localhost:\d+ is the folder of an image/);
});

test("logins for either end, on the command line or in a file, and never shown", async () => {
  const file = join(folder, "logins.json");
  await writeFile(file, JSON.stringify({ auths: { [locked.host]: { auth: Buffer.from("robot:secret").toString("base64") } } }));
  const there = ["-s", "docker", "-d", "docker", "--no-dest-tls-verify", `${open.host}/other:1.0`, `${locked.host}/to`];
  const refused = await sync(...there);
  assert.deepEqual([refused.code, /podgen image login/.test(refused.stderr)], [1, true], refused.stderr);
  for (const more of [
    ["--dest-creds", "robot:secret"],
    ["--authfile", "logins.json"],
  ]) {
    const done = await sync(...more, ...there);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(!`${done.stdout}${done.stderr}`.includes("secret"));
  }
  const back = ["-s", "docker", "-d", "dir", "--no-src-tls-verify", `${locked.host}/to/other`];
  assert.equal((await sync(...back, "back1")).code, 1);
  for (const [i, more] of [
    ["--src-creds", "robot:secret"],
    ["--authfile", file],
  ].entries())
    assert.equal((await sync(...more, ...back, `back${i}`)).code, 0);
  for (const [word, what] of [
    ["hunter2", /--src-creds is not NAME:PASSWORD/],
    [":hunter2", /--src-creds is not NAME:PASSWORD/],
  ] as const) {
    const bad = await sync("--src-creds", word, ...back, "back3");
    assert.deepEqual([bad.code, what.test(bad.stderr), bad.stderr.includes("hunter2")], [64, true, false], bad.stderr);
  }
  assert.equal((await sync("--dest-creds", "a:b", ...back, "back3")).code, 64);
});
