// Which image of podman's store a name means.
import { type StoredName, storedNames } from "../../../base/containers-storage.js";
import { ImageError } from "../../../ports/images.js";
import { imagesOf, type PodmanImage } from "./records.js";
import { podmanStores, type StoreFolder, storeAt } from "./settings.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The stores that a name may be in: the one it says, else podman's own and the additional ones. Throws ImageError. */
export async function storesFor(name: StoredName, env: Env): Promise<StoreFolder[]> {
  if (name.root === undefined) {
    const stores = await podmanStores(env, process.getuid?.() ?? 0);
    return name.driver === undefined ? stores : stores.filter((s) => s.driver === name.driver);
  }
  const found = await storeAt(name.root, name.driver);
  return found === undefined || (name.driver !== undefined && found.driver !== name.driver) ? [] : [found];
}

/** The image, or undefined. Throws ImageError for an id that several begin with. */
export async function findImage(name: StoredName, stores: readonly StoreFolder[], text: string): Promise<PodmanImage | undefined> {
  for (const store of stores) {
    const found = pick(name, await imagesOf(store), text);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of these images the one that is meant. Pure. */
export function pick({ name, digest, id, sure }: StoredName, images: readonly PodmanImage[], text: string): PodmanImage | undefined {
  const names = name === undefined ? [] : storedNames(name);
  if (id !== undefined) {
    const found = images.filter((i) => i.id.startsWith(id));
    const [only] = found;
    if (found.length > 1) {
      const hint = `Write more of it: ${found.map((i) => i.id.slice(0, 16)).join(", ")}.`;
      throw new ImageError("image-not-found", text, `${text}: several images of podman's begin with ${id}`, hint);
    }
    if (only !== undefined || sure === true) return only;
  }
  if (digest !== undefined) {
    const repositories = names.map(repositoryOf);
    const fits = (i: PodmanImage) => names.length === 0 || i.names.some((n) => repositories.includes(repositoryOf(n)));
    return images.find((i) => i.digests.includes(digest) && fits(i));
  }
  for (const whole of names) {
    const found = images.find((i) => i.names.includes(whole));
    if (found !== undefined) return found;
  }
  return undefined;
}

function repositoryOf(name: string): string {
  return name.replace(/@.*$/, "").replace(/:[^/]*$/, "");
}
