// The images a sync is to copy: of a repository, a folder of images, an OCI layout, or a file that lists them.
import { resolve } from "node:path";
import type { Credentials } from "../../base/registry-login.js";
import type { Side } from "../../ports/image-copy.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { explained } from "../image-errors.js";
import { placeOf } from "../image-places.js";
import { Names } from "../image-short-places.js";
import { printDiagnostics } from "../print.js";
import { readSyncFile, type WantedRepository } from "./file.js";
import type { SyncSource } from "./jobs.js";

/** Deeper than any folder of images. */
const DEPTH_MAX = 16;

/** `failed`: repositories of a file whose tags could not be had, which were told; without `keepGoing` the first one is thrown. */
export async function sourcesOf(
  args: Args,
  context: Context,
  keepGoing: boolean,
): Promise<{ readonly sources: readonly SyncSource[]; readonly failed: number }> {
  const word = args.text("source") ?? "";
  switch (args.text("src")) {
    case "docker":
      return { sources: await ofRepository(word, sideOf(args, "src", context), context), failed: 0 };
    case "dir":
      return { sources: await ofFolder(resolve(context.cwd, word), word, context), failed: 0 };
    case "oci":
      return { sources: await ofLayout(word, context), failed: 0 };
    case "yaml":
      return ofFile(word, sideOf(args, "src", context), context, keepGoing);
    default:
      throw new UserError("--src is missing", EXIT.usage, "--src docker, dir, oci or yaml says what the source is");
  }
}

/** One image, or all tags of a repository. */
async function ofRepository(word: string, side: Side, context: Context): Promise<SyncSource[]> {
  const bare = word.replace(/^docker:\/\//, "");
  const one = /@|:[^/]*$/.test(bare);
  const names = new Names(context);
  const place = placeOf(await names.full(`docker://${bare}`, one ? "read" : "tags"), context);
  const name = place.slice("docker://".length);
  const repository = name.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  const tags = one ? [] : await (await context.host.imageCopies()).tags(place, side);
  await names.keep();
  if (one) return [{ place, name, group: repository, side }];
  return tags.map((tag) => tagged(repository, tag, side));
}

function tagged(repository: string, tag: string, side: Side): SyncSource {
  const name = `${repository}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`;
  return { place: `docker://${name}`, name, group: repository, side };
}

/** Every folder below with a manifest.json is an image, as `--dest dir` makes them. */
async function ofFolder(root: string, word: string, context: Context): Promise<SyncSource[]> {
  const files = await context.host.files();
  if ((await files.kind(root)) !== "folder") throw new UserError(`${word} is no folder`);
  const top = root === "/" ? "" : root;
  const found: SyncSource[] = [];
  const look = async (path: string, depth: number): Promise<void> => {
    if ((await files.kind(`${path}/manifest.json`)) === "file") {
      const name = path === top ? (root.split("/").at(-1) ?? "") : path.slice(top.length + 1);
      found.push({ place: `dir:${path}`, name, group: name.replace(/[:@][^/]*$/, "") });
      return;
    }
    for (const name of depth < DEPTH_MAX ? await files.list(path) : [])
      if (!name.startsWith(".") && (await files.kind(`${path}/${name}`)) === "folder") await look(`${path}/${name}`, depth + 1);
  };
  await look(top, 0);
  return found;
}

async function ofLayout(word: string, context: Context): Promise<SyncSource[]> {
  const place = placeOf(`oci:${word}`, context);
  if (/^oci:[^:]*:/.test(place)) throw new UserError(`${word}: the path of an OCI layout has no colon`, EXIT.usage);
  const names = await (await context.host.imageCopies()).names(place);
  return names.map((name) => ({ place: `${place}:${name}`, name, group: place }));
}

async function ofFile(word: string, side: Side, context: Context, keepGoing: boolean) {
  const bytes = await (await context.host.files()).read(resolve(context.cwd, word));
  if (bytes === undefined) throw new UserError(`${word}: no such file`);
  const text = Buffer.from(bytes).toString("utf8");
  const { diagnostics, value } = readSyncFile(word, text);
  printDiagnostics(context, diagnostics, [{ file: word, source: word, text }]);
  if (value === undefined) throw new UserError(`${word} is not used: see above`);
  const sources: SyncSource[] = [];
  let failed = 0;
  for (const wanted of value) {
    const one = async () => {
      sources.push(...(await ofWanted({ ...wanted, side: { ...side, ...wanted.side } }, context)));
      return EXIT.done;
    };
    if (!keepGoing) await one();
    else if ((await explained(context, one)) !== EXIT.done) failed++;
  }
  return { sources, failed };
}

async function ofWanted({ repository, named, fits, side }: WantedRepository, context: Context): Promise<SyncSource[]> {
  const place = placeOf(`docker://${repository}`, context);
  const whole = place.slice("docker://".length).replace(/:[^:/]*$/, "");
  const tags = named ?? (await (await context.host.imageCopies()).tags(place, side)).filter(fits);
  return tags.map((tag) => tagged(whole, tag, side));
}

/** Of one end: what the command line says of its login and of TLS; the user's files decide where it says nothing. */
export function sideOf(args: Args, end: "src" | "dest", { cwd }: Pick<Context, "cwd">): Side {
  const said = args.text(`${end}-tls-verify`);
  const authFile = args.text("authfile");
  const login = loginOf(args, `${end}-creds`);
  if (login !== undefined && ["dir", "oci"].includes(args.text(end) ?? ""))
    throw new UserError(`--${end}-creds is for a registry`, EXIT.usage);
  return {
    ...(login === undefined ? {} : { login }),
    ...(authFile === undefined ? {} : { authFile: resolve(cwd, authFile) }),
    ...(said === undefined ? {} : { verify: said === "true" }),
  };
}

/** NAME:PASSWORD; what is wrong with it is told without it. */
function loginOf(args: Args, option: string): Credentials | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const colon = text.indexOf(":");
  if (colon > 0 && colon < text.length - 1) return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  throw new UserError(
    `--${option} is not NAME:PASSWORD`,
    EXIT.usage,
    "podgen image login asks for a password, and --authfile names its file",
  );
}
