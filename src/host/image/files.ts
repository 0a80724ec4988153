// Files by name in a folder, or in a tar that is read in place: the two forms an OCI layout has.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { readRegular, streamRegular } from "./regular.js";
import { indexTar, type Member, memberOf } from "./tar.js";

const PIECE = 256 * 1024;

export interface Files {
  /** A whole file; undefined when it is longer than `limit` bytes. Throws with code ENOENT where there is none. */
  read(name: string, limit: number): Promise<Uint8Array | undefined>;
  /** The bytes of a file from an offset on. Throws as read() does. */
  stream(name: string, from: number): AsyncIterable<Uint8Array>;
  /** Where a file is, for people. */
  shown(name: string): string;
}

/** The files below a folder, or of a tar file. Opens nothing until it is asked. */
export function filesOf(path: string, tar: boolean): Files {
  return tar ? tarFiles(path) : folderFiles(path);
}

function folderFiles(folder: string): Files {
  return {
    read: (name, limit) => readRegular(join(folder, name), limit),
    stream: (name, from) => streamRegular(join(folder, name), from),
    shown: (name) => join(folder, name),
  };
}

function tarFiles(path: string): Files {
  let members: ReadonlyMap<string, Member> | undefined;
  const find = async (file: FileHandle, name: string): Promise<Member> => {
    members ??= await indexTar(file);
    const member = memberOf(members, name);
    if (member === undefined) throw Object.assign(new Error(`it lacks ${name}`), { code: "ENOENT" });
    return member;
  };
  async function* stream(name: string, from: number): AsyncGenerator<Uint8Array> {
    const file = await open(path, "r");
    try {
      const member = await find(file, name);
      for (let at = from; at < member.size; ) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, Math.min(PIECE, member.size - at), member.offset + at);
        if (bytesRead === 0) throw new Error("it ends too early");
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
  return {
    async read(name, limit) {
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const part of stream(name, 0)) {
        size += part.length;
        if (size > limit) return undefined;
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    stream,
    shown: (name) => `${path} (${name})`,
  };
}
