// Typed looks at a document that the walker has already judged: what has a wrong type is simply not there.
import { isNull, type MapNode, type Node, type Place, type ScalarNode } from "./node.js";
import type { Path } from "./path.js";

/** One map of a document, with its path. Never reports anything: walk.ts has. */
export class Reader {
  readonly node: MapNode;
  readonly path: Path;

  constructor(node: MapNode, path: Path) {
    this.node = node;
    this.path = path;
  }

  pathOf(key: string): Path {
    return this.path.child(key);
  }

  /** The value, unless absent or null. */
  get(key: string): Node | undefined {
    const value = this.node.entries.get(key)?.value;
    return value === undefined || isNull(value) ? undefined : value;
  }

  /** Where the value is; where it is missing, the key's place, else the map's. */
  place(key: string): Place {
    return this.get(key)?.place ?? this.keyPlace(key);
  }

  keyPlace(key: string): Place {
    return this.node.entries.get(key)?.key ?? this.node.place;
  }

  scalar(key: string): ScalarNode | undefined {
    const node = this.get(key);
    return node?.kind === "scalar" ? node : undefined;
  }

  text(key: string): string | undefined {
    const value = this.scalar(key)?.value;
    return typeof value === "string" ? value : undefined;
  }

  flag(key: string): boolean | undefined {
    const value = this.scalar(key)?.value;
    return typeof value === "boolean" ? value : undefined;
  }

  /** An integer that a double holds exactly. */
  integer(key: string): number | undefined {
    const value = this.scalar(key)?.value;
    const number = typeof value === "bigint" ? Number(value) : value;
    return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
  }

  /** A quantity's text. Integers are given in decimal: 0644 has been read as 420. */
  quantity(key: string): string | undefined {
    const node = this.scalar(key);
    if (node === undefined || typeof node.value === "boolean") return undefined;
    return typeof node.value === "bigint" ? node.value.toString() : node.text;
  }

  object(key: string): Reader | undefined {
    const node = this.get(key);
    return node?.kind === "map" ? new Reader(node, this.pathOf(key)) : undefined;
  }

  /** The maps in a list; items of other types are left out, but keep their numbers. */
  objects(key: string): Reader[] {
    const node = this.get(key);
    if (node?.kind !== "seq") return [];
    const path = this.pathOf(key);
    const readers: Reader[] = [];
    node.items.forEach((item, i) => {
      if (item.kind === "map") readers.push(new Reader(item, path.child(i)));
    });
    return readers;
  }

  /** The texts in a list, or undefined where there is none. */
  texts(key: string): string[] | undefined {
    const node = this.get(key);
    if (node?.kind !== "seq") return undefined;
    return node.items.flatMap((item) => (item.kind === "scalar" && typeof item.value === "string" ? [item.value] : []));
  }

  /** The entries of a map of texts. */
  textMap(key: string): Record<string, string> {
    const node = this.get(key);
    if (node?.kind !== "map") return {};
    // fromEntries makes own properties, also of a key named __proto__.
    return Object.fromEntries(
      [...node.entries].flatMap(([k, { value }]) => (value.kind === "scalar" && typeof value.value === "string" ? [[k, value.value]] : [])),
    );
  }
}
