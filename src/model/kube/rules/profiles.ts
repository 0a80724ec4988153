// Profiles: a file or a name where, and only where, the type is Localhost; and the old annotation of AppArmor agrees with the field.
import type { Reader } from "../../../spec/reader.js";
import { annotationKey } from "../annotations.js";
import type { PodView } from "../view.js";

const FIELDS = ["seccompProfile", "appArmorProfile"];
const WORDS: Readonly<Record<string, string>> = { RuntimeDefault: "runtime/default", Unconfined: "unconfined" };

export function profiles({ model, spec, containers, report }: PodView): void {
  const contexts = [spec?.object("securityContext"), ...containers.map(({ reader }) => reader.object("securityContext"))];
  for (const profile of contexts.flatMap((context) => FIELDS.flatMap((field) => context?.object(field) ?? []))) {
    const localhost = profile.text("type") === "Localhost";
    const named = profile.text("localhostProfile") ?? "";
    if (localhost && named === "")
      report.error("missing-field", profile.place("type"), profile.pathOf("localhostProfile"), "missing: type is Localhost");
    if (!localhost && named !== "") {
      const problem = `says nothing beside type: ${profile.text("type") ?? ""}`;
      report.error("contradiction", profile.keyPlace("localhostProfile"), profile.pathOf("localhostProfile"), problem, "write Localhost");
    }
  }
  for (const { model: container, reader } of containers) {
    const profile = reader.object("securityContext")?.object("appArmorProfile");
    const key = annotationKey(model.annotations, "apparmor", container.name);
    if (profile === undefined || key === undefined || model.annotations[key] === wordOf(profile)) continue;
    const problem = `the annotation says ${JSON.stringify(model.annotations[key])}`;
    report.error("contradiction", profile.place("type"), profile.pathOf("type"), problem, "keep one of them");
  }
}

function wordOf(profile: Reader): string {
  const type = profile.text("type") ?? "";
  return WORDS[type] ?? `localhost/${profile.text("localhostProfile") ?? ""}`;
}
