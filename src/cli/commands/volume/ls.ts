// podgen volume ls: one row per volume of a claim.
import { size } from "../../../base/bytes.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { printListing } from "../../listing.js";
import { manifestOf } from "../../pods.js";
import { volumesOf } from "../../volumes.js";

export async function run(args: Args, context: Context): Promise<number> {
  const volumes = await volumesOf(context, await manifestOf(context));
  await printListing(args, context, {
    kind: "VolumeList",
    items: volumes,
    names: volumes.map((v) => v.name),
    rows: (wide) => [
      ["VOLUME", "ASKED", "ACCESS", "PODS", ...(wide ? ["FOLDER"] : [])],
      ...volumes.map((v) => [
        v.name,
        v.claim?.storage === undefined ? "-" : size(v.claim.storage),
        v.claim === undefined || v.claim.accessModes.length === 0 ? "-" : v.claim.accessModes.join(","),
        v.pods.length === 0 ? "-" : v.pods.join(","),
        ...(wide ? [v.made ? v.path : "not made yet"] : []),
      ]),
    ],
  });
  return EXIT.done;
}
