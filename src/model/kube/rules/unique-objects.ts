// Two objects of one kind cannot have one name. Namespaces do not part them: units are named after pods, per user.
import type { Location } from "../../../base/diagnostic.js";
import { quote } from "../../../spec/quote.js";
import type { Found } from "../view.js";

export function uniqueObjects(found: readonly Found[]): void {
  const seen = new Map<string, { at: Location; namespace: string }>();
  for (const { object, report, reader } of found) {
    if (object.name === "") continue;
    const key = `${object.kind}/${object.name}`;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, { at: object.at, namespace: object.namespace });
      continue;
    }
    const metadata = reader.object("metadata");
    if (metadata === undefined) continue;
    const { file, line, column } = first.at;
    const hint =
      first.namespace === object.namespace ? "rename one of the two" : "rename one of the two; namespaces do not part names here";
    report.error(
      "duplicate-object",
      metadata.place("name"),
      metadata.pathOf("name"),
      `there is a ${object.kind} ${quote(object.name)} already, at ${file}:${line}:${column}`,
      hint,
    );
  }
}
