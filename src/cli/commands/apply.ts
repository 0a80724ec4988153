// podgen apply: propose, pull, lock, propose again under the lock, carry out, report.
import type { ApplyOptions, ApplyReport } from "../../apply/types.js";
import { hasErrors } from "../../base/diagnostic.js";
import type { ImageFacts } from "../../base/facts.js";
import type { Manifest } from "../../base/installed.js";
import type { ChangeSet } from "../../diff/types.js";
import { type ImageError, type Images, isImageError } from "../../ports/images.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { agreeToPrune, checkYes } from "../handful.js";
import { Keeper } from "../history/keep.js";
import { forgetHolds } from "../holds.js";
import { readSpecs, type SpecText } from "../input.js";
import { manifestPath, readManifest } from "../installed.js";
import { printDiagnostics } from "../print.js";
import { settleRejected } from "../rejected.js";
import { isPlanText } from "../saved-plan.js";
import { makeKey } from "../secret-key.js";
import { openReaders, type Proposal, type ProposeOptions, propose, proposeAgain, type Readers } from "../session.js";
import type { Choose } from "../short-names.js";
import { changesJson, reportJson, showChanges, showFailures, showNotes, showReport } from "../show.js";
import { type AppliedSpecs, areSpecsKept, keepSpecs } from "../specs.js";

export interface ApplyWishes extends ProposeOptions {
  readonly wait: boolean;
  /** Seconds; absent: a minute, and what a pod's probes may need. */
  readonly timeout?: number;
  /** What probes may need comes on top of a timeout that was given, too. */
  readonly patient?: boolean;
  /** Throws where it is not to be carried out; asked of what is proposed under the writer's lock. */
  readonly check?: (proposal: Proposal) => Promise<void>;
}

/** How long a pod without probes may take until it is ready. */
const TIMEOUT_SECONDS = 60;

/** How long to wait for another podgen to finish, milliseconds. */
export const LOCK_DEADLINE_MS = 120_000;

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  checkYes(args);
  const timeout = args.number("timeout");
  const given: ApplyWishes = {
    prune: args.flag("prune"),
    adopt: args.flag("adopt"),
    wait: args.flag("wait"),
    ...(timeout === undefined ? {} : { timeout }),
    ...chooser(context),
  };
  const asJson = args.text("output") === "json";
  const named = await readSpecs(args, context);
  const readers = await openReaders(context);
  const planned = named.some((t) => isPlanText(t.text))
    ? await (await import("../planned.js")).openPlan(named, args, readers, context)
    : undefined;
  const texts = planned?.texts ?? named;
  const wishes: ApplyWishes = planned === undefined ? given : { ...given, prune: planned.prune, check: (p) => planned.check(p, true) };
  const proposal = await propose(texts, readers, wishes);
  printDiagnostics(context, proposal.diagnostics, texts);
  if (proposal.value === undefined) return EXIT.failed;
  await planned?.check(proposal.value, false);
  context.err.write(showNotes(proposal.value.changes));
  if (args.flag("dry-run")) {
    context.out.write(asJson ? changesJson(proposal.value.changes) : showChanges(proposal.value.changes));
    if (proposal.value.changes.empty && !asJson) context.err.write("no change\n");
    return EXIT.done;
  }
  // A saved plan has been looked at.
  if (planned === undefined) await agreeToPrune(proposal.value.pruned, args.flag("yes"), context);
  const report = await carryOut(texts, proposal.value, readers, wishes, context);
  context.out.write(asJson ? reportJson(report) : showReport(report));
  context.err.write(showFailures(report));
  if (report.exitCode !== 0) return report.exitCode;
  if (report.changed) await adviseLinger(context);
  return args.flag("detailed-exitcode") && report.changed ? EXIT.detailedChanged : EXIT.done;
}

/** Root has no user manager of its own in the sense meant here, and its pods would not be rootless. */
export function refuseRoot(context: Context): void {
  if (context.uid !== 0) return;
  throw new UserError(
    "podgen runs pods of ordinary users and refuses to be root",
    EXIT.failed,
    "runuser -u USER -- podgen …, or machinectl shell USER@",
  );
}

/** Pulls first, outside the lock and before anything that runs is touched; then the transaction. */
export async function carryOut(
  texts: readonly SpecText[],
  proposal: Proposal,
  readers: Readers,
  wishes: ApplyWishes,
  context: Context,
): Promise<ApplyReport> {
  // A newer podgen brings a newer podrt, also when no spec changed; running containers keep theirs.
  const runtime = await context.host.runtime();
  await runtime.install();
  if (proposal.changes.empty) {
    await keepChoices(proposal, context);
    await keepSpecsOfUnchanged(proposal, readers, context);
    // One that was killed as it began may have left its manifest half written.
    const { paths } = readers.facts;
    await (await context.host.files()).tidy(manifestPath(paths), paths.state);
    return unchanged(proposal.changes);
  }
  // What is pulled now is pinned only when the manifest says so: until then nobody may remove it.
  const release = await (await context.host.images()).hold();
  try {
    await pull(proposal, context);
    await keepChoices(proposal, context);
    return await applyUnderLock(texts, proposal, readers, wishes, context);
  } finally {
    await release();
  }
}

/** What a spec says may be another though nothing comes of it, an annotation say. */
async function keepSpecsOfUnchanged({ specs, changes, manifest }: Proposal, { facts, files }: Readers, context: Context): Promise<void> {
  const applied = { wanted: specs, changes };
  if (await areSpecsKept(applied, manifest, facts.paths, files)) return;
  await (await context.host.manager()).lock(LOCK_DEADLINE_MS);
  await keepSpecs(applied, await readManifest(facts.paths, files), facts.paths, await context.host.files());
}

/** Somebody else may have written while we pulled: what counts is the difference under the writer's lock. */
async function applyUnderLock(
  texts: readonly SpecText[],
  proposal: Proposal,
  readers: Readers,
  wishes: ApplyWishes,
  context: Context,
): Promise<ApplyReport> {
  const [{ applyChanges }, manager, images, runtime, journal] = await Promise.all([
    import("../../apply/transaction.js"),
    context.host.manager(),
    context.host.images(),
    context.host.runtime(),
    context.host.journal(),
  ]);
  await manager.lock(LOCK_DEADLINE_MS);
  const adopted = wishes.adopt && proposal.foreign.size > 0 ? await import("../adopt.js") : undefined;
  const stopped = (await adopted?.adoptUnits(proposal, manager, context)) ?? [];
  let report: ApplyReport | undefined;
  try {
    const files = await context.host.files();
    const again = await proposeAgain(proposal, texts, readers, { ...wishes, makeKey: () => makeKey(readers.facts.paths, files) });
    printDiagnostics(context, again.diagnostics, texts);
    if (again.value === undefined || hasErrors(again.diagnostics)) throw new UserError("what is installed changed meanwhile");
    await wishes.check?.(again.value);
    if (again.value.changes.empty) return unchanged(again.value.changes);
    await shiftLayers(again.value, images);
    const keeper = new Keeper(readers.facts.paths, files);
    const { specs, changes } = again.value;
    try {
      await keeper.keep({ ...again.value, images: again.value.images.values() }, Date.now());
      const ports = { manager, images, runtime, journal, files, clock: realClock };
      report = await applyChanges(ports, changes, applyOptions(readers, again.value.manifest, wishes));
    } finally {
      await settle(keeper, report, readers, context, { wanted: specs, changes });
    }
    return report;
  } finally {
    await adopted?.giveBack(stopped, report, manager);
  }
}

/** What is left of generations when it could not be put in order is no reason to call the apply failed: the next one does it. */
export async function settle(
  keeper: Keeper,
  report: ApplyReport | undefined,
  readers: Readers,
  context: Context,
  specs: AppliedSpecs,
): Promise<void> {
  try {
    const after = await readManifest(readers.facts.paths, readers.files);
    await keeper.settle(report, after);
    await forgetHolds(readers.facts.paths, await context.host.files(), after);
    const good = report?.pods.filter((p) => p.outcome !== "failed" && p.outcome !== "rolled-back") ?? [];
    await settleRejected(readers.facts.paths, await context.host.files(), new Set(good.map((p) => p.name)), after.pods);
    await keepSpecs(specs, after, readers.facts.paths, await context.host.files());
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    context.err.write(`podgen: warning: what is remembered of earlier applies is not put in order: ${what}\n`);
  }
}

/** The layers of pods with a user namespace of their own; under the lock, for only then are the ids known for good. */
export async function shiftLayers({ rendered, changes }: Pick<Proposal, "rendered" | "changes">, images: Images): Promise<void> {
  const changed = new Set(changes.pods.filter((p) => p.manifest !== undefined && p.verdict !== "unchanged").map((p) => p.name));
  for (const { name, userns, shifted } of rendered.pods) if (userns !== undefined && changed.has(name)) await images.shift(shifted, userns);
}

export function applyOptions(
  readers: Readers,
  manifest: Manifest,
  wishes: Pick<ApplyWishes, "wait" | "timeout" | "patient">,
): ApplyOptions {
  const { paths } = readers.facts;
  return {
    manifest,
    manifestPath: manifestPath(paths),
    roots: [paths.units, paths.data, paths.state],
    wait: wishes.wait,
    timeout: (wishes.timeout ?? TIMEOUT_SECONDS) * 1000,
    patient: wishes.patient ?? wishes.timeout === undefined,
    stopTimeout: STOP_DEADLINE_MS,
  };
}

/** A change set that only removes, made under the lock by `make`. */
export async function applyDeletion(
  context: Context,
  readers: Readers,
  make: () => Promise<{ manifest: Manifest; changes: ChangeSet }>,
): Promise<ApplyReport> {
  const [{ applyChanges }, manager, images, runtime, journal] = await Promise.all([
    import("../../apply/transaction.js"),
    context.host.manager(),
    context.host.images(),
    context.host.runtime(),
    context.host.journal(),
  ]);
  await manager.lock(LOCK_DEADLINE_MS);
  const { manifest, changes } = await make();
  const files = await context.host.files();
  const specs = { wanted: {}, changes };
  if (changes.empty) {
    // What one that was killed had still to forget.
    await settle(new Keeper(readers.facts.paths, files), undefined, readers, context, specs);
    return unchanged(changes);
  }
  const ports = { manager, images, runtime, journal, files, clock: realClock };
  const report = await applyChanges(ports, changes, applyOptions(readers, manifest, { wait: true }));
  await settle(new Keeper(readers.facts.paths, files), report, readers, context, specs);
  return report;
}

/** Beyond any grace period that people give: systemd itself kills when a unit's own stop time-out is over. */
const STOP_DEADLINE_MS = 3_600_000;

export const realClock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

/**
 * Has all images of a proposal in the store. The first that cannot be had is thrown; with `failed` each one is told, and
 * the others are pulled.
 */
export async function pull(
  proposal: Pick<Proposal, "images" | "logins">,
  context: Context,
  failed?: (image: ImageFacts, error: ImageError) => void,
): Promise<void> {
  const images = await context.host.images();
  const missing = [];
  for (const image of new Set(proposal.images.values())) if (!(await images.has(image))) missing.push(image);
  if (missing.length === 0) return;
  const { createPullPrinter } = await import("../progress.js");
  const printer = createPullPrinter(context.err, { tty: context.err.isTTY });
  try {
    await Promise.all(
      missing.map((image) =>
        images.ensure(image, printer, proposal.logins?.get(image.reference)).catch((error: unknown) => {
          if (failed === undefined || !isImageError(error)) throw error;
          failed(image, error);
        }),
      ),
    );
  } finally {
    printer.close();
  }
}

/** Asks in a terminal what a short name stands for: by number, until the answer is one. */
export function chooser({ ask, err }: Pick<Context, "ask" | "err">): { choose?: Choose } {
  if (ask === undefined) return {};
  return {
    choose: async (short, candidates) => {
      err.write(`${short} may be any of these:\n${candidates.map((c, i) => `  ${i + 1}. ${c}\n`).join("")}`);
      for (;;) {
        const answer = await ask(`Which one (1 to ${candidates.length}, nothing for none)? `, false);
        if (answer === undefined || answer.trim() === "") return undefined;
        const choice = /^\d{1,3}$/.test(answer.trim()) ? candidates[Number(answer) - 1] : undefined;
        if (choice !== undefined) return choice;
      }
    },
  };
}

/** What was chosen, and could be had, is not asked again. */
async function keepChoices(proposal: Proposal, context: Context): Promise<void> {
  if (proposal.chosen === undefined || proposal.chosen.size === 0) return;
  const images = await context.host.images();
  for (const [short, reference] of proposal.chosen) {
    try {
      await images.remember(short, reference);
    } catch (error) {
      if (!isImageError(error)) throw error;
      context.err.write(`podgen: warning: the choice for ${short} is not kept: ${error.message}\n`);
    }
  }
}

export function unchanged(changes: ChangeSet): ApplyReport {
  return {
    pods: changes.pods.map((p) => ({ name: p.name, outcome: "unchanged", actions: [], failures: [] })),
    objects: [],
    warnings: [],
    changed: false,
    exitCode: 0,
  };
}

/** Units that are enabled start at boot only when the user lingers; a word once, where it is off. */
async function adviseLinger(context: Context): Promise<void> {
  try {
    const { enabled } = await (await context.host.linger()).status();
    if (!enabled) context.err.write("note: lingering is off: these pods start when you log in, not at boot. podgen linger enable\n");
  } catch {
    // Without logind there is nothing to advise: doctor tells.
  }
}
