// Which pods a watched folder does not have any more, and since when.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, ManifestPod } from "../../../src/base/installed.js";
import { Absences, findMissing } from "../../../src/cli/watch/missing.js";

function manifest(pods: Record<string, string>): Manifest {
  const entry = (name: string, source: string): ManifestPod => ({
    name,
    source,
    files: [],
    units: [],
    inits: [],
    enabled: [],
    images: {},
    folders: [],
    objects: [],
  });
  return { version: 1, pods: Object.fromEntries(Object.entries(pods).map(([n, s]) => [n, entry(n, s)])), objects: {} };
}

const installed = manifest({ a: "/p/ab.yaml", b: "/p/ab.yaml", c: "/p/sub/c.yaml", far: "/pods/far.yaml", hand: "-" });
/** What the files hold; undefined for one that is bad. */
function look(files: Record<string, string[] | undefined>, unread: string[] = []) {
  const declared = Object.entries(files).flatMap(([s, names]) => (names === undefined ? [] : [[s, new Set(names)] as const]));
  return findMissing(installed, "/p", { sources: new Set(Object.keys(files)), unread, declared: new Map(declared) });
}

test("a file that is gone takes its pods along; other folders are none of ours", () => {
  assert.deepEqual(look({ "/p/ab.yaml": ["a", "b"] }), [{ source: "/p/sub/c.yaml", pods: ["c"], taken: false, prunable: true }]);
  assert.deepEqual(look({ "/p/ab.yaml": ["a", "b"], "/p/sub/c.yaml": ["c"] }), []);
});

test("a pod that is taken out of a file that stays", () => {
  const missed = look({ "/p/ab.yaml": ["b"], "/p/sub/c.yaml": ["c"] });
  assert.deepEqual(missed, [{ source: "/p/ab.yaml", pods: ["a"], taken: true, prunable: true }]);
});

test("a file that is bad, or cannot be read, has whatever it had", () => {
  assert.deepEqual(look({ "/p/ab.yaml": undefined, "/p/sub/c.yaml": ["c"] }), []);
  assert.deepEqual(look({ "/p/sub/c.yaml": ["c"] }, ["/p/ab.yaml"]), []);
  assert.deepEqual(look({ "/p/ab.yaml": ["a", "b"] }, ["/p/sub"]), [], "a folder that cannot be listed");
});

test("a pod that another file has now is not missing", () => {
  assert.deepEqual(look({ "/p/new.yaml": ["a", "b"], "/p/sub/c.yaml": ["c"] }), []);
});

test("a file without a pod, and a folder without a file, prune nothing", () => {
  assert.deepEqual(look({ "/p/ab.yaml": [], "/p/sub/c.yaml": ["c"] }), [
    { source: "/p/ab.yaml", pods: ["a", "b"], taken: true, prunable: false },
  ]);
  assert.deepEqual(
    look({}).map((m) => m.prunable),
    [false, false],
  );
});

test("gone is what has been away for long enough, each pod by itself; it is announced once", () => {
  const absences = new Absences();
  const of = (...pods: string[]) => [{ source: "/p/ab.yaml", pods, taken: true, prunable: true }];
  const gone = (now: number, ...pods: string[]) => {
    const { gone: found, early } = absences.settle(pods.length === 0 ? [] : of(...pods), now, 5000);
    return [found.flatMap((m) => m.pods), early];
  };
  assert.deepEqual(gone(0, "a"), [[], true]);
  assert.deepEqual(gone(4999, "a", "b"), [[], true]);
  assert.deepEqual(gone(5000, "a", "b"), [["a"], true]);
  assert.deepEqual(gone(10_000, "a", "b"), [["a", "b"], false]);
  const announced = (...pods: string[]) => of(...pods).map((m) => absences.announce(m)?.pods)[0];
  assert.deepEqual([announced("a"), announced("a", "b"), announced("a", "b")], [["a"], ["b"], undefined]);
  // Back in time, and away again: that is another absence.
  assert.deepEqual(gone(11_000, "a"), [["a"], false]);
  assert.deepEqual(gone(12_000, "a", "b"), [["a"], true]);
  assert.deepEqual(announced("a", "b"), ["b"]);
  // The folder itself was away.
  absences.restart();
  assert.deepEqual(gone(20_000, "a"), [[], true]);
});
