// What a rule is given: an object as typed values and as text with places, and where to put findings.
import type { Reader } from "../../spec/reader.js";
import type { Report } from "../../spec/report.js";
import type { Container, ObjectRef, PodModel } from "../types.js";

/** An object of any kind, the document it was read from, and where its findings go. */
export interface Found {
  readonly object: ObjectRef;
  readonly reader: Reader;
  readonly report: Report;
}

export interface ContainerView {
  readonly model: Container;
  readonly reader: Reader;
}

export interface PodView {
  readonly model: PodModel;
  /** The whole document, or the template in it. */
  readonly reader: Reader;
  /** Where its name stands: its own metadata, or that of the workload that makes it. */
  readonly metadata: Reader | undefined;
  /** `spec`, or undefined where it is missing (and reported). */
  readonly spec: Reader | undefined;
  /** Init containers first. */
  readonly containers: readonly ContainerView[];
  readonly report: Report;
}
