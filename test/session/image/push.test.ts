// podgen image push: out of the store, whose layers are unpacked, into registries that have them still, and into one that has not.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import type { CopyWishes } from "../../../src/ports/image-copy.js";
import { OddRegistry } from "../../lib/odd-registry.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore } from "../../lib/store.js";

const run = promisify(execFile);
let folder: string;
let images: string;
let registry: Registry;
let other: OddRegistry;
let store: TestStore;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-pushed-"));
  images = join(folder, "images");
  await run("test/harness/images.sh", [images], { timeout: 600_000 });
  registry = await startRegistry();
  other = await new OddRegistry().start();
  // skopeo knocks before it asks.
  other.answer = (request, response) => {
    if (request.url !== "/v2/") return false;
    response.writeHead(200).end();
    return true;
  };
  store = await makeStore({ deadlines: {} });
  await registry.fill(images, "awkward=a/awkward:1");
  await store.pull(`${registry.host}/a/awkward:1`);
});
after(async () => {
  await store.remove();
  await registry.stop();
  await other.stop();
  await rm(folder, { recursive: true, force: true });
});

async function push(to: string, wishes: Partial<CopyWishes> = {}): Promise<string> {
  const { data, env } = store.options;
  const copies = createCopies({ data, settings: `${data}/none`, podrt, env });
  return (await copies.copy(`store:${registry.host}/a/awkward:1`, to, { all: false, preserve: false, ...wishes }, () => undefined)).digest;
}

const config = async (place: string) => (await run("skopeo", ["inspect", "--tls-verify=false", "--config", "--raw", place])).stdout;

test("into the registry it came from: layers are mounted, and the digest is the one it was pulled under", async () => {
  const { digest } = await store.images.inspect(`${registry.host}/a/awkward:1`, "Never");
  assert.equal(await push(`docker://${registry.host}/b/awkward:2`), digest);
  assert.equal(await push(`docker://${registry.host}/c/awkward:2`, { preserve: true }), digest);
});

test("elsewhere: the same configuration and the same tars, compressed anew", async () => {
  const wanted = await config(`oci:${images}:awkward`);
  await push(`docker://${other.host}/x/awkward:1`);
  await push(`oci:${join(folder, "out")}:n`);
  await push(`docker-archive:${join(folder, "out.tar")}`);
  for (const place of [`docker://${other.host}/x/awkward:1`, `oci:${join(folder, "out")}:n`, `docker-archive:${join(folder, "out.tar")}`]) {
    assert.equal(await config(place), wanted, place);
    // skopeo reads every layer and compares it with its digest; podrt has compared each tar with its diff_id.
    await run("skopeo", ["copy", "-q", "--src-tls-verify=false", place, `dir:${join(folder, "read")}`]);
  }
  const types = JSON.parse(other.manifests.get("x/awkward:1")?.bytes.toString() ?? "").layers.map(
    (l: { mediaType: string }) => l.mediaType,
  );
  assert.deepEqual(new Set(types), new Set(["application/vnd.oci.image.layer.v1.tar+gzip"]));
});

test("what cannot keep its digest is refused with --preserve-digests; what is not there is not found", async () => {
  assert.match((await imageError(push(`oci:${join(folder, "kept")}:n`, { preserve: true }))).message, /--preserve-digests forbids/);
  const { data, env } = store.options;
  const gone = createCopies({ data, settings: `${data}/none`, podrt, env }).inspect("store:docker.io/library/none:1", { raw: false });
  assert.equal((await imageError(gone)).code, "image-not-found");
  const there = await createCopies({ data, settings: `${data}/none`, podrt, env }).inspect(`store:${registry.host}/a/awkward:1`, {
    raw: false,
  });
  assert.equal(Buffer.from(there.image?.config ?? []).toString(), await config(`oci:${images}:awkward`));
});
