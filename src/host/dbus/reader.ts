// Decoding of D-Bus messages (D-Bus specification, "Message Protocol").
// Our own: one reply of GetAll has some 350 values of which we want a dozen, and dbus-next's decoder takes 5-8 ms for each
// in a fresh process, where stepping over the rest takes 0.2.

/** A decoded value: 64-bit integers are bigint, arrays and structs are arrays, dictionaries arrays of pairs. */
export type Value = string | number | bigint | boolean | Value[];

// biome-ignore format: a table
const ALIGN: Readonly<Record<string, number>> = {
  y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, s: 4, o: 4, a: 4, h: 4, x: 8, t: 8, d: 8, "(": 8, "{": 8,
};

const ARRAY = 0x61; // 'a'

/** Length of the first complete type in a signature from `at` on. */
function typeEnd(signature: string, at: number): number {
  let depth = 0;
  for (let i = at; i < signature.length; i++) {
    const c = signature[i];
    if (c === "a") continue;
    if (c === "(" || c === "{") depth++;
    if (c === ")" || c === "}") depth--;
    if (depth === 0) return i + 1;
  }
  throw new Error(`broken D-Bus signature ${JSON.stringify(signature)}`);
}

/** The complete types of a signature, one by one. */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = typeEnd(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

/** A cursor over the bytes of a message whose first byte is aligned to 8. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #little: boolean;
  #at: number;

  constructor(bytes: Buffer, little: boolean, at = 0) {
    this.#bytes = bytes;
    this.#little = little;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  align(to: number): void {
    this.#at = (this.#at + to - 1) & -to;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  uint32(): number {
    this.align(4);
    const value = this.#little ? this.#bytes.readUInt32LE(this.#at) : this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  string(): string {
    const length = this.uint32();
    const value = this.#bytes.toString("utf8", this.#at, this.#at + length);
    this.#at += length + 1;
    return value;
  }

  signature(): string {
    const length = this.byte();
    const value = this.#bytes.toString("latin1", this.#at, this.#at + length);
    this.#at += length + 1;
    return value;
  }

  /** One value of a complete type; of a variant, its content. */
  value(type: string): Value {
    const code = type.charAt(0);
    this.align(ALIGN[code] ?? 1);
    switch (code) {
      case "s":
      case "o":
        return this.string();
      case "g":
        return this.signature();
      case "u":
      case "h":
        return this.uint32();
      case "b":
        return this.uint32() !== 0;
      case "y":
        return this.byte();
      case "v":
        return this.value(this.signature());
      case "a":
        return this.#array(type.slice(1));
      case "(":
      case "{":
        return splitSignature(type.slice(1, -1)).map((member) => this.value(member));
      default:
        return this.#number(code);
    }
  }

  /** Steps over one value of a complete type without making it. */
  skip(type: string): void {
    const code = type.charAt(0);
    this.align(ALIGN[code] ?? 1);
    switch (code) {
      case "s":
      case "o":
        this.#forward(this.uint32() + 1);
        break;
      case "g":
        this.#forward(this.byte() + 1);
        break;
      case "v":
        this.skip(this.signature());
        break;
      case "a": {
        const length = this.uint32();
        this.align(ALIGN[type.charAt(1)] ?? 1);
        this.#forward(length);
        break;
      }
      case "(":
      case "{":
        for (const member of splitSignature(type.slice(1, -1))) this.skip(member);
        break;
      default:
        // Every other type is as long as its alignment.
        this.#forward(ALIGN[code] ?? 1);
    }
  }

  /** The argument is computed first: `this.#at += this.uint32()` would forget what reading the length moved. */
  #forward(count: number): void {
    this.#at += count;
  }

  /** The wanted entries of an a{sv}. */
  properties(wanted: ReadonlySet<string>): Map<string, Value> {
    const found = new Map<string, Value>();
    // Most keys are told apart by their length alone, without making a string of them.
    const lengths = new Set([...wanted].map((key) => key.length));
    const length = this.uint32();
    this.align(8);
    const end = this.#at + length;
    while (this.#at < end) {
      this.align(8);
      const size = this.uint32();
      const key = lengths.has(size) ? this.#bytes.toString("latin1", this.#at, this.#at + size) : "";
      this.#at += size + 1;
      if (wanted.has(key)) found.set(key, this.value(this.signature()));
      else this.#skipVariant();
    }
    return found;
  }

  /** Of an array only the alignment of its members matters, so that its signature need not be taken apart. */
  #skipVariant(): void {
    if (this.#bytes[this.#at + 1] !== ARRAY) {
      this.skip(this.signature());
      return;
    }
    const member = this.#bytes[this.#at + 2] ?? 0;
    this.#forward(this.byte() + 1);
    const length = this.uint32();
    this.align(ALIGN[String.fromCharCode(member)] ?? 1);
    this.#forward(length);
  }

  #array(member: string): Value[] {
    const length = this.uint32();
    this.align(ALIGN[member.charAt(0)] ?? 1);
    const end = this.#at + length;
    const values: Value[] = [];
    while (this.#at < end) values.push(this.value(member));
    return values;
  }

  #number(code: string): number | bigint {
    const at = this.#at;
    this.#at += ALIGN[code] ?? 1;
    const bytes = this.#bytes;
    const little = this.#little;
    switch (code) {
      case "n":
        return little ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
      case "q":
        return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
      case "i":
        return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
      case "x":
        return little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at);
      case "t":
        return little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
      case "d":
        return little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
      default:
        throw new Error(`unknown D-Bus type ${JSON.stringify(code)}`);
    }
  }
}
