// Logins at work: token servers with scopes, identity tokens, several candidates, helpers; no secret reaches another host.
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { beforeEach, test } from "node:test";
import { OddRegistry, refuse } from "../../lib/odd-registry.js";
import { done, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError } from "../../lib/store.js";

const odd = oddSetUp();

async function put(name: string, text: string, mode = 0o600): Promise<void> {
  const path = join(odd.store.folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}
beforeEach(() => put(".config/containers/registries.conf", ""));

const entry = (name: string, password: string) => ({ auth: Buffer.from(`${name}:${password}`).toString("base64") });
const basicOf = (name: string, password: string) => `Basic ${entry(name, password).auth}`;
const authFile = (content: object) => put("containers/auth.json", JSON.stringify(content));
const body = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString();

/** The registry takes this header only, and asks for `challenge` else. `token` answers at /token. */
function guarded(
  challenge: string,
  accepts: (header: string) => boolean,
  token?: (request: IncomingMessage, response: ServerResponse) => unknown,
): void {
  odd.registry.answer = (request, response) => {
    if (request.url?.startsWith("/token")) return done(token?.(request, response));
    return !accepts(request.headers.authorization ?? "") && done(refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": challenge }));
  };
}
const bearer = () => `Bearer realm="http://${odd.registry.host}/token",service="reg of test"`;

test("a token for the repository's scope, got with the user's name; the registry never sees the password", async () => {
  await authFile({ auths: { [odd.registry.host]: entry("me", "pa:ss") } });
  const asked: string[] = [];
  guarded(
    bearer(),
    (h) => h === "Bearer t0ken",
    (request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.end('{"token":"t0ken","expires_in":60}');
    },
  ); // prettier-ignore
  await odd.store.pull(odd.reference);
  assert.deepEqual([...new Set(asked)], [`/token?service=reg+of+test&scope=repository%3Atiny%3Apull ${basicOf("me", "pa:ss")}`]);
  assert.ok(odd.registry.seen.filter((s) => s.path.startsWith("/v2/")).every((s) => !s.authorization?.startsWith("Basic")));
});

test("a token whose time is over is replaced in the middle of a pull", async () => {
  let issued = 0;
  let served = 0;
  guarded(
    bearer(),
    (h) => h === `Bearer t${issued}` && (++served % 2 === 1 || h !== "Bearer t1"),
    (_request, response) => {
      response.end(`{"access_token":"t${++issued}"}`);
    },
  ); // prettier-ignore
  await odd.store.pull(odd.reference);
  assert.ok(issued >= 2, String(issued));
});

test("an identity token goes to the token server in a POST's body, and nowhere else", async () => {
  await authFile({ auths: { [odd.registry.host]: { ...entry("me", ""), identitytoken: "1dent1ty" } } });
  const forms: string[] = [];
  guarded(
    bearer(),
    (h) => h === "Bearer fresh",
    async (request, response) => {
      forms.push(`${request.method} ${request.url} ${await body(request)}`);
      response.end('{"access_token":"fresh"}');
    },
  ); // prettier-ignore
  await odd.store.pull(odd.reference);
  const form = "grant_type=refresh_token&client_id=podgen&refresh_token=1dent1ty&service=reg+of+test&scope=repository%3Atiny%3Apull";
  assert.deepEqual([...new Set(forms)], [`POST /token ${form}`]);
  assert.ok(odd.registry.seen.every((s) => !`${s.path} ${s.authorization}`.includes("1dent1ty")));
});

test("a token server that redirects gets no identity token sent on; one that refuses ends it", async () => {
  await authFile({ auths: { [odd.registry.host]: { identitytoken: "1dent1ty" } } });
  const other = await new OddRegistry().start();
  try {
    const bodies: string[] = [];
    other.answer = (request, response) => {
      void body(request).then((text) => bodies.push(text));
      return done(response.end('{"token":"x"}'));
    };
    guarded(
      bearer(),
      () => false,
      (_request, response) => response.writeHead(307, { location: `http://${other.host}/token` }).end(),
    ); // prettier-ignore
    const error = await imageError(odd.store.pull(odd.reference));
    assert.equal(error.code, "image-unauthorized");
    assert.match(error.message, /answered 307 instead of a token/);
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /1dent1ty/);
    assert.deepEqual(bodies, []);
  } finally {
    await other.stop();
  }
});

test("401 for ever ends after one try of each login, the given ones first, and names none of them", async () => {
  await authFile({ auths: { [odd.registry.host]: entry("mine", "pw3") } });
  guarded('Basic realm="x"', () => false);
  const logins = [
    { key: odd.registry.host, username: "pod", password: "pw1" },
    { key: `${odd.registry.host}/tiny`, username: "special", password: "pw2" },
    { key: "elsewhere.example", username: "no", password: "pw4" },
  ];
  const error = await imageError(odd.store.images.inspect(odd.reference, "Always", logins));
  assert.equal(error.code, "image-unauthorized");
  assert.match(error.hint ?? "", /podgen image login 127\.0\.0\.1:/);
  assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /pw\d/);
  const tried = odd.registry.seen.map((s) => s.authorization);
  assert.deepEqual(tried, [undefined, basicOf("special", "pw2"), basicOf("pod", "pw1"), basicOf("mine", "pw3")]);
});

test("the second of the given logins is the right one; who has none of them is not let in by their session", async () => {
  guarded('Basic realm="x"', (h) => h === basicOf("pod", "good"));
  const logins = ["bad", "good"].map((password) => ({ key: odd.registry.host, username: "pod", password }));
  const facts = await odd.store.images.inspect(odd.reference, "Always", logins);
  assert.equal(facts.digest, odd.tiny.digest);
  assert.equal((await imageError(odd.store.images.inspect(odd.reference, "Always"))).code, "image-unauthorized");
});

test("whoever logs in after a refusal is let in by the same port: a watcher need not be started anew", async () => {
  guarded('Basic realm="x"', (h) => h === basicOf("me", "right"));
  assert.equal((await imageError(odd.store.pull(odd.reference))).code, "image-unauthorized");
  await authFile({ auths: { [odd.registry.host]: entry("me", "right") } });
  await odd.store.pull(odd.reference);
});

/** A docker-credential-test on PATH that answers by the words of $1 and its input. */
async function helper(script: string): Promise<void> {
  await put(
    "bin/docker-credential-test",
    `#!/bin/sh\nread -r input\necho "$1 $input" >> ${odd.store.folder}/helper.log\n${script}\n`,
    0o755,
  );
  const env = { ...odd.store.options.env, PATH: `${odd.store.folder}/bin:${process.env["PATH"]}` };
  odd.store = { ...odd.store, images: odd.store.again({ env }) };
}

test("credHelpers: the helper is asked for the registry, and its answer used", async () => {
  await helper('echo \'{"ServerURL":"x","Username":"me","Secret":"fr0mhelper"}\'');
  await authFile({ credHelpers: { [odd.registry.host]: "test" } });
  guarded('Basic realm="x"', (h) => h === basicOf("me", "fr0mhelper"));
  assert.equal((await odd.store.images.inspect(odd.reference, "Always")).digest, odd.tiny.digest);
  assert.equal(await readFile(join(odd.store.folder, "helper.log"), "utf8"), `get ${odd.registry.host}\n`);
});

test("credHelpers: one that fails or is not there is told; one that knows nothing leaves it to the next file", async () => {
  guarded('Basic realm="x"', (h) => h === basicOf("me", "next"));
  await authFile({ credHelpers: { [odd.registry.host]: "test" } });
  await helper("echo locked key ring; exit 1");
  const failed = await imageError(odd.store.images.inspect(odd.reference, "Always"));
  assert.match(failed.message, /docker-credential-test get: exit code 1: locked key ring/);
  await helper("echo not json");
  assert.match((await imageError(odd.store.images.inspect(odd.reference, "Always"))).message, /not the JSON it should be/);
  await helper("echo credentials not found in native keychain; exit 1");
  await put(".docker/config.json", JSON.stringify({ auths: { [odd.registry.host]: entry("me", "next") } }));
  assert.equal((await odd.store.images.inspect(odd.reference, "Always")).digest, odd.tiny.digest);
  await authFile({ credHelpers: { [odd.registry.host]: "absent" } });
  assert.match((await imageError(odd.store.again().inspect(odd.reference, "Always"))).message, /docker-credential-absent get: not found/);
  await authFile({ credHelpers: { [odd.registry.host]: "../x" } });
  assert.match((await imageError(odd.store.again().inspect(odd.reference, "Always"))).message, /no name of a helper/);
});

test("credsStore: asked last; one that is not there does not stop who needs no login, and is named to who does", async () => {
  await authFile({ credsStore: "absent" });
  guarded(
    bearer(),
    (h) => h === "Bearer anybody",
    (_request, response) => response.end('{"token":"anybody"}'),
  ); // prettier-ignore
  await odd.store.pull(odd.reference);
  guarded('Basic realm="x"', () => false);
  const error = await imageError(odd.store.again().inspect(odd.reference, "Always"));
  assert.match(error.message, /it wants a login; .*docker-credential-absent get: not found \(credsStore in .*auth\.json\)/);
});

test("credential-helpers of registries.conf are asked in their order, the files where it says so", async () => {
  await put(".config/containers/registries.conf", 'credential-helpers = ["containers-auth.json", "test"]\n');
  await helper('echo \'{"Username":"<token>","Secret":"1dent1ty"}\'');
  guarded(
    bearer(),
    (h) => h === "Bearer fresh",
    async (request, response) => {
      response.end(JSON.stringify({ token: (await body(request)).includes("refresh_token=1dent1ty") ? "fresh" : "wrong" }));
    },
  ); // prettier-ignore
  assert.equal((await odd.store.images.inspect(odd.reference, "Always")).digest, odd.tiny.digest);
});
