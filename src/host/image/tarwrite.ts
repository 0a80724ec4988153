// A tar, member after member, for archives of images: plain files with ustar headers; sizes beyond 8 GiB in GNU's base 256.

const BLOCK = 512;

/** The header of a file; names are ours, ASCII and shorter than 100. The same for the same arguments: no owner, no time. */
export function tarHeader(name: string, size: number): Buffer {
  if (name.length > 99) throw new Error(`a name too long for a tar: ${name}`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size < 8 ** 11) header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** A whole member. Throws when the content is not as long as was said: the header is out by then. */
export async function* tarMember(
  name: string,
  size: number,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield tarHeader(name, size);
  let count = 0;
  for await (const piece of content) {
    count += piece.length;
    if (count > size) break;
    yield piece;
  }
  if (count !== size) throw new Error(`${name} is not ${size} bytes long`);
  yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two empty blocks. */
export function tarEnd(): Uint8Array {
  return Buffer.alloc(2 * BLOCK);
}
