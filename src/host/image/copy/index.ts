// The copies port: images between registries, folders and archives, without the store.
import { machine } from "node:os";
import type { CopyWishes, ImageCopies, Side } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { readStorage } from "../../facts/storage.js";
import { DEADLINES, type Deadlines } from "../deadlines.js";
import { local } from "../failure.js";
import { hostPlatform } from "../platform.js";
import { parseReference } from "../reference.js";
import { openContent, openSink, registryOf } from "./endpoint.js";

export interface CopiesOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** The podrt that compresses, and packs layers of the store again. */
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `$XDG_CONFIG_HOME/podgen`: limits of layers, and what the store keeps. */
  readonly settings: string;
  readonly deadlines?: Partial<Deadlines>;
}

const STORE = "store:";

/** The store keeps an image under the manifest it came with, unpacked, for this machine. Throws ImageError image-bad for other wishes. */
function refuseChange(to: string, { all, format, compression }: Omit<CopyWishes, "platform">, platform: CopyWishes["platform"]): void {
  const asked = [all && "all platforms", format && "another format", compression && "another compression", platform && "another platform"];
  const first = asked.find((wish) => typeof wish === "string" && wish !== "");
  if (first) throw new ImageError("image-bad", to, `${to}: the store keeps one image as it came, for this machine, and not in ${first}`);
}

/** Nothing is opened or read until it is asked. */
export function createCopies(options: CopiesOptions): ImageCopies {
  const { podrt, env, data, settings } = options;
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const endsFor = (platform: CopyWishes["platform"]) => ({
    env,
    deadlines,
    data,
    podrt,
    platform: platform ?? hostPlatform(process.arch, machine()),
  });
  /** The session of a repository, whose token allows `actions`. */
  const session = async (place: string, actions: string, side?: Side) => {
    const reference = registryOf(place);
    if (reference === undefined) throw new ImageError("image-bad", place, `${place} is in no registry`, `Write docker://HOST/REPOSITORY.`);
    return (await import("../connect.js")).connect(reference, deadlines, env, [`repository:${reference.repository}:${actions}`], side);
  };
  /** One more name for an image that the store has. */
  const tag = async (from: string, to: string) => {
    await (await import("../manage.js")).createImageStore(options).tag(from, to);
    const { facts } = (await new (await import("../store.js")).Store(data).record(to)) ?? {};
    if (facts === undefined) throw new ImageError("image-store", to, `${to}: somebody has taken the name away again`);
    return { digest: facts.digest, size: 0, mediaType: "" };
  };
  return {
    copy: (from, to, { platform, from: source, to: target, ...wishes }, progress) =>
      local(from, async () => {
        if (to.startsWith(STORE)) refuseChange(to, wishes, platform);
        if (to.startsWith(STORE) && from.startsWith(STORE)) return tag(from.slice(STORE.length), to.slice(STORE.length));
        const ends = endsFor(platform);
        const content = await openContent(from, { ...ends, side: source, indexOnly: wishes.indexOnly });
        try {
          if (content.list === true && wishes.all)
            throw new ImageError("image-bad", from, `${from} is a list of images, of which one is copied`, "Copy without --all.");
          if (to.startsWith(STORE))
            return await (await import("./into-store.js")).intoStore(content, to.slice(STORE.length), { ...ends, settings }, progress);
          const { copy } = await import("./copy.js");
          return await copy(content, await openSink(to, content, { ...ends, side: target }), {
            ...wishes,
            platform: ends.platform,
            podrt,
            limits: (await readStorage(settings)).layerLimits,
            progress,
          });
        } finally {
          await content.close?.();
        }
      }),
    inspect: (place, { platform, raw }) =>
      local(place, async () => {
        const ends = endsFor(platform);
        const content = await openContent(place, ends);
        try {
          return await (await import("./inspect.js")).inspect(content, ends.platform, raw);
        } finally {
          await content.close?.();
        }
      }),
    tags: async (place, side) => (await import("./repository.js")).listTags(await session(place, "pull", side)),
    names: (place) =>
      local(place, async () => {
        const reference = parseReference(place);
        if (reference.kind !== "oci") throw new ImageError("image-bad", place, `${place} is no folder of the OCI image layout`);
        // Nothing of an image is read, so that no policy is asked.
        return new (await import("../layout.js")).LayoutSource(reference, endsFor(undefined).platform).names();
      }),
    remove: async (place) => (await import("./repository.js")).remove(await session(place, "pull,delete")),
    searched: async () => (await (await import("../registries/load.js")).loadRegistries(env)).search,
    search: async (registry, term, limit) => {
      const [{ search }, { connect }] = await Promise.all([import("./repository.js"), import("../connect.js")]);
      // Docker Hub's search has a host of its own, and wants no token.
      const at = (host: string) => ({ kind: "registry", text: `${registry}: a search for ${term}`, host, repository: "" }) as const;
      const hub = registry === "docker.io" ? "index.docker.io" : registry;
      const catalog = await connect(at(registry), deadlines, env, ["registry:catalog:*"]);
      return search(await connect(at(hub), deadlines, env, []), catalog, term, limit);
    },
  };
}
