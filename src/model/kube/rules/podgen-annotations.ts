// Annotations that mean something to podgen: a misspelt one must not be ignored, nor one that says nothing where it stands.
import { suggest } from "../../../base/suggest.js";
import { quote } from "../../../spec/quote.js";
import type { Reader } from "../../../spec/reader.js";
import type { PodModel } from "../../types.js";
import { ALL, type Annotation } from "../annotations.js";
import type { Found } from "../view.js";

/** Annotations of these domains are podgen's own. */
const OWN = /^([^/]*\.)?podgen\.io\//;

/** Devices by their names of the Container Device Interface: whoever writes one counts on having it. */
const DEVICES = "cdi.k8s.io/";
const BY_HAND = "write resources: { limits: { vendor.com/class=name: 1 } }";

/** podman's own (podman-kube-play(1)), which change what it makes of a pod. */
const PODMAN = /^(?:io\.podman\.annotations\.|io\.containers\.)/;

const HELM_HOOK = "helm.sh/hook";

/** A key that a row knows. `container`: the name in it, of a key that speaks for one. */
interface Known {
  readonly row: Annotation;
  readonly key: string;
  readonly container?: string;
}

export function podgenAnnotations({ object, reader, report }: Found): void {
  const annotations = reader.object("metadata")?.object("annotations");
  if (annotations === undefined) return;
  const known: Known[] = [];
  for (const [key, entry] of annotations.node.entries) {
    const error = (code: string, problem: string, hint?: string): void =>
      report.error(code, entry.key, annotations.pathOf(key), problem, hint);
    const found = rowOf(key);
    if (key === HELM_HOOK) {
      error(
        "refused-annotation",
        "it makes the object a hook of Helm's, made at some step of an installation alone",
        "helm template --no-hooks",
      );
    } else if (found === undefined) {
      if (OWN.test(key)) error("unknown-annotation", `podgen knows no such annotation${meant(key)}`, "remove it");
      else if (PODMAN.test(key))
        report.warning("no-effect", entry.key, annotations.pathOf(key), "has no effect: podgen does not know this annotation of podman's");
      else if (key.startsWith(DEVICES)) error("refused-value", "not supported: podgen takes devices among a container's limits", BY_HAND);
    } else if (found.row.on !== undefined && object.kind !== found.row.on) {
      error("misplaced-annotation", `it says nothing on a ${object.kind}`, `it belongs on a ${found.row.on}`);
    } else if (found.row.on === undefined && object.kind !== "Pod") {
      const hint = reader.object("spec")?.get("template") === undefined ? "it belongs on a Pod" : "it belongs into template.metadata";
      error("misplaced-annotation", `it says nothing on a ${object.kind}`, hint);
    } else if (found.container !== undefined && !containersOf(object as PodModel).includes(found.container)) {
      error("unknown-container", `the pod has no container ${quote(found.container)}${nearest(found.container, object as PodModel)}`);
    } else if (
      found.row.notInit !== undefined &&
      (object as PodModel).initContainers.some((c) => c.name === found.container && c.sidecar !== true)
    ) {
      error("misplaced-annotation", `${quote(found.container ?? "")} is an init container: ${found.row.notInit}`, "remove it");
    } else {
      const node = annotations.scalar(key);
      const problem = typeof node?.value === "string" ? found.row.check(node.value) : undefined;
      if (node !== undefined && problem !== undefined) report.value(node, annotations.pathOf(key), problem);
      known.push(found);
    }
  }
  agreement(known, annotations, report);
}

function rowOf(key: string): Known | undefined {
  for (const row of ALL) {
    if (row.pod.includes(key)) return { row, key };
    const prefix = row.container.find((p) => key.startsWith(p));
    if (prefix !== undefined) return { row, key, container: key.slice(prefix.length) };
  }
  return undefined;
}

/** Two spellings of one thing must say the same: whichever won, somebody would be ignored. */
function agreement(known: readonly Known[], annotations: Reader, report: Found["report"]): void {
  for (const [i, { row, key, container }] of known.entries()) {
    const other = known.slice(0, i).find((k) => k.row === row && k.container === container);
    if (other === undefined || annotations.text(other.key) === annotations.text(key)) continue;
    const problem = `${quote(other.key)} says something else, in line ${annotations.keyPlace(other.key).at.line}`;
    report.error("contradiction", annotations.place(key), annotations.pathOf(key), problem, "keep one of them");
  }
}

function containersOf(pod: PodModel): string[] {
  return [...pod.initContainers, ...pod.containers].map((c) => c.name);
}

function meant(key: string): string {
  return didYouMean(
    key,
    ALL.flatMap((row) => [...row.pod, ...row.container.map((prefix) => `${prefix}CONTAINER`)]),
  );
}

function nearest(name: string, pod: PodModel): string {
  return didYouMean(name, containersOf(pod));
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = suggest(word, candidates);
  return near === undefined ? "" : `, did you mean ${quote(near.word)}?`;
}
