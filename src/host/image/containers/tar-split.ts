// A layer's tar-split (github.com/vbatts/tar-split: lines of JSON, a file's name or a piece of the tar between two files' contents) as
// the recipe that podrt repack reads (native/lib/recipe.h): both say what of the tar is not in the unpacked files.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { isObject, parseJson } from "../json.js";

const MAGIC = "podgen layer recipe 1\n";
/** The longest piece of one record. */
const PIECE = 1 << 20;
const [FILE, SEGMENT] = [1, 2];

/** The tar-split is none, or damaged; the message says how. */
export class TarSplitError extends Error {}

/** The recipe, in pieces, uncompressed. Throws TarSplitError, and what reading the file throws. */
export async function* recipeOf(path: string): AsyncGenerator<Buffer> {
  yield Buffer.from(MAGIC);
  // Not before: nobody listens for their errors while the reader is busy with the first piece.
  const file = createReadStream(path);
  const unzipped = createGunzip();
  file.on("error", (error) => unzipped.destroy(error));
  try {
    for await (const line of createInterface({ input: file.pipe(unzipped), crlfDelay: Number.POSITIVE_INFINITY }))
      if (line !== "") yield* recordsOf(line);
    yield Buffer.from("E");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith("Z_") === true) throw new TarSplitError(`it is damaged or cut off: ${message}`);
    throw error;
  } finally {
    file.destroy();
  }
}

/** The records for one line. */
export function recordsOf(line: string): Buffer[] {
  const entry = parseJson(Buffer.from(line));
  if (!isObject(entry)) throw new TarSplitError("it has a line that is not JSON");
  const { type, payload, size = 0, name, name_raw: raw } = entry;
  if (type === SEGMENT && (typeof payload === "string" || payload === null || payload === undefined))
    return literal(Buffer.from(payload ?? "", "base64"));
  if (type !== FILE || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new TarSplitError("it has an entry of a kind that is not known");
  // Folders, links, devices and whiteouts have nothing of the tar in them.
  if (size === 0) return [];
  // A name that is not UTF-8 is in base64.
  const bytes = typeof raw === "string" && raw !== "" ? Buffer.from(raw, "base64") : Buffer.from(typeof name === "string" ? name : "");
  const path = clean(bytes);
  return [Buffer.from("F"), number(path.length), path, Buffer.from("D"), number(0), number(size)];
}

function literal(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    records.push(Buffer.from("L"), number(piece.length), piece);
  }
  return records;
}

/** As tar reads names: no leading slash, no "." and no empty part. Byte for byte, whatever they mean. */
function clean(name: Buffer): Buffer {
  const parts = name.toString("latin1").split("/");
  if (parts.includes("..")) throw new TarSplitError('it has a name with ".." in it');
  return Buffer.from(parts.filter((p) => p !== "" && p !== ".").join("/"), "latin1");
}

/** LEB128. */
function number(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}
