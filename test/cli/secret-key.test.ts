// The secret store's key: made once, the owner's alone, and not guessed when it is damaged.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keyPath, makeKey, readKey } from "../../src/cli/secret-key.js";
import { Files } from "../../src/host/files/files.js";
import { hostFacts } from "../lib/models.js";

const home = mkdtempSync(join(tmpdir(), "podgen-key-"));
after(() => rmSync(home, { recursive: true }));
const { paths } = hostFacts({}, home);
const files = new Files([paths.data]);

test("there is none before it is made; then it stays, and is readable by its owner only", async () => {
  assert.equal(await readKey(paths, files), undefined);
  const key = await makeKey(paths, files);
  assert.equal(key.length, 32);
  assert.deepEqual([...((await readKey(paths, files)) ?? [])], [...key]);
  assert.deepEqual([...(await makeKey(paths, files))], [...key]);
  assert.equal(statSync(keyPath(paths)).mode & 0o777, 0o600);
});

test("a damaged one is an error that says what to do", async () => {
  writeFileSync(keyPath(paths), "short");
  await assert.rejects(readKey(paths, files), /not a key/);
});
