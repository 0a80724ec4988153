// The field tables against the kubernetes-types package: every field of every type that a Pod, ConfigMap or Secret can hold is known.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ABOUT, ANYWHERE, aboutField } from "../../../src/model/kube/about/index.js";
import { KNOWN_KINDS } from "../../../src/model/kube/known-kinds.js";
import type { Field, ObjectType, Type } from "../../../src/spec/schema.js";

/** interface name -> field -> TypeScript type, from the declarations' text. */
function declarations(): Map<string, Map<string, string>> {
  const out = new Map<string, Map<string, string>>();
  for (const file of ["core/v1.d.ts", "meta/v1.d.ts", "apps/v1.d.ts", "batch/v1.d.ts"]) {
    const text = readFileSync(`node_modules/kubernetes-types/${file}`, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, name = "", body = ""] of text.matchAll(/export interface (\w+) \{\n([\s\S]*?)\n\}/g)) {
      const flat = body.replace(/\{[\s\S]*?\}/g, (map) => map.replace(/\s+/g, " "));
      const fields = [...flat.matchAll(/^\s*(\w+)\??:\s*([^;]*?(?:\{[^}]*\})?[^;{]*);/gm)];
      out.set(name, new Map(fields.map(([, field = "", type = ""]) => [field, type.trim()])));
    }
  }
  return out;
}

const declared = declarations();

const STATUSES = /(?:Pod|Deployment|ReplicaSet|ReplicationController|StatefulSet|DaemonSet|Job|Service|Namespace|Claim)Status$/;

function reachable(roots: readonly string[]): string[] {
  const seen = new Set<string>();
  const todo = [...roots];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const fields = declared.get(name);
    // Nothing is read of a status, nor of the field sets of managedFields.
    if (fields === undefined || seen.has(name) || STATUSES.test(name) || name === "FieldsV1") continue;
    seen.add(name);
    for (const type of fields.values()) todo.push(...(type.match(/\b[A-Z]\w+\b/g) ?? []));
  }
  return [...seen].sort();
}

/** All object types of our tables by name; a type used twice under one name must have the same fields. */
function tables(): Map<string, ObjectType[]> {
  const out = new Map<string, ObjectType[]>();
  const visit = (type: Type): void => {
    if (typeof type === "string") return;
    if (type.kind !== "object") {
      visit(type.of.type);
      return;
    }
    const known = out.get(type.name) ?? [];
    if (known.includes(type)) return;
    out.set(type.name, [...known, type]);
    for (const field of type.fields.values()) visit(field.type);
  };
  for (const kind of KNOWN_KINDS) visit(kind.type);
  return out;
}

const ours = tables();

/** Whether our descriptor can hold what the API has there. */
function agrees(field: Field, declaredType: string): boolean {
  let { type } = field;
  if (type === "any") return true;
  const array = /^Array<(.*)>$/.exec(declaredType)?.[1];
  if (array !== undefined) return typeof type === "object" && type.kind === "list" && agrees(type.of, array);
  if (declaredType.startsWith("{"))
    return typeof type === "object" && (type.kind === "map" || (type.kind === "object" && type.name === "ResourceList"));
  if (typeof type === "object") return type.kind === "object" && type.name === declaredType;
  if (/^"[\w/]+"$/.test(declaredType)) return type === "string";
  if (declaredType === "Time") type = "string";
  const same: Record<string, readonly string[]> = {
    string: ["string", "Time", "IntOrString"],
    integer: ["number"],
    number: ["number"],
    boolean: ["boolean"],
    quantity: ["Quantity"],
    integerOrString: ["number | string", "IntOrString"],
  };
  return same[type as string]?.includes(declaredType) ?? false;
}

describe("field tables", () => {
  test("the declarations are read whole", () => {
    assert.ok(declared.size > 200);
    assert.equal(declared.get("PodSpec")?.get("hostUsers"), "boolean");
    assert.equal(declared.get("Volume")?.size, 30);
    assert.match(declared.get("ResourceRequirements")?.get("limits") ?? "", /^\{.*Quantity/);
  });

  const names = reachable(KNOWN_KINDS.map((k) => k.name).filter((name) => name !== "List"));
  test("all types are found", () => assert.ok(names.length > 130, `${names.length}`));

  for (const name of names)
    test(name, () => {
      const types = ours.get(name);
      // A type that is nowhere in our tables must be inside of one whose fields are known by name only.
      if (types === undefined) {
        const holders = [...declared].filter(([, fields]) => [...fields.values()].some((t) => new RegExp(`\\b${name}\\b`).test(t)));
        const open = holders.some(([holder, fields]) =>
          ours
            .get(holder)
            ?.some((t) => [...fields].some(([f, declaredType]) => declaredType.includes(name) && t.fields.get(f)?.type === "any")),
        );
        assert.ok(open, `no table for ${name}`);
      }
      for (const type of types ?? [])
        for (const [field, declaredType] of declared.get(name) ?? []) {
          const known = type.fields.get(field);
          assert.ok(known !== undefined, `${name}.${field} is unknown`);
          assert.ok(
            agrees(known, declaredType),
            `${name}.${field}: ${declaredType} in the API, ${JSON.stringify(known.type).slice(0, 80)} here`,
          );
        }
    });

  test("each field has one fate: honoured, refused with a reason, or without effect with a reason", () => {
    for (const types of ours.values())
      for (const type of types)
        for (const [name, field] of type.fields) {
          assert.ok(field.refused === undefined || field.noEffect === undefined, `${type.name}.${name}`);
          assert.notEqual(field.refused, "", `${type.name}.${name}`);
          assert.notEqual(field.noEffect, "", `${type.name}.${name}`);
          assert.ok(
            field.fine === undefined || field.refused !== undefined || field.noEffect !== undefined,
            `${type.name}.${name}: fine needs a reason`,
          );
        }
  });

  test("no field is called what another is mistaken for", () => {
    for (const types of ours.values())
      for (const type of types)
        for (const field of type.fields.values())
          for (const aka of field.aka ?? []) assert.ok(!type.fields.has(aka), `${type.name}: ${aka}`);
  });

  test("a field that the declarations (1.30) do not have says which younger Kubernetes has it, and no other field does", () => {
    for (const [name, types] of ours) {
      const there = declared.get(name);
      for (const type of there === undefined ? [] : types)
        for (const [field, { since, type: fieldType }] of type.fields) {
          if (fieldType === "any" && since === undefined) continue;
          const younger = since !== undefined && Number(since.split(".")[1]) > 30;
          assert.equal(younger, !there?.has(field), `${name}.${field}: since ${since}`);
        }
    }
  });

  test("every field says what it means, and no meaning is left over", () => {
    const used = new Set<string>();
    for (const [name, types] of ours)
      for (const type of types) {
        for (const { text } of type.patterns ?? []) {
          assert.ok(aboutField(name, text), `${name}: ${text} says nothing`);
          used.add(`${name}.${text}`);
        }
        for (const [field, { type: inside, refused, noEffect }] of type.fields) {
          if (aboutField(name, field) !== undefined) used.add(Object.hasOwn(ABOUT[name] ?? {}, field) ? `${name}.${field}` : field);
          // Fields inside of what is refused are known by name only.
          else assert.ok(inside === "any" && refused === undefined && noEffect === undefined, `${name}.${field} says nothing`);
        }
      }
    const all = [...Object.entries(ABOUT).flatMap(([t, fields]) => Object.keys(fields).map((f) => `${t}.${f}`)), ...Object.keys(ANYWHERE)];
    assert.deepEqual(
      all.filter((name) => !used.has(name)),
      [],
    );
    for (const text of all.map((name) => (name.includes(".") ? aboutField(...(name.split(".") as [string, string])) : ANYWHERE[name])))
      assert.match(text ?? "", /^[A-Zf].*[^.]$/, "a sentence without its full stop");
  });
});
