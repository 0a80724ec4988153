// imagePullSecrets: logins of both types of Secret; what holds none is refused without a word of what it holds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { matchingLogins } from "../../src/base/registry-login.js";
import type { PodModel, SecretModel } from "../../src/model/types.js";
import { NO_OBJECTS } from "../../src/plan/objects.js";
import { pullLogins } from "../../src/plan/pull-secrets.js";
import { at, pod, secret } from "../lib/models.js";

const auth = (text: string) => Buffer.from(text).toString("base64");
const holding = (type: string, key: string, value: unknown): SecretModel => ({
  ...secret("login", { [key]: typeof value === "string" ? value : JSON.stringify(value) }),
  type,
});
const user = (): PodModel => ({ ...pod("web"), imagePullSecrets: [{ name: "login", at: at(7, 3) }] });
const logins = (one?: SecretModel) => pullLogins(user(), { ...NO_OBJECTS, secrets: new Map(one === undefined ? [] : [["login", one]]) });

test("dockerconfigjson and dockercfg give logins, by normalised names", () => {
  const auths = {
    "https://index.docker.io/v1/": { auth: auth("me:pa:ss") },
    "a.example/team": { username: "u", password: "p", email: "x" },
  };
  const wanted = [
    { key: "docker.io", username: "me", password: "pa:ss" },
    { key: "a.example/team", username: "u", password: "p" },
  ];
  assert.deepEqual(logins(holding("kubernetes.io/dockerconfigjson", ".dockerconfigjson", { auths })), { logins: wanted, diagnostics: [] });
  assert.deepEqual(logins(holding("kubernetes.io/dockercfg", ".dockercfg", auths)), { logins: wanted, diagnostics: [] });
});

test("the most specific one first; a * is within one part of a host's name", () => {
  const keys = ["a.example", "a.example/team", "*.example", "a.example:5000", "*.b.example"];
  const of = (host: string, repository: string) =>
    matchingLogins(
      keys.map((key) => ({ key, username: "u", password: "p" })),
      host,
      repository,
    ).map((l) => l.key); // prettier-ignore
  assert.deepEqual(of("a.example", "team/app"), ["a.example/team", "a.example", "*.example"]);
  assert.deepEqual(of("a.example", "teams/app"), ["a.example", "*.example"]);
  assert.deepEqual(of("a.example:5000", "x"), ["a.example:5000"]);
  assert.deepEqual(of("x.y.b.example", "x"), []);
});

test("no such Secret, another type, no JSON, no logins: an error at the name, that keeps the secret", () => {
  const config = (value: unknown) => holding("kubernetes.io/dockerconfigjson", ".dockerconfigjson", value);
  const cases: [SecretModel | undefined, string, RegExp][] = [
    [undefined, "missing-object", /there is no Secret "login"/],
    [holding("Opaque", "x", "s3cret"), "bad-pull-secret", /of type Opaque/],
    [config("{ s3cret"), "bad-pull-secret", /not JSON/],
    [config({ auth: "s3cret" }), "bad-pull-secret", /"auths"/],
    [config({ auths: { "a.example": { auth: "s3cret" } } }), "bad-pull-secret", /without user name and password/],
    [config({ auths: { "a.example": {} } }), "bad-pull-secret", /without user name and password/],
  ];
  for (const [given, code, message] of cases) {
    const [found, ...more] = logins(given).diagnostics;
    assert.deepEqual([found?.code, found?.at, more.length], [code, at(7, 3), 0]);
    assert.match(found?.message ?? "", message);
    assert.doesNotMatch(JSON.stringify(found), /s3cret/);
  }
});
