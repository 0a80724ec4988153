// storage.json: what can be set, and that nothing else is silently taken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_STORAGE, parseStorage } from "../../src/base/storage.js";

test("what is not said has its default", () => {
  assert.deepEqual(parseStorage("{}"), DEFAULT_STORAGE);
  assert.deepEqual(parseStorage('{"driver":"vfs","layerLimits":{"entries":10}}'), {
    driver: "vfs",
    keepBlobs: false,
    layerLimits: { entries: 10 },
  });
});

const WRONG: readonly [string, RegExp][] = [
  ["", /JSON/],
  ["[]", /no JSON object/],
  ['{"driver":"zfs"}', /driver is none of auto, overlay, fuse-overlayfs, vfs/],
  ['{"Driver":"vfs"}', /unknown member "Driver"; there are driver, keepBlobs, layerLimits/],
  ['{"keepBlobs":"yes"}', /neither true nor false/],
  ['{"layerLimits":{"byte":1}}', /layerLimits has the unknown member "byte"/],
  ['{"layerLimits":{"bytes":0}}', /layerLimits\.bytes is no whole number/],
  ['{"layerLimits":{"ratio":1.5}}', /layerLimits\.ratio/],
  ['{"layerLimits":{"entries":4294967296}}', /layerLimits\.entries/],
  ['{"layerLimits":null,"keepBlobs":null}', /keepBlobs/],
];
for (const [text, message] of WRONG) test(`refused: ${text}`, () => assert.throws(() => parseStorage(text), message));
