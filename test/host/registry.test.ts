// Real images from a real registry: nginx, redis and a database, as people run them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Host, IMAGES, must } from "../lib/host.js";
import { eventually } from "../lib/session.js";

const REGISTRY = "/opt/podgen/test/harness/registry.sh";
const START = 20_000;

const shop = (nginx = "localhost:5000/nginx:1") => `apiVersion: v1
kind: Pod
metadata: { name: shop }
spec:
  terminationGracePeriodSeconds: 5
  containers:
    - name: web
      image: ${nginx}
      imagePullPolicy: IfNotPresent
      ports: [{ containerPort: 80, hostPort: 8080 }]
    - name: cache
      image: localhost:5000/redis:latest
      imagePullPolicy: IfNotPresent
      ports: [{ containerPort: 6379, hostPort: 6379 }]
`;

const db = `apiVersion: v1
kind: Secret
metadata: { name: db }
stringData: { password: s3cret-word }
---
apiVersion: v1
kind: Pod
metadata: { name: db }
spec:
  terminationGracePeriodSeconds: 20
  containers:
    - name: server
      image: localhost:5000/mariadb:latest
      env:
        - { name: MARIADB_ROOT_PASSWORD_FILE, value: /run/login/password }
        - { name: MARIADB_DATABASE, value: shop }
      ports: [{ containerPort: 3306, hostPort: 3306 }]
      volumeMounts:
        - { name: data, mountPath: /var/lib/mysql }
        - { name: login, mountPath: /run/login, readOnly: true }
  volumes:
    - { name: data, persistentVolumeClaim: { claimName: db-data } }
    # The entrypoint reads it as the server's user.
    - { name: login, secret: { secretName: db, defaultMode: 0444 } }
`;

let host: Host;
before(async () => {
  host = await Host.start("t-registry");
  await host.root([REGISTRY, "start", "5000", "/var/lib/registry"]);
  await fill("/opt/images", "nginx=nginx:1", "nginx", "redis", "mariadb");
});
after(() => host.stop());

async function fill(layout: string, ...names: string[]): Promise<void> {
  await host.root([REGISTRY, "fill", "5000", layout, ...names]);
}

/** A layout in alice's home with one image, `nginx`: the same layers, and a variable more. Returns its path in the host. */
function another(label: string): string {
  const folder = join(host.homeOutside, `layout-${label}`);
  const path = (digest: string) => `blobs/sha256/${digest.slice(7)}`;
  const read = (digest: string) => JSON.parse(readFileSync(join(IMAGES, path(digest)), "utf8"));
  const store = (value: unknown) => {
    const bytes = JSON.stringify(value);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    writeFileSync(join(folder, path(digest)), bytes);
    return { digest, size: bytes.length };
  };
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const index: { manifests: { digest: string; annotations: Record<string, string> }[] } = JSON.parse(
    readFileSync(join(IMAGES, "index.json"), "utf8"),
  );
  const entry = index.manifests.find((m) => m.annotations["org.opencontainers.image.ref.name"] === "nginx");
  assert.ok(entry);
  const manifest = read(entry.digest);
  const config = read(manifest.config.digest);
  for (const layer of manifest.layers) cpSync(join(IMAGES, path(layer.digest)), join(folder, path(layer.digest)));
  config.config.Env.push(`PAGE_VERSION=${label}`);
  manifest.config = { ...manifest.config, ...store(config) };
  writeFileSync(join(folder, "index.json"), JSON.stringify({ ...index, manifests: [{ ...entry, ...store(manifest) }] }));
  cpSync(join(IMAGES, "oci-layout"), join(folder, "oci-layout"));
  return `${host.home}/layout-${label}`;
}

/** What redis answers to one line. */
async function redis(line: string): Promise<string> {
  return (await host.run(["nc", "-N", "127.0.0.1", "6379"], { input: `${line}\r\n`, timeout: 10_000 })).stdout.trim();
}

test("nginx and redis are pulled from a registry and run", async (t) => {
  const begun = performance.now();
  const ran = await host.podgen(["apply", host.write("specs/shop.yaml", shop())]);
  assert.equal(must(ran, "apply"), "pod/shop created\n");
  t.diagnostic(`pulled, unpacked and running after ${Math.round(performance.now() - begun)} ms`);
  assert.match(ran.stderr, /^pulled localhost:5000\/nginx:1: 2 layers/m);
  await host.answers("http://127.0.0.1:8080/", "<h1>Welcome to nginx!</h1>\n", START);
  await eventually("redis answers", async () => (await redis("PING")) === "+PONG", START);
});

test("nginx has a master of root's and workers of www-data's; redis is never root", async () => {
  const users = async (container: string) =>
    (await host.ok(["exec", container, "--", "sh", "-c", "stat -c %U /proc/[0-9]*; cat /proc/[0-9]*/comm"])).trim().split("\n");
  const web = await users("shop/web");
  assert.ok(web.includes("root") && web.includes("www-data") && web.includes("nginx"), web.join(" "));
  assert.match(await host.ok(["exec", "shop/cache", "--", "sh", "-c", "id -un; stat -c %U /proc/1 /data"]), /^redis\nredis\nredis\n$/);
});

test("the port answers on the host and from outside, and nginx sees the client's own address", async () => {
  const whoami = async (url: string, where: "host" | "outside") => (await host.fetch(`${url}/whoami`, where))?.split(" ")[0];
  assert.equal(await whoami("http://10.99.0.2:8080", "outside"), "10.99.0.1");
  assert.equal(await whoami("http://[fd99::2]:8080", "outside"), "fd99::1");
  assert.equal(await host.fetch("http://[::1]:8080/"), "<h1>Welcome to nginx!</h1>\n");
});

test("nginx's own log file is /dev/stdout: its lines are in the journal, found as any user would", async () => {
  await host.fetch("http://10.99.0.2:8080/find-me", "outside");
  const line = /^10\.99\.0\.1 - - \[.+\] "GET \/find-me HTTP\/1\.1" 404 /m;
  await eventually("the access log", async () => line.test(await host.journal("--user", "-u", "pod-shop_web.service")), 5000);
  assert.match(await host.ok(["logs", "shop/web"]), line);
  // /dev/stderr is the error log; its priority tells it apart.
  assert.match(
    await host.journal("--user", "-u", "pod-shop_web.service", "-p", "err"),
    /find-me.* failed \(2: No such file or directory\)/,
  );
});

test("a registry that is down: apply says so, and what runs is not touched", async () => {
  await host.root([REGISTRY, "stop", "5000"]);
  const before = await host.invocations("shop");
  const ran = await host.podgen(["apply", host.write("specs/shop.yaml", shop("localhost:5000/nginx:2"))]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.equal(ran.stdout, "");
  assert.match(ran.stderr, /specs\/shop\.yaml:8:14: error: .*localhost:5000: connect ECONNREFUSED \S+:5000/);
  assert.deepEqual(await host.invocations("shop"), before);
  assert.equal(await host.fetch("http://127.0.0.1:8080/"), "<h1>Welcome to nginx!</h1>\n");
  // What is here needs no registry.
  assert.equal(await host.apply("shop", shop()), "pod/shop unchanged\n");
  await host.root([REGISTRY, "start", "5000", "/var/lib/registry"]);
});

test("a new tag restarts the one container that has it", async () => {
  await fill(another("two"), "nginx=nginx:2");
  const before = await host.invocations("shop");
  assert.equal(await host.apply("shop", shop("localhost:5000/nginx:2")), "pod/shop configured\n");
  const now = await host.invocations("shop");
  assert.notEqual(now["pod-shop_web.service"], before["pod-shop_web.service"]);
  assert.deepEqual({ ...now, "pod-shop_web.service": "" }, { ...before, "pod-shop_web.service": "" });
  await host.answers("http://127.0.0.1:8080/", "<h1>Welcome to nginx!</h1>\n", START);
  assert.match(await host.ok(["status", "shop"]), /^web .*localhost:5000\/nginx:2/m);
  assert.equal(await host.ok(["exec", "shop/web", "--", "printenv", "PAGE_VERSION"]), "two\n");
});

test("so does a tag that has moved, where the policy is to look", async () => {
  const latest = shop("localhost:5000/nginx:latest").replace("IfNotPresent", "Always");
  await host.apply("shop", latest);
  const before = await host.invocations("shop");
  assert.equal(await host.apply("shop", latest), "pod/shop unchanged\n");
  await fill(another("three"), "nginx");
  assert.equal(await host.apply("shop", latest), "pod/shop configured\n");
  const now = await host.invocations("shop");
  assert.notEqual(now["pod-shop_web.service"], before["pod-shop_web.service"]);
  assert.equal(now["pod-shop_cache.service"], before["pod-shop_cache.service"]);
  assert.equal(await host.ok(["exec", "shop/web", "--", "printenv", "PAGE_VERSION"]), "three\n");
});

/** A statement, as root of the database; undefined while it does not answer. */
async function sql(statement: string): Promise<string | undefined> {
  const client = `MYSQL_PWD=$(cat /run/login/password) exec mariadb --batch --skip-column-names -e "$1"`;
  const ran = await host.podgen(["exec", "db", "--", "sh", "-c", client, "sh", statement]);
  return ran.code === 0 ? ran.stdout : undefined;
}

const ready = () => eventually("the database answers", () => sql("SELECT 'yes'"), START);

test("a database fills its volume; what it is given outlives a restart and the pod", async (t) => {
  await host.apply("db", db);
  const begun = performance.now();
  await ready();
  t.diagnostic(`the database had made its files ${Math.round(performance.now() - begun)} ms after apply`);
  assert.notEqual(await sql("CREATE TABLE shop.a (v INT); INSERT INTO shop.a VALUES (42)"), undefined);
  assert.equal(await sql("SELECT v FROM shop.a"), "42\n");

  await host.ok(["restart", "db"]);
  await ready();
  assert.equal(await sql("SELECT v FROM shop.a"), "42\n");

  await host.ok(["delete", "db"]);
  assert.match(
    must(await host.podgen(["unshare", "--", "ls", "-n", `${host.home}/.local/share/podgen/volumes/db-data`]), "ls"),
    / 999 999 .* shop$/m,
  );
  await host.apply("db", db);
  await ready();
  assert.equal(await sql("SELECT v FROM shop.a"), "42\n");
  assert.doesNotMatch(await host.ok(["logs", "db"]), /initialising[\s\S]*initialising/);
});

test("a database that is killed in the middle of its work recovers", async () => {
  const { mainPid } = await host.unit("pod-db_server.service");
  await host.root(["kill", "-KILL", String(mainPid)]);
  await eventually("another server", async () => ![0, mainPid].includes((await host.unit("pod-db_server.service")).mainPid), START);
  await ready();
  assert.equal(await sql("SELECT v FROM shop.a"), "42\n");
});
