// Constraints of versions: what each kind takes and leaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, parseConstraint, parseVersion, type Version } from "../../src/base/semver.js";

const version = (text: string) => parseVersion(text) as Version;

test("order: as semver.org has it", () => {
  const order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"];
  const shuffled = [...order].reverse().sort((a, b) => compareVersions(version(a), version(b)));
  assert.deepEqual(shuffled, order);
  assert.equal(compareVersions(version("v1.2"), version("1.2.0+build")), 0);
  for (const none of ["latest", "1.2.3.4", "1.x", "", "1.2-", "v", "1.2_3"]) assert.equal(parseVersion(none), undefined, none);
});

const cases: readonly [string, readonly string[], readonly string[]][] = [
  [">= 3.12.0", ["3.12", "v3.13.1", "4.0"], ["3.11.9", "3.13-rc1"]],
  [">1.2", ["1.3.0"], ["1.2.5", "1.2"]],
  ["<=1.2", ["1.2.9", "1.1"], ["1.3"]],
  ["<1.2", ["1.1.9"], ["1.2.0"]],
  ["=1.2.3", ["1.2.3"], ["1.2.4"]],
  ["1.2", ["1.2.0", "1.2.9"], ["1.3.0"]],
  ["!=1.2.x", ["1.3.0"], ["1.2.0"]],
  ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]],
  ["~1", ["1.0.0", "1.9.9"], ["2.0.0"]],
  ["^1.2.3", ["1.2.3", "1.9"], ["2.0.0", "1.2.2"]],
  ["^0.2.3", ["0.2.9"], ["0.3.0"]],
  ["^0.0.3", ["0.0.3"], ["0.0.4"]],
  ["^0.0", ["0.0.9"], ["0.1.0"]],
  ["^0", ["0.9.0"], ["1.0.0"]],
  ["1.2 - 1.4.5", ["1.2.0", "1.4.5"], ["1.4.6"]],
  [">=1, <2 || 4.x", ["1.5", "4.2"], ["2.0.0", "5.0.0"]],
  ["> 1 < 3", ["2.0.0"], ["1.5", "3.0.0"]],
  ["*", ["0.0.1", "9"], ["1.0-rc1"]],
  [">=1.0-0", ["1.0-rc1", "1.1-alpha", "2.0"], ["0.9"]],
];
for (const [constraint, good, bad] of cases)
  test(`the constraint ${constraint}`, () => {
    const accepts = parseConstraint(constraint);
    assert.ok(accepts !== undefined);
    for (const text of good) assert.equal(accepts(version(text)), true, text);
    for (const text of bad) assert.equal(accepts(version(text)), false, text);
  });

test("what is no constraint", () => {
  for (const text of ["", "latest", ">=", "1.2.3.4", ">= 1 ||", "=>=1", "~a"]) assert.equal(parseConstraint(text), undefined, text);
});
