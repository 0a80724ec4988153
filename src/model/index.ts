// Documents to the model: kinds, strict fields, values with defaults, rules within and between objects. Pure.
import { type Checked, type Diagnostic, hasErrors } from "../base/diagnostic.js";
import { suggest } from "../base/suggest.js";
import { isNull, type MapEntry, type MapNode, type Node, type SpecDocument } from "../spec/node.js";
import { Path } from "../spec/path.js";
import { quote } from "../spec/quote.js";
import { Reader } from "../spec/reader.js";
import { Report } from "../spec/report.js";
import { walk } from "../spec/walk.js";
import { readAccount } from "./kube/account.js";
import { readClaim } from "./kube/claim.js";
import { readConfigMap, readSecret } from "./kube/config.js";
import { readCron } from "./kube/cron/read.js";
import { LIST_OBJECT } from "./kube/fields/config.js";
import { readJob } from "./kube/job/read.js";
import { INERT_KINDS, KINDS, listedKind, OTHER_KINDS, versionOf } from "./kube/kinds.js";
import { readMetadata } from "./kube/metadata.js";
import { readPod } from "./kube/pod.js";
import { hostPorts } from "./kube/rules/host-ports.js";
import { podClashes, withFreeSurge } from "./kube/rules/pod-clashes.js";
import { podOrder } from "./kube/rules/pod-order.js";
import { podgenAnnotations } from "./kube/rules/podgen-annotations.js";
import { uniqueObjects } from "./kube/rules/unique-objects.js";
import { readServiceObject } from "./kube/service-object.js";
import type { Found, PodView } from "./kube/view.js";
import { readWorkload } from "./kube/workload/read.js";
import type {
  ClaimModel,
  ConfigMapModel,
  CronModel,
  JobModel,
  Model,
  PodModel,
  SecretModel,
  ServiceAccountModel,
  ServiceModel,
  WorkloadKind,
  WorkloadModel,
} from "./types.js";

/**
 * All objects of the documents, or none when any finding is an error. Every finding is given, those of broken objects
 * next to those of good ones. References to ConfigMaps and Secrets that are not here are left to planning, which knows
 * what is installed.
 */
export function buildModel(documents: readonly SpecDocument[]): Checked<Model> {
  const builder = new Builder();
  for (const document of documents) builder.document(document.root);
  return builder.finish();
}

class Builder {
  /** Those of each document. */
  readonly #reports: Report[][] = [];
  readonly #found: Found[] = [];
  /** What stands in them with metadata of its own: templates. */
  readonly #templates: Found[] = [];
  /** Written pods, and of each template with pods one. */
  readonly #views: PodView[] = [];
  readonly #pods: PodModel[] = [];
  readonly #workloads: WorkloadModel[] = [];
  readonly #accounts: ServiceAccountModel[] = [];
  readonly #namespaces: string[] = [];
  readonly #configMaps: ConfigMapModel[] = [];
  readonly #secrets: SecretModel[] = [];
  readonly #claims: ClaimModel[] = [];
  /** Claims of workloads' pods. */
  readonly #made: ClaimModel[] = [];
  readonly #services: ServiceModel[] = [];
  readonly #jobs: JobModel[] = [];
  readonly #crons: CronModel[] = [];

  finish(): Checked<Model> {
    for (const found of [...this.#found, ...this.#templates]) podgenAnnotations(found);
    uniqueObjects(this.#found);
    podClashes(this.#pods, this.#found);
    hostPorts(this.#views);
    podOrder(this.#views, this.#pods);
    const diagnostics = this.#reports.flatMap(findingsOf);
    if (hasErrors(diagnostics)) return { diagnostics };
    const pods = this.#pods;
    const written = new Set(this.#claims.map((c) => c.name));
    const workloads = this.#workloads.map((w) => ({ ...withFreeSurge(w, pods), claims: w.claims.filter((name) => !written.has(name)) }));
    // A claim that is written out under such a name is the one that the pod gets.
    const claims = [...this.#claims, ...this.#made.filter((m) => !written.has(m.name))];
    const made = {
      ...(this.#jobs.length === 0 ? {} : { jobs: this.#jobs }),
      ...(this.#crons.length === 0 ? {} : { crons: this.#crons }),
      ...(workloads.length === 0 ? {} : { workloads }),
      ...(this.#accounts.length === 0 ? {} : { accounts: this.#accounts }),
      ...(this.#namespaces.length === 0 ? {} : { namespaces: this.#namespaces }),
    };
    return {
      value: { pods, configMaps: this.#configMaps, secrets: this.#secrets, claims, services: this.#services, ...made },
      diagnostics,
    };
  }

  document(root: Node): void {
    this.#reports.push([]);
    this.object(root, Path.root);
  }

  /** One object, at the top of a document or in a List. */
  object(node: Node, path: Path): void {
    const report = new Report(maybeSecret(node));
    this.#reports.at(-1)?.push(report);
    if (node.kind !== "map") {
      report.error("wrong-type", node.place, path, `expected an object with apiVersion and kind, got ${report.describe(node)}`);
      return;
    }
    const reader = new Reader(node, path);
    const kind = textOf(node, "kind");
    const listed = listedKind(kind ?? "");
    const type = listed === undefined ? KINDS.get(kind ?? "") : LIST_OBJECT;
    if (type === undefined) {
      reportKind(reader, kind, report);
      return;
    }
    walk(type, node, path, report);
    checkVersion(reader, listed ?? kind ?? "", report);
    if (kind === "List" || listed !== undefined) this.#items(reader, listed);
    else this.#read(kind ?? "", reader, report);
  }

  /** In a typed list objects need not say what they are. */
  #items(list: Reader, kind: string | undefined): void {
    const items = list.get("items");
    if (items?.kind !== "seq") return;
    items.items.forEach((item, i) => {
      if (!isNull(item)) this.object(kind === undefined ? item : withKind(item, kind), list.pathOf("items").child(i));
    });
  }

  #read(kind: string, reader: Reader, report: Report): void {
    if (kind === "Pod") {
      const view = readPod(reader, report);
      this.#pods.push(view.model);
      this.#views.push(view);
      this.#found.push({ object: view.model, report, reader });
    } else if (kind === "ServiceAccount") {
      const object = readAccount(reader);
      this.#accounts.push(object);
      this.#found.push({ object, report, reader });
    } else if (kind === "Namespace") {
      const object = readMetadata("Namespace", reader);
      this.#namespaces.push(object.name);
      this.#found.push({ object, report, reader });
    } else if (isWorkload(kind)) {
      const { model, pods, view, claims, templates } = readWorkload(kind, reader, report);
      this.#made.push(...claims);
      this.#templates.push(...templates);
      this.#workloads.push(model);
      this.#pods.push(...pods);
      if (view !== undefined) this.#templates.push({ object: view.model, report, reader: view.reader });
      if (view !== undefined && pods.length > 0) this.#views.push(view);
      this.#found.push({ object: model, report, reader });
    } else if (kind === "Job") {
      const named = { ...readMetadata("Job", reader), metadata: reader.object("metadata") };
      const { model, pods, view } = readJob(reader, report, named);
      this.#jobs.push(model);
      this.#pods.push(...pods);
      if (view !== undefined) this.#templates.push({ object: view.model, report, reader: view.reader });
      if (view !== undefined && pods.length > 0) this.#views.push(view);
      this.#found.push({ object: model, report, reader });
    } else if (kind === "CronJob") {
      const { model, jobs, pods, view, template } = readCron(reader, report);
      const [first] = jobs;
      this.#crons.push(model);
      this.#jobs.push(...jobs);
      this.#pods.push(...pods);
      if (view !== undefined) this.#templates.push({ object: view.model, report, reader: view.reader });
      if (first !== undefined && template !== undefined) this.#templates.push({ object: first, report, reader: template });
      if (view !== undefined && pods.length > 0) this.#views.push(view);
      this.#found.push({ object: model, report, reader });
    } else if (kind === "ConfigMap") {
      const object = readConfigMap(reader, report);
      this.#configMaps.push(object);
      this.#found.push({ object, report, reader });
    } else if (kind === "Service") {
      const object = readServiceObject(reader, report);
      this.#services.push(object);
      this.#found.push({ object, report, reader });
    } else if (kind === "PersistentVolumeClaim") {
      const object = readClaim(reader, report);
      this.#claims.push(object);
      this.#found.push({ object, report, reader });
    } else {
      const object = readSecret(reader, report);
      this.#secrets.push(object);
      this.#found.push({ object, report, reader });
    }
  }
}

const WORKLOADS: ReadonlySet<string> = new Set<WorkloadKind>([
  "Deployment",
  "ReplicaSet",
  "ReplicationController",
  "StatefulSet",
  "DaemonSet",
]);

function isWorkload(kind: string): kind is WorkloadKind {
  return WORKLOADS.has(kind);
}

/** A List that holds a Secret may show it in the line of any finding: as JSON, all of it can be one line. */
function findingsOf(reports: readonly Report[]): Diagnostic[] {
  const diagnostics = reports.flatMap((r) => r.diagnostics);
  return reports.some((r) => r.secret) ? diagnostics.map((d) => ({ ...d, secret: true })) : diagnostics;
}

/** Also of a misspelt or lost kind, and of a list that has one: on one line of JSON a value stands beside what is wrong. */
function maybeSecret(node: Node): boolean {
  if (node.kind === "seq") return node.items.some(maybeSecret);
  if (node.kind !== "map") return false;
  const kind = textOf(node, "kind");
  const listed = listedKind(kind ?? "");
  const items = node.entries.get("items")?.value;
  if (listed === "Secret") return true;
  if (listed !== undefined && items?.kind === "seq") return items.items.some((item) => maybeSecret(withKind(item, listed)));
  if (kind === "List" || listed !== undefined) return [...node.entries.values()].some((entry) => maybeSecret(entry.value));
  const has = (key: string): boolean => node.entries.has(key);
  if (kind !== undefined && (KINDS.has(kind) || OTHER_KINDS.has(kind) || INERT_KINDS.has(kind))) return kind === "Secret";
  // Without either it may be a torn off piece of anything.
  return /secret/i.test(kind ?? "") || has("data") || has("stringData") || (!has("kind") && !has("apiVersion"));
}

/** The object with its list's kind and version, where it says none itself. */
function withKind(node: Node, kind: string): Node {
  if (node.kind !== "map") return node;
  const said = (text: string): MapEntry => ({
    key: node.place,
    value: { kind: "scalar", place: node.place, text, plain: true, value: text },
  });
  return { ...node, entries: new Map([["apiVersion", said(versionOf(kind))], ["kind", said(kind)], ...node.entries]) };
}

function textOf(node: MapNode, key: string): string | undefined {
  const value = node.entries.get(key)?.value;
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;
}

/** Why a kind is not taken: none, not text, known to Kubernetes, or unknown. */
function reportKind(reader: Reader, kind: string | undefined, report: Report): void {
  const node = reader.get("kind");
  const add = (code: string, problem: string, hint?: string): void =>
    report.error(code, reader.place("kind"), reader.pathOf("kind"), problem, hint);
  const taken = `podgen takes ${[...KINDS.keys()].join(", ")}`;
  if (node === undefined) add("missing-field", "missing", taken);
  else if (kind === undefined) add("wrong-type", `expected text, got ${report.describe(node)}`);
  else if (OTHER_KINDS.has(kind)) add("refused-kind", `podgen does not take a ${kind} yet`, OTHER_KINDS.get(kind));
  else if (isInert(kind, reader))
    report.warning("no-effect", reader.place("kind"), reader.pathOf("kind"), `a ${kind} has no effect: ${INERT_KINDS.get(kind)?.why}`);
  else {
    const near = suggest(kind, [...KINDS.keys(), ...OTHER_KINDS.keys()]);
    add("unknown-kind", `unknown kind ${quote(kind)}${near === undefined ? "" : `, did you mean ${quote(near.word)}?`}`, taken);
  }
}

function isInert(kind: string, reader: Reader): boolean {
  const inert = INERT_KINDS.get(kind);
  return inert !== undefined && reader.text("apiVersion")?.startsWith(`${inert.group}/`) === true;
}

function checkVersion(reader: Reader, kind: string, report: Report): void {
  const version = reader.text("apiVersion");
  if (version === undefined || version === versionOf(kind)) return;
  report.error(
    "bad-value",
    reader.place("apiVersion"),
    reader.pathOf("apiVersion"),
    `${quote(version)} is not the version of a ${kind}`,
    `write ${versionOf(kind)}`,
  );
}
