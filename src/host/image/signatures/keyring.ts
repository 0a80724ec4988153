// OpenPGP keys as a policy names them, made into what gpgv reads: it knows binary key rings only. Pure.

const ARMOR = /-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g;

/** The packets of a key ring, out of its ASCII armor where it has one; undefined where there is no public key in it. */
export function binaryKeyring(bytes: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  const blocks = [...text.matchAll(ARMOR)].map(([, body = ""]) => dearmored(body));
  const packets = blocks.length === 0 ? Buffer.from(bytes) : Buffer.concat(blocks);
  return startsWithKey(packets) ? packets : undefined;
}

/** Headers up to the empty line, base64, and a checksum of accidents, which gpgv's own reading of the packets makes up for. */
function dearmored(body: string): Buffer {
  const lines = body.split(/\r?\n/).map((line) => line.trim());
  const empty = lines.indexOf("");
  const data = lines.slice(lines[0]?.includes(": ") || empty === 0 ? empty + 1 : 0).filter((line) => !line.startsWith("="));
  return Buffer.from(data.join(""), "base64");
}

/** RFC 9580, 4.2: a packet's tag is in its first byte, in the old or the new format; 6 is a public key. */
function startsWithKey(packets: Uint8Array): boolean {
  const [first = 0] = packets;
  if ((first & 0xc0) === 0xc0) return (first & 0x3f) === 6;
  return (first & 0xc0) === 0x80 && ((first >> 2) & 0x0f) === 6;
}
