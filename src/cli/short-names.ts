// Names of images without a registry: settled by what registries.conf says, by asking, or refused with the candidates.
import { type Diagnostic, oncePerPlace } from "../base/diagnostic.js";
import type { RegistryLogin } from "../base/registry-login.js";
import { type ImageUse, imageUses, withImages } from "../model/images.js";
import { dockerName, shortImage } from "../model/kube/image.js";
import type { Model, PodModel } from "../model/types.js";
import { ImageError, type ImageReader, isImageError, type PullPolicy, type ShortName } from "../ports/images.js";

/** Asks a person which of the candidates it shall be; undefined: none of them. */
export type Choose = (short: string, candidates: readonly string[]) => Promise<string | undefined>;

/** The logins of pods that have any of their own, by the pod's name. */
export type PodLogins = ReadonlyMap<string, readonly RegistryLogin[]>;

export interface Named {
  readonly model: Model;
  /** What was asked for: short name -> reference. */
  readonly chosen: ReadonlyMap<string, string>;
}

/** The model with full names; a name that is not settled is a finding at its place. Without short names the model itself. */
export async function nameImages(
  model: Model,
  images: ImageReader,
  logins: PodLogins,
  choose: Choose | undefined,
): Promise<{ readonly diagnostics: readonly Diagnostic[]; readonly value?: Named }> {
  const chosen = new Map<string, string>();
  const known = new Map<string, string | ImageError>();
  const diagnostics: Diagnostic[] = [];
  // One after the other: each may be a question.
  for (const pod of model.pods)
    for (const container of imageUses(pod)) {
      const short = shortImage(container.image);
      if (short === undefined) continue;
      const found =
        known.get(short) ?? (await settle(short, container.imagePullPolicy, { images, logins: logins.get(pod.name), choose, chosen }));
      known.set(short, found);
      if (found instanceof ImageError) diagnostics.push(finding(found, container, pod));
    }
  if (diagnostics.length > 0) return { diagnostics: oncePerPlace(diagnostics) };
  if (known.size === 0) return { diagnostics, value: { model, chosen } };
  const full = (image: string): string => (known.get(image) as string | undefined) ?? image;
  const pods = model.pods.map((p) => withImages(p, full));
  const workloads = model.workloads?.map((w) => ({ ...w, surge: w.surge.map((p) => withImages(p, full)) }));
  return { diagnostics, value: { model: { ...model, pods, ...(workloads === undefined ? {} : { workloads }) }, chosen } };
}

interface Asked {
  readonly images: ImageReader;
  readonly logins?: readonly RegistryLogin[] | undefined;
  readonly choose?: Choose | undefined;
  readonly chosen?: Map<string, string>;
  /** How a candidate is tried, where that is not for a pull (then with Always): throws image-not-found or image-unauthorized for one to pass by. */
  readonly probe?: (candidate: string) => Promise<unknown>;
  /** Candidates are never tried: what is written to, or deleted, is not found out by trying. */
  readonly exact?: boolean;
}

/** The full reference of a short name, or why there is none (short-image, image-not-found, image-config, …). */
export async function settle(short: string, policy: PullPolicy, asked: Asked): Promise<string | ImageError> {
  try {
    const name = await asked.images.longName(short);
    if (name.kind === "settled") return name.reference;
    const built = asked.probe === undefined && asked.exact !== true ? await builtHere(short, asked.images) : undefined;
    if (built !== undefined) return built;
    if (name.kind === "unknown") return unknown(short);
    if (name.ask && asked.choose !== undefined) {
      const choice = await asked.choose(short, name.candidates);
      if (choice === undefined) return several(short, name.candidates);
      asked.chosen?.set(short, choice);
      return choice;
    }
    return name.tryAll && asked.exact !== true ? await firstOf(short, name, policy, asked) : several(short, name.candidates);
  } catch (error) {
    if (isImageError(error)) return error;
    throw error;
  }
}

/** What podman or buildah has built under a name without a registry is of localhost: taken where no file says otherwise. */
async function builtHere(short: string, images: ImageReader): Promise<string | undefined> {
  const reference = `localhost/${short}`;
  try {
    await images.inspect(reference, "Never");
    return reference;
  } catch (error) {
    if (isImageError(error) && error.code === "image-not-found") return undefined;
    throw error;
  }
}

/** The first candidate that has the image; where the policy lets it, one of the store first. */
async function firstOf(
  short: string,
  name: ShortName & { kind: "several" },
  policy: PullPolicy,
  { images, logins, probe }: Asked,
): Promise<string | ImageError> {
  const troubles: string[] = [];
  for (const tried of policy === "Always" ? (["Always"] as const) : (["Never", policy] as const))
    for (const candidate of name.candidates) {
      try {
        await (probe?.(candidate) ?? images.inspect(candidate, tried, logins));
        return candidate;
      } catch (error) {
        // Only one that answers is passed by: a network that is down must not lead to somebody else's image.
        if (!isImageError(error) || !["image-not-found", "image-unauthorized"].includes(error.code)) throw error;
        if (tried === policy) troubles.push(error.message);
      }
    }
  return new ImageError("image-not-found", short, `${short} is in none of the registries to search: ${troubles.join("; ")}`);
}

function unknown(short: string): ImageError {
  const message = `"${short}" does not say which registry it is from, and no alias or unqualified-search-registries of registries.conf does`;
  return new ImageError("short-image", short, message, `write ${dockerName(short)}, or where else it is`);
}

function several(short: string, candidates: readonly string[]): ImageError {
  const message = `"${short}" may be any of ${candidates.join(", ")}`;
  return new ImageError("short-image", short, message, "write one of them; podgen apply in a terminal asks, and keeps the choice");
}

function finding(error: ImageError, container: ImageUse, pod: PodModel): Diagnostic {
  return {
    code: error.code,
    severity: "error",
    message: `pod ${pod.name}, ${container.kind} ${container.name}: ${error.message}`,
    at: container.imageAt,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

/** For who has no machine to ask (validate): what a spec leaves to it. */
export function shortNameWarnings(model: Model): Diagnostic[] {
  const found = model.pods.flatMap(imageUses).flatMap((c) => {
    const short = shortImage(c.image);
    if (short === undefined) return [];
    const message = `"${short}" does not say which registry it is from: registries.conf of each machine decides`;
    return [
      {
        code: "short-image",
        severity: "warning" as const,
        message,
        at: c.imageAt,
        hint: `write ${dockerName(short)}, or where else it is`,
      },
    ];
  });
  return oncePerPlace(found);
}
