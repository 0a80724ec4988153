// Names on the command line: pods, containers, and workloads by kind or by name alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, ManifestPod } from "../../src/base/installed.js";
import { parseTarget, podsOf, wholePod } from "../../src/cli/targets.js";

const entry = (name: string, kind?: string, of?: string, index = 0): [string, ManifestPod] => {
  const owner = kind === undefined || of === undefined ? {} : { owner: { kind, name: of, index } };
  return [name, { name, source: "/w.yaml", files: [], units: [], inits: [], enabled: [], images: {}, folders: [], objects: [], ...owner }];
};
const manifest: Manifest = {
  version: 1,
  objects: {},
  pods: Object.fromEntries([
    entry("solo"),
    entry("web"),
    entry("web-10", "Deployment", "web", 10),
    entry("web-2", "Deployment", "web", 2),
    entry("db-0", "StatefulSet", "db", 0),
  ]),
};
const meant = (word: string): string[] => podsOf(manifest, parseTarget(word)).map((t) => [t.pod, t.container].filter(Boolean).join("/"));

test("a pod's name goes before a workload's; its kind in front says which, in kubectl's words", () => {
  assert.deepEqual(meant("web"), ["web"]);
  for (const word of ["deployment/web", "deploy/web", "deployments.apps/web", "Deployment/web"])
    assert.deepEqual(meant(word), ["web-2", "web-10"]);
  assert.deepEqual(meant("pod/web"), ["web"]);
});

test("without a pod of that name, all of the workload, by their numbers; of a container likewise", () => {
  assert.deepEqual(meant("db"), ["db-0"]);
  assert.deepEqual(meant("sts/db/app"), ["db-0/app"]);
  assert.deepEqual(meant("solo/app"), ["solo/app"]);
  assert.equal(wholePod(parseTarget("sts/db/app")), "StatefulSet/db");
});

test("what is not there is an error that lists what is", () => {
  assert.throws(() => meant("nobody"), /there is no pod "nobody"/);
  assert.throws(
    () => meant("deploy/db"),
    (error: Error & { hint?: string }) => error.message === 'there is no deployment "db"' && error.hint === "deployments: web",
  );
  for (const word of ["", "a/b/c", "web/", "deploy/", "/"]) assert.throws(() => parseTarget(word), /name a POD/);
});
