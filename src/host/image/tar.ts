// An index of a tar file: where each member's bytes are, so that they can be read in place (POSIX pax, ustar, GNU long names).
import type { FileHandle } from "node:fs/promises";

export interface Member {
  readonly offset: number;
  readonly size: number;
  /** Of a hard or symbolic link: the name it leads to, as in the archive. */
  readonly link?: string;
}

const BLOCK = 512;
// An image archive has a few dozen members; these bounds only keep a hostile one from taking all memory.
const MEMBERS_MAX = 100_000;
const NAME_MAX = 1024 * 1024;

/** All files and links by their name without a leading "./". Throws Error with what is wrong with the archive. */
export async function indexTar(file: FileHandle): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const length = (await file.stat()).size;
  const header = Buffer.alloc(BLOCK);
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax: Record<string, string> = {};
  for (let at = 0; at + BLOCK <= length; ) {
    await readFully(file, header, at);
    if (header.every((byte) => byte === 0)) return members;
    checkSum(header, at);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = pax["size"] !== undefined && type !== "x" ? Number(pax["size"]) : numberField(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > length)
      throw new Error(`it ends in the middle of the member at byte ${at}`);
    const content = async () => {
      if (size > NAME_MAX) throw new Error("a name in it is longer than 1 MiB");
      return readFully(file, Buffer.alloc(size), at + BLOCK);
    };
    if (type === "L") longName = textOf(await content());
    else if (type === "K") longLink = textOf(await content());
    else if (type === "x") pax = { ...pax, ...paxRecords(await content()) };
    else if (type !== "g") {
      const prefix = header.toString("latin1", 257, 262) === "ustar" && header[263] === 0x30 ? textOf(header.subarray(345, 500)) : "";
      const short = textOf(header.subarray(0, 100));
      const name = normal(pax["path"] ?? longName ?? (prefix === "" ? short : `${prefix}/${short}`));
      const link = pax["linkpath"] ?? longLink ?? textOf(header.subarray(157, 257));
      if (type === "0" || type === "\0" || type === "7") members.set(name, { offset: at + BLOCK, size });
      else if (type === "1") members.set(name, { offset: 0, size: 0, link: normal(link) });
      else if (type === "2") members.set(name, { offset: 0, size: 0, link: beside(name, link) });
      if (members.size > MEMBERS_MAX) throw new Error(`it has more than ${MEMBERS_MAX} members`);
      longName = undefined;
      longLink = undefined;
      pax = {};
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

/** The member behind a name, through links; undefined where there is none. */
export function memberOf(members: ReadonlyMap<string, Member>, name: string): Member | undefined {
  let member = members.get(normal(name));
  for (let hops = 0; member?.link !== undefined; hops++) member = hops > 8 ? undefined : members.get(member.link);
  return member;
}

async function readFully(file: FileHandle, into: Buffer, at: number): Promise<Buffer> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) throw new Error("it ends too early");
    done += bytesRead;
  }
  return into;
}

/** Octal text, or GNU's base 256 where the first bit is set. */
function numberField(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) === 0) return Number.parseInt(textOf(field).trim() || "0", 8);
  return field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 0x7f : byte), 0);
}

/** The sum of all bytes, its own field counted as blanks: what tells a tar from anything else. */
function checkSum(header: Buffer, at: number): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0);
  if (sum !== numberField(header, 148, 8)) throw new Error(at === 0 ? "it is no tar file" : `it is damaged at byte ${at}`);
}

function paxRecords(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, space < 0 ? at : space));
    if (!Number.isSafeInteger(length) || length < 5 || at + length > bytes.length) throw new Error("a pax header in it is damaged");
    const record = bytes.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals > 0) records[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return records;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

function normal(name: string): string {
  return name.replace(/^(?:\.?\/)+/, "");
}

/** A symbolic link's target, seen from the archive's root. Names only: nothing is ever opened by them. */
function beside(name: string, target: string): string {
  const parts = target.startsWith("/") ? [] : name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
