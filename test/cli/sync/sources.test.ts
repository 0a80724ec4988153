// The images below a folder, by their names in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Args } from "../../../src/cli/args.js";
import type { Context } from "../../../src/cli/context.js";
import { sourcesOf } from "../../../src/cli/sync/sources.js";

test("names of images below the root of all folders lose no letter", async () => {
  const kinds: Record<string, string> = { "/app/manifest.json": "file", "/app": "folder", "/": "folder", "": "folder" };
  const files = { kind: async (path: string) => kinds[path] ?? "none", list: async () => ["app"] };
  const args = { text: (name: string) => ({ src: "dir", source: "/" })[name] };
  const context = { cwd: "/", host: { files: async () => files } };
  const { sources } = await sourcesOf(args as unknown as Args, context as unknown as Context, false);
  assert.deepEqual(sources, [{ place: "dir:/app", name: "app", group: "app" }]);
});
