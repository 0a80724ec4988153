// podgen delete: a change set that only removes, through the same transaction. Volumes stay.
import type { Manifest } from "../../base/installed.js";
import { makeChangeSet } from "../../diff/index.js";
import type { ChangeSet } from "../../diff/types.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { readSpecs, type SpecText } from "../input.js";
import { readInstalled } from "../installed.js";
import { compileModel } from "../pipeline.js";
import { manifestOf, parseTarget, requirePod } from "../pods.js";
import { printDiagnostics } from "../print.js";
import { openReaders, type Readers } from "../session.js";
import { reportJson, showFailures, showReport } from "../show.js";
import { applyDeletion, refuseRoot } from "./apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const named = args.list("pods").map((word) => {
    const target = parseTarget(word);
    if (target.container !== undefined) throw new UserError(`${word}: a container is deleted by taking it out of its spec`, EXIT.usage);
    return target.pod;
  });
  const texts = args.list("filename").length > 0 ? await readSpecs(args, context) : [];
  const inFiles = podsIn(texts, context);
  if (inFiles === undefined) return EXIT.failed;
  const wanted = [...new Set([...named, ...inFiles])];
  if (wanted.length === 0) throw new UserError("name a pod, or a file with -f", EXIT.usage);
  const manifest = await manifestOf(context);
  if (!args.flag("ignore-not-found")) for (const pod of wanted) requirePod(manifest, pod);

  const readers = await openReaders(context);
  const report = await applyDeletion(context, readers, () => deletionOf(context, readers, wanted));
  context.out.write(args.text("output") === "json" ? reportJson(report) : showReport(report));
  context.err.write(showFailures(report));
  return report.exitCode;
}

/** Names of the pods in the files; undefined when the files have errors (printed). */
function podsIn(texts: readonly SpecText[], context: Context): string[] | undefined {
  if (texts.length === 0) return [];
  const model = compileModel(texts);
  printDiagnostics(context, model.diagnostics, texts);
  return model.value?.pods.map((p) => p.name);
}

/** The change set that removes these pods, from the state of now; names that are not there are left out. */
export async function deletionOf(
  context: Context,
  readers: Readers,
  pods: readonly string[],
): Promise<{ manifest: Manifest; changes: ChangeSet }> {
  const manifest = await manifestOf(context);
  const nothing = { pods: [], shared: [], objects: {} };
  const installed = await readInstalled(nothing, manifest, readers.facts, readers);
  return { manifest, changes: makeChangeSet(nothing, installed, { prune: pods.filter((p) => manifest.pods[p] !== undefined) }) };
}
