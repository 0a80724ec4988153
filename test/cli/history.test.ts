// The keeper of generations over files that only remember: what fails leaves none, what was killed loses none.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "../../src/base/installed.js";
import { Keeper } from "../../src/cli/history/keep.js";
import { chooseGeneration, installedOf } from "../../src/cli/history/lineage.js";
import { readGenerations } from "../../src/cli/history/store.js";
import { makeChangeSet } from "../../src/diff/index.js";
import type { FileWriter } from "../../src/ports/files.js";
import type { Rendered } from "../../src/render/types.js";
import { NOTHING, worldOf } from "../lib/installed.js";
import { container, modelOf, pod, renderOf } from "../lib/models.js";

const PATHS = { state: "/state", settings: "/settings" };
const web = (word: string): Rendered => renderOf(modelOf(pod("web", { containers: [container("app", { args: [word] })] })));

/** Files in memory. */
function memory(): { readonly files: FileWriter; readonly at: Map<string, Uint8Array> } {
  const at = new Map<string, Uint8Array>();
  const list = async (folder: string) =>
    [
      ...new Set([...at.keys()].filter((p) => p.startsWith(`${folder}/`)).map((p) => p.slice(folder.length + 1).split("/")[0] ?? "")),
    ].sort();
  const files = {
    read: async (path: string) => at.get(path),
    list,
    write: async (path: string, bytes: Uint8Array) => void at.set(path, bytes),
    remove: async (path: string) => void at.delete(path),
  };
  return { files: files as unknown as FileWriter, at };
}

/** One apply of `word` over `before`; `ends`: how it ended, or that it was killed. */
async function apply(files: FileWriter, word: string, before: Manifest, ends: "configured" | "failed" | "killed"): Promise<Manifest> {
  const [rendered, keeper] = [web(word), new Keeper(PATHS, files)];
  const world = before.pods["web"] === undefined ? NOTHING : { ...worldOf(rendered), files: new Map(), manifest: before };
  await keeper.keep({ rendered, images: [], changes: makeChangeSet(rendered, world, {}), manifest: before }, 1);
  const after: Manifest = worldOf(rendered).manifest;
  const [entry] = Object.values(after.pods);
  assert.ok(entry);
  if (ends === "killed") return { ...after, pods: { web: { ...entry, unfinished: true } } };
  const report = { pods: [{ name: "web", outcome: ends, actions: [], failures: [] }], objects: [], warnings: [], changed: true };
  const left = ends === "failed" ? before : after;
  await keeper.settle({ ...report, exitCode: ends === "failed" ? 3 : 0 }, left);
  return left;
}

const numbers = async (files: FileWriter): Promise<number[]> => (await readGenerations(PATHS, files, "web")).map((g) => g.number);

test("what fails leaves none, and the number is free again", async () => {
  const { files } = memory();
  let now = await apply(files, "a", NOTHING.manifest, "configured");
  now = await apply(files, "b", now, "failed");
  assert.deepEqual(await numbers(files), [1]);
  now = await apply(files, "c", now, "configured");
  assert.deepEqual(await numbers(files), [1, 2]);
  assert.equal(installedOf(await readGenerations(PATHS, files, "web"), now)?.number, 2);
});

test("killed in the middle: no generation is lost, and nobody goes back unasked to one that may never have run", async () => {
  const { files } = memory();
  let now = await apply(files, "a", NOTHING.manifest, "configured");
  now = await apply(files, "b", now, "killed");
  now = await apply(files, "c", now, "configured");
  const all = await readGenerations(PATHS, files, "web");
  assert.deepEqual(
    all.map((g) => [g.number, g.doubtful === true]),
    [
      [1, false],
      [2, true],
      [3, false],
    ],
  ); // prettier-ignore
  assert.equal(chooseGeneration(all, undefined, now, "web").number, 1);
  assert.equal(chooseGeneration(all, 2, now, "web").number, 2);
});

test("the same again after a kill is no second generation; should it fail, the first one stays", async () => {
  const { files } = memory();
  const now = await apply(files, "a", NOTHING.manifest, "killed");
  await apply(files, "a", now, "failed");
  assert.deepEqual(await numbers(files), [1]);
});

test("retention keeps the newest; a pod that is gone has none", async () => {
  const { files, at } = memory();
  at.set("/settings/history.json", new TextEncoder().encode('{"limit": 1}'));
  let now = NOTHING.manifest;
  for (const word of ["a", "b", "c"]) now = await apply(files, word, now, "configured");
  assert.deepEqual(await numbers(files), [2, 3]);
  await new Keeper(PATHS, files).forget(NOTHING.manifest);
  assert.deepEqual(await numbers(files), []);
});
