// The field tables as a reference: what a path names, what becomes of it here, and what is below. For explain, schema and the man page.
import { suggest } from "../../base/suggest.js";
import { placesOf } from "../../spec/places.js";
import { quote } from "../../spec/quote.js";
import type { Field, ObjectType, Type } from "../../spec/schema.js";
import { aboutField } from "./about/index.js";
import { KNOWN_KINDS, type KnownKind } from "./known-kinds.js";

export type Fate = "honoured" | "no effect" | "refused";

/** A kind, or a field of one. */
export interface Entry {
  readonly kind: KnownKind;
  /** From the kind's root, as people write it: `spec.containers[].image`; empty for the kind itself. */
  readonly path: string;
  readonly name: string;
  /** `string`, `[]Container`, `map of quantity`. */
  readonly type: string;
  readonly fate: Fate;
  /** Why it is refused or has no effect: its own reason, or that of what it stands in. */
  readonly reason?: string;
  readonly hint?: string;
  readonly about?: string;
  /** Absent for a kind. */
  readonly field?: Field;
  /** The object whose fields stand below, where there are any. */
  readonly inner?: ObjectType;
}

/** The object at the bottom of lists and maps, if there is one, and the marks that lead there. */
function unwrap(type: Type): { readonly inner?: ObjectType; readonly marks: string } {
  let at = type;
  let marks = "";
  while (typeof at === "object" && at.kind !== "object") {
    marks += at.kind === "list" ? "[]" : ".*";
    at = at.of.type;
  }
  return typeof at === "object" ? { inner: at, marks } : { marks };
}

/** A type in few words, as kubectl writes it. */
export function typeName(type: Type): string {
  if (typeof type === "string") return type === "integerOrString" ? "integer or string" : type;
  if (type.kind === "list") return `[]${typeName(type.of.type)}`;
  return type.kind === "map" ? `map of ${typeName(type.of.type)}` : type.name;
}

export function kindEntry(kind: KnownKind): Entry {
  const { type, refused } = kind;
  const fate = refused === undefined ? { fate: "honoured" as const } : { fate: "refused" as const, reason: taken(kind), hint: refused };
  return { kind, path: "", name: kind.name, type: kind.name, ...fate, inner: type };
}

function taken(kind: KnownKind): string {
  return `podgen does not take a ${kind.name} yet`;
}

/** The fields of what an entry is, or of its items. */
export function childrenOf(entry: Entry): Entry[] {
  const { inner } = entry;
  if (inner === undefined) return [];
  const fields = [...inner.fields, ...(inner.patterns ?? []).map(({ text, field }) => [text, field] as const)];
  return fields.map(([name, field]) => child(entry, inner, name, field));
}

function child(above: Entry, owner: ObjectType, name: string, field: Field): Entry {
  const before = above.field === undefined ? above.path : above.path + unwrap(above.field.type).marks;
  const about = aboutField(owner.name, name);
  const { inner } = unwrap(field.type);
  return {
    kind: above.kind,
    path: before === "" ? name : `${before}.${name}`,
    name,
    type: typeName(field.type),
    ...fateOf(above, field),
    ...(about === undefined ? {} : { about }),
    field,
    ...(inner === undefined ? {} : { inner }),
  };
}

/** Nothing below what is refused or has no effect is looked at. */
function fateOf(above: Entry, field: Field): Pick<Entry, "fate" | "reason" | "hint"> {
  const hint = field.hint === undefined ? {} : { hint: field.hint };
  if (above.fate !== "honoured")
    return {
      fate: above.fate,
      ...(above.reason === undefined ? {} : { reason: above.reason }),
      ...(above.hint === undefined ? {} : { hint: above.hint }),
    };
  if (field.refused !== undefined) return { fate: "refused", reason: field.refused, ...hint };
  return field.noEffect === undefined ? { fate: "honoured", ...hint } : { fate: "no effect", reason: field.noEffect, ...hint };
}

export type Found = Entry | { readonly problem: string; readonly hint?: string };

/**
 * What a path as people type it names: kind first, by its name, plural or short name, then fields, in any case, with or without
 * `[]` or an index. A word that is unknown is answered by what was probably meant.
 */
export function findEntry(path: string): Found {
  const [first = "", ...words] = path.split(".").map((word) => word.replace(/\[[^\]]*\]/g, ""));
  const kind = findKind(first);
  if (kind === undefined) {
    const near = suggest(
      first,
      KNOWN_KINDS.map((k) => k.name),
    );
    const hint = near === undefined ? "podgen explain lists the kinds" : `did you mean ${quote(near.word.toLowerCase())}?`;
    return { problem: `no kind is called ${quote(first)}`, hint };
  }
  let entry = kindEntry(kind);
  for (const word of words) {
    if (word === "" || word === "*") continue;
    const next = childrenOf(entry).find((c) => c.name.toLowerCase() === word.toLowerCase());
    if (next === undefined) return unknownField(entry, word);
    entry = next;
  }
  return entry;
}

function findKind(word: string): KnownKind | undefined {
  const wanted = word.toLowerCase();
  return KNOWN_KINDS.find(({ name, short }) => {
    const low = name.toLowerCase();
    return wanted === low || wanted === `${low}s` || wanted === short;
  });
}

function unknownField(entry: Entry, word: string): Found {
  const problem = `${pathOf(entry)} has no field ${quote(word)}`;
  const names = childrenOf(entry).map((c) => c.name);
  if (names.length === 0) return { problem, hint: `it has no fields: ${entry.type}` };
  const near = suggest(word, names);
  const known = aliasOf(entry, word) ?? near?.word;
  if (known !== undefined) return { problem, hint: `did you mean ${quote(known)}?` };
  const places = placesOf(entry.kind.type, wordOf(entry.kind.type, word));
  if (places.length > 0) return { problem, hint: `${quote(word)} belongs ${places.join(" or ")}` };
  return { problem, hint: `its fields: ${names.join(", ")}` };
}

function aliasOf(entry: Entry, word: string): string | undefined {
  return [...(entry.inner?.fields ?? [])].find(([, field]) => field.aka?.includes(word))?.[0];
}

/** The word in the spelling of the tables, where some field anywhere in the kind is spelt so. */
function wordOf(kind: ObjectType, word: string): string {
  const seen = new Set<ObjectType>();
  const todo = [kind];
  for (let type = todo.pop(); type !== undefined; type = todo.pop()) {
    if (seen.has(type)) continue;
    seen.add(type);
    for (const [name, field] of type.fields) {
      if (name.toLowerCase() === word.toLowerCase()) return name;
      const { inner } = unwrap(field.type);
      if (inner !== undefined) todo.push(inner);
    }
  }
  return word;
}

/** `pod.spec.containers[].image` */
export function pathOf(entry: Entry): string {
  const kind = entry.kind.name.toLowerCase();
  return entry.path === "" ? kind : `${kind}.${entry.path}`;
}

/** What may be written, as sentences: values, bounds, form, what must be. */
export function rulesOf(field: Field): string[] {
  const out: string[] = [];
  if (field.values !== undefined) out.push(`One of: ${field.values.map((v) => (v === "" ? '""' : v)).join(", ")}.`);
  if (field.min !== undefined && field.max !== undefined && field.max < 2147483647) out.push(`From ${field.min} to ${field.max}.`);
  else if (field.min !== undefined) out.push(`${field.min} or more.`);
  if (field.form !== undefined) out.push(`In the form: ${field.form}.`);
  if (field.fine !== undefined) out.push(`Taken as it is: ${field.fine.map(String).join(", ")}.`);
  if (field.note !== undefined) out.push(field.note);
  if (field.since !== undefined) out.push(`Since Kubernetes ${field.since}.`);
  return out;
}
