// js-yaml's events to our nodes: anchors and aliases, merge keys, duplicate keys, tags.
import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from "js-yaml";
import type { Diagnostic } from "../base/diagnostic.js";
import type { Lines } from "./lines.js";
import { type MapEntry, type Node, type Place, type ScalarNode, Span } from "./node.js";
import { resolvePlain, resolveTagged } from "./scalar.js";
import { expand, type Variables } from "./variables.js";

/** Nodes that aliases and merges may add to one document: enough for any real spec, too few for an alias bomb. */
export const MAX_ALIASED_NODES = 20_000;
const LONG_TAG = /^!<tag:yaml\.org,2002:([a-z]+)>$/;

/** In place of a message that would quote a tag. */
export const UNKNOWN_TAG = "a tag is not supported, or does not fit its value";
const TEXT_HINT = "put quotes around a text that starts with * or !";

/** An anchor whose node is still being read: an alias to it would contain itself. */
const OPEN = Symbol("open");

interface Anchored {
  readonly node: Node;
  readonly size: number;
}

export interface Composed {
  /** The documents that hold something, broken ones left out. */
  readonly roots: readonly Node[];
  readonly diagnostics: readonly Diagnostic[];
  /** Names of variables that stand in it. */
  readonly used: ReadonlySet<string>;
}

/** How a chunk is to be read. */
export interface ComposeOptions {
  /** No message quotes a name that may be a value: a password that starts with * or ! is read as an alias or a tag. */
  readonly secret: boolean;
  /** Replaced in scalars, keys among them; none are when absent. */
  readonly variables?: Variables | undefined;
}

/**
 * The documents of one chunk. `base` is where the chunk starts in the file. Of a duplicate key the first value counts;
 * a document with a finding that leaves its content unknown (an alias of nothing, say) is left out.
 */
export function compose(events: readonly Event[], chunk: string, base: number, lines: Lines, options: ComposeOptions): Composed {
  const composer = new Composer(events, chunk, base, lines, options);
  return { roots: composer.documents(), diagnostics: composer.diagnostics, used: composer.used };
}

class Composer {
  readonly diagnostics: Diagnostic[] = [];
  readonly used = new Set<string>();
  readonly #events: readonly Event[];
  readonly #chunk: string;
  readonly #base: number;
  readonly #lines: Lines;
  readonly #secret: boolean;
  readonly #variables: Variables | undefined;
  readonly #anchors = new Map<string, Anchored | typeof OPEN>();
  readonly #path: string[] = [];
  #next = 0;
  #size = 0;
  #aliased = 0;
  #broken = false;
  /** Place of the last key or item: where an empty value, which has no place of its own, is said to be. */
  #last: Place;

  constructor(events: readonly Event[], chunk: string, base: number, lines: Lines, { secret, variables }: ComposeOptions) {
    this.#events = events;
    this.#chunk = chunk;
    this.#base = base;
    this.#lines = lines;
    this.#secret = secret;
    this.#variables = variables;
    this.#last = new Span(lines, base, base);
  }

  documents(): Node[] {
    const roots: Node[] = [];
    while (this.#next < this.#events.length) {
      this.#next++; // DOCUMENT
      this.#anchors.clear();
      this.#aliased = 0;
      this.#broken = false;
      const root = this.#node();
      this.#next++; // POP
      if (!this.#broken && !(root.kind === "scalar" && root.value === null)) roots.push(root);
    }
    return roots;
  }

  #node(): Node {
    const event = this.#events[this.#next++];
    if (event === undefined) throw new Error("js-yaml: events end inside a document");
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd);
    if (event.type !== EVENT_ID.SCALAR && event.type !== EVENT_ID.SEQUENCE && event.type !== EVENT_ID.MAPPING)
      throw new Error(`js-yaml: event ${event.type} where a node is expected`);
    const anchor = event.anchorStart < 0 ? undefined : this.#chunk.slice(event.anchorStart, event.anchorEnd);
    const before = this.#size++;
    if (anchor !== undefined) this.#anchors.set(anchor, OPEN);
    const node =
      event.type === EVENT_ID.SCALAR
        ? this.#scalar(event)
        : event.type === EVENT_ID.SEQUENCE
          ? this.#sequence(event)
          : this.#mapping(event);
    if (anchor !== undefined) this.#anchors.set(anchor, { node, size: this.#size - before });
    return node;
  }

  #place(start: number, end: number): Place {
    return new Span(this.#lines, this.#base + start, this.#base + end);
  }

  /** A finding that leaves the document's content unknown. */
  #fail(place: Place, code: string, message: string, hint?: string): void {
    this.#broken = true;
    this.#report(place, code, message, hint);
  }

  #report(place: Place, code: string, message: string, hint?: string): void {
    this.diagnostics.push({
      code,
      severity: "error",
      message,
      at: place.at,
      length: place.length,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #alias(start: number, end: number): Node {
    const name = this.#chunk.slice(start, end);
    const place = this.#place(start - 1, end);
    const target = this.#anchors.get(name);
    const shown = this.#secret ? "an alias" : `the alias *${name}`;
    const hint = this.#secret ? TEXT_HINT : `write &${name} at the first use`;
    if (target === undefined) this.#fail(place, "yaml-alias", `${shown} names no anchor before it`, hint);
    else if (target === OPEN) this.#fail(place, "yaml-alias", `${shown} stands inside its own anchor`);
    else if (this.#grow(target.size, place)) return target.node;
    return { kind: "scalar", place, text: "", plain: true, value: null };
  }

  /** Counts nodes that an alias or a merge repeats; says so once when there are too many. */
  #grow(size: number, place: Place): boolean {
    const before = this.#aliased;
    this.#aliased += size;
    this.#size += size;
    if (this.#aliased <= MAX_ALIASED_NODES) return true;
    if (before <= MAX_ALIASED_NODES)
      this.#fail(place, "yaml-alias", `aliases make this document more than ${MAX_ALIASED_NODES} nodes larger`, "write the values out");
    return false;
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const place = this.#scalarPlace(event);
    const text = this.#expanded(getScalarValue(this.#chunk, event), event);
    const plain = event.style === SCALAR_STYLE.PLAIN;
    if (!plain && /\p{Surrogate}/u.test(text))
      this.#fail(place, "yaml-syntax", "the text has half of a surrogate pair, which is no character");
    if (event.tagStart < 0) return { kind: "scalar", place, text, plain, value: plain ? resolvePlain(text) : text };
    const tagged = resolveTagged(this.#tag(event), text);
    if ("value" in tagged) return { kind: "scalar", place, text, plain: false, value: tagged.value };
    const [problem, hint] = this.#secret ? [UNKNOWN_TAG, TEXT_HINT] : [tagged.problem, tagged.hint];
    this.#fail(this.#place(event.tagStart, event.tagEnd), "yaml-syntax", problem, hint);
    return { kind: "scalar", place, text, plain: false, value: text };
  }

  /** With variables in place of their names. What is wrong is shown where it stands, in a long block, too. */
  #expanded(text: string, event: ScalarEvent): string {
    if (this.#variables === undefined || !text.includes("${")) return text;
    const { text: result, used, problems } = expand(text, this.#variables);
    for (const name of used) this.used.add(name);
    const { valueStart: start, valueEnd: end } = event;
    const places = [...this.#chunk.slice(start, end).matchAll(/\$\{[^}\r\n]*\}?/g)];
    for (const { code, index, message, words, hint } of problems) {
      const [at, length] = [start + (places[index]?.index ?? 0), places[index]?.[0].length ?? 1];
      const whole = words === undefined || this.#secret ? message : `${message}: ${words}`;
      this.#fail(this.#place(at, at + length), code, whole, hint);
    }
    return result;
  }

  #scalarPlace(event: ScalarEvent): Place {
    const { valueStart: start, valueEnd: end, style } = event;
    if (start < 0) return this.#last;
    if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) return this.#place(start - 1, end + 1);
    if (style === SCALAR_STYLE.PLAIN) return this.#place(start, end);
    // A block's value starts with its indentation.
    const first = this.#chunk.slice(start, end).search(/[^ \r\n]/);
    return first < 0 ? this.#last : this.#place(start + first, end);
  }

  #tag(event: ScalarEvent | SequenceEvent | MappingEvent): string {
    const tag = this.#chunk.slice(event.tagStart, event.tagEnd);
    return tag.replace(LONG_TAG, "!!$1");
  }

  #collectionTag(event: SequenceEvent | MappingEvent, allowed: string): void {
    if (event.tagStart < 0) return;
    const tag = this.#tag(event);
    if (tag !== "!" && tag !== allowed)
      this.#fail(this.#place(event.tagStart, event.tagEnd), "yaml-syntax", this.#secret ? UNKNOWN_TAG : `the tag ${tag} is not supported`);
  }

  #atPop(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next++;
    return true;
  }

  #sequence(event: SequenceEvent): Node {
    this.#collectionTag(event, "!!seq");
    const place = this.#place(event.start, event.start + 1);
    const items: Node[] = [];
    this.#last = place;
    while (!this.#atPop()) {
      this.#path.push(`[${items.length}]`);
      items.push(this.#node());
      this.#path.pop();
    }
    return { kind: "seq", place, items };
  }

  #mapping(event: MappingEvent): Node {
    this.#collectionTag(event, "!!map");
    const entries = new Map<string, MapEntry>();
    const merges: { node: Node; place: Place }[] = [];
    let first: Place | undefined;
    while (!this.#atPop()) {
      const keyNode = this.#node();
      first ??= keyNode.place;
      const key = this.#key(keyNode);
      this.#last = keyNode.place;
      const merge = key === "<<" && keyNode.kind === "scalar" && keyNode.plain;
      this.#path.push(`${this.#path.length === 0 ? "" : "."}${key ?? "?"}`);
      const value = this.#node();
      if (merge) merges.push({ node: value, place: keyNode.place });
      else if (key !== undefined) this.#add(entries, key, { key: keyNode.place, value });
      this.#path.pop();
    }
    for (const { node, place } of merges) this.#merge(entries, node, place);
    // A block map is shown by its first key, an empty or flow one by its brace.
    const own = this.#place(event.start, event.start + 1);
    const shown = event.style === COLLECTION_STYLE.BLOCK ? (first ?? own) : own;
    return { kind: "map", place: shown, entries };
  }

  #add(entries: Map<string, MapEntry>, key: string, entry: MapEntry): void {
    const earlier = entries.get(key);
    if (earlier === undefined) {
      entries.set(key, entry);
      return;
    }
    const { line, column } = earlier.key.at;
    const message = `${this.#path.join("")}: set twice, first at line ${line}, column ${column}`;
    this.#report(entry.key, "duplicate-key", message, "remove one of the two");
  }

  /** Keys are text in JSON. What YAML reads as another type is taken only where its text says the same (8080, true). */
  #key(node: Node): string | undefined {
    if (node.kind !== "scalar" || node.value === null) {
      this.#fail(node.place, "yaml-syntax", node.kind === "scalar" ? "a key is empty" : "a key must be text, not a list or a map");
      return undefined;
    }
    const key = String(node.value);
    if (key === node.text || typeof node.value === "string") return key;
    this.#report(node.place, "yaml-syntax", `YAML reads the key ${node.text} as ${key}`, `put it in quotes: "${node.text}"`);
    return node.text;
  }

  /** `<<: *a` and `<<: [*a, *b]`: the map's own keys win, then the earlier of the list (YAML 1.1 merge key). */
  #merge(entries: Map<string, MapEntry>, node: Node, place: Place): void {
    const maps: readonly Node[] = node.kind === "seq" ? node.items : [node];
    for (const map of maps) {
      // The null in place of an alias that led nowhere, which is reported, or `<<:` with nothing.
      if (map.kind === "scalar" && map.value === null) continue;
      if (map.kind !== "map") {
        this.#fail(place, "yaml-syntax", "<< takes a map, or a list of maps, to merge");
        return;
      }
      for (const [key, entry] of map.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }
}
