// The copies port: images between registries, folders and archives, without the store.
import { machine } from "node:os";
import type { CopyWishes, ImageCopies } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import { DEADLINES, type Deadlines } from "../deadlines.js";
import { local } from "../failure.js";
import { hostPlatform } from "../platform.js";
import { copy } from "./copy.js";
import { openContent, openSink, registryOf } from "./endpoint.js";

export interface CopiesOptions {
  /** `$XDG_DATA_HOME/podgen`; the store is `storage` in it. */
  readonly data: string;
  /** The podrt that compresses, and packs layers of the store again. */
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines?: Partial<Deadlines>;
}

/** Nothing is opened or read until it is asked. */
export function createCopies(options: CopiesOptions): ImageCopies {
  const { podrt, env, data } = options;
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const endsFor = (platform: CopyWishes["platform"]) => ({
    env,
    deadlines,
    data,
    podrt,
    platform: platform ?? hostPlatform(process.arch, machine()),
  });
  /** The session of a repository, whose token allows `actions`. */
  const session = async (place: string, actions: string) => {
    const reference = registryOf(place);
    if (reference === undefined) throw new ImageError("image-bad", place, `${place} is in no registry`, `Write docker://HOST/REPOSITORY.`);
    return (await import("../connect.js")).connect(reference, deadlines, env, [`repository:${reference.repository}:${actions}`]);
  };
  return {
    copy: (from, to, { platform, ...wishes }, progress) =>
      local(from, async () => {
        const ends = endsFor(platform);
        const content = await openContent(from, ends);
        try {
          return await copy(content, await openSink(to, content, ends), { ...wishes, platform: ends.platform, podrt, progress });
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
    tags: async (place) => (await import("./repository.js")).listTags(await session(place, "pull")),
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
