// podgen image sync: many images from one kind of place to another, as skopeo sync; one line an image on standard output.
import { dirname, resolve } from "node:path";
import type { CopyWishes, Side } from "../../../ports/image-copy.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { makeBelow } from "../../sync/below.js";
import { jobsFor, type SyncJob, type SyncTarget } from "../../sync/jobs.js";
import { sideOf, sourcesOf } from "../../sync/sources.js";

/** Groups at once: each copies three blobs at once by itself. */
const PARALLEL = 2;

/** Exit 1 when one of them could not be had; without --keep-going the first of these ends it. */
export async function run(args: Args, context: Context): Promise<number> {
  const target = targetOf(args, context);
  const wishes = wishesOf(args);
  const keepGoing = args.flag("keep-going");
  const to = sideOf(args, "dest", context);
  const { sources, failed: unlisted } = await sourcesOf(args, context, keepGoing);
  const { jobs, clashes, refused } = jobsFor(sources, target);
  if (refused.length > 0)
    throw new UserError(refused.join("\n  "), EXIT.failed, "give it a name without empty, . and .. parts in its source");
  if (clashes.length > 0) throw new UserError(clashes.join("\n  "), EXIT.failed, "--scoped keeps the whole names");
  if (jobs.length === 0 && unlisted === 0) throw new UserError("there is no image to copy", EXIT.failed);
  if (args.flag("dry-run")) {
    for (const { from, to } of jobs) context.out.write(`${from} ${to}\n`);
    context.err.write(`would copy ${count(jobs.length)}\n`);
    return unlisted > 0 ? EXIT.failed : EXIT.done;
  }
  const done = await copyAll(jobs, wishes, to, { keepGoing, quiet: args.flag("quiet"), root: target.root }, context);
  const failed = done.failed + unlisted;
  const left = jobs.length - done.copied - done.same - done.failed;
  const words = [`copied ${count(done.copied)}`, `${done.same} there already`];
  context.err.write(`${[...words, ...(failed > 0 ? [`${failed} failed`] : []), ...(left > 0 ? [`${left} not tried`] : [])].join(", ")}\n`);
  return failed > 0 ? EXIT.failed : EXIT.done;
}

const count = (n: number) => `${n} image${n === 1 ? "" : "s"}`;

interface Done {
  copied: number;
  same: number;
  failed: number;
}

async function copyAll(
  jobs: readonly SyncJob[],
  wishes: CopyWishes,
  to: Side,
  { keepGoing, quiet, root }: { readonly keepGoing: boolean; readonly quiet: boolean; readonly root: string },
  context: Context,
): Promise<Done> {
  const copies = await context.host.imageCopies();
  const done: Done = { copied: 0, same: 0, failed: 0 };
  const grouped = new Map<string, SyncJob[]>();
  for (const job of jobs) grouped.set(job.group, [...(grouped.get(job.group) ?? []), job]);
  const groups = [...grouped.values()];
  let begun = 0;
  const one = async (job: SyncJob) => {
    const number = ++begun;
    const code = await explained(context, async () => {
      if (!quiet) context.err.write(`[${number}/${jobs.length}] ${job.from} -> ${job.to}\n`);
      if (job.to.startsWith("dir:")) await makeBelow(root, dirname(job.to.slice("dir:".length)));
      const { digest, same } = await copies.copy(job.from, job.to, { ...wishes, from: job.side, to }, () => undefined);
      if (same === true) done.same++;
      else done.copied++;
      context.out.write(`${digest} ${job.to}\n`);
      return EXIT.done;
    });
    if (code !== EXIT.done) done.failed++;
  };
  const worker = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift())
      for (const job of group) {
        if (done.failed > 0 && !keepGoing) return;
        await one(job);
      }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return done;
}

function targetOf(args: Args, context: Context): SyncTarget {
  const kind = args.text("dest") as SyncTarget["kind"] | undefined;
  if (kind === undefined) throw new UserError("--dest is missing", EXIT.usage, "--dest docker, dir or oci says what the destination is");
  const word = args.text("destination") ?? "";
  const suffix = args.text("append-suffix") ?? "";
  if (!/^[\w.-]*$/.test(suffix)) throw new UserError(`--append-suffix ${suffix}: it ends a tag: letters, digits, _ . and -`, EXIT.usage);
  const shared = { kind, suffix, scoped: args.flag("scoped") };
  if (kind === "docker") {
    const root = word.replace(/^docker:\/\//, "").replace(/\/+$/, "");
    if (!/^(?:[A-Za-z0-9.-]*[.:][A-Za-z0-9.:-]*|localhost|\[[0-9A-Fa-f:]+\](?::\d+)?)(?:\/[a-z0-9._/-]+)?$/.test(root))
      throw new UserError(`${word} is no place in a registry`, EXIT.usage, "write HOST or HOST/PATH, without a tag");
    return { ...shared, root };
  }
  const root = resolve(context.cwd, word);
  if (kind === "oci" && root.includes(":")) throw new UserError(`${word}: the path of an OCI layout has no colon`, EXIT.usage);
  return { ...shared, root };
}

function wishesOf(args: Args): CopyWishes {
  const format = args.text("format");
  const preserve = args.flag("preserve-digests");
  if (preserve && format !== undefined) throw new UserError("--preserve-digests does not go with --format", EXIT.usage);
  return {
    all: args.flag("all"),
    preserve,
    removeSignatures: args.flag("remove-signatures"),
    unlessSame: true,
    ...(format === undefined ? {} : { format: format === "oci" ? "oci" : "docker" }),
  };
}
