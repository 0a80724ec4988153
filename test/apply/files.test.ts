// The file half of a transaction: undo is the exact inverse, and the intent owns both sides.
import assert from "node:assert/strict";
import { test } from "node:test";
import { intent, inverse, outcome, undonePod, undoneShared, writeManifest } from "../../src/apply/files.js";
import type { ApplyOptions, ApplyPorts } from "../../src/apply/types.js";
import type { Manifest, ManifestPod } from "../../src/base/installed.js";
import type { ChangeSet, FileChange } from "../../src/diff/types.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const base = { kind: "unit", secret: false, mode: 0o644 } as const;
const changes: FileChange[] = [
  { ...base, path: "/u/new", action: "create", after: bytes("n") },
  { ...base, path: "/u/mod", action: "update", before: bytes("a"), after: bytes("b") },
  { ...base, path: "/u/old", action: "remove", before: bytes("o") },
];

test("the inverse of the inverse is the change itself", () => {
  assert.deepEqual(inverse(inverse(changes)), changes);
});

test("the inverse puts back what was there", () => {
  const back = inverse(changes);
  assert.deepEqual(
    back.map((c) => c.action),
    ["remove", "update", "create"],
  ); // prettier-ignore
  assert.deepEqual(back[1]?.after, bytes("a"));
  assert.deepEqual(back[2]?.after, bytes("o"));
});

function pod(files: string[], units: string[]): ManifestPod {
  return {
    name: "web",
    source: "/s.yaml",
    files: files.map((path) => ({ path, sha256: "0" })),
    units,
    inits: [],
    enabled: ["pod-web.service"],
    images: {},
    folders: [],
    objects: [],
  };
}

const before: Manifest = { version: 1, pods: { web: pod(["/u/mod", "/u/old"], ["old.service"]) }, objects: {} };
const set: ChangeSet = {
  pods: [
    {
      name: "web",
      verdict: "configured",
      files: changes,
      units: [],
      enable: [],
      disable: [],
      folders: [],
      manifest: pod(["/u/new", "/u/mod"], ["new.service"]),
    },
  ],
  shared: [],
  objects: {},
  forgotten: [],
  resourced: [],
  reload: true,
  empty: false,
};

test("while it runs, the manifest owns the files and units of before and after", () => {
  const owned = intent(before, set).pods["web"];
  assert.deepEqual(owned?.files.map((f) => f.path).sort(), ["/u/mod", "/u/new", "/u/old"]);
  assert.deepEqual([...(owned?.units ?? [])].sort(), ["new.service", "old.service"]);
});

test("afterwards it owns the new ones, and of a pod that failed the old ones", () => {
  assert.deepEqual(outcome(before, set, new Set()).pods["web"]?.units, ["new.service"]);
  assert.deepEqual(outcome(before, set, new Set(["web"])).pods["web"]?.units, ["old.service"]);
});

const object = (name: string): FileChange => ({
  ...base,
  kind: "object",
  path: `/o/${name}`,
  action: "update",
  before: bytes("old"),
  after: bytes("new"),
});
const owned = (name: string, sha256: string) => ({ path: `/o/${name}`, sha256 });
function shared(...pods: readonly { readonly name: string; readonly objects: readonly string[] }[]): ChangeSet {
  return {
    ...set,
    pods: pods.map(({ name, objects }) => ({
      ...(set.pods[0] as ChangeSet["pods"][0]),
      name,
      manifest: { ...pod([], []), name, objects },
    })),
    shared: [object("both"), object("one"), object("alone"), { ...base, path: "/u/pause", action: "create", after: bytes("p") }],
    objects: { both: owned("both", "new"), one: owned("one", "new"), alone: owned("alone", "new") },
  };
}
const two = shared({ name: "good", objects: ["both"] }, { name: "bad", objects: ["both", "one"] });
const paths = (files: readonly FileChange[]) => files.map((f) => f.path);

test("objects that only failed pods refer to are taken back with them; everything when no pod is left", () => {
  assert.deepEqual(paths(undoneShared(two, new Set())), []);
  assert.deepEqual(paths(undoneShared(two, new Set(["bad"]))), ["/o/one"]);
  assert.deepEqual(paths(undoneShared(two, new Set(["good"]))), []);
  assert.deepEqual(paths(undoneShared(two, new Set(["good", "bad"]))), ["/o/both", "/o/one", "/o/alone", "/u/pause"]);
});

test("the manifest then has the objects of before, in their order", () => {
  const known: Manifest = { version: 1, pods: {}, objects: { other: owned("other", "old"), one: owned("one", "old") } };
  const all = { ...two, objects: { ...two.objects, other: owned("other", "old") } };
  assert.equal(JSON.stringify(outcome(known, all, new Set(["good", "bad"])).objects), JSON.stringify(known.objects));
  const { objects } = outcome(known, all, new Set(["bad"]));
  assert.deepEqual(
    { ...objects },
    {
      other: owned("other", "old"),
      one: owned("one", "old"),
      both: owned("both", "new"),
      alone: owned("alone", "new"),
    },
  );
});

test("of a failed pod's files stays what others have: one secret's value, in one place of the store", () => {
  const change = (name: string): ChangeSet["pods"][0] => {
    const value: FileChange = { ...base, kind: "data", secret: true, path: "/s/new", action: "create", after: bytes("n") };
    const past: FileChange = { ...base, kind: "data", secret: true, path: "/s/old", action: "remove", before: bytes("o") };
    const mended: FileChange = {
      ...base,
      kind: "data",
      secret: true,
      path: "/s/mended",
      action: "update",
      before: bytes("x"),
      after: bytes("m"),
    };
    const unit: FileChange = { ...base, path: `/u/${name}`, action: "create", after: bytes("u") };
    const manifest = { ...pod(["/s/new", "/s/mended", `/u/${name}`], []), name };
    return { ...(set.pods[0] as ChangeSet["pods"][0]), name, files: [value, past, mended, unit], manifest };
  };
  const known: Manifest = { version: 1, pods: { other: { ...pod(["/s/old"], []), name: "other" } }, objects: {} };
  const [good, bad] = [change("good"), change("bad")];
  const both = { ...set, pods: [good, bad] };
  const back = (failed: readonly string[]) => undonePod(bad, outcome(known, both, new Set(failed))).map((f) => [f.action, f.path]);
  const own = [
    ["create", "/s/old"],
    ["remove", "/u/bad"],
  ]; // prettier-ignore
  assert.deepEqual(back(["bad"]), own);
  assert.deepEqual(back(["good", "bad"]), [["remove", "/s/new"], own[0], ["update", "/s/mended"], own[1]]);
});

test("an object that was to go stays where a pod that is put back refers to it, and where all is put back", () => {
  const with_ = (name: string, objects: string[]): ManifestPod => ({ ...pod([], []), name, objects });
  const known: Manifest = {
    version: 1,
    pods: { bad: with_("bad", ["Secret/old"]), good: with_("good", []) },
    objects: { "Secret/old": owned("o", "1"), "Secret/alone": owned("a", "1") },
  };
  const change = (name: string) => ({ ...(set.pods[0] as ChangeSet["pods"][number]), name, manifest: with_(name, []) });
  const changes = { ...set, pods: [change("bad"), change("good")], forgotten: ["Secret/old", "Secret/alone"], objects: {} };
  const left = (...failed: string[]) => Object.keys(outcome(known, changes, new Set(failed)).objects);
  assert.deepEqual(left(), []);
  assert.deepEqual(left("bad"), ["Secret/old"]);
  assert.deepEqual(left("bad", "good"), ["Secret/old", "Secret/alone"]);
});

test("the manifest is its owner's alone: it tells which secrets there are", async () => {
  const written: [string, number][] = [];
  const files = { write: async (path: string, _: Uint8Array, mode: number) => void written.push([path, mode]) };
  await writeManifest({ files } as unknown as ApplyPorts, { manifestPath: "/s/manifest.json" } as ApplyOptions, before);
  assert.deepEqual(written, [["/s/manifest.json", 0o600]]);
});
