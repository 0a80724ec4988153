// Where a Secret's value goes from the spec to the files and to what diff shows: into its store and nowhere else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inverse, writeFiles } from "../../src/apply/files.js";
import type { ApplyPorts } from "../../src/apply/types.js";
import { changesJson, showChanges } from "../../src/cli/show.js";
import { makeChangeSet } from "../../src/diff/index.js";
import type { ChangeSet, FileChange } from "../../src/diff/types.js";
import type { Rendered } from "../../src/render/types.js";
import { NOTHING, worldOf } from "../lib/installed.js";
import { renderYaml } from "../lib/render-yaml.js";

const OLD = "hunter2-old-value";
const NEW = "hunter2-new-value";

/** Every way in which a pod may use a Secret, and a ConfigMap that may be shown. */
const spec = (value: string) => `
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${value}, file: ${value} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index: shown }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  initContainers:
    - { name: prep, image: localhost/app:1, envFrom: [{ secretRef: { name: login } }] }
  containers:
    - name: app
      image: localhost/app:1
      env: [{ name: PW, valueFrom: { secretKeyRef: { name: login, key: password } } }]
      volumeMounts:
        - { name: login, mountPath: /login }
        - { name: login, mountPath: /one, subPath: file }
        - { name: page, mountPath: /page }
  volumes:
    - { name: login, secret: { secretName: login } }
    - { name: page, configMap: { name: page } }
`;

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
/** As it is, and as base64 has it at each of the three places it may begin at. */
function holds(where: string, value: string): boolean {
  const encoded = ["", "x", "xx"].map((head) =>
    Buffer.from(head + value)
      .toString("base64")
      .slice(head.length === 0 ? 0 : 4, 16),
  );
  return where.includes(value) || encoded.some((part) => where.includes(part));
}

const before = renderYaml(spec(OLD));
const after = renderYaml(spec(NEW));
const EMPTY: Rendered = { pods: [], shared: [], objects: {} };
const filesOf = (changes: ChangeSet): FileChange[] => [...changes.shared, ...changes.pods.flatMap((p) => p.files)];

/** What each step of a pod's life changes: it comes, its Secret changes, it goes with the Secret. */
const STEPS: Readonly<Record<string, ChangeSet>> = {
  created: makeChangeSet(before, NOTHING, {}),
  changed: makeChangeSet(after, worldOf(before), {}),
  deleted: makeChangeSet(EMPTY, worldOf(after), { prune: ["web"], pruneObjects: ["Secret/login", "ConfigMap/page"] }),
};

test("the files with the value are marked as secret and nobody else's to read; there are some", () => {
  const files = [...before.shared, ...before.pods.flatMap((p) => p.files)];
  const withValue = files.filter((f) => holds(text(f.bytes), OLD));
  assert.deepEqual(
    withValue.map((f) => [f.kind, f.mode.toString(8), f.secret]),
    [
      ["object", "600", true],
      ["data", "600", true],
      ["data", "600", true],
    ],
  );
  for (const file of files.filter((f) => f.kind === "unit" || f.kind === "bundle")) assert.equal(file.secret, false, file.path);
  for (const file of files.filter((f) => f.kind !== "unit")) assert.equal(file.mode, 0o600, file.path);
});

for (const [step, changes] of Object.entries(STEPS)) {
  test(`${step}: a change of a file with the value is marked, also when it is taken back, and its mode is 0600`, () => {
    const files = filesOf(changes);
    const withValue = [...files, ...inverse(files)].filter((f) => [OLD, NEW].some((v) => holds(text(f.before) + text(f.after), v)));
    assert.ok(withValue.length >= 4, `${withValue.length}`);
    for (const f of withValue) assert.deepEqual([f.secret, f.mode.toString(8)], [true, "600"], f.path);
    for (const f of inverse(files)) assert.equal(f.mode, f.kind === "unit" ? 0o644 : 0o600, f.path);
  });

  test(`${step}: diff tells of it, as text and as JSON, without the value`, () => {
    const shown = showChanges(changes);
    assert.match(shown, /\/secrets\/login\/[0-9a-f]{32}\/password: secret (created|removed|changed)/);
    assert.match(shown, /objects\/Secret-login\.json: secret (created|removed|changed)/);
    for (const output of [shown, changesJson(changes)]) for (const value of [OLD, NEW]) assert.ok(!holds(output, value), output);
  });
}

test("what may be shown is: a ConfigMap's file and a bundle", () => {
  assert.match(showChanges(STEPS["created"] ?? assert.fail()), /^\+shown$/m);
  assert.match(showChanges(STEPS["changed"] ?? assert.fail()), /^\+.*"io\.podgen\.secret-env": .*\/secrets\/login\//m);
});

test("files are written with the mode of their change, objects first and units last", async () => {
  const written: [string, number][] = [];
  const files = { write: async (path: string, _: Uint8Array, mode: number) => void written.push([path, mode]) };
  const changes = filesOf(STEPS["created"] ?? assert.fail());
  await writeFiles({ files } as unknown as ApplyPorts, changes);
  assert.deepEqual(new Map(written), new Map(changes.map((c) => [c.path, c.mode])));
  const kinds = written.map(([path]) => changes.find((c) => c.path === path)?.kind);
  assert.deepEqual([...new Set(kinds)], ["object", "data", "bundle", "unit"]);
});

test("a file that cannot be written ends the writing with its error, once the others beside it are done", async () => {
  let done = 0;
  const write = async (path: string): Promise<void> => {
    if (path.endsWith("/password")) throw new Error("disk is full");
    await new Promise((resolve) => setImmediate(resolve));
    done++;
  };
  const changes = filesOf(STEPS["created"] ?? assert.fail());
  await assert.rejects(writeFiles({ files: { write } } as unknown as ApplyPorts, changes), /disk is full/);
  const early = changes.filter((c) => c.kind === "object" || c.kind === "data").length;
  assert.equal(done, early - 1, "no bundle and no unit after it");
});
