// The field tables as a JSON Schema (draft-07, which editors' YAML servers take): completion, descriptions, and what is refused.
import type { Field, ObjectType, ScalarType, Type } from "../../spec/schema.js";
import { aboutField } from "./about/index.js";
import { INERT_KINDS, KINDS, versionOf } from "./kinds.js";
import { rulesOf } from "./reference.js";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Schema = { readonly [key: string]: Json };

const DRAFT = "http://json-schema.org/draft-07/schema#";

/** Numbers too: YAML reads `cpu: 1` and `memory: 1e9` as such. */
const SCALARS: Readonly<Record<ScalarType, readonly string[]>> = {
  string: ["string"],
  integer: ["integer"],
  number: ["number"],
  boolean: ["boolean"],
  quantity: ["string", "number"],
  integerOrString: ["string", "number"],
};

/**
 * The schema of one kind that podgen takes, or of all of them. What validate accepts, it accepts; it refuses unknown, missing and
 * unsupported fields, wrong types, and values that are none of a list, but looks into no names, quantities or references.
 */
export function jsonSchema(only?: string): Schema {
  const maker = new Maker();
  const kinds = [...KINDS].filter(([name]) => only === undefined || name === only);
  const refs = kinds.map(([name, type]) => [name, maker.ref(type, name)] as const);
  const [single] = refs;
  const lists = kinds.filter(([name]) => name !== "List").map(([name]) => [`${name}List`, typedList(name)] as const);
  const body: Schema =
    only !== undefined && single !== undefined
      ? single[1]
      : {
          type: "object",
          required: ["apiVersion", "kind"],
          properties: { kind: { enum: [...[...refs, ...lists].map(([name]) => name), ...INERT_KINDS.keys()] } },
          allOf: [...refs, ...lists].map(([name, ref]) => ({
            if: { required: ["kind"], properties: { kind: { const: name } } },
            // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
            then: ref,
          })),
        };
  const title = only === undefined ? "Kubernetes YAML that podgen takes" : `${only}, as podgen takes it`;
  return { $schema: DRAFT, title, ...body, definitions: maker.definitions() };
}

/** A PodList, say: what the API answers with. Its items need not say their kind, and are not looked into. */
function typedList(kind: string): Schema {
  return {
    type: "object",
    required: ["items"],
    properties: { apiVersion: { const: versionOf(kind) }, kind: {}, metadata: { type: ["object", "null"] }, items: { type: "array" } },
    additionalProperties: false,
  };
}

class Maker {
  readonly #names = new Map<ObjectType, string>();
  readonly #made = new Map<string, Schema>();

  definitions(): Schema {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to the type's definition, which is made when it is first needed. `kind`: the type is that kind's own. */
  ref(type: ObjectType, kind?: string): Schema {
    const known = this.#names.get(type);
    if (known !== undefined) return { $ref: `#/definitions/${known}` };
    // Types of one name may differ by where they stand: metadata of a template needs no name.
    let name = type.name;
    for (let n = 2; this.#made.has(name); n++) name = `${type.name}${n}`;
    this.#names.set(type, name);
    this.#made.set(name, {});
    this.#made.set(name, this.#object(type, kind));
    return { $ref: `#/definitions/${name}` };
  }

  #object(type: ObjectType, kind: string | undefined): Schema {
    const properties = Object.fromEntries([...type.fields].map(([name, field]) => [name, this.#property(type, name, field)]));
    return {
      type: "object",
      ...(type.required.length === 0 ? {} : { required: [...type.required] }),
      properties: kind === undefined ? properties : { ...properties, apiVersion: { const: versionOf(kind) }, kind: { const: kind } },
      ...(type.patterns === undefined
        ? {}
        : { patternProperties: Object.fromEntries(type.patterns.map((p) => [p.regex, this.#property(type, p.text, p.field)])) }),
      additionalProperties: false,
    };
  }

  #property(owner: ObjectType, name: string, field: Field): Schema {
    const about = aboutField(owner.name, name);
    const says = [about === undefined ? undefined : `${about}.`, ...fateOf(field), ...rulesOf(field)].filter((s) => s !== undefined);
    const description = says.length === 0 ? {} : { description: says.join(" ") };
    if (field.refused !== undefined)
      return { ...description, deprecationMessage: `not supported: ${field.refused}`, doNotSuggest: true, ...nothing(field) };
    if (field.noEffect !== undefined) return description;
    const value = this.#value(field);
    // As in Kubernetes, a null is an absent field; draft-07 looks at nothing beside a $ref.
    if (field.required) return "$ref" in value ? { ...description, allOf: [value] } : { ...description, ...value };
    return { ...description, ...orNull(value) };
  }

  #value(field: Field): Schema {
    const { type } = field;
    if (type === "any") return {};
    if (typeof type === "string")
      return {
        type: [...SCALARS[type]],
        ...(field.values === undefined ? {} : { enum: [...field.values] }),
        ...(field.min === undefined ? {} : { minimum: field.min }),
        ...(field.max === undefined ? {} : { maximum: field.max }),
      };
    return this.#compound(type);
  }

  #compound(type: Exclude<Type, string>): Schema {
    if (type.kind === "object") return this.ref(type);
    const items = this.#value(type.of);
    if (type.kind === "map") return { type: "object", additionalProperties: items };
    return { type: "array", items, ...(type.nonEmpty ? { minItems: 1 } : {}) };
  }
}

function fateOf(field: Field): string[] {
  if (field.refused !== undefined) return [`Not supported: ${field.refused}.`];
  return field.noEffect === undefined ? [] : [`Without effect: ${field.noEffect}.`];
}

/** What a refused field may hold: what asks for nothing, as the walker has it. */
function nothing(field: Field): Schema {
  if (field.presence) return { type: "null" };
  const fine = [...(field.fine ?? []), "", null];
  return { anyOf: [{ enum: fine }, { type: "object", maxProperties: 0 }, { type: "array", maxItems: 0 }] };
}

function orNull(value: Schema): Schema {
  if ("$ref" in value) return { anyOf: [value, { type: "null" }] };
  if (!("type" in value)) return value;
  const types = Array.isArray(value["type"]) ? value["type"] : [value["type"]];
  const list = value["enum"];
  return { ...value, type: [...types, "null"], ...(Array.isArray(list) ? { enum: [...list, null] } : {}) };
}
