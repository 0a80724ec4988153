// Golden files: whole outputs under fixtures/, compared byte by byte. UPDATE=1 writes them anew.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** The test runner's working folder is the repository's. */
export const FIXTURES = "fixtures";

/** Names of the cases in a folder of fixtures/. */
export function casesIn(folder: string): string[] {
  return readdirSync(join(FIXTURES, folder)).sort();
}

/** The text of a fixture, or undefined where there is none. */
export function fixture(...path: readonly string[]): string | undefined {
  try {
    return readFileSync(join(FIXTURES, ...path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Compares a set of files, by relative path, with a folder: no file more, none less, every byte. */
export function assertTree(folder: string, actual: ReadonlyMap<string, string>): void {
  const root = join(FIXTURES, folder);
  if (process.env["UPDATE"] === "1") {
    rmSync(root, { recursive: true, force: true });
    for (const [path, text] of actual) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }
  const found = filesBelow(root).map((path) => relative(root, path));
  assert.deepEqual([...actual.keys()].sort(), found.sort(), `the files of ${root} (UPDATE=1 writes them anew)`);
  for (const [path, text] of actual) assert.equal(text, readFileSync(join(root, path), "utf8"), `${root}/${path}`);
}

function filesBelow(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** Compares one text with a file. */
export function assertText(path: string, actual: string): void {
  if (process.env["UPDATE"] === "1") writeFileSync(join(FIXTURES, path), actual);
  assert.equal(actual, fixture(path), `${FIXTURES}/${path} (UPDATE=1 writes it anew)`);
}
