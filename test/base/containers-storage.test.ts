// Names in podman's store (containers-transports(5)): what they mean, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStoredName, storedNames } from "../../src/base/containers-storage.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const ID = "b".repeat(64);

test("names, digests and ids, with and without the place of a store", () => {
  const cases: [string, object][] = [
    ["localhost/app:dev", { name: "localhost/app:dev" }],
    ["app", { name: "app:latest" }],
    ["registry.example:5000/team/app", { name: "registry.example:5000/team/app:latest" }],
    [`docker.io/library/app@${DIGEST}`, { name: "docker.io/library/app", digest: DIGEST }],
    [`app:1@${ID}`, { name: "app:1", id: ID, sure: true }],
    [`@${ID}`, { id: ID, sure: true }],
    [`@${DIGEST}`, { digest: DIGEST }],
    ["bbb", { id: "bbb", name: "bbb:latest" }],
    ["[overlay@/srv/images+/run/images]app:1", { driver: "overlay", root: "/srv/images", name: "app:1" }],
    ["[/srv/images/]app:1", { root: "/srv/images", name: "app:1" }],
    ["[vfs@/srv/images]@bbb", { driver: "vfs", root: "/srv/images", id: "bbb", sure: true }],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(parseStoredName(text), wanted, text);
});

test("what is not honoured is refused by name", () => {
  const cases: [string, RegExp][] = [
    ["", /names no image/],
    ["[overlay@/srv/images]", /names no image/],
    ["[overlay@/srv/images", /no place of a store/],
    ["[overlay@srv]app", /no place of a store/],
    ["[btrfs@/srv/images]app", /storage driver btrfs/],
    ["[overlay@/srv/images+/run/x:overlay.mount_program=/bin/x]app", /options of a storage driver \(overlay\.mount_program/],
    ["App:1", /no valid name/],
    ["app:1@sha512:00", /neither an id nor a sha256 digest/],
  ];
  for (const [text, wanted] of cases) {
    const parsed = parseStoredName(text);
    assert.ok("problem" in parsed, text);
    assert.match(parsed.problem, wanted, text);
  }
});

test("a name without a registry is podman's own build first, then docker's", () => {
  assert.deepEqual(storedNames("app:1"), ["localhost/app:1", "docker.io/library/app:1"]);
  assert.deepEqual(storedNames("team/app:1"), ["localhost/team/app:1", "docker.io/team/app:1"]);
  assert.deepEqual(storedNames("localhost/app:1"), ["localhost/app:1"]);
  assert.deepEqual(storedNames("quay.io/team/app:1"), ["quay.io/team/app:1"]);
});
