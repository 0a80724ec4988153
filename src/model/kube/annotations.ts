// Annotations with a meaning: podgen's own, under podgen.io/, and podman's that say the same. One row each; keys are nowhere else.
import { quote } from "../../spec/quote.js";
import type { Problem } from "../../spec/report.js";

export interface Annotation {
  /** What it asks for and its values, as the man page says it. */
  readonly meaning: string;
  /** Keys that speak for the whole pod, podgen's own first. All spellings mean the same. */
  readonly pod: readonly string[];
  /** What stands before a container's name in a key that speaks for that one, podgen's own first. It goes before the pod's. */
  readonly container: readonly string[];
  /** What is wrong with a value. */
  readonly check: (value: string) => Problem | undefined;
}

/** A check for a few words; those of `refused` are known and not taken: word -> why. */
function oneOf(words: readonly string[], refused: Readonly<Record<string, string>> = {}): Annotation["check"] {
  return (value) => {
    if (words.includes(value)) return undefined;
    const why = Object.hasOwn(refused, value) ? refused[value] : undefined;
    if (why !== undefined) return { code: "refused-value", problem: `is not supported: ${why}` };
    return { problem: `is none of ${words.map(quote).join(", ")}` };
  };
}

export const ANNOTATIONS = {
  sdnotify: {
    meaning: "when a container counts as ready: conmon or ignore, when it was started",
    pod: ["podgen.io/sdnotify", "io.containers.sdnotify"],
    container: ["sdnotify.podgen.io/", "io.containers.sdnotify/"],
    check: oneOf(["conmon", "ignore"], {
      container: "podgen does not hand sd_notify's socket through yet",
      healthy: "podgen has no probes yet that could say when it is healthy",
    }),
  },
} as const satisfies Readonly<Record<string, Annotation>>;

export type AnnotationName = keyof typeof ANNOTATIONS;

/** The rows, for who looks at all of them. */
export const ALL: readonly Annotation[] = Object.values(ANNOTATIONS);

/**
 * What the annotations of a pod say in one matter for `container`, or for the pod as a whole where that is absent. Where several
 * spellings are there they agree: that is the rule's matter (rules/podgen-annotations.ts).
 */
export function annotationOf(annotations: Readonly<Record<string, string>>, name: AnnotationName, container?: string): string | undefined {
  const { pod, container: prefixes }: Annotation = ANNOTATIONS[name];
  const keys = [...(container === undefined ? [] : prefixes.map((prefix) => `${prefix}${container}`)), ...pod];
  const key = keys.find((k) => Object.hasOwn(annotations, k));
  return key === undefined ? undefined : annotations[key];
}
