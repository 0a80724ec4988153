// podgen history: the generations of a pod or workload, or of all.

import { imagesOf, type Manifest } from "../../base/installed.js";
import { isDriven } from "../../base/job.js";
import { ownerName } from "../../base/owner.js";
import { isPodKey } from "../../base/service.js";
import type { Generation } from "../../diff/generation.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { installedOf, lineageOf } from "../history/lineage.js";
import { readGenerations } from "../history/store.js";
import { printListing } from "../listing.js";
import { manifestOf, parseTarget } from "../pods.js";
import { age } from "../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const manifest = await manifestOf(context);
  const words = args.list("pods");
  const names = words.length > 0 ? words.map((word) => lineageOf(manifest, parseTarget(word))) : all(manifest);
  const files = await context.host.files();
  const found = await Promise.all([...new Set(names)].map(async (name) => readGenerations(context.host.paths, files, name)));
  const items = found.flatMap((generations) => {
    const current = installedOf(generations, manifest)?.number;
    return generations.map((g) => ({ ...summary(g), current: g.number === current }));
  });
  const now = Date.now();
  await printListing(args, context, {
    kind: "GenerationList",
    items,
    names: items.map((g) => `${g.name}@${g.number}`),
    rows: (wide) => [
      ["NAME", "GENERATION", "AGE", "CURRENT", "FROM", "IMAGES", ...(wide ? ["DIGEST"] : [])],
      ...items.map((g) => [
        g.name,
        String(g.number),
        age(now - g.at),
        g.current ? "yes" : g.doubtful ? "killed" : "-",
        g.back === undefined ? g.source : `rollback to ${g.back}`,
        g.images.map((i) => i.reference).join(","),
        ...(wide ? [g.digest.slice(0, 12)] : []),
      ]),
    ],
  });
  return EXIT.done;
}

/** In the order of the manifest, a workload once. */
function all(manifest: Manifest): string[] {
  return Object.values(manifest.pods).flatMap((p) =>
    !isPodKey(p.name) || isDriven(p.owner) ? [] : [p.owner === undefined ? p.name : ownerName(p.owner)],
  );
}

/** Without contents: secrets are among them. */
function summary({ name, number, at, digest, back, doubtful, content }: Generation) {
  const images = content.pods.flatMap(imagesOf);
  return {
    name,
    number,
    at,
    digest,
    ...(back === undefined ? {} : { back }),
    ...(doubtful === undefined ? {} : { doubtful }),
    source: content.pods[0]?.source ?? "-",
    pods: content.pods.map((p) => p.name),
    images: [...new Map(images.map((i) => [`${i.reference} ${i.digest}`, i])).values()],
  };
}
