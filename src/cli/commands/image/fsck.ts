// podgen image fsck: finds damage in the store, and mends it when asked.
import type { Finding } from "../../../ports/image-store.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT } from "../../exit.js";
import { generationPins } from "../../history/pins.js";
import { podsByImage } from "../../image-names.js";
import { manifestOf } from "../../pods.js";
import { json } from "../../print.js";
import { refuseRoot } from "../apply.js";

/** Exit 1 when there is damage that was not mended. */
export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const repair = args.flag("repair");
  const [store, manifest] = await Promise.all([context.host.imageStore(), manifestOf(context)]);
  const pods = podsByImage(manifest);
  const running = repair && pods.size > 0 ? await runningPods(pods, context) : new Map<string, string[]>();
  const findings = await store.fsck({
    deep: args.flag("deep"),
    repair,
    pinned: [...pods.keys(), ...(await generationPins(context))],
    running,
  });
  const damaged = findings.some((f) => f.weight === "damage" && f.mended === undefined);
  if (args.text("output") === "json") context.out.write(json("ImageCheck", { ok: !damaged, findings }));
  else {
    context.out.write(findings.map(line).join(""));
    context.err.write(summary(findings, args.flag("deep")));
  }
  return damaged ? EXIT.failed : EXIT.done;
}

/** Digests of images in use at this moment: the pod's own unit or one of its containers' is active, or on the way. */
async function runningPods(pods: ReadonlyMap<string, readonly string[]>, context: Context): Promise<Map<string, string[]>> {
  const units = await (await context.host.manager()).list(["pod-*.service"], () => "listed");
  const up = units.filter((u) => u.activeState !== "inactive" && u.activeState !== "failed").map((u) => u.name);
  const runs = (pod: string) => up.some((name) => name === `pod-${pod}.service` || name.startsWith(`pod-${pod}_`));
  return new Map([...pods].map(([digest, names]) => [digest, names.filter(runs)] as const).filter(([, names]) => names.length > 0));
}

function line({ kind, what, detail, images, weight, mended }: Finding): string {
  const of = images.length === 0 ? "" : ` (${images.join(", ")})`;
  const state = mended === undefined ? (weight === "damage" ? "damaged" : "note   ") : "mended ";
  return `${state}  ${kind} ${what}${of}: ${detail}${mended === undefined ? "" : `; ${mended}`}\n`;
}

function summary(findings: readonly Finding[], deep: boolean): string {
  const damage = findings.filter((f) => f.weight === "damage");
  const left = damage.filter((f) => f.mended === undefined).length;
  if (damage.length === 0) return `no damage${deep ? "" : " (contents were not read: --deep reads them)"}\n`;
  return left === 0
    ? "all damage is mended\n"
    : `${left} of ${damage.length} damaged things are left; podgen image fsck --repair fetches anew what it can\n`;
}
