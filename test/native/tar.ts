// Tar archives byte by byte: what no honest tool would write.

export interface TarEntry {
  readonly name: string | Uint8Array;
  /** Type flag; "0" (a file) when absent. */
  readonly type?: "0" | "1" | "2" | "3" | "4" | "5" | "6";
  readonly link?: string;
  readonly data?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  /** Records of a pax extended header, put before the entry. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
}

const bytes = (value: string | Uint8Array): Buffer => (typeof value === "string" ? Buffer.from(value) : Buffer.from(value));
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** The size in base 256 where octal digits do not reach, as GNU tar writes ids. */
function number(value: number, width: number): Buffer {
  if (value < 8 ** (width - 1)) return Buffer.from(octal(value, width));
  const out = Buffer.alloc(width);
  out.writeUInt32BE(value, width - 4);
  out[0] = 0x80;
  return out;
}

function header(entry: TarEntry, type: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const name = bytes(entry.name);
  if (name.length > 100) throw new Error("use pax: { path } for a long name");
  name.copy(block, 0);
  number(entry.mode ?? (type === "5" ? 0o755 : 0o644), 8).copy(block, 100);
  number(entry.uid ?? 0, 8).copy(block, 108);
  number(entry.gid ?? 0, 8).copy(block, 116);
  number(size, 12).copy(block, 124);
  number(entry.mtime ?? 1_000_000_000, 12).copy(block, 136);
  block.fill(" ", 148, 156);
  block.write(type, 156);
  block.write(entry.link ?? "", 157, 100);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), bytes(value), Buffer.from("\n")]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** One entry without an end. */
export function tarEntry(entry: TarEntry): Buffer {
  const data = bytes(entry.data ?? "");
  const type = entry.type ?? "0";
  const parts: Buffer[] = [];
  if (entry.pax) {
    const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)));
    parts.push(header({ name: "pax" }, "x", records.length), padded(records));
  }
  parts.push(header(entry, type, data.length), padded(data));
  return Buffer.concat(parts);
}

/** A whole archive: the entries and two blocks of zeros. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}
