// Where in a kind a field of a given name belongs: for fields that were written in the wrong object.
import type { Field, ObjectType, Type } from "./schema.js";

interface FieldPlace {
  /** Path of the object that has the field: `under spec.containers[]`. */
  readonly path: string;
  /** Neither the field nor anything around it is refused. */
  readonly honoured: boolean;
}

/** Computed once per kind, at the first unknown field. */
const indexes = new WeakMap<ObjectType, ReadonlyMap<string, readonly FieldPlace[]>>();

/** More places than this say nothing (`name` is everywhere). */
const MAX_PLACES = 2;

/**
 * `under spec.containers[]` for `imagePullPolicy` in a Pod; two places at most, honoured ones before refused ones, nearest to
 * the root first. Empty where the name is unknown or too common.
 */
export function placesOf(kind: ObjectType, name: string): readonly string[] {
  let index = indexes.get(kind);
  if (index === undefined) {
    index = makeIndex(kind);
    indexes.set(kind, index);
  }
  const all = index.get(name) ?? [];
  const honoured = all.filter((p) => p.honoured);
  const chosen = honoured.length > 0 ? honoured : all;
  return chosen.length <= MAX_PLACES ? chosen.map((p) => p.path) : [];
}

function makeIndex(kind: ObjectType): ReadonlyMap<string, readonly FieldPlace[]> {
  const index = new Map<string, FieldPlace[]>();
  const seen = new Set<ObjectType>();
  // Breadth first, each type once, so that a type used in many objects is named at its most usual place.
  let level: { type: ObjectType; path: string; honoured: boolean }[] = [{ type: kind, path: "", honoured: true }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { type, path, honoured } of level) {
      if (seen.has(type)) continue;
      seen.add(type);
      for (const [name, field] of type.fields) {
        const ok = honoured && field.refused === undefined && field.noEffect === undefined;
        index.set(name, [...(index.get(name) ?? []), { path: path === "" ? "at the top level" : `under ${path}`, honoured: ok }]);
        const inner = innerObject(field, path === "" ? name : `${path}.${name}`);
        if (inner !== undefined) next.push({ ...inner, honoured: ok });
      }
    }
    // What is honoured goes first: a type that is honoured in one place and refused in another is named where it works.
    level = next.sort((a, b) => Number(b.honoured) - Number(a.honoured));
  }
  return index;
}

function innerObject(field: Field, path: string): { type: ObjectType; path: string } | undefined {
  let type: Type = field.type;
  let where = path;
  while (typeof type === "object" && type.kind !== "object") {
    where += type.kind === "list" ? "[]" : ".*";
    type = type.of.type;
  }
  return typeof type === "object" ? { type, path: where } : undefined;
}
