// volumeClaimTemplates: each pod of a StatefulSet has claims of its own, TEMPLATE-SET-NUMBER, which stay when it goes.
import { quote } from "../../../spec/quote.js";
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";
import type { ClaimModel, Volume } from "../../types.js";
import { readClaim } from "../claim.js";
import { dnsLabel } from "../formats.js";
import type { Found } from "../view.js";

/** The claims that the pods of a set have. */
export interface ClaimTemplates {
  /** Of the pod of a number. */
  readonly claims: (index: number) => ClaimModel[];
  /** The same as volumes of that pod. */
  readonly volumes: (index: number) => Volume[];
  readonly templates: readonly Found[];
}

/** Templates without a usable name are reported and left out. */
export function readClaims(spec: Reader | undefined, set: string, report: Report): ClaimTemplates {
  const seen = new Set<string>();
  const templates = (spec?.objects("volumeClaimTemplates") ?? []).flatMap((reader) => {
    const object = readClaim(reader, report);
    const metadata = reader.object("metadata");
    if (object.name === "" || metadata === undefined) return [];
    const error = (problem: string): void => report.error("bad-value", metadata.place("name"), metadata.pathOf("name"), problem);
    // The pod has a volume of this name.
    const bad = dnsLabel(object.name);
    if (bad !== undefined) error(`${quote(object.name)} ${bad.problem}`);
    if (seen.has(object.name)) error(`another claim is named ${quote(object.name)} too`);
    seen.add(object.name);
    return [{ object, report, reader }];
  });
  const nameOf = (template: string, index: number): string => `${template}-${set}-${index}`;
  return {
    templates,
    claims: (index) => templates.map(({ object }) => ({ ...object, name: nameOf(object.name, index) })),
    volumes: (index) =>
      templates.map(({ object: { name, at } }) => {
        return { name, at, source: { kind: "persistentVolumeClaim", claimName: nameOf(name, index), readOnly: false } };
      }),
  };
}
