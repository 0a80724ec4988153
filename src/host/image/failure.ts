// Troubles of this machine, as against those of an image: told as ImageError image-store.
import { ImageError } from "../../ports/images.js";

/** A helper program of ours (podrt, flock) failed; the message says how. */
export class HelperError extends Error {}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: make room, then apply again; the download goes on where it stopped.",
  EDQUOT: "The disk quota is used up: make room, then apply again; the download goes on where it stopped.",
  EROFS: "The store's file system is read-only.",
  EACCES: "The store's folder must belong to the user.",
};

/** Runs `work`; a system call or a helper that failed becomes ImageError image-store. Our own bugs stay what they are. */
export async function local<T>(reference: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    const system = error instanceof Error && typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
    if (error instanceof ImageError || !(system || error instanceof HelperError)) throw error;
    const hint = typeof code === "string" ? HINTS[code] : undefined;
    throw new ImageError("image-store", reference, `${reference}: the image store failed: ${message}`, hint, error);
  }
}
