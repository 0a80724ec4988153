import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "../../src/host/image/challenge.js";

test("challenges as registries send them", () => {
  const bearer = { realm: "https://auth.example/token", service: "registry", scope: "repository:a/b:pull" };
  const cases: [string, unknown][] = [
    ['Basic realm="reg"', [{ scheme: "basic", parameters: { realm: "reg" } }]],
    [`Bearer realm="${bearer.realm}",service="registry",scope="repository:a/b:pull"`, [{ scheme: "bearer", parameters: bearer }]],
    [`bearer Realm = "${bearer.realm}" , service=registry, scope="repository:a/b:pull"`, [{ scheme: "bearer", parameters: bearer }]],
    [
      'Bearer realm="x", Basic realm="y"',
      [
        { scheme: "bearer", parameters: { realm: "x" } },
        { scheme: "basic", parameters: { realm: "y" } },
      ],
    ], // prettier-ignore
    ['Basic realm="a \\"quoted\\", one"', [{ scheme: "basic", parameters: { realm: 'a "quoted", one' } }]],
    ["Negotiate", [{ scheme: "negotiate", parameters: {} }]],
    ["", []],
  ];
  for (const [header, wanted] of cases) assert.deepEqual(parseChallenges(header), wanted, header);
});

test("any header ends, whatever it is made of", () => {
  for (const header of ['"', "==,==", 'Bearer realm="open', "a=b,c=d", "\\\\,,\t", '= " = "', "Basic YWJj=="]) {
    assert.ok(Array.isArray(parseChallenges(header)), header);
  }
});
