// The strict walker: compares a document with its kind's descriptors and reports every difference, all at once.
import { suggest } from "../base/suggest.js";
import { checkScalar } from "./check-scalar.js";
import { isNull, type MapNode, type Node, type Place, type ScalarNode } from "./node.js";
import type { Path } from "./path.js";
import { placesOf } from "./places.js";
import { quote } from "./quote.js";
import type { Report } from "./report.js";
import type { Field, ListType, MapType, ObjectType } from "./schema.js";

/**
 * Reports what does not fit `kind`: unknown-field, wrong-type, missing-field, bad-value, refused-field, and the warning
 * no-effect. `path` is the object's own path (`items[0]` in a List).
 */
export function walk(kind: ObjectType, root: MapNode, path: Path, report: Report): void {
  new Walker(kind, report).object(kind, root, path);
}

class Walker {
  readonly #kind: ObjectType;
  readonly #report: Report;

  constructor(kind: ObjectType, report: Report) {
    this.#kind = kind;
    this.#report = report;
  }

  object(type: ObjectType, node: MapNode, path: Path): void {
    /** Fields that a misspelt key probably means: not reported as missing on top of that. */
    let meant: Set<string> | undefined;
    let effectless: Map<string, { names: string[]; place: Place }> | undefined;
    for (const [key, entry] of node.entries) {
      const field = type.fields.get(key) ?? type.patterns?.find((pattern) => pattern.is(key))?.field;
      const at = path.child(key);
      if (field === undefined) {
        const word = this.#unknown(type, key, entry.key, at);
        meant ??= new Set();
        if (word !== undefined) meant.add(word);
      } else if (isNull(entry.value)) {
        // As in Kubernetes: a null is an absent field.
      } else if (field.refused !== undefined) {
        if (!asksNothing(field, entry.value))
          this.#report.error("refused-field", entry.key, at, `not supported: ${field.refused}`, field.hint ?? "remove it");
      } else if (field.noEffect !== undefined) {
        if (asksNothing(field, entry.value)) continue;
        effectless ??= new Map();
        const group = effectless.get(field.noEffect) ?? { names: [], place: entry.key };
        group.names.push(key);
        effectless.set(field.noEffect, group);
      } else this.#value(field, entry.value, entry.key, at);
    }
    for (const [reason, { names, place }] of effectless ?? [])
      this.#report.warning("no-effect", place, path, `${names.join(", ")} ${names.length > 1 ? "have" : "has"} no effect: ${reason}`);
    for (const name of type.required) {
      const value = node.entries.get(name)?.value;
      if ((value === undefined || isNull(value)) && !meant?.has(name)) this.#missing(name, node, path);
    }
  }

  #missing(name: string, node: MapNode, path: Path): void {
    const key = node.entries.get(name)?.key;
    this.#report.error("missing-field", key ?? node.place, path.child(name), key === undefined ? "missing" : "has no value");
  }

  /** Says what was probably meant; gives that field's name when it is one of this object. */
  #unknown(type: ObjectType, key: string, place: Place, path: Path): string | undefined {
    const family = type.family?.(key);
    if (family !== undefined) {
      this.#report.error("refused-field", place, path, `not supported: ${family}`, "remove it");
      return undefined;
    }
    for (const [name, field] of type.fields) {
      if (!field.aka?.includes(key)) continue;
      this.#report.error("unknown-field", place, path, `unknown field, did you mean ${quote(name)}?`);
      return name;
    }
    const near = suggest(key, type.fields.keys());
    const elsewhere = placesOf(this.#kind, key);
    // A name that exists elsewhere was more likely put in the wrong object than misspelt, unless one letter is off.
    if (elsewhere.length > 0 && (near === undefined || near.distance > 1)) {
      this.#report.error("unknown-field", place, path, "unknown field here", `${quote(key)} belongs ${elsewhere.join(" or ")}`);
      return undefined;
    }
    const hint = near === undefined && type.fields.size <= 12 ? `known here: ${[...type.fields.keys()].join(", ")}` : undefined;
    this.#report.error(
      "unknown-field",
      place,
      path,
      near === undefined ? "unknown field" : `unknown field, did you mean ${quote(near.word)}?`,
      hint,
    );
    return near?.word;
  }

  /** A value that is there and must fit. `fallback` is a place for values that have none of their own. */
  #value(field: Field, node: Node, fallback: Place, path: Path): void {
    const { type } = field;
    if (type === "any") return;
    if (typeof type === "string") checkScalar(field, type, node, path, this.#report);
    else if (type.kind === "list") this.#list(field, type, node, fallback, path);
    else if (node.kind !== "map")
      this.#report.error("wrong-type", node.place, path, `expected a map, got ${this.#report.describe(node)}`, field.hint);
    else if (type.kind === "map") this.#map(type, node, path);
    else this.object(type, node, path);
  }

  #list(field: Field, type: ListType, node: Node, fallback: Place, path: Path): void {
    if (node.kind !== "seq") {
      const hint = node.kind === "map" ? 'start each item with "- "' : isTextList(type) ? listHint(node, this.#report) : field.hint;
      this.#report.error("wrong-type", node.place, path, `expected a list, got ${this.#report.describe(node)}`, hint);
      return;
    }
    if (type.nonEmpty && node.items.length === 0)
      this.#report.error("bad-value", fallback, path, "the list is empty; at least one item is needed");
    node.items.forEach((item, i) => {
      if (isNull(item))
        this.#report.error("wrong-type", item.place, path.child(i), "the item is empty", 'remove it, or write "" for an empty text');
      else this.#value(type.of, item, item.place, path.child(i));
    });
  }

  #map(type: MapType, node: MapNode, path: Path): void {
    for (const [key, entry] of node.entries) {
      const at = path.child(key);
      const problem = type.key?.(key);
      if (problem !== undefined) this.#report.error("bad-value", entry.key, path, `the key ${quote(key)} ${problem.problem}`, problem.hint);
      if (isNull(entry.value)) this.#report.error("wrong-type", entry.key, at, "has no value", 'write "" for an empty text');
      else this.#value(type.of, entry.value, entry.key, at);
    }
  }
}

function isTextList(type: ListType): boolean {
  return type.of.type === "string";
}

function listHint(node: ScalarNode, report: Report): string {
  return report.secret ? "write a list" : `write a list: [${quote(node.text)}]`;
}

/** Empty, or one of the values that say what happens anyway. */
function asksNothing(field: Field, node: Node): boolean {
  if (field.presence) return false;
  if (node.kind === "map") return node.entries.size === 0;
  if (node.kind === "seq") return node.items.length === 0;
  if (node.value === "") return true;
  const value = typeof node.value === "bigint" ? Number(node.value) : node.value;
  return value !== null && (field.fine?.includes(value) ?? false);
}
