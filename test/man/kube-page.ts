// podgen-kube(5) from the field tables: the page cannot say other than what the code does.
import { ALL } from "../../src/model/kube/annotations.js";
import { INERT_KINDS, KINDS, OTHER_KINDS } from "../../src/model/kube/kinds.js";
import { KNOWN_KINDS } from "../../src/model/kube/known-kinds.js";
import { childrenOf, type Entry, kindEntry, rulesOf } from "../../src/model/kube/reference.js";
import type { ObjectType } from "../../src/spec/schema.js";
import { VARIABLES } from "./kube-variables.js";

/** roff's own characters in plain text. */
function roff(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .replace(/^([.'])/, "\\&$1"); // prettier-ignore
}

/** Types that were described already, and where. */
type Told = Map<ObjectType, string>;

/** Every field below an entry, depth first; what is refused or has no effect is not gone into, nor a type twice. */
function rows(entry: Entry, told: Told): string[] {
  return childrenOf(entry).flatMap((c) => {
    const inner = c.fate === "honoured" ? c.inner : undefined;
    const before = inner === undefined ? undefined : told.get(inner);
    if (inner !== undefined && before === undefined) told.set(inner, `${entry.kind.name}'s ${c.path}`);
    const line = [".TP", `.B ${roff(c.path)}`, roff(meaning(c, before))];
    return inner === undefined || before !== undefined ? line : [...line, ...rows(c, told)];
  });
}

function meaning({ about, fate, reason, type, field }: Entry, before: string | undefined): string {
  const says = about === undefined ? "" : `${about}. `;
  const rules = (field === undefined ? [] : rulesOf(field)).map((rule) => ` ${rule}`).join("");
  if (fate === "refused") return `${says}Refused: ${reason}.${rules}`;
  if (fate === "no effect") return `${says}Without effect: ${reason}.${rules}`;
  const same = before === undefined ? "" : ` Its fields are those of ${before}.`;
  return `${says}Honoured, ${type}${field?.required ? ", required" : ""}.${rules}${same}`;
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
    "Numbers are read as Kubernetes reads them: 0644 and 0o644 are octal. Names of images are full (docker.io/library/nginx:1.27), short where registries.conf settles them (\\fBpodgen\\-registries\\fR(5)), oci:/PATH[:REF] for an OCI layout, docker\\-archive:/PATH[:REF] for a file of docker save, or containers\\-storage:NAME for an image of the same user\\(aqs podman (\\fBpodgen\\-image\\fR(1), IMAGES OF PODMAN).",
    ".PP",
    "Fields are listed as paths; [] stands for each item of a list. \\fBpodgen explain\\fR says the same of one field, \\fBpodgen schema\\fR says it to an editor.",
  ];
  const told: Told = new Map();
  for (const kind of KNOWN_KINDS.filter((k) => KINDS.has(k.name)))
    out.push(`.SH ${roff(kind.name.toUpperCase())}`, ...rows(kindEntry(kind), told));
  out.push(".SH KINDS THAT ARE REFUSED", "What to do instead is said too; \\fBpodgen explain\\fR knows the fields of the first ones.");
  const known = KNOWN_KINDS.map((k) => k.name).filter((name) => !KINDS.has(name));
  for (const name of [...known, ...[...OTHER_KINDS.keys()].filter((n) => !known.includes(n) && !KINDS.has(n))])
    out.push(".TP", `.B ${roff(name)}`, `${roff(capital(OTHER_KINDS.get(name) ?? ""))}.`);
  out.push(".SH KINDS WITHOUT EFFECT", "Taken with a warning; their fields are not looked at.");
  for (const [name, { group, why }] of INERT_KINDS) out.push(".TP", `.B ${roff(`${name} (${group})`)}`, `${roff(capital(why))}.`);
  out.push(...VARIABLES);
  out.push(
    ".SH ANNOTATIONS",
    "Of a Pod, where nothing else is said. Another annotation under podgen.io/, and one of these on another object, is an error; two spellings that differ are one too. All other annotations are free, but for devices under cdi.k8s.io/, which are refused so far; and others of podman\\(aqs (io.podman.annotations., io.containers.), which have no effect and a warning that says so. With the name of a container after the / it speaks for that one, and goes before what is said for the pod.",
  );
  for (const { pod, container, meaning } of ALL)
    out.push(".TP", `.B ${roff([...pod, ...container.map((prefix) => `${prefix}CONTAINER`)].join(", "))}`, `${roff(meaning)}.`);
  out.push(
    ".SH SEE ALSO",
    "\\fBpodgen\\fR(1), \\fBpodgen\\-explain\\fR(1), \\fBpodgen\\-schema\\fR(1), \\fBpodgen\\-registries\\fR(5), \\fBpodgen\\-units\\fR(7)",
    "",
  );
  return out.join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
