// One look of the watcher at its folder: good files are applied together, bad ones are reported and change nothing.
import { cronKey } from "../../base/cron.js";
import type { Diagnostic } from "../../base/diagnostic.js";
import { jobKey } from "../../base/job.js";
import { serviceKey } from "../../base/service.js";
import { imageUses } from "../../model/images.js";
import type { Model } from "../../model/types.js";
import { HostError } from "../../ports/host.js";
import { type ApplyWishes, applyDeletion, carryOut, pull } from "../commands/apply.js";
import { deletionOf } from "../commands/delete.js";
import type { Context } from "../context.js";
import { HANDFUL } from "../handful.js";
import type { SpecText, Unread } from "../input.js";
import { imageFinding } from "../pipeline.js";
import { manifestOf } from "../pods.js";
import { openReaders, type Proposal, propose } from "../session.js";
import { Failures } from "./failures.js";
import { DELAYS, type Seen } from "./looker.js";
import { Absences, findMissing, type Missed } from "./missing.js";
import { Rejects } from "./rejects.js";
import type { Reporter } from "./report.js";

export interface WatchWishes {
  readonly prune: boolean;
  /** Also more than a handful at a time. */
  readonly many: boolean;
  /** Seconds; absent: a minute. */
  readonly timeout?: number;
}

/** Pods by source of the files that are good; and whether something is to be tried again though no file changes. */
interface Applied {
  readonly declared: ReadonlyMap<string, ReadonlySet<string>>;
  readonly retry: boolean;
}

export class Reconciler {
  readonly #folder: string;
  readonly #wishes: WatchWishes;
  readonly #reporter: Reporter;
  readonly #context: Context;
  readonly #rejects: Rejects;
  readonly #failures: Failures;
  readonly #absences = new Absences();

  constructor(folder: string, wishes: WatchWishes, reporter: Reporter, context: Context) {
    this.#folder = folder;
    this.#wishes = wishes;
    this.#reporter = reporter;
    this.#context = context;
    this.#rejects = new Rejects(reporter);
    this.#failures = new Failures(reporter, context);
  }

  /** Applies what is new, and looks after what is missing. Throws what may go well at another time. */
  async run(texts: readonly SpecText[], unread: readonly Unread[], now: number): Promise<Seen> {
    try {
      this.#rejects.unread(unread);
      await this.#failures.load();
      const { declared, retry } = await this.#apply(this.#rejects.sift(texts));
      await this.#failures.save();
      const found = { sources: new Set(texts.map((t) => t.source)), unread: unread.map((u) => u.source), declared };
      const missed = findMissing(await manifestOf(this.#context), this.#folder, found);
      const { gone, early } = this.#absences.settle(missed, now, DELAYS.away);
      const many = !this.#wishes.many && gone.filter((one) => one.prunable).flatMap((one) => one.pods).length > HANDFUL;
      let pruned = false;
      for (const one of gone) pruned = (await this.#gone(one, many)) || pruned;
      // Rights and disks are mended without an event of the file; text that is no text is not.
      const unreadable = unread.some((u) => u.error instanceof HostError);
      // What is deleted may have held a port that another file waits for.
      return { away: early || pruned, retry: retry || unreadable };
    } finally {
      // Gives the writer's lock back and leaves nothing open while nothing happens.
      await this.#context.host.close();
    }
  }

  /** The folder itself is away: nothing in it is missing. */
  folderAway(): void {
    this.#absences.restart();
  }

  async #apply(texts: readonly SpecText[]): Promise<Applied> {
    let good = texts;
    let retry = false;
    while (good.length > 0) {
      const wishes = this.#applyWishes(good);
      const readers = await openReaders(this.#context);
      const { value, diagnostics } = await propose(good, readers, wishes);
      const found = value === undefined ? diagnostics : await this.#pull(value);
      if (value !== undefined && found.length === 0) {
        this.#failures.forgetUnchanged(value.changes);
        this.#reporter.noted(value.changes);
        if (!value.changes.empty) {
          const report = await carryOut(good, value, readers, wishes, this.#context);
          this.#reporter.applied(report);
          this.#failures.note(report, value.changes, good);
        }
        this.#rejects.accept(good);
        return { declared: podsBySource(good, value.model), retry };
      }
      // It is the machine that says so, or a registry: both may say something else later.
      retry = true;
      const next = this.#rejects.without(good, found);
      if (next.length === good.length) break;
      good = next;
    }
    return { declared: new Map(), retry };
  }

  #applyWishes(texts: readonly SpecText[]): ApplyWishes {
    return {
      prune: false,
      adopt: false,
      passive: true,
      leaveOut: (wanted) => this.#failures.has(wanted, texts),
      wait: true,
      ...(this.#wishes.timeout === undefined ? {} : { timeout: this.#wishes.timeout }),
      patient: true,
    };
  }

  /** Images that cannot be had, as findings where the specs name them. Others are in the store afterwards. */
  async #pull(proposal: Proposal): Promise<Diagnostic[]> {
    const found: Diagnostic[] = [];
    if (proposal.changes.empty) return found;
    const containers = proposal.model.pods.flatMap(imageUses);
    await pull(proposal, this.#context, (image, error) =>
      found.push(...containers.filter((c) => c.image === image.reference).map((c) => imageFinding(error, c))),
    );
    return found;
  }

  /** True when pods were deleted. `many`: it is one of too many to be deleted by nobody's word. */
  async #gone(missed: Missed, many: boolean): Promise<boolean> {
    const { pods } = missed;
    if (!this.#wishes.prune || !missed.prunable || many) {
      const fresh = this.#absences.announce(missed);
      if (fresh !== undefined) this.#reporter.missing(fresh, this.#wishes.prune && many);
      return false;
    }
    const readers = await openReaders(this.#context);
    const report = await applyDeletion(this.#context, readers, () =>
      deletionOf(this.#context, readers, pods, { sources: missed.taken ? [] : [missed.source] }),
    );
    this.#reporter.pruned(missed, report);
    this.#absences.forget(missed);
    return true;
  }
}

function podsBySource(texts: readonly SpecText[], model: Model): Map<string, Set<string>> {
  const names = (file: string): string[] => [
    ...model.pods.filter((p) => p.at.file === file).map((p) => p.name),
    ...model.services.filter((s) => s.at.file === file).map((s) => serviceKey(s.name)),
    ...(model.jobs ?? []).filter((j) => j.at.file === file).map((j) => jobKey(j.name)),
    ...(model.crons ?? []).filter((c) => c.at.file === file).map((c) => cronKey(c.name)),
  ];
  return new Map(texts.map((t) => [t.source, new Set(names(t.file))]));
}
