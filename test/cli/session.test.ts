// The proposal under the writer's lock: what somebody else has written since it was made counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "../../src/base/installed.js";
import { manifestPath } from "../../src/cli/installed.js";
import { propose, proposeAgain, type Readers } from "../../src/cli/session.js";
import { hostFacts, IMAGE, imageFacts } from "../lib/models.js";

const facts = hostFacts();
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A machine on which nothing runs and everything can be read that is in `files`. */
function readers(files: Map<string, Uint8Array>): Readers & { readonly inspected: string[] } {
  const inspected: string[] = [];
  return {
    inspected,
    facts,
    files: { read: async (path: string) => files.get(path), kind: async () => "none", list: async () => [] },
    manager: { list: async () => [], unitFiles: async () => new Map<string, string>() },
    images: {
      inspect: async (reference: string) => {
        inspected.push(reference);
        return imageFacts(reference);
      },
    },
    runtime: { state: async () => undefined },
    // Of the ports only this much is asked.
  } as unknown as Readers & { readonly inspected: string[] };
}

/** As an apply of a ConfigMap leaves it. */
function keep(files: Map<string, Uint8Array>, value: string, immutable = false): void {
  const path = `${facts.paths.state}/objects/ConfigMap-page.json`;
  const data = { text: Buffer.from(value).toString("base64") };
  files.set(
    path,
    encode(JSON.stringify({ kind: "ConfigMap", name: "page", namespace: "default", labels: {}, annotations: {}, immutable, data })),
  );
  const manifest: Manifest = { version: 1, pods: {}, objects: { "ConfigMap/page": { path, sha256: value } } };
  files.set(manifestPath(facts.paths), encode(JSON.stringify(manifest)));
}

const spec = (text: string) => [{ file: "web.yaml", source: "/web.yaml", text }];
const pod = spec(`apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: app
      image: ${IMAGE}
      env: [{ name: TEXT, valueFrom: { configMapKeyRef: { name: page, key: text } } }]
`);
const options = { prune: false, adopt: false };

test("a ConfigMap that was applied meanwhile is what the pod gets; no image is asked for again", async () => {
  const files = new Map<string, Uint8Array>();
  const machine = readers(files);
  keep(files, "old");
  const first = await propose(pod, machine, options);
  assert.ok(first.value !== undefined, JSON.stringify(first.diagnostics));
  keep(files, "new");
  const again = await proposeAgain(first.value, pod, machine, options);
  const bundle = again.value?.changes.pods[0]?.files.find((f) => f.kind === "bundle" && f.path.includes("/app/"));
  assert.match(new TextDecoder().decode(bundle?.after), /TEXT=new/);
  assert.equal(again.value?.manifest.objects["ConfigMap/page"]?.sha256, "new");
  assert.deepEqual(machine.inspected, [IMAGE]);
});

test("one that is immutable by now is not overwritten, one that is gone is missed", async () => {
  const files = new Map<string, Uint8Array>();
  const machine = readers(files);
  const map = spec("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: page }\ndata: { text: mine }\n");
  const first = await propose(map, machine, options);
  assert.ok(first.value !== undefined);
  keep(files, "theirs", true);
  const again = await proposeAgain(first.value, map, machine, options);
  assert.equal(again.value, undefined);
  assert.deepEqual(
    again.diagnostics.map((d) => d.code),
    ["immutable-object"],
  ); // prettier-ignore

  const user = await propose(pod, machine, options);
  assert.ok(user.value !== undefined);
  files.clear();
  assert.deepEqual(
    (await proposeAgain(user.value, pod, machine, options)).diagnostics.map((d) => d.code),
    ["missing-object"],
  );
});
