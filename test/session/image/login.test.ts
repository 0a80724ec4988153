// Logging in and out against docker's own registry: passwords, TLS, client certificates, helpers; what is stored and what never is.
import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { RegistryLogins } from "../../../src/host/image/login.js";
import { OddRegistry } from "../../lib/odd-registry.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, QUICK, type TestStore } from "../../lib/store.js";

let plain: Registry;
let tls: Registry;
let store: TestStore;
let env: Record<string, string | undefined>;
let logins: RegistryLogins;
const SURE = { tlsVerify: true };
const ME = { username: "me", password: "pa:ss word" };

before(async () => {
  [plain, tls] = await Promise.all([startRegistry({ auth: "me:pa:ss word" }), startRegistry({ tls: true, clients: true })]);
});
after(() => Promise.all([plain, tls].map((r) => r?.stop())));
beforeEach(async () => {
  store = await makeStore();
  env = { ...store.options.env, PATH: `${store.folder}/bin:${process.env["PATH"]}` };
  logins = new RegistryLogins(env, QUICK);
  await put(".config/containers/registries.conf", "");
});
afterEach(() => store.remove());

const at = (name: string) => join(store.folder, name);
async function put(name: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(at(name)), { recursive: true });
  await writeFile(at(name), text);
  await chmod(at(name), mode);
}
const FILE = "containers/auth.json";
const stored = async (name = FILE) => JSON.parse(await readFile(at(name), "utf8"));
const auth = { auth: Buffer.from("me:pa:ss word").toString("base64") };

test("a right password is stored, 0600 and whole, and pulls use it; logout forgets it", async () => {
  assert.deepEqual(await logins.login(plain.host, ME, SURE), { registry: plain.host, username: "me", place: at(FILE), verified: true });
  assert.deepEqual(await stored(), { auths: { [plain.host]: auth } });
  assert.equal((await stat(at(FILE))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(at("containers")), ["auth.json"]);
  // Let in, it finds no such image; as nobody it is not let in.
  assert.equal((await imageError(store.pull(`${plain.host}/absent:1`))).code, "image-not-found");
  assert.equal((await logins.who(plain.host, SURE))?.username, "me");
  assert.deepEqual(await logins.logout(plain.host, SURE), [plain.host]);
  assert.deepEqual(await stored(), { auths: {} });
  assert.equal((await imageError(store.again().inspect(`${plain.host}/absent:1`, "Always"))).code, "image-unauthorized");
  assert.deepEqual(await logins.logout(plain.host, SURE), []);
});

test("a wrong password, nobody there, something that is no registry: nothing is stored, no secret is told", async () => {
  const other = await new OddRegistry().start();
  const { host } = other;
  try {
    for (const [registry, code] of [
      [plain.host, "image-unauthorized"],
      [host, "image-unreachable"],
    ] as const) {
      const error = await imageError(logins.login(registry, { username: "me", password: "wr0ng" }, SURE));
      assert.equal(error.code, code);
      assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /wr0ng/);
    } // prettier-ignore
  } finally {
    await other.stop();
  }
  assert.equal((await imageError(logins.login(host, ME, SURE))).code, "image-unreachable");
  await assert.rejects(stat(at(FILE)));
});

test("what else the file holds stays; a namespace has a login of its own; a link stays a link", async () => {
  const kept = { credHelpers: { "h.example": "x" }, HttpHeaders: { "X-A": "b" } };
  await put("real.json", JSON.stringify({ auths: { "other.example": { auth: "b3RoZXI6cHc=" } }, ...kept }), 0o644);
  await mkdir(at("containers"), { recursive: true });
  await symlink(at("real.json"), at(FILE));
  await logins.login(`${plain.host}/team`, ME, SURE);
  assert.deepEqual(await stored("real.json"), {
    auths: { "other.example": { auth: "b3RoZXI6cHc=" }, [`${plain.host}/team`]: auth },
    ...kept,
  });
  assert.equal((await stat(at("real.json"))).mode & 0o777, 0o600);
  assert.deepEqual(await logins.logout(`${plain.host}/team`, SURE), [`${plain.host}/team`]);
  assert.deepEqual(Object.keys((await stored("real.json")).auths), ["other.example"]);
});

test("--authfile and $REGISTRY_AUTH_FILE; a file that is broken is named and left alone", async () => {
  await logins.login(plain.host, ME, { ...SURE, authFile: at("mine/auth.json") });
  assert.deepEqual(Object.keys((await stored("mine/auth.json")).auths), [plain.host]);
  const chosen = new RegistryLogins({ ...env, REGISTRY_AUTH_FILE: at("chosen.json") }, QUICK);
  assert.equal(await chosen.who(plain.host, SURE), undefined);
  assert.equal((await chosen.login(plain.host, ME, SURE)).place, at("chosen.json"));
  await put("broken.json", "{ s3cret");
  const error = await imageError(logins.login(plain.host, ME, { ...SURE, authFile: at("broken.json") }));
  assert.match(error.message, /broken\.json/);
  assert.doesNotMatch(error.message, /s3cret/);
  assert.equal(await readFile(at("broken.json"), "utf8"), "{ s3cret");
});

test("several at once lose none", async () => {
  const names = ["a", "b", "c", "d"].map((n) => `${plain.host}/${n}`);
  await Promise.all(names.map((name) => logins.login(name, ME, SURE)));
  assert.deepEqual(Object.keys((await stored()).auths).sort(), names);
  assert.deepEqual([...(await logins.logout(undefined, SURE))].sort(), names);
  assert.deepEqual(await stored(), { auths: {} });
});

/** docker-credential-test: keeps what it is given in kept.json, as the protocol has it. */
const HELPER = `#!/bin/sh
case $1 in
  store) cat > "$(dirname "$0")/kept.json" ;;
  get) read -r server; cat "$(dirname "$0")/kept.json" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) read -r server; rm "$(dirname "$0")/kept.json" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
`;

test("a helper that the file names keeps the password, and the file does not", async () => {
  for (const names of [{ credHelpers: { [plain.host]: "test" } }, { credsStore: "test" }]) {
    await put("bin/docker-credential-test", HELPER, 0o755);
    await put(FILE, JSON.stringify(names));
    assert.equal((await logins.login(plain.host, ME, SURE)).place, "docker-credential-test");
    assert.deepEqual(await stored(), { ...names, auths: { [plain.host]: {} } });
    assert.deepEqual(JSON.parse(await readFile(at("bin/kept.json"), "utf8")), {
      ServerURL: plain.host,
      Username: "me",
      Secret: ME.password,
    });
    assert.equal((await logins.who(plain.host, SURE))?.password, ME.password);
    assert.deepEqual(await logins.logout(plain.host, SURE), [plain.host]);
    assert.equal(await logins.who(plain.host, SURE), undefined);
    await put("bin/docker-credential-test", "#!/bin/sh\ncat >&2; exit 3\n", 0o755);
    const error = await imageError(logins.login(plain.host, ME, SURE));
    assert.match(error.message, /docker-credential-test store: exit code 3/);
    assert.doesNotMatch(`${error.message} ${error.stack}`, /pa:ss/);
  }
});

test("logins elsewhere are found and left", async () => {
  await put(".docker/config.json", JSON.stringify({ auths: { [plain.host]: auth } }));
  assert.deepEqual(await logins.logout(plain.host, SURE), []);
  assert.deepEqual(await logins.elsewhere(plain.host, SURE), [at(".docker/config.json")]);
});

/** The folder of certs.d for the TLS registry, with these of its files. */
async function certificates(...names: string[]): Promise<void> {
  const folder = at(`.config/containers/certs.d/${tls.host}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of names) await copyFile(join(tls.dir, name), join(folder, name));
}

test("a registry that wants a client certificate: with it; without it; half of it; one that is none", async () => {
  await certificates("ca.crt", "client.cert", "client.key");
  assert.equal((await imageError(store.pull(`${tls.host}/absent:1`))).code, "image-not-found");
  // It lets in whoever has the certificate, and asks for no password.
  assert.equal((await logins.login(tls.host, ME, SURE)).verified, false);
  await certificates("ca.crt");
  assert.equal((await imageError(store.again().inspect(`${tls.host}/absent:1`, "Always"))).code, "image-unreachable");
  await certificates("ca.crt", "client.cert");
  const half = await imageError(store.again().inspect(`${tls.host}/absent:1`, "Always"));
  assert.equal(half.code, "image-config");
  assert.match(half.message, /client\.key is missing/);
  await certificates("ca.crt", "client.key");
  assert.match((await imageError(store.again().inspect(`${tls.host}/absent:1`, "Always"))).message, /client\.cert is missing/);
  await certificates("ca.crt", "client.cert", "client.key");
  await writeFile(at(`.config/containers/certs.d/${tls.host}/client.key`), "no key");
  assert.equal((await imageError(store.again().inspect(`${tls.host}/absent:1`, "Always"))).code, "image-unreachable");
});

test("a certificate nobody vouches for: refused, unless the registry is called insecure or login is told not to mind", async () => {
  await certificates("client.cert", "client.key");
  const image = `${tls.host}/absent:1`;
  const error = await imageError(store.pull(image));
  assert.equal(error.code, "image-unreachable");
  assert.match(error.hint ?? "", /certs\.d/);
  assert.equal((await imageError(logins.login(tls.host, ME, SURE))).code, "image-unreachable");
  assert.equal((await logins.login(tls.host, ME, { tlsVerify: false })).username, "me");
  await put(".config/containers/registries.conf", `[[registry]]\nlocation = "${tls.host}"\ninsecure = true\n`);
  assert.equal((await imageError(store.again().inspect(image, "Always"))).code, "image-not-found");
});

test("which registry is meant: its scheme and slash are left out, a tag is none, the first to search stands for no name", async () => {
  assert.equal(await logins.registry("https://quay.example/"), "quay.example");
  assert.equal(await logins.registry("https://index.docker.io/v1/"), "docker.io");
  for (const bad of ["quay.example/a:1", "a b", "quay.example/A", ""])
    assert.equal((await imageError(logins.registry(bad))).code, "image-bad");
  assert.equal((await imageError(logins.registry(undefined))).code, "image-bad");
  await put(".config/containers/registries.conf", 'unqualified-search-registries = ["first.example", "b.example"]\n');
  assert.equal(await logins.registry(undefined), "first.example");
});
