// What of a bundle changed, in words; and the verdict on a container.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changedParts } from "../../src/diff/bundle.js";
import { containersOf } from "../../src/diff/containers.js";
import { makeChangeSet } from "../../src/diff/index.js";
import { worldOf } from "../lib/installed.js";
import { container, modelOf, pod, renderOf } from "../lib/models.js";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const parts = (before: unknown, after: unknown): string => changedParts(bytes(before), bytes(after));

test("variables by name, mounts by place, secrets by the variable; no value is ever said", () => {
  const before = { process: { env: ["A=1", "B=hunter2"], args: ["x"] }, mounts: [{ destination: "/a", source: "/1" }] };
  const after = { process: { env: ["A=1", "B=other"], args: ["y"] }, mounts: [{ destination: "/a", source: "/2" }] };
  assert.equal(parts(before, after), "env B, mount /a, command");
  const secret = (digest: string) => ({ annotations: { "io.podgen.secret-env": JSON.stringify({ PW: `/secrets/login/${digest}/pw` }) } });
  assert.equal(parts(secret("1"), secret("2")), "secret env PW");
});

test("what merely follows from others is silent; many parts are counted; what is no bundle says nothing", () => {
  const noted = (text: string) => ({ annotations: { "io.podgen.digest": text, "io.podgen.source": text } });
  assert.equal(parts(noted("1"), noted("2")), "");
  const env = (value: string) => ({ process: { env: ["A", "B", "C", "D", "E", "F"].map((name) => `${name}=${value}`) } });
  assert.equal(parts(env("1"), env("2")), "env A, env B, env C, env D and 2 more");
  assert.equal(changedParts(undefined, bytes({})), "");
  assert.equal(changedParts(new TextEncoder().encode("{"), bytes({})), "");
});

test("containers: another content is recreated, what goes along restarts, the rest is unchanged", () => {
  const web = pod("web", { containers: [container("app"), container("log")] });
  const world = worldOf(renderOf(modelOf(web)));
  const other = renderOf(modelOf({ ...web, containers: [container("app", { args: ["-v"] }), container("log")] }));
  const [change] = makeChangeSet(other, world, {}).pods;
  assert.ok(change);
  assert.deepEqual(
    containersOf(change).map((c) => [c.name, c.verdict, c.reasons]),
    [
      ["app", "recreate", ["bundle changed: command"]],
      ["log", "unchanged", []],
    ],
  );
});
