// imagePullSecrets from text to the images port: that pod's pulls only, and nothing of them in units and bundles.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryLogin } from "../../src/base/registry-login.js";
import { propose, type Readers } from "../../src/cli/session.js";
import { hostFacts, IMAGE, imageFacts } from "../lib/models.js";

const facts = hostFacts();
const config = Buffer.from(JSON.stringify({ auths: { "registry.test": { username: "puller", password: "s3cret-word" } } })).toString(
  "base64",
);
const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: login }
type: kubernetes.io/dockerconfigjson
data: { .dockerconfigjson: ${config} }
`;
const pod = (name: string, more = "") => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers: [{ name: app, image: "${IMAGE}" }]
${more}`;
const PULLING = "  imagePullSecrets: [{ name: login }]\n";

function machine() {
  const asked: (readonly RegistryLogin[] | undefined)[] = [];
  const readers = {
    facts,
    files: { read: async () => undefined, kind: async () => "none", list: async () => [] },
    manager: { list: async () => [], unitFiles: async () => new Map<string, string>() },
    images: {
      inspect: async (reference: string, _policy: string, logins?: readonly RegistryLogin[]) => {
        asked.push(logins);
        return imageFacts(reference);
      },
    },
    runtime: { state: async () => undefined },
    // Of the ports only this much is asked.
  } as unknown as Readers;
  const run = (text: string) =>
    propose([{ file: "web.yaml", source: "/web.yaml", text }], readers, {
      prune: false,
      adopt: false,
      makeKey: async () => new Uint8Array(32),
    }); // prettier-ignore
  return { asked, run };
}

test("the pod's own pulls have the login, another pod's of the same image have not", async () => {
  const { asked, run } = machine();
  const { value, diagnostics } = await run(SECRET + pod("web", PULLING) + pod("other"));
  assert.ok(value !== undefined, JSON.stringify(diagnostics));
  const login = [{ key: "registry.test", username: "puller", password: "s3cret-word" }];
  assert.deepEqual(
    asked.map((l) => l ?? []).sort((a, b) => a.length - b.length),
    [[], login],
  ); // prettier-ignore
  assert.deepEqual(value.logins?.get(IMAGE), login);
});

test("the pull of an image may use the logins of every pod of it, each once, in the order of the pods", async () => {
  const other = SECRET.replace("name: login", "name: second").replace(
    config,
    Buffer.from(JSON.stringify({ auths: { "registry.test": { username: "other", password: "x" } } })).toString("base64"),
  );
  const { run } = machine();
  const named = (...names: string[]) => `  imagePullSecrets: [${names.map((name) => `{ name: ${name} }`).join(", ")}]\n`;
  const { value } = await run(
    `${SECRET}---\n${other}${pod("a", named("second"))}${pod("b", named("login", "second"))}${pod("c", named("login"))}`,
  );
  assert.deepEqual(
    value?.logins?.get(IMAGE)?.map((login) => ("username" in login ? login.username : "")),
    ["other", "puller"],
  ); // prettier-ignore
});

test("nothing of the login is in units, bundles or the pod's files; the Secret stays as long as the pod", async () => {
  const { value } = await machine().run(SECRET + pod("web", PULLING));
  assert.ok(value !== undefined);
  const files = [...value.rendered.shared, ...value.rendered.pods.flatMap((p) => p.files)];
  assert.ok(files.length > 3);
  // The applied object itself, for its owner's eyes only.
  assert.deepEqual(
    files.filter((f) => f.secret).map((f) => [f.path, f.mode]),
    [[`${facts.paths.state}/objects/Secret-login.json`, 0o600]],
  ); // prettier-ignore
  for (const file of files.filter((f) => !f.secret)) {
    const text = new TextDecoder().decode(file.bytes);
    for (const leak of ["s3cret-word", "puller", config, config.slice(0, 24)]) assert.ok(!text.includes(leak), file.path);
  }
  assert.deepEqual(value.changes.pods[0]?.manifest?.objects, ["Secret/login"]);
});

test("a Secret that is not there, or holds no login, is refused at its name before anything is asked", async () => {
  for (const [text, code] of [
    [pod("web", PULLING), "missing-object"],
    [SECRET.replace("type: kubernetes.io/dockerconfigjson", "type: Opaque") + pod("web", PULLING), "bad-pull-secret"],
  ] as const) {
    const { asked, run } = machine();
    const { value, diagnostics } = await run(text);
    assert.equal(value, undefined);
    assert.deepEqual(
      diagnostics.map((d) => d.code),
      [code],
    ); // prettier-ignore
    assert.deepEqual(asked, []);
  }
});
