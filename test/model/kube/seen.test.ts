// Every field that podgen honours is written by a test that runs a real systemd: session, host or machine level.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { KINDS } from "../../../src/model/kube/kinds.js";
import type { Type } from "../../../src/spec/schema.js";

/** Honoured fields that no running container can show, and where they are tested instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "SecurityContext.appArmorProfile":
    "the kernel of CI's session level has no AppArmor: plans by test/plan/confinement.test.ts, podrt's side by test/machine/apparmor.test.ts",
  "PodSecurityContext.appArmorProfile": "as of the container",
  "SecurityContext.seLinuxOptions": "without effect where SELinux is off, refused where it is on: test/plan/confinement.test.ts",
  "PodSecurityContext.seLinuxOptions": "as of the container",
  "SELinuxOptions.role": "as seLinuxOptions",
};

/** All text of the levels' tests; `\n` in a string of theirs starts a line as in the YAML that it is. */
function texts(): string {
  const files = ["session", "host", "machine"].flatMap((level) =>
    readdirSync(`test/${level}`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(`test/${level}/${name}`, "utf8")),
  );
  return files.join("\n").replaceAll("\\n", "\n");
}

/** `Container.tty` of all that is reachable from the kinds, but not inside of what is refused or has no effect. */
function honoured(): string[] {
  const seen = new Set<Type>();
  const out: string[] = [];
  const visit = (type: Type): void => {
    if (typeof type === "string" || seen.has(type)) return;
    seen.add(type);
    if (type.kind !== "object") {
      visit(type.of.type);
      return;
    }
    for (const [name, field] of type.fields) {
      if (field.refused !== undefined || field.noEffect !== undefined) continue;
      out.push(`${type.name}.${name}`);
      visit(field.type);
    }
  };
  for (const kind of KINDS.values()) visit(kind);
  return [...new Set(out)];
}

test("every honoured field is written by a test at session, host or machine level", () => {
  const all = texts();
  const fields = honoured();
  assert.ok(fields.length > 150, `${fields.length}`);
  const unseen = fields.filter((path) => {
    const name = path.slice(path.indexOf(".") + 1).replace(/[.$]/g, "\\$&");
    return !new RegExp(`(?<![\\w.])["']?${name}["']?\\s*:`).test(all);
  });
  assert.deepEqual(unseen.sort(), Object.keys(ELSEWHERE).sort());
});
