// The specs that were applied last, `<state>/specs.json`: what `diff --specs` compares with. 0600; values of Secrets are not in it.
import type { Paths } from "../base/facts.js";
import type { Manifest } from "../base/installed.js";
import { recordOf } from "../base/record.js";
import { keptSpecs } from "../diff/specs.js";
import type { ChangeSet } from "../diff/types.js";
import type { SpecTexts } from "../plan/spec-texts.js";
import type { FileReader, FileWriter } from "../ports/files.js";

type Place = Pick<Paths, "state">;

/** What came of specs: those of the change set, undefined for what came to be without its spec's being known. */
export interface AppliedSpecs {
  readonly wanted: Readonly<Record<string, string | undefined>>;
  readonly changes: ChangeSet;
}

/** None where there is no file, or a damaged one: they are only shown, and the next apply keeps them again. */
export async function readSpecTexts(paths: Place, files: FileReader): Promise<SpecTexts> {
  const bytes = await files.read(pathOf(paths));
  if (bytes === undefined) return recordOf();
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as { readonly version: number; readonly specs: Record<string, string> };
    if (found.version !== 1) return recordOf();
    return recordOf(Object.entries(found.specs).filter(([, text]) => isObject(text)));
  } catch {
    return recordOf();
  }
}

/** Whether something else is to be kept than is. */
export async function areSpecsKept(
  { wanted, changes }: AppliedSpecs,
  manifest: Manifest,
  paths: Place,
  files: FileReader,
): Promise<boolean> {
  const before = await readSpecTexts(paths, files);
  return same(before, keptSpecs(before, wanted, changes, manifest));
}

/** After a transaction; the caller holds the writer's lock. `now`: the manifest as it has left it. */
export async function keepSpecs({ wanted, changes }: AppliedSpecs, now: Manifest, paths: Place, files: FileWriter): Promise<void> {
  const before = await readSpecTexts(paths, files);
  const specs = keptSpecs(before, wanted, changes, now);
  if (Object.keys(specs).length === 0) await files.remove(pathOf(paths), paths.state);
  else if (!same(before, specs))
    await files.write(pathOf(paths), new TextEncoder().encode(`${JSON.stringify({ version: 1, specs })}\n`), 0o600);
}

function same(a: SpecTexts, b: SpecTexts): boolean {
  const keys = Object.keys(b);
  return Object.keys(a).length === keys.length && keys.every((key) => a[key] === b[key]);
}

function isObject(text: unknown): boolean {
  if (typeof text !== "string") return false;
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function pathOf({ state }: Place): string {
  return `${state}/specs.json`;
}
