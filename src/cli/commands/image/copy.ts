// podgen image copy: an image from one place to another, past the store; the digest on standard output.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CopyWishes } from "../../../ports/image-copy.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { sourceOf, targetOf } from "../../image-places.js";
import { platformOf } from "../../image-platform.js";
import { Names } from "../../image-short-places.js";
import { createPullPrinter } from "../../progress.js";
import { refuseRoot } from "../apply.js";

const LEVELS: Readonly<Record<string, number>> = { gzip: 9, zstd: 19 };

/** Exit 1 when it could not be copied; what the target meant before, it then still means. */
export async function run(args: Args, context: Context): Promise<number> {
  const names = new Names(context);
  const to = await targetOf(args.text("destination") ?? "", context, names);
  if (to.startsWith("store:")) {
    refuseRoot(context);
    const other = ["all", "platform", "format", "compression-format"].find((name) => args.flag(name) || args.text(name) !== undefined);
    if (other !== undefined && args.text(other) !== "false")
      throw new UserError(`--${other} is not for store: what goes there stays as it is, for this machine`, EXIT.usage);
  }
  const code = await transfer(args, context, await sourceOf(args.text("source") ?? "", context, names), to);
  if (code === EXIT.done) await names.keep();
  return code;
}

/** Copies between two whole names, with the options that copy and push share. */
export async function transfer(
  args: Args,
  context: Context,
  from: string,
  to: string,
  more: Pick<CopyWishes, "indexOnly"> & { readonly all?: boolean } = {},
): Promise<number> {
  const wishes = { ...wishesOf(args), ...more };
  const copies = await context.host.imageCopies();
  const words = { doing: "copying", done: "copied" };
  const printer = args.flag("quiet") ? undefined : createPullPrinter(context.err, { tty: context.err.isTTY, words });
  return explained(context, async () => {
    try {
      const { digest } = await copies.copy(from, to, wishes, (step) => printer?.(step));
      const file = args.text("digestfile");
      if (file !== undefined) await writeFile(resolve(context.cwd, file), `${digest}`);
      printer?.close();
      context.out.write(`${digest}\n`);
      return EXIT.done;
    } finally {
      printer?.close();
    }
  });
}

/** The options as wishes. Throws UserError (64) for what cannot be had together. */
function wishesOf(args: Args): CopyWishes {
  const platform = platformOf(args);
  const all = args.flag("all");
  if (all && platform !== undefined) throw new UserError("--all and --platform cannot be given together", EXIT.usage);
  const format = args.text("format");
  const compression = args.text("compression-format") as CopyWishes["compression"];
  const level = args.number("compression-level");
  const preserve = args.flag("preserve-digests");
  const max = LEVELS[compression ?? ""];
  if (level !== undefined && (max === undefined || level < 1 || level > max)) {
    const levels = Object.entries(LEVELS).map(([name, high]) => `${name} 1 to ${high}`);
    throw new UserError(`--compression-level goes with a --compression-format: ${levels.join(", ")}`, EXIT.usage);
  }
  if (preserve && (format !== undefined || compression !== undefined))
    throw new UserError("--preserve-digests goes with neither --format nor --compression-format", EXIT.usage);
  return {
    all,
    preserve,
    removeSignatures: args.flag("remove-signatures"),
    ...(platform === undefined ? {} : { platform }),
    ...(format === undefined ? {} : { format: format === "oci" ? "oci" : "docker" }),
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { level }),
  };
}
