// podgen volume rm: the one way in which the files of a claim go.
import { makeChangeSet } from "../../../diff/index.js";
import { claimKey } from "../../../plan/claim-objects.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { readInstalled } from "../../installed.js";
import { manifestOf } from "../../pods.js";
import { openReaders } from "../../session.js";
import { showFailures } from "../../show.js";
import { mountedBy, volumesOf } from "../../volumes.js";
import { applyDeletion, refuseRoot } from "../apply.js";

/** All or none: what cannot go is found before anything does. The files go first, so that a killed one leaves a name to do it again by. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const names = [...new Set(args.list("volumes"))];
  const readers = await openReaders(context);
  let gone: readonly string[] = [];
  const report = await applyDeletion(context, readers, async () => {
    const manifest = await manifestOf(context);
    const volumes = (await volumesOf(context, manifest)).filter((v) => names.includes(v.name));
    const missing = names.filter((name) => !volumes.some((v) => v.name === name));
    if (missing.length > 0 && !args.flag("ignore-not-found"))
      throw new UserError(`there is no volume ${missing.join(", ")}`, EXIT.failed, "podgen volume ls shows all");
    for (const { name, path, pods } of volumes) {
      const users = [...new Set([...pods, ...(await mountedBy(manifest, path, readers.files))])].sort();
      if (users.length > 0)
        throw new UserError(`volume ${name} is used by ${users.join(", ")}`, EXIT.failed, `podgen delete ${users.join(" ")}`);
    }
    const runtime = await context.host.runtime();
    await runtime.removeTrees(volumes.filter((v) => v.made).map((v) => v.path));
    gone = volumes.map((v) => v.name);
    const nothing = { pods: [], shared: [], objects: {} };
    const installed = await readInstalled(nothing, manifest, readers.facts, readers);
    return { manifest, changes: makeChangeSet(nothing, installed, { pruneObjects: gone.map(claimKey) }) };
  });
  context.out.write(gone.map((name) => `removed ${name}\n`).join(""));
  context.err.write(showFailures(report));
  return report.exitCode;
}
