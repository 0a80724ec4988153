// Around a transaction: what it brings is kept as a generation before, and forgotten when it did not come to be.
import type { ApplyReport } from "../../apply/types.js";
import type { ImageFacts, Paths } from "../../base/facts.js";
import type { Manifest } from "../../base/installed.js";
import { ownerName } from "../../base/owner.js";
import {
  contentDigest,
  contentOf,
  type Generation,
  HISTORY_LIMIT,
  isRenewed,
  type Lineage,
  lineagesOf,
  specsOfLineage,
} from "../../diff/generation.js";
import type { ChangeSet } from "../../diff/types.js";
import type { SpecTexts } from "../../plan/spec-texts.js";
import type { FileWriter } from "../../ports/files.js";
import type { Rendered } from "../../render/types.js";
import { UserError } from "../exit.js";
import { lineageNames, numbersOf, readGeneration, removeGeneration, writeGeneration } from "./store.js";

/** What is to be kept. */
export interface Proposed {
  readonly rendered: Rendered;
  readonly images: Iterable<ImageFacts>;
  readonly changes: ChangeSet;
  readonly manifest: Manifest;
  /** What was written; absent where that is not known. */
  readonly specs?: SpecTexts | undefined;
  /** The generation that this is a return to. */
  readonly back?: number;
}

export class Keeper {
  readonly #paths: Pick<Paths, "state" | "settings">;
  readonly #files: FileWriter;
  /** Of this transaction. */
  readonly #written: { readonly lineage: Lineage; readonly number: number }[] = [];
  #limit = HISTORY_LIMIT;

  constructor(paths: Pick<Paths, "state" | "settings">, files: FileWriter) {
    this.#paths = paths;
    this.#files = files;
  }

  /** Before anything is changed. One that cannot be kept is an error: there would be no way back. */
  async keep({ rendered, images, changes, manifest, specs, back }: Proposed, now: number): Promise<void> {
    const all = [...images];
    const renewed = lineagesOf(rendered).filter((lineage) => isRenewed(lineage, changes.pods));
    if (renewed.length > 0) this.#limit = await readLimit(this.#paths, this.#files);
    await Promise.all(
      renewed.map(async (lineage) => {
        const { name } = lineage;
        const content = contentOf(lineage, rendered, all);
        const digest = contentDigest(content);
        const numbers = await numbersOf(this.#paths, this.#files, name);
        const last = numbers.at(-1) ?? 0;
        // The same once more needs no second one, also after a kill: should it fail now, what is there stays.
        const latest = last === 0 ? undefined : await readGeneration(this.#paths, this.#files, name, last).catch(() => undefined);
        if (latest?.digest === digest) return;
        // It may never have run, and it may be the last good one: it stays, and nobody goes back to it unasked.
        if (latest !== undefined && lineage.pods.some((p) => manifest.pods[p.name]?.unfinished === true))
          await writeGeneration(this.#paths, this.#files, { ...latest, doubtful: true });
        const number = last + 1;
        const written = specs === undefined ? {} : { specs: specsOfLineage(lineage, content, specs) };
        const generation: Generation = {
          version: 1,
          number,
          at: now,
          name,
          digest,
          ...(back === undefined ? {} : { back }),
          ...written,
          content,
        };
        this.#written.push({ lineage, number });
        await writeGeneration(this.#paths, this.#files, generation);
      }),
    );
  }

  /** After it: what failed is no generation, what is beyond the limit goes, and so does what has no pods any more. */
  async settle(report: ApplyReport | undefined, after: Manifest): Promise<void> {
    const good = new Set(report?.pods.filter((p) => p.outcome !== "failed" && p.outcome !== "rolled-back").map((p) => p.name));
    for (const { lineage, number } of this.#written) {
      const { name, pods, workload } = lineage;
      if (!pods.every((p) => good.has(p.name) || !report?.pods.some((r) => r.name === p.name)) || report === undefined) {
        await removeGeneration(this.#paths, this.#files, name, number);
        continue;
      }
      const limit = workload?.rollout.revisionHistoryLimit ?? this.#limit;
      const numbers = await numbersOf(this.#paths, this.#files, name);
      for (const old of numbers.slice(0, Math.max(0, numbers.length - 1 - limit)))
        await removeGeneration(this.#paths, this.#files, name, old);
    }
    await this.forget(after);
  }

  /** Generations of what is no longer there: its secrets are not kept for nobody. */
  async forget(after: Manifest): Promise<void> {
    const there = new Set(Object.values(after.pods).map((p) => (p.owner === undefined ? p.name : ownerName(p.owner))));
    for (const name of await lineageNames(this.#paths, this.#files)) {
      if (there.has(name)) continue;
      for (const number of await numbersOf(this.#paths, this.#files, name)) await removeGeneration(this.#paths, this.#files, name, number);
    }
  }
}

/** `<settings>/history.json`, `{"limit": 5}`. Throws UserError for a file that says something else: nothing is silently ignored. */
export async function readLimit(paths: Pick<Paths, "settings">, files: FileWriter): Promise<number> {
  const path = `${paths.settings}/history.json`;
  const bytes = await files.read(path);
  if (bytes === undefined) return HISTORY_LIMIT;
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as { readonly limit?: unknown };
    const unknown = Object.keys(found).find((name) => name !== "limit");
    if (unknown !== undefined) throw new Error(`it has the unknown member "${unknown}"`);
    const { limit = HISTORY_LIMIT } = found;
    if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 0) throw new Error("limit is no whole number from 0 on");
    return limit;
  } catch (cause) {
    throw new UserError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, 1, 'write {"limit": 10}: podgen-history(1)');
  }
}
