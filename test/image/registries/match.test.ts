// Where references are had from: the longest prefix, wildcards, mirrors by kind of reference, blocked ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference, type RegistryReference } from "../../../src/host/image/reference.js";
import { endpointsFor, entryFor } from "../../../src/host/image/registries/match.js";
import { NO_REGISTRIES, type RegistryEntry } from "../../../src/host/image/registries/types.js";
import { ImageError } from "../../../src/ports/images.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const entry = (prefix: string, more: Partial<RegistryEntry> = {}): RegistryEntry => ({
  prefix,
  insecure: false,
  blocked: false,
  mirrors: [],
  ...more,
});
const all = (...entries: RegistryEntry[]) => ({ ...NO_REGISTRIES, entries });
/** `host/repository:tag` of each place, `!` behind an insecure one. */
function places(text: string, ...entries: RegistryEntry[]): string[] {
  return endpointsFor(parseReference(text) as RegistryReference, all(...entries)).map(({ reference: r, insecure }) => {
    assert.equal(r.text, text);
    return `${r.host}/${r.repository}${r.digest === undefined ? `:${r.tag}` : "@"}${insecure ? "!" : ""}`;
  });
}

test("the longest prefix counts, and it ends where a part of the name ends", () => {
  const list = all(
    entry("a.example"),
    entry("a.example/team"),
    entry("a.example/team/app:1"),
    entry("*.example"),
    entry("*.b.example"),
    entry("x.b.example"),
  );
  const of = (name: string) => entryFor(name, list)?.prefix;
  assert.equal(of("a.example/other:1"), "a.example");
  assert.equal(of("a.example/team/app:2"), "a.example/team");
  assert.equal(of("a.example/team/app:1"), "a.example/team/app:1");
  assert.equal(of("a.example/team/app:11"), "a.example/team");
  assert.equal(of("a.example/teams/app:1"), "a.example");
  assert.equal(of("y.b.example/q:1"), "*.b.example");
  assert.equal(of("x.b.example/q:1"), "x.b.example");
  assert.equal(of("y.b.example:5000/q:1"), "*.b.example");
  assert.equal(of("a.example:5000/q:1"), "*.example");
  assert.equal(of("b.example.org/q:1"), undefined);
  assert.equal(of("host.test/b.example/q:1"), undefined);
});

test("a location takes the prefix's place; a wildcard without one leaves the name", () => {
  assert.deepEqual(places("a.example/foo/app:1", entry("a.example/foo", { location: "b.example:5000/bar", insecure: true })), [
    "b.example:5000/bar/app:1!",
  ]);
  assert.deepEqual(places("x.w.example/q:1", entry("*.w.example", { location: "b.example/w" })), ["b.example/w/q:1"]);
  assert.deepEqual(places("x.w.example/q:1", entry("*.w.example", { insecure: true })), ["x.w.example/q:1!"]);
  assert.deepEqual(places("a.example/q:1", entry("b.example", { location: "c.example" })), ["a.example/q:1"]);
  assert.deepEqual(places(`a.example/q:1@${DIGEST}`, entry("a.example", { location: "c.example" })), ["c.example/q@"]);
});

test("mirrors go first, those for digests and those for tags for theirs only", () => {
  const mirrored = entry("a.example", {
    location: "a.example",
    mirrors: [
      { location: "m0.example/a", insecure: false, pull: "all" },
      { location: "m1.example", insecure: true, pull: "digest-only" },
      { location: "m2.example", insecure: false, pull: "tag-only" },
    ],
  });
  assert.deepEqual(places("a.example/q:1", mirrored), ["m0.example/a/q:1", "m2.example/q:1", "a.example/q:1"]);
  assert.deepEqual(places(`a.example/q@${DIGEST}`, mirrored), ["m0.example/a/q@", "m1.example/q@!", "a.example/q@"]);
});

test("a blocked one is refused by name, also where it has mirrors; a location that makes no name is the file's fault", () => {
  const code = (text: string, e: RegistryEntry) => {
    try {
      places(text, e);
    } catch (error) {
      if (error instanceof ImageError) return `${error.code} ${error.message}`;
      throw error;
    }
    return "";
  };
  const mirrors = [{ location: "m.example", insecure: false, pull: "all" as const }];
  assert.match(
    code("a.example/q:1", entry("a.example", { location: "a.example", blocked: true, mirrors })),
    /^image-refused .*blocks a\.example/,
  );
  assert.match(code("a.example/q:1", entry("a.example/q", { location: "b.example" })), /^image-config .*b\.example:1.*no name of an image/);
});
