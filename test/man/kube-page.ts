// podgen-kube(5) from the field tables: the page cannot say other than what the code does.
import { ALL } from "../../src/model/kube/annotations.js";
import { KINDS } from "../../src/model/kube/kinds.js";
import type { Field, ObjectType, Type } from "../../src/spec/schema.js";

interface Row {
  readonly path: string;
  readonly field: Field;
}

/** roff's own characters in plain text. */
function roff(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .replace(/^([.'])/, "\\&$1"); // prettier-ignore
}

/** Every field below a type, depth first; what is refused or has no effect is not gone into. */
function rows(type: Type, path: string, seen: readonly ObjectType[]): Row[] {
  if (typeof type === "string") return [];
  if (type.kind === "list") return rows(type.of.type, `${path}[]`, seen);
  if (type.kind === "map") return rows(type.of.type, `${path}.*`, seen);
  if (seen.includes(type)) return [];
  return [...type.fields].flatMap(([name, field]) => {
    const here = path === "" ? name : `${path}.${name}`;
    const inner = field.refused === undefined && field.noEffect === undefined ? rows(field.type, here, [...seen, type]) : [];
    return [{ path: here, field }, ...inner];
  });
}

function typeName(type: Type): string {
  if (typeof type === "string") return type;
  if (type.kind === "list") return `list of ${typeName(type.of.type)}`;
  return type.kind === "map" ? `map of ${typeName(type.of.type)}` : type.name;
}

function meaning(field: Field): string {
  const fine = field.fine === undefined ? "" : ` Taken as it is: ${field.fine.map(String).join(", ")}.`;
  if (field.refused !== undefined) return `Refused: ${field.refused}.${fine}`;
  if (field.noEffect !== undefined) return `Without effect: ${field.noEffect}.`;
  const parts = [`Honoured, ${typeName(field.type)}${field.required ? ", required" : ""}.`];
  if (field.values !== undefined) parts.push(`One of: ${field.values.map((v) => (v === "" ? '""' : v)).join(", ")}.`);
  if (field.min !== undefined && field.max !== undefined) parts.push(`From ${field.min} to ${field.max}.`);
  if (field.note !== undefined) parts.push(field.note);
  return parts.join(" ");
}

/** The whole page, roff. */
export function kubePage(): string {
  const out = [
    '.TH "PODGEN\\-KUBE" "5" "" "podgen 0.1.0" "podgen"',
    ".SH NAME",
    "podgen\\-kube \\- the Kubernetes YAML that podgen takes",
    ".SH DESCRIPTION",
    "A spec is YAML or JSON: one or more documents in files, folders, on standard input or behind a URL. Every field of Kubernetes is honoured, taken without effect and a warning that says so, or refused by name and place; an unknown field is an error. Nothing is ignored in silence.",
    ".PP",
    "Numbers are read as Kubernetes reads them: 0644 and 0o644 are octal. Names of images are full (docker.io/library/nginx:1.27), short where registries.conf settles them (\\fBpodgen\\-registries\\fR(5)), or oci:/PATH[:REF] for an OCI layout and docker\\-archive:/PATH[:REF] for a file of docker save.",
    ".PP",
    "Fields are listed as paths; [] stands for each item of a list.",
  ];
  for (const [kind, type] of KINDS) {
    out.push(`.SH ${roff(kind.toUpperCase())}`);
    for (const { path, field } of rows(type, "", [])) out.push(".TP", `.B ${roff(path)}`, roff(meaning(field)));
  }
  out.push(
    ".SH ANNOTATIONS",
    "Of a Pod. Another annotation under podgen.io/, and one of these on another object, is an error; two spellings that differ are one too. All other annotations are free. With the name of a container after the / it speaks for that one, and goes before what is said for the pod.",
  );
  for (const { pod, container, meaning } of ALL)
    out.push(".TP", `.B ${roff([...pod, ...container.map((prefix) => `${prefix}CONTAINER`)].join(", "))}`, `${roff(meaning)}.`);
  out.push(".SH SEE ALSO", "\\fBpodgen\\fR(1), \\fBpodgen\\-registries\\fR(5), \\fBpodgen\\-units\\fR(7)", "");
  return out.join("\n");
}
