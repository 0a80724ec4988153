// podgen image commit: what a container has changed of its root file system, as an image of the store.
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { size } from "../../../base/bytes.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { parseChange } from "../../image-changes.js";
import { explained } from "../../image-errors.js";
import { nameOf } from "../../image-names.js";
import { onePod, parseTarget, pickContainer, wholePod } from "../../pods.js";
import { refuseRoot } from "../apply.js";

export async function run(args: Args, context: Context): Promise<number> {
  refuseRoot(context);
  const target = parseTarget(args.text("container") ?? "");
  const name = nameOf(args.text("name") ?? "", context);
  if (name.includes("@")) throw new UserError(`${name}: a name with a digest cannot be given`, EXIT.usage, "leave the digest out");
  const words = args.list("change");
  const changes = words.map(parseChange);
  const format = args.text("format") === "docker" ? "docker" : "oci";
  if (format === "oci" && changes.some((change) => change.kind === "ONBUILD"))
    throw new UserError("--change ONBUILD: OCI's images have no such thing", EXIT.usage, "--format docker");
  const time = sourceDate(context.env["SOURCE_DATE_EPOCH"]);
  const pod = await onePod(context, wholePod(target));
  const container = pickContainer(pod, target.container);
  const running = container.phase === "Running" || container.phase === "Starting" ? container.pid : 0;
  const state = await (await context.host.runtime()).state(pod.name, container.name);
  const [author, message, iidfile] = [args.text("author"), args.text("message"), args.text("iidfile")];
  const store = await context.host.imageStore();
  return explained(context, async () => {
    const made = await store.commit({
      container: `${pod.name}/${container.name}`,
      bundle: join(context.host.paths.data, "pods", pod.name, container.name),
      image: container.digest,
      ...(state === undefined ? {} : { started: state.digest }),
      ...(running > 0 ? { running: { pid: running, unit: container.unit } } : {}),
      freeze: args.flag("pause"),
      name,
      format,
      time: time ?? Math.floor(Date.now() / 1000),
      exact: time !== undefined,
      ...(author === undefined ? {} : { author }),
      ...(message === undefined ? {} : { message }),
      changes,
      words,
    });
    for (const warning of made.warnings) context.err.write(`podgen: warning: ${warning}\n`);
    if (!args.flag("quiet")) context.err.write(`${name}: one layer of ${size(made.size)} on ${container.image}\n`);
    if (iidfile !== undefined) await writeFile(resolve(context.cwd, iidfile), made.configDigest);
    context.out.write(`${made.digest}\n`);
    return EXIT.done;
  });
}

/** https://reproducible-builds.org/specs/source-date-epoch/; undefined where it is not set. Throws UserError for what is no time. */
function sourceDate(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  // The last that RFC 3339 can say: the year 9999.
  if (/^\d{1,12}$/.test(text) && Number(text) < 253_402_300_800) return Number(text);
  throw new UserError(`SOURCE_DATE_EPOCH=${text}: seconds since 1970 are expected`, EXIT.usage);
}
