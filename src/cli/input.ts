// Specs as text: from files, folders, standard input and URLs, in a stable order.
import { isAbsolute, join, normalize } from "node:path/posix";
import type { Variables } from "../spec/variables.js";
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { EXIT, UserError } from "./exit.js";
import { readVariables } from "./variables.js";

export interface SpecText {
  /** As the user named it: what diagnostics show. */
  readonly file: string;
  /** Absolute path or URL; `-` for standard input: what the manifest remembers. */
  readonly source: string;
  readonly text: string;
  /** Replaced in it, when asked for (variables.ts). */
  readonly variables?: Variables;
}

/** Standard input, as people name it and as the manifest remembers it: many texts, of which no two need have to do with another. */
export const STDIN = "-";
/** Other names of what is read once: standard input, and the pipe of a `<(…)`. */
const PASSING = /^\/dev\/(?:stdin$|fd\/)/;
/** The names that kustomize looks for. */
export const KUSTOMIZATION = /^(?:kustomization\.ya?ml|Kustomization)$/;
const SPEC_NAME = /\.(ya?ml|json)$/;
/** A spec is text that people write; more is a mistake (a disk image, say). */
const MAX_BYTES = 16 * 1024 * 1024;
const URL_DEADLINE_MS = 30_000;

/** What the command names; a usage error when it names nothing, or standard input where a source must be found again. */
export async function readSpecs(args: Args, context: Context): Promise<SpecText[]> {
  const names = [...args.list("files"), ...args.list("filename")];
  const overlays = args.list("kustomize");
  if (names.length + overlays.length === 0) throw new UserError("name a file, a folder or - (standard input)", EXIT.usage);
  // What came that way last time may have been another text altogether: "in it no more" would be any pod of any of them.
  if (names.some((name) => name === STDIN || PASSING.test(name)) && args.flag("prune"))
    throw new UserError(
      "--prune takes no standard input: what is fed next is no newer version of it",
      EXIT.usage,
      "apply a file or a folder",
    );
  const texts: SpecText[] = [];
  for (const name of names) texts.push(...(await readOne(name, args.flag("recursive"), context)));
  for (const name of overlays) texts.push(await readOverlay(name, context));
  const variables = await readVariables(args, context);
  const seen = new Map(texts.map((t) => [t.source, variables === undefined ? t : { ...t, variables }]));
  return [...seen.values()];
}

/** What kustomize makes of a folder: findings name the folder and the line of that text. */
export async function readOverlay(name: string, context: Context): Promise<SpecText> {
  const path = pathOf(name, context);
  const files = await context.host.files();
  if ((await files.kind(path)) !== "folder") throw new UserError(`${name}: -k takes a folder with a kustomization.yaml`);
  if (!(await files.list(path)).some((entry) => KUSTOMIZATION.test(entry)))
    throw new UserError(`${name}: there is no kustomization.yaml in this folder`, EXIT.failed, `podgen apply ${name}, without -k`);
  return { file: `${name.replace(/(.)\/$/, "$1")} (kustomize)`, source: path, text: await context.host.kustomize(path) };
}

function pathOf(name: string, context: Context): string {
  return normalize(isAbsolute(name) ? name : join(context.cwd, name)).replace(/(.)\/$/, "$1");
}

async function readOne(name: string, recursive: boolean, context: Context): Promise<SpecText[]> {
  // By its name and not by opening it: that fails where standard input is a socket.
  if (name === STDIN || name === "/dev/stdin") {
    if (context.stdin.isTTY) context.err.write("reading a spec from the terminal; end it with Ctrl-D\n");
    return [{ file: STDIN, source: STDIN, text: await context.stdin.text() }];
  }
  if (/^https?:\/\//.test(name)) return [{ file: name, source: name, text: await fetchText(name) }];
  const path = pathOf(name, context);
  const kind = await (await context.host.files()).kind(path);
  if (kind === "folder") return folderTexts(path, name.replace(/(.)\/$/, "$1"), recursive, context);
  if (kind === "other") throw new UserError(`${name}: neither a file nor a folder nor a pipe`);
  const text = kind === "none" ? undefined : await fileText(path, name, context);
  if (text === undefined) throw new UserError(`${name}: no such file or folder`);
  return [{ file: name, source: path, text }];
}

/** A folder without specs is not what was meant: named by mistake, or the specs lie deeper. */
async function folderTexts(path: string, shown: string, recursive: boolean, context: Context): Promise<SpecText[]> {
  const texts = await readFolder(path, shown, recursive, context);
  if (texts.length > 0) return texts;
  const deeper = recursive ? "" : "; -R looks into folders of folders too";
  throw new UserError(`${shown}: no specs in this folder`, EXIT.failed, `the names of specs end in .yaml, .yml or .json${deeper}`);
}

/** A file of a folder that is no text or cannot be read, or a folder in it that cannot be listed. */
export interface Unread {
  readonly file: string;
  /** Absolute path. */
  readonly source: string;
  readonly error: unknown;
}

/**
 * Specs of a folder, sorted; hidden names and other endings are left out, and what vanishes meanwhile. The first file that
 * cannot be read is thrown, or all of them are given to `unread` and the others read.
 */
export async function readFolder(
  path: string,
  shown: string,
  recursive: boolean,
  context: Context,
  unread?: (entry: Unread) => void,
): Promise<SpecText[]> {
  const found: SpecText[] = [];
  for (const entry of await (await context.host.files()).list(path)) {
    if (entry.startsWith(".")) continue;
    const [source, file] = [join(path, entry), join(shown, entry)];
    try {
      const kind = await (await context.host.files()).kind(source);
      // Its patches and bases are no objects by themselves.
      if (kind === "file" && KUSTOMIZATION.test(entry))
        throw new UserError(`${shown}: a folder for kustomize`, EXIT.failed, `podgen apply -k ${shown}; or name its files`);
      if (kind === "folder" && recursive) found.push(...(await readFolder(source, file, true, context, unread)));
      if (kind !== "file" || !SPEC_NAME.test(entry)) continue;
      const text = await fileText(source, file, context);
      if (text !== undefined) found.push({ file, source, text });
    } catch (error) {
      if (unread === undefined) throw error;
      unread({ file, source, error });
    }
  }
  return found;
}

/** Undefined where there is no such file. */
async function fileText(path: string, shown: string, context: Context): Promise<string | undefined> {
  const bytes = await (await context.host.files()).read(path);
  if (bytes === undefined) return undefined;
  if (bytes.length > MAX_BYTES) throw new UserError(`${shown}: larger than ${MAX_BYTES >> 20} MiB: not a spec`);
  return decode(bytes, shown);
}

function decode(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${shown}: is not UTF-8 text`);
  }
}

async function fetchText(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(URL_DEADLINE_MS) });
  } catch (cause) {
    throw new UserError(`${url}: ${cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause)}`);
  }
  if (!response.ok) throw new UserError(`${url}: HTTP ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > MAX_BYTES) throw new UserError(`${url}: larger than ${MAX_BYTES >> 20} MiB: not a spec`);
  return decode(bytes, url);
}
