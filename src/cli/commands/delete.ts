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
  const inFiles = objectsIn(texts, context);
  if (inFiles === undefined) return EXIT.failed;
  const wanted = [...new Set([...named, ...inFiles.pods])];
  if (wanted.length + inFiles.objects.length === 0) throw new UserError("name a pod, or a file with -f", EXIT.usage);
  const manifest = await manifestOf(context);
  if (!args.flag("ignore-not-found")) for (const pod of wanted) requirePod(manifest, pod);

  const readers = await openReaders(context);
  const report = await applyDeletion(context, readers, () => deletionOf(context, readers, wanted, inFiles.objects));
  context.out.write(args.text("output") === "json" ? reportJson(report) : showReport(report));
  context.err.write(showFailures(report));
  return report.exitCode;
}

/** What the files name, to be deleted; undefined when they have errors (printed). */
function objectsIn(texts: readonly SpecText[], context: Context): { pods: string[]; objects: string[] } | undefined {
  if (texts.length === 0) return { pods: [], objects: [] };
  const { diagnostics, value } = compileModel(texts);
  printDiagnostics(context, diagnostics, texts);
  if (value === undefined) return undefined;
  return { pods: value.pods.map((p) => p.name), objects: [...value.configMaps, ...value.secrets].map((o) => `${o.kind}/${o.name}`) };
}

/**
 * The change set that removes these pods and objects, from the state of now; names that are not there are left out. The
 * ConfigMaps and Secrets that only these pods refer to go with them: a secret is not kept for nobody.
 */
export async function deletionOf(
  context: Context,
  readers: Readers,
  pods: readonly string[],
  objects: readonly string[] = [],
): Promise<{ manifest: Manifest; changes: ChangeSet }> {
  const manifest = await manifestOf(context);
  const nothing = { pods: [], shared: [], objects: {} };
  const installed = await readInstalled(nothing, manifest, readers.facts, readers);
  const prune = pods.filter((p) => manifest.pods[p] !== undefined);
  const stay = Object.values(manifest.pods).filter((p) => !prune.includes(p.name));
  const needed = new Set(stay.flatMap((p) => p.objects));
  const pruneObjects = [...objects, ...prune.flatMap((p) => manifest.pods[p]?.objects ?? [])].filter((key) => !needed.has(key));
  return { manifest, changes: makeChangeSet(nothing, installed, { prune, pruneObjects: [...new Set(pruneObjects)] }) };
}
