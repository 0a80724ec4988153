// A variable has a value or one source; an envFrom has one source; a name given twice is worth a warning.

import { quote } from "../../../spec/quote.js";
import type { Reader } from "../../../spec/reader.js";
import type { PodView } from "../view.js";

const REFS = ["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"];
const FROM_REFS = ["configMapRef", "secretRef"];

export function envSources(view: PodView): void {
  for (const { reader } of view.containers) {
    for (const env of reader.objects("env")) checkVariable(env, view);
    for (const from of reader.objects("envFrom")) checkOne(from, FROM_REFS, view);
    duplicates(reader, view);
  }
}

function checkVariable(env: Reader, view: PodView): void {
  const from = env.object("valueFrom");
  // As in Kubernetes: an empty value next to valueFrom is no value.
  if (from !== undefined && env.get("value") !== undefined && env.text("value") !== "")
    view.report.error("conflicting-fields", env.keyPlace("valueFrom"), env.path, "has both value and valueFrom", "keep one of the two");
  if (from !== undefined) checkOne(from, REFS, view);
}

function checkOne(reader: Reader, fields: readonly string[], { report }: PodView): void {
  const present = fields.filter((f) => reader.get(f) !== undefined);
  const [, second] = present;
  if (second !== undefined)
    report.error(
      "conflicting-fields",
      reader.keyPlace(second),
      reader.path,
      `has ${present.join(" and ")}, but takes one`,
      "keep one of them",
    );
  // An unknown field in it is already reported, and was surely meant as the source.
  else if (present.length === 0 && [...reader.node.entries.keys()].every((k) => k === "prefix"))
    report.error("missing-field", reader.node.place, reader.path, `names no source: ${fields.slice(0, 2).join(" or ")}`);
}

function duplicates(container: Reader, { report }: PodView): void {
  const seen = new Map<string, number>();
  for (const env of container.objects("env")) {
    const name = env.text("name") ?? "";
    const first = seen.get(name);
    if (first !== undefined && name !== "")
      report.warning(
        "duplicate-env",
        env.place("name"),
        env.pathOf("name"),
        `${quote(name)} is set in line ${first} already; the later one counts`,
      );
    seen.set(name, env.place("name").at.line);
  }
}
