// How long start and restart wait without --timeout: what the probes of the pod, and of those it waits for, allow.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, ManifestPod } from "../../src/base/installed.js";
import type { Context } from "../../src/cli/context.js";
import { patienceOf } from "../../src/cli/patience.js";

const PROBE = { periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3, initialDelaySeconds: 5 };

const FILES: Readonly<Record<string, string>> = {
  "/p/web/app/probe.json": JSON.stringify({ gated: true, startup: { ...PROBE, failureThreshold: 30 }, readiness: PROBE }),
  "/p/web/log/probe.json": JSON.stringify({ liveness: { ...PROBE, failureThreshold: 1000 } }),
  "/p/db/app/probe.json": JSON.stringify({ readiness: PROBE }),
  "/p/odd/app/probe.json": "{ cut off",
};

const pod = (name: string, containers: readonly string[], after: readonly string[] = []): ManifestPod =>
  ({
    name,
    files: containers.map((c) => ({ path: `/p/${name}/${c}/probe.json`, sha256: "" })),
    after: after.map((other) => ({ pod: other, condition: "ready", requires: true })),
  }) as unknown as ManifestPod;

const manifest = {
  pods: {
    web: pod("web", ["app", "log"], ["db", "gone"]),
    db: pod("db", ["app"], ["web"]),
    odd: pod("odd", ["app"]),
    plain: pod("plain", []),
  },
} as unknown as Manifest;

const context = {
  host: { files: async () => ({ read: async (path: string) => (FILES[path] === undefined ? undefined : Buffer.from(FILES[path])) }) },
} as unknown as Context;

test("the longest of a pod's containers counts, and all pods that it waits for", async () => {
  const readiness = 5 + 10 * 3 + 1;
  const startup = 5 + 10 * 30 + 1;
  const all = startup + readiness + readiness;
  assert.equal(await patienceOf(context, manifest, "web"), all);
  assert.equal(await patienceOf(context, manifest, "plain"), 0);
  assert.equal(await patienceOf(context, manifest, "odd"), 0);
});
