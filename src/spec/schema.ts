// Field descriptors: what a kind's documents may hold, as data. Read by walk.ts (strictness) and places.ts (where a field belongs).
import type { Problem } from "./report.js";

/** Looks at a text of the right type: what is wrong with it, or undefined. Pure. */
export type Check = (text: string) => Problem | undefined;

export type ScalarType = "string" | "integer" | "number" | "boolean" | "quantity" | "integerOrString";

/** `any` is for what is not looked into: fields without effect, and the insides of refused ones. */
export type Type = ScalarType | "any" | ObjectType | ListType | MapType;

export interface Field {
  readonly type: Type;
  readonly required?: true;
  /** The only texts allowed. */
  readonly values?: readonly string[];
  /** Bounds of an integer, both included. */
  readonly min?: number;
  readonly max?: number;
  readonly check?: Check;
  /** What to do when a value of this field is wrong. */
  readonly hint?: string;
  /** A field of Kubernetes that podgen does not honour: why, as a clause ("podgen runs no probes yet"). */
  readonly refused?: string;
  /** A field that is taken but changes nothing here: why. A warning says so. */
  readonly noEffect?: string;
  /** How the value is written where its type does not say it: `seconds`, `octal digits`. */
  readonly form?: string;
  /** The minor version of Kubernetes that brought the field, where it is younger than what everybody has: `1.33`. */
  readonly since?: string;
  /** What people should know of a field that is honoured, as sentences; for podgen-kube(5). */
  readonly note?: string;
  /** Values of a refused or effectless field that ask for what happens anyway: taken in silence, as are empty ones. */
  readonly fine?: readonly (string | number | boolean)[];
  /** The field asks for something by being there, even when it is empty: `projected: {}`. */
  readonly presence?: true;
  /** Names that people write for this field by habit, for did-you-mean. */
  readonly aka?: readonly string[];
}

export type Fields = Readonly<Record<string, Field>>;

export interface ObjectType {
  readonly kind: "object";
  /** The type's name in the Kubernetes API, `PodSpec` say. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** Names of the fields that are required. */
  readonly required: readonly string[];
  /** Names that no table can list, and that are taken: by what they look like. */
  readonly patterns?: readonly Pattern[];
  /** For families of names that no table can list: the reason a key is refused, or undefined for an unknown key. */
  readonly family?: (key: string) => string | undefined;
}

/** A field for every name that `is` says. `text`: how such names look, for people; `regex`: for a JSON schema, which may take more. */
export interface Pattern {
  readonly is: (key: string) => boolean;
  readonly text: string;
  readonly regex: string;
  readonly field: Field;
}

export interface ListType {
  readonly kind: "list";
  readonly of: Field;
  readonly nonEmpty: boolean;
}

export interface MapType {
  readonly kind: "map";
  readonly of: Field;
  readonly key?: Check;
}

/** A type of object by its name and its fields. */
export function object(name: string, fields: Fields, family?: ObjectType["family"], patterns?: readonly Pattern[]): ObjectType {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field]) => field.required).map(([key]) => key);
  return {
    kind: "object",
    name,
    fields: new Map(entries),
    required,
    ...(family === undefined ? {} : { family }),
    ...(patterns === undefined ? {} : { patterns }),
  };
}

/** A type whose field names are known but not looked into: the inside of refused fields. */
export function names(name: string, fields: string): ObjectType {
  return object(name, Object.fromEntries(fields.split(" ").map((field) => [field, { type: "any" }])));
}

export function list(of: Field | Type, options: { nonEmpty?: boolean } = {}): ListType {
  return { kind: "list", of: asField(of), nonEmpty: options.nonEmpty ?? false };
}

/** A map from any key (that passes `key`) to values of one type. */
export function map(of: Field | Type, key?: Check): MapType {
  return { kind: "map", of: asField(of), ...(key === undefined ? {} : { key }) };
}

function asField(of: Field | Type): Field {
  return typeof of === "object" && "type" in of ? of : { type: of };
}

/** Each field of a table, refused for one reason. */
export function refuseAll(fields: Fields, refused: string): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, { noEffect: _, ...field }]) => [name, { ...field, refused }]));
}
