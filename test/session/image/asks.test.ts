// What registries are asked beside images, by the commands themselves: inspect, list-tags, search, delete.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { OddRegistry, refuse } from "../../lib/odd-registry.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { needPodrt, podrt } from "../../lib/store.js";
import { image, layer, sha256 } from "../../lib/tiny-image.js";

const run = promisify(execFile);
let folder: string;
let images: string;
let registry: Registry;
let odd: OddRegistry;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-asks-"));
  images = join(folder, "images");
  await run("test/harness/images.sh", [images], { timeout: 600_000 });
  registry = await startRegistry();
  odd = await new OddRegistry().start();
  for (const tag of ["1", "2", "3"]) await podgen("copy", "-q", `oci:${images}:busybox`, `docker://${registry.host}/tools/busybox:${tag}`);
  await podgen("copy", "-q", `oci:${images}:awkward`, `docker://${registry.host}/other:1`);
});
after(async () => {
  await registry.stop();
  await odd.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** podgen image …, whatever its exit. */
async function podgen(...words: string[]): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_RUNTIME_DIR: folder };
  const started = run(join(dirname(podrt), "podgen"), ["image", ...words], { env, maxBuffer: 1 << 24 });
  return started.then(
    (done) => ({ code: 0, ...done }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
}

test("inspect shows a remote image as skopeo does, and asks for no layer", async () => {
  const place = `docker://${registry.host}/other:1`;
  const skopeo = async (...words: string[]) => (await run("skopeo", ["inspect", "--tls-verify=false", ...words, place])).stdout;
  const before = (await readFile(join(registry.dir, "log"), "utf8")).length;
  const shown = JSON.parse((await podgen("inspect", place)).stdout);
  assert.equal((await podgen("inspect", "--raw", place)).stdout, (await skopeo("--raw")).toString());
  const config = (await podgen("inspect", "--config", place)).stdout;
  const log = (await readFile(join(registry.dir, "log"), "utf8")).slice(before);
  const wanted = JSON.parse(await skopeo());
  for (const key of ["Name", "Digest", "RepoTags", "Created", "Architecture", "Os", "Layers"])
    assert.deepEqual(shown[key], wanted[key], key);
  assert.equal(sha256(config), shown.Id);
  for (const digest of shown.Layers) assert.ok(!log.includes(`GET /v2/other/blobs/${digest}`), digest);
  // Without a transport it is looked for in its registry; the store has it not.
  assert.equal(JSON.parse((await podgen("inspect", "--no-tags", `${registry.host}/other:1`)).stdout).RepoTags, undefined);
  assert.equal(JSON.parse((await podgen("inspect", `oci:${images}:awkward`)).stdout).Id, shown.Id);
  const missing = await podgen("inspect", place, `docker://${registry.host}/none:1`);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /none:1 is not in its registry/);
  assert.equal(JSON.parse(missing.stdout).Digest, shown.Digest);
});

test("list-tags follows all pages, asks its own registry only, and gives no part of a list for the whole", async () => {
  assert.equal((await podgen("list-tags", `docker://${registry.host}/tools/busybox`)).stdout, "TAG\n1\n2\n3\n");
  const all = JSON.parse((await podgen("list-tags", "-o", "json", `${registry.host}/tools/busybox`)).stdout);
  assert.deepEqual(
    all.items.map((i: { tag: string }) => i.tag),
    ["1", "2", "3"],
  );
  odd.answer = (request, response) => {
    const last = new URL(request.url ?? "", "http://x").searchParams.get("last");
    // What stands behind a proxy knows itself by another name.
    const places: Record<string, string> = {
      "": "/v2/a/b/tags/list?n=1&last=one",
      one: "http://inside.invalid/v2/a/b/tags/list?n=1&last=two",
    };
    const next = places[last ?? ""];
    response.writeHead(200, next === undefined ? {} : { link: `<${next}>; rel="next"` });
    response.end(JSON.stringify({ name: "a/b", tags: [last === null ? "one" : last === "one" ? "two" : "three"] }));
    return true;
  };
  const listed = (await podgen("list-tags", "-o", "name", `${odd.host}/a/b`)).stdout;
  assert.equal(listed, ["one", "three", "two"].map((tag) => `${odd.host}/a/b:${tag}\n`).join(""));
  odd.answer = (_, response) => {
    response.writeHead(200, { link: '</v2/a/b/tags/list?n=1000>; rel="next"' });
    response.end(JSON.stringify({ name: "a/b", tags: ["one"] }));
    return true;
  };
  const circle = await podgen("list-tags", `${odd.host}/a/b`);
  assert.equal(circle.code, 1);
  assert.match(circle.stderr, /its list of tags leads back to itself/);
  assert.equal((await podgen("list-tags", `docker://${registry.host}/none`)).code, 1);
  assert.equal((await podgen("list-tags", `docker://${registry.host}/tools/busybox:1`)).code, 64);
});

test("search: by the catalog, and by docker's v1 search, whose texts are made harmless", async () => {
  assert.deepEqual((await podgen("search", "-o", "name", `${registry.host}/busy`)).stdout, `${registry.host}/tools/busybox\n`);
  odd.answer = (request, response) => {
    if (!request.url?.startsWith("/v1/search?q=term&n=2")) return false;
    const results = ["a/b", "c", "d"].map((name) => ({ name, description: "red \u001b[31m\nline", star_count: 7, is_official: true }));
    response.end(JSON.stringify({ results }));
    return true;
  };
  const { stdout } = await podgen("search", "--limit", "2", `${odd.host}/term`);
  assert.match(stdout, /\/a\/b +7 +yes +red \[31m line/);
  assert.equal(stdout.trim().split("\n").length, 3, "at most so many");
  assert.ok(!stdout.includes("\u001b"));
  assert.equal((await podgen("search", "nginx")).code, 64);
  odd.answer = () => false;
  assert.equal((await podgen("search", `${odd.host}/x`)).code, 1, "it has neither");
});

test("delete: a tag alone where the registry can, else the manifest; and a registry that does not", async () => {
  const { stdout } = await podgen("delete", `docker://${registry.host}/other:1`);
  assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
  assert.equal((await podgen("inspect", "--raw", `docker://${registry.host}/other:1`)).code, 1);
  assert.equal((await podgen("delete", `docker://${registry.host}/other:1`)).code, 1);
  odd.add("x", image([layer([{ name: "a", content: "a" }])]));
  const asked: string[] = [];
  odd.answer = (request, response) => {
    if (request.method !== "DELETE") return false;
    asked.push(request.url ?? "");
    response.writeHead(202).end();
    return true;
  };
  assert.equal((await podgen("delete", `docker://${odd.host}/x:latest`)).code, 0);
  assert.deepEqual(asked, ["/v2/x/manifests/latest"]);
  odd.answer = (request, response) => {
    if (request.method !== "DELETE") return false;
    refuse(response, 405, "UNSUPPORTED");
    return true;
  };
  const no = await podgen("delete", `docker://${odd.host}/x:latest`);
  assert.equal(no.code, 1);
  assert.match(no.stderr, /does not delete it \(HTTP 405, UNSUPPORTED/);
});

test("a name without a registry: what registries.conf says, tried in turn only to read; else refused with the candidates", async () => {
  const conf = join(folder, ".config/containers");
  await mkdir(conf, { recursive: true });
  const say = (...lines: string[]) => writeFile(join(conf, "registries.conf"), lines.join("\n"));
  const both = `unqualified-search-registries = ["${odd.host}", "${registry.host}"]`;
  try {
    await say(both);
    for (const words of [
      ["copy", "docker://tools/busybox:1", `oci:${folder}/x`],
      ["inspect", "tools/busybox:1"],
      ["list-tags", "tools/busybox"],
    ]) {
      const refused = await podgen(...words);
      assert.equal(refused.code, 1, words.join(" "));
      assert.match(refused.stderr, new RegExp(`may be any of ${odd.host}/tools/busybox(:\\w+)?, ${registry.host}/tools/busybox`));
    }
    // The first of them does not have it.
    await say(both, 'short-name-mode = "permissive"');
    assert.equal((await podgen("copy", "-q", "docker://tools/busybox:1", `oci:${folder}/short:1`)).code, 0);
    assert.equal(JSON.parse((await podgen("inspect", "tools/busybox:1")).stdout).Name, `${registry.host}/tools/busybox`);
    assert.equal(
      (await podgen("list-tags", "docker://tools/busybox", "-o", "name")).stdout.split("\n")[0],
      `${registry.host}/tools/busybox:1`,
    );
    for (const words of [
      ["delete", "docker://tools/busybox:1"],
      ["copy", `oci:${folder}/short:1`, "docker://tools/busybox:9"],
    ])
      assert.match((await podgen(...words)).stderr, /may be any of/, "who writes is never led by what is there");
    // Both are searched; the one that has neither search nor catalog is told.
    const found = await podgen("search", "busy", "-o", "name");
    assert.equal(found.stdout, `${registry.host}/tools/busybox\n`);
    assert.deepEqual([found.code, found.stderr.includes(odd.host)], [1, true]);
    await say(`unqualified-search-registries = ["${registry.host}"]`, "[aliases]", `"box" = "${registry.host}/tools/busybox"`);
    assert.equal((await podgen("search", "busy", "-o", "name")).code, 0);
    assert.equal((await podgen("copy", "-q", `oci:${folder}/short:1`, "docker://box:copied")).code, 0);
    assert.equal((await podgen("inspect", "--no-tags", "docker://box:copied")).code, 0);
    await say("");
    assert.match((await podgen("inspect", "docker://nobody")).stderr, /write docker\.io\/library\/nobody:latest/);
    assert.match((await podgen("search", "busy")).stderr, /does not say where to search/);
  } finally {
    await rm(conf, { recursive: true });
  }
});
