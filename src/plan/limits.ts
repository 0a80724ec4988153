// What podrt and the kernel take of one container: refused here, because a start that fails says so much later.
import type { ImageFacts } from "../base/facts.js";
import { type PodContext, refuse } from "./context.js";
import type { PlannedContainer } from "./types.js";

/** Bytes of one argument or variable with its NUL (execve(2), MAX_ARG_STRLEN). */
export const WORD_MAX = 128 * 1024;

/** Bytes of what may be long in a bundle; podrt reads twice that (native/lib/bundle.h), for what is left out of the count. */
export const BUNDLE_MAX = 4 * 1024 * 1024;

/** Layers of an overlay (the kernel's OVL_MAX_STACK). */
export const LAYERS_MAX = 500;

type At = Parameters<typeof refuse>[2];

/** Refuses a word that cannot be passed to a program. `bytes`: its length in UTF-8. */
export function checkWord(context: PodContext, what: string, bytes: number, at: At): void {
  if (bytes < WORD_MAX) return;
  refuse(context, "too-large", at, `${what} has ${bytes} bytes; ${WORD_MAX - 1} is the most`, "mount long text as a file of a volume");
}

/** Refuses a container whose bundle podrt would not read or could not mount. */
export function checkBundle(context: PodContext, container: PlannedContainer, at: At): void {
  const { args, env, secretEnv, mounts, files, image } = container;
  // As in the bundle, where secretEnv and files are text within text.
  const bytes = lengthOf(JSON.stringify([args, env, mounts, JSON.stringify(secretEnv), JSON.stringify(files)]));
  const what = `container "${container.name}"`;
  if (bytes > BUNDLE_MAX)
    refuse(
      context,
      "too-large",
      at,
      `${what}: its arguments, variables, mounts and the paths of its files have ${bytes} bytes together; ${BUNDLE_MAX} is the most`,
      "take fewer keys: items of a volume instead of all, env instead of envFrom; or mount a folder of the host",
    );
  checkLayers(context, what, image, at);
}

/** Refuses an image of more layers than overlay takes. */
export function checkLayers(context: PodContext, what: string, image: ImageFacts, at: At): void {
  const layers = new Set(image.layers).size;
  if (layers > LAYERS_MAX) refuse(context, "too-large", at, `${what}: its image has ${layers} layers; ${LAYERS_MAX} is the most`);
}

/** Bytes of a text in UTF-8. */
export function lengthOf(text: string): number {
  return Buffer.byteLength(text);
}
