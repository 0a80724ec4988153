// How the differences of specs look: as YAML that people could have written, in unified diffs.
import type { SpecChange, SpecChanges } from "../diff/specs.js";
import { unifiedDiff } from "../diff/unified.js";

/** A diff per object. */
export async function showSpecs({ changes }: SpecChanges): Promise<string> {
  return (await Promise.all(changes.map(showSpec))).join("");
}

/** For standard error: of what nothing is shown though it may be another. */
export function showUnknownSpecs({ unknown }: SpecChanges): string {
  if (unknown.length === 0) return "";
  return `note: applied before specs were kept, so not compared; the next apply keeps them: ${unknown.join(", ")}\n`;
}

export async function specsJson({ changes, unknown }: SpecChanges): Promise<Record<string, unknown>> {
  const specs = changes.map(async (change) => ({ object: change.object, action: change.action, diff: await showSpec(change) }));
  return { specs: await Promise.all(specs), unknownSpecs: unknown };
}

async function showSpec({ object, before, after }: SpecChange): Promise<string> {
  return unifiedDiff(
    object,
    before === undefined ? undefined : await asYaml(before),
    after === undefined ? undefined : await asYaml(after),
  );
}

/** Texts of several lines, as ConfigMaps have them, stand as such. */
async function asYaml(text: string): Promise<string> {
  const { dump } = await import("js-yaml");
  return dump(JSON.parse(text), { lineWidth: -1, noRefs: true, sortKeys: true });
}
