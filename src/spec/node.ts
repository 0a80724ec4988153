// The tree a YAML document becomes: every key and every value knows its place in the file.
import type { Location } from "../base/diagnostic.js";
import type { Lines } from "./lines.js";

/** Where something is written, and how many characters of that line it takes. */
export interface Place {
  readonly at: Location;
  readonly length: number;
}

/** A place that is worked out when it is asked for: most nodes of a good spec never are. */
export class Span implements Place {
  readonly #lines: Lines;
  readonly #start: number;
  readonly #end: number;

  /** From one offset of the text up to another. */
  constructor(lines: Lines, start: number, end: number) {
    this.#lines = lines;
    this.#start = start;
    this.#end = end;
  }

  get at(): Location {
    return this.#lines.at(this.#start);
  }

  get length(): number {
    return this.#lines.length(this.#start, this.#end);
  }
}

/** string; bigint for integers of any size; number for floats; boolean; null for "nothing there". */
export type ScalarValue = string | bigint | number | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly place: Place;
  /** The text as it stands, quotes and escapes undone: `0644` stays `0644`. */
  readonly text: string;
  /** Written without quotes and not as a block: only then does its text decide its type. */
  readonly plain: boolean;
  readonly value: ScalarValue;
}

export interface SeqNode {
  readonly kind: "seq";
  readonly place: Place;
  readonly items: readonly Node[];
}

export interface MapEntry {
  readonly key: Place;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: "map";
  readonly place: Place;
  /** In the order they are written; merged entries (`<<`) follow the map's own. */
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export type Node = ScalarNode | SeqNode | MapNode;

/** One document of a file. */
export interface SpecDocument {
  readonly file: string;
  readonly root: Node;
}

/** True for a value that is not there: `key:`, `~`, `null`. Kubernetes treats such a field as absent. */
export function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** The type of a node in the words of a message. */
export function typeName(node: Node): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "seq") return "a list";
  if (node.value === null) return "nothing";
  const names = { string: "text", bigint: "an integer", number: "a number", boolean: "a boolean" };
  return names[typeof node.value as keyof typeof names];
}
