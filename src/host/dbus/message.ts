// Incoming messages: cut out of the byte stream, their header read, their body decoded only when asked for.
import { Reader, splitSignature, type Value } from "./reader.js";

export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** D-Bus forbids longer messages (specification, "Message Format": 128 MiB). */
const MAX_MESSAGE = 128 * 1024 * 1024;

/** Codes of the header fields we look at (specification, "Header Fields"). */
const FIELDS: Readonly<Record<number, "path" | "interface" | "member" | "errorName" | "sender" | "signature">> = {
  1: "path",
  2: "interface",
  3: "member",
  4: "errorName",
  7: "sender",
  8: "signature",
};
const REPLY_SERIAL = 5;

/** One message from the peer. */
export class Message {
  readonly type: number;
  readonly path: string = "";
  readonly interface: string = "";
  readonly member: string = "";
  readonly errorName: string = "";
  readonly sender: string = "";
  readonly signature: string = "";
  readonly replySerial: number = 0;
  readonly #bytes: Buffer;
  readonly #bodyAt: number;

  /** `bytes` is exactly one message. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.type = bytes.readUInt8(1);
    const reader = new Reader(bytes, isLittle(bytes), 12);
    const end = 16 + reader.uint32();
    const fields: { -readonly [K in (typeof FIELDS)[number]]?: string } = {};
    while (reader.position < end) {
      reader.align(8);
      const code = reader.byte();
      const type = reader.signature();
      const name = FIELDS[code];
      const value = reader.value(type);
      if (name !== undefined && typeof value === "string") fields[name] = value;
      if (code === REPLY_SERIAL && typeof value === "number") this.replySerial = value;
    }
    this.#bodyAt = align8(end);
    Object.assign(this, fields);
  }

  /** All values of the body. */
  body(): Value[] {
    const reader = this.bodyReader();
    return splitSignature(this.signature).map((type) => reader.value(type));
  }

  /** For bodies of which only a part is wanted. */
  bodyReader(): Reader {
    return new Reader(this.#bytes.subarray(this.#bodyAt), isLittle(this.#bytes));
  }
}

function isLittle(bytes: Buffer): boolean {
  return bytes.readUInt8(0) === 0x6c; // 'l'; 'B' is big
}

function align8(n: number): number {
  return Math.ceil(n / 8) * 8;
}

/** Cuts a byte stream into messages. */
export class Splitter {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes needed before it is worth looking again, so that a long message is joined once. */
  #needed = 16;

  /** Adds bytes; returns the messages that are now complete. Throws when the peer does not speak D-Bus. */
  push(chunk: Buffer): Message[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const messages: Message[] = [];
    let at = 0;
    this.#needed = 16;
    while (bytes.length - at >= 16) {
      const length = messageLength(bytes, at);
      if (bytes.length - at < length) {
        this.#needed = length;
        break;
      }
      messages.push(new Message(bytes.subarray(at, at + length)));
      at += length;
    }
    const rest = bytes.subarray(at);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return messages;
  }
}

function messageLength(bytes: Buffer, at: number): number {
  const little = bytes.readUInt8(at) === 0x6c;
  if (!little && bytes.readUInt8(at) !== 0x42) throw new Error("the peer sent something that is no D-Bus message");
  const body = little ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
  const fields = little ? bytes.readUInt32LE(at + 12) : bytes.readUInt32BE(at + 12);
  const length = align8(16 + fields) + body;
  if (length > MAX_MESSAGE) throw new Error(`the peer sent a D-Bus message of ${length} bytes`);
  return length;
}
