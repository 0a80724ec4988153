// The bundled image: its layout is what the field's tools accept, and its server serves what HTTP says and nothing else.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { until } from "./user.js";

const LAYOUT = resolve(process.env["PODGEN_TEST_DIST"] ?? "dist", "images/httpd");
const run = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: "utf8" });
const blob = (digest: string): Buffer => readFileSync(join(LAYOUT, "blobs", digest.replace(":", "/")));
const parse = (bytes: Buffer) => JSON.parse(bytes.toString());

let work: string;
let program: string;
before(() => {
  work = mkdtempSync(join(tmpdir(), "httpd-"));
  run("umoci", "unpack", "--image", `${LAYOUT}:latest`, join(work, "bundle"));
  program = join(work, "bundle/rootfs/httpd");
});
after(() => rmSync(work, { recursive: true, force: true }));

describe("the layout", () => {
  it("is whole: every blob has its digest and size, the layer its diff_id", () => {
    const index = parse(readFileSync(join(LAYOUT, "index.json")));
    assert.equal(index.manifests[0].annotations["org.opencontainers.image.ref.name"], "latest");
    const manifest = parse(blob(index.manifests[0].digest));
    const blobs = [index.manifests[0], manifest.config, ...manifest.layers];
    for (const { digest, size } of blobs) {
      assert.equal(blob(digest).length, size);
      assert.equal(`sha256:${createHash("sha256").update(blob(digest)).digest("hex")}`, digest);
    }
    assert.equal(readdirSync(join(LAYOUT, "blobs/sha256")).length, blobs.length);
    const config = parse(blob(manifest.config.digest));
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
    assert.deepEqual(
      [config.config.User, config.config.Entrypoint, config.config.ExposedPorts],
      ["65532:65532", ["/httpd"], { "8080/tcp": {} }],
    );
    assert.ok(manifest.layers[0].size < 64 * 1024, "a few KB");
  });

  it("is accepted by skopeo and umoci", () => {
    assert.equal(
      JSON.parse(run("skopeo", "inspect", `oci:${LAYOUT}:latest`)).Architecture,
      process.arch === "x64" ? "amd64" : process.arch,
    );
    assert.deepEqual(readdirSync(join(work, "bundle/rootfs")).sort(), ["etc", "httpd", "tmp", "www"]);
    assert.match(readFileSync(join(work, "bundle/rootfs/etc/passwd"), "utf8"), /^nonroot:x:65532:65532:/m);
  });

  it("is the same bytes each time", () => {
    const again = join(work, "again");
    run(process.execPath, "native/httpd/layout.mjs", program, again);
    assert.equal(run("diff", "-r", LAYOUT, again), "");
  });
});

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly log: string[];
  readonly ended: Promise<number | null>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "::");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function start(words: readonly string[], port = 0): Server {
  const child = spawn(words[0] as string, words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const log: string[] = [];
  child.stdout.on("data", (chunk) => log.push(...String(chunk).split("\n").filter(Boolean)));
  return { child, port, log, ended: new Promise((done) => child.once("exit", (code) => done(code))) };
}

async function serve(root: string): Promise<Server> {
  const port = await freePort();
  const server = start([program, "--port", String(port), "--root", root], port);
  await until("it to listen", () => server.log.includes(`listening on port ${port}`));
  return server;
}

/** Sends bytes, with pauses between the pieces, and gives all that came until the other side closed. */
function raw(port: number, pieces: readonly string[], host = "127.0.0.1"): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host, allowHalfOpen: true });
    const parts: Buffer[] = [];
    socket.on("data", (chunk) => parts.push(chunk));
    socket.on("error", fail);
    socket.on("end", () => {
      socket.destroy();
      done(Buffer.concat(parts).toString("latin1"));
    });
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece, "latin1");
        await new Promise((wake) => setTimeout(wake, 20));
      }
    })();
  });
}
const request = (target: string, method = "GET"): string => `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
const status = (reply: string): number => Number(reply.split(" ")[1]);
const body = (reply: string): string => reply.slice(reply.indexOf("\r\n\r\n") + 4);

describe("the server", () => {
  let root: string;
  let server: Server;
  const big = Buffer.alloc(3_000_000, "0123456789abcdef").toString("latin1");
  before(async () => {
    root = join(work, "www");
    mkdirSync(join(root, "sub"), { recursive: true });
    mkdirSync(join(root, "empty"));
    writeFileSync(join(root, "index.html"), "<p>front");
    writeFileSync(join(root, "sub/index.html"), "<p>sub");
    writeFileSync(join(root, "a b.txt"), "blank");
    writeFileSync(join(root, "big"), big);
    writeFileSync(join(root, "none.css"), "");
    writeFileSync(join(work, "secret"), "secret");
    run("mkfifo", join(root, "fifo"));
    symlinkSync("../secret", join(root, "out"));
    symlinkSync("/a b.txt", join(root, "in"));
    symlinkSync(join(work, "secret"), join(root, "abs"));
    server = await serve(root);
  });
  after(() => server.child.kill("SIGKILL"));

  const cases: readonly [string, string, number, string | undefined][] = [
    ["the index", request("/"), 200, "<p>front"],
    ["a file, decoded, without its query", request("/a%20b.txt?x=1"), 200, "blank"],
    ["an empty file", request("/none.css"), 200, ""],
    ["a folder's index", request("/sub/"), 200, "<p>sub"],
    ["a folder without a slash", request("/sub"), 301, undefined],
    ["a folder without an index", request("/empty/"), 404, undefined],
    ["nothing", request("/no"), 404, "404 Not Found"],
    ["a fifo", request("/fifo"), 404, undefined],
    ["..", request("/../secret"), 404, undefined],
    ["an encoded ..", request("/%2e%2e/secret"), 404, undefined],
    ["an encoded slash", request("/..%2fsecret"), 404, undefined],
    ["a symlink out", request("/out"), 404, undefined],
    ["an absolute symlink out", request("/abs"), 404, undefined],
    ["a symlink within", request("/in"), 200, "blank"],
    ["a big file", request("/big"), 200, big],
    ["another method", request("/", "DELETE"), 405, undefined],
    ["a body", `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody`, 405, undefined],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400, undefined],
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "<p>front"],
    ["HTTP/3.0", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505, undefined],
    ["a bad escape", request("/%zz"), 400, undefined],
    ["a long target", request(`/${"x".repeat(2000)}`), 414, undefined],
    ["a long head", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(5000)}\r\n\r\n`, 431, undefined],
    ["a target without an end", "x".repeat(5000), 414, undefined],
  ];
  for (const [what, text, code, wanted] of cases)
    it(what, async () => {
      const reply = await raw(server.port, [text]);
      assert.equal(status(reply), code, reply.slice(0, 200));
      const length = Number(/Content-Length: (\d+)/.exec(reply)?.[1]);
      assert.equal(body(reply).length, length);
      if (wanted !== undefined) assert.ok(body(reply) === wanted, body(reply).slice(0, 100));
      assert.ok(!reply.includes("secret"));
    });

  it("HEAD gives the same head and no body", async () => {
    const reply = await raw(server.port, [request("/big", "HEAD")]);
    assert.match(reply, /^HTTP\/1\.1 200 OK\r\n.*Content-Length: 3000000\r\n/s);
    assert.equal(body(reply), "");
  });

  it("types, where to go, what is allowed", async () => {
    assert.match(await raw(server.port, [request("/none.css")]), /Content-Type: text\/css\r\n/);
    assert.match(await raw(server.port, [request("/sub?q")]), /Location: \/sub\/\r\n/);
    assert.match(await raw(server.port, [request("//sub")]), /Location: \/sub\/\r\n/);
    assert.match(await raw(server.port, [request("/", "PUT")]), /Allow: GET, HEAD\r\n/);
  });

  it("several requests on one connection, in any pieces", async () => {
    const one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const together = await raw(server.port, [one + one + request("/none.css")]);
    assert.equal(together.match(/HTTP\/1\.1 200/g)?.length, 3);
    assert.equal(together.match(/Connection: close/g)?.length, 1);
    const pieces = await raw(server.port, ["GE", "T / HT", "TP/1.1\r", "\nHost: x\r\nConnection: close\r\n\r", "\n"]);
    assert.equal(body(pieces), "<p>front");
  });

  it("both families, more clients than it has places, and one that says nothing", async () => {
    const silent = connect(server.port, "127.0.0.1");
    silent.on("error", () => {});
    const replies = await Promise.all(
      Array.from({ length: 150 }, (_, i) => raw(server.port, [request(i % 3 ? "/big" : "/")], i % 2 ? "::1" : "127.0.0.1")),
    );
    assert.ok(replies.every((reply) => status(reply) === 200 && (body(reply) === big || body(reply) === "<p>front")));
    silent.destroy();
  });

  it("one line per request", async () => {
    server.log.length = 0;
    await raw(server.port, [request("/no\x1b%0a")], "::1");
    await raw(server.port, [request("/", "HEAD")]);
    await until("the log", () => server.log.length >= 2);
    assert.deepEqual(server.log, ['0:0:0:0:0:0:0:1 "GET /no?%0a" 404 13', '127.0.0.1 "HEAD /" 200 0']);
  });

  it("its own page where there is no folder, and only that", async () => {
    const bare = await serve(join(work, "no-such-folder"));
    const reply = await raw(bare.port, [request("/")]);
    assert.match(reply, /^HTTP\/1\.1 200 OK\r\n.*text\/html.*It works/s);
    assert.equal(status(await raw(bare.port, [request("/index.html")])), 200);
    assert.equal(status(await raw(bare.port, [request("/etc/passwd")])), 404);
    bare.child.kill("SIGTERM");
    assert.equal(await bare.ended, 0);
  });
});

describe("its life", () => {
  it("ends on SIGTERM also as PID 1", async () => {
    const port = await freePort();
    const one = start(["unshare", "--pid", "--fork", "--kill-child", program, "--port", String(port)], port);
    await until("it to listen", () => one.log.length > 0);
    const pid = run("pgrep", "-P", String(one.child.pid)).trim();
    assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /NSpid:\s+\d+\s+1\n/);
    process.kill(Number(pid), "SIGTERM");
    assert.equal(await one.ended, 0);
    assert.equal(one.log.at(-1), "stopped");
  });

  it("--log-every prints a numbered line, until SIGTERM", async () => {
    const one = start([program, "--log-every", "1"]);
    await until("two lines", () => one.log.length >= 2);
    one.child.kill("SIGTERM");
    assert.equal(await one.ended, 0);
    assert.deepEqual(one.log.slice(0, 2), ["heartbeat 1", "heartbeat 2"]);
    assert.equal(one.log.at(-1), "stopped");
  });

  it("says what is wrong with its words and its port", async () => {
    for (const words of [["--port"], ["--port", "0"], ["--port", "65536"], ["--port", "8x"], ["--log-every", "-1"], ["x"], ["--no", "1"]])
      assert.equal(await start([program, ...words]).ended, 64, words.join(" "));
    const first = await serve(work);
    assert.equal(await start([program, "--port", String(first.port)]).ended, 1);
    first.child.kill("SIGKILL");
  });
});
