// Uploads to a registry that fails in all the ways registries do: what is sent in the end is whole, or there is a clear error.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { createCopies } from "../../../src/host/image/copy/index.js";
import type { CopyWishes } from "../../../src/ports/image-copy.js";
import { OddRegistry, refuse } from "../../lib/odd-registry.js";
import { imageError, needPodrt, podrt, QUICK } from "../../lib/store.js";
import { image, layer, randomLayer, type TinyImage, writeLayout } from "../../lib/tiny-image.js";

let folder: string;
let registry: OddRegistry;
let tiny: TinyImage;

before(async () => {
  await needPodrt();
  folder = await mkdtemp(join(tmpdir(), "podgen-push-"));
  tiny = image([randomLayer("large", 3_000_000), layer([{ name: "small", content: "x" }])]);
  await writeLayout(join(folder, "layout"), { n: tiny });
});
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  registry = await new OddRegistry().start();
});
afterEach(() => registry.stop());

async function push(wishes: Partial<CopyWishes> = {}, env: Record<string, string> = {}): Promise<string> {
  const copies = createCopies({
    settings: "/nonexistent",
    data: join(folder, "data"),
    podrt,
    env: { HOME: folder, XDG_RUNTIME_DIR: folder, ...env },
    deadlines: QUICK,
  });
  const to = `docker://${registry.host}/a/b:1`;
  return (await copies.copy(`oci:${join(folder, "layout")}:n`, to, { all: false, preserve: false, ...wishes }, () => undefined)).digest;
}

function assertWhole(): void {
  assert.equal(registry.manifests.get("a/b:1")?.bytes.toString(), tiny.manifest.toString());
  for (const { digest, blob } of tiny.layers) assert.deepEqual(registry.blobs.get(digest), blob);
}

const patches = () => registry.seen.filter((s) => s.method === "PATCH");
/** Answers as `how` does, the first `times` that a request of this method comes. */
function first(times: number, method: string, how: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  let left = times;
  registry.answer = (request, response) => request.method === method && left-- > 0 && how(request, response);
}

test("nothing goes wrong: a small blob in one request, a large one in a stream", async () => {
  assert.equal(await push(), tiny.digest);
  assertWhole();
  assert.equal(patches().length, 1);
});

test("429 and 503 are waited for, at every step", async () => {
  for (const method of ["POST", "PATCH", "PUT", "HEAD"]) {
    first(2, method, (request, response) => {
      request.resume();
      refuse(response, method === "POST" ? 429 : 503, "TOOMANYREQUESTS", { "retry-after": "0" });
      return true;
    });
    await push();
    assertWhole();
    registry.blobs.clear();
    registry.manifests.clear();
  }
});

test("a connection that is cut half-way: it goes on where the registry is", async () => {
  first(1, "PATCH", (request) => {
    // What arrived until then is taken by the registry as ever.
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > 1_000_000) request.socket.destroy();
    });
    return false;
  });
  await push();
  assertWhole();
  const [, again] = patches();
  assert.match(again?.range ?? "", /^[1-9]\d*-\d+$/);
});

test("a registry that forgets an upload gets it anew; one that never answers is given up on", async () => {
  let cut = true;
  registry.answer = (request, response) => {
    if (request.method === "PATCH" && cut) {
      cut = false;
      request.once("data", () => request.socket.destroy());
      return true;
    }
    if (request.method === "GET" && request.url?.includes("/uploads/")) {
      refuse(response, 404, "BLOB_UPLOAD_UNKNOWN");
      return true;
    }
    return false;
  };
  await push();
  assertWhole();
  registry.blobs.clear();
  registry.answer = (request) => request.method === "PATCH";
  assert.equal((await imageError(push())).code, "image-unreachable");
});

test("a proxy that takes no large body gets pieces", async () => {
  const large = new Map<string, number>();
  registry.answer = (request, response) => {
    const size = Number(request.headers["content-length"] ?? 0);
    if (request.method !== "PATCH" || (large.get("first") ?? 0) > 0 || size < 2_000_000) return false;
    large.set("first", size);
    request.resume();
    refuse(response, 413, "TOOLARGE", { connection: "close" });
    return true;
  };
  await push();
  assertWhole();
  assert.match(patches().at(-1)?.range ?? "", /^0-\d+$/);
});

test("a recompressed layer is made again after a failure, and is the same", async () => {
  assert.equal(await push({ compression: "zstd" }), await push({ compression: "zstd" }));
  const wanted = registry.manifests.get("a/b:1")?.bytes.toString();
  registry.blobs.clear();
  first(1, "PATCH", (request) => {
    request.once("data", () => request.socket.destroy());
    return true;
  });
  await push({ compression: "zstd" });
  assert.equal(registry.manifests.get("a/b:1")?.bytes.toString(), wanted);
});

test("a registry's no is told in its words, and not tried again", async () => {
  for (const [method, what] of [
    ["POST", "an upload"],
    ["PUT", "a layer"],
  ] as const) {
    registry.blobs.clear();
    first(10, method, (request, response) => {
      request.resume();
      refuse(response, 400, "QUOTA_EXCEEDED");
      return true;
    });
    const error = await imageError(push());
    assert.equal(error.code, "image-refused");
    assert.match(error.message, /does not take .*QUOTA_EXCEEDED/, what);
  }
  registry.blobs.clear();
  registry.answer = (request, response) => {
    if (!(request.method === "PUT" && request.url?.includes("/manifests/"))) return false;
    request.resume();
    refuse(response, 415, "MANIFEST_INVALID");
    return true;
  };
  assert.match((await imageError(push())).hint ?? "", /--format/);
  assert.equal(registry.manifests.size, 0);
});

test("a token is asked for to push, and goes to no other host", async () => {
  const other = await new OddRegistry().start();
  const scopes: string[] = [];
  await writeFile(
    join(folder, "auth.json"),
    JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from("u:p").toString("base64") } } }),
  );
  let stolen: string | undefined;
  other.answer = (request, response) => {
    stolen = request.headers.authorization ?? stolen;
    request.resume();
    response.writeHead(201).end();
    return true;
  };
  registry.answer = (request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    if (url.pathname === "/token") {
      scopes.push(...url.searchParams.getAll("scope"));
      response.end(JSON.stringify({ token: "secret" }));
    } else if (request.headers.authorization !== "Bearer secret") {
      refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="s"` });
    } else if (request.method === "POST") {
      // Some registries have their uploads elsewhere.
      response.writeHead(202, { location: `http://${other.host}/upload` }).end();
    } else return false;
    return true;
  };
  await push({}, { REGISTRY_AUTH_FILE: join(folder, "auth.json") });
  assert.deepEqual([...new Set(scopes)], ["repository:a/b:pull,push"]);
  assert.ok(other.seen.length > 0);
  assert.equal(stolen, undefined);
  await other.stop();
});

test("a registry that names no address to send a layer to is told so", async () => {
  for (const method of ["POST", "PATCH"]) {
    registry.answer = (request, response) => {
      if (request.method !== method) return false;
      request.resume().on("end", () => response.writeHead(202, { location: "http://[" }).end());
      return true;
    };
    const error = await imageError(push());
    assert.deepEqual([error.code, /names no address to send a layer to$/.test(error.message)], ["image-refused", true], error.message);
  }
});
