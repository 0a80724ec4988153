// The rows of `podgen image …` that look past the store: at registries, folders and archives.
import type { CommandSpec, OptionSpec } from "./commands.js";

const listing: OptionSpec = {
  name: "output",
  alias: "o",
  type: "string",
  describe: "format of what is printed",
  choices: ["text", "json", "yaml", "name"],
  default: "text",
};
const platform: OptionSpec = { name: "platform", type: "string", describe: "OS/ARCHITECTURE[/VARIANT] instead of this machine's" };
const quiet: OptionSpec = { name: "quiet", alias: "q", type: "boolean", describe: "print no progress" };
/** What copy and push have in common. */
const transfer: readonly OptionSpec[] = [
  {
    name: "format",
    type: "string",
    describe: "family of the manifests: OCI's, or docker's schema 2 (default: as they are)",
    choices: ["oci", "v2s2"],
  },
  { name: "preserve-digests", type: "boolean", describe: "fail rather than change a manifest" },
  { name: "compression-format", type: "string", describe: "compress all layers anew, so", choices: ["gzip", "zstd", "none"] },
  { name: "compression-level", type: "count", describe: "how hard, 1 to 9 (gzip) or 19 (zstd)" },
  { name: "digestfile", type: "string", describe: "write the digest into this file too" },
  quiet,
];

export const PLACE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "image copy",
    positionals: "<source> <destination>",
    describe: "copy an image from one place to another, past the store",
    options: [{ name: "all", alias: "a", type: "boolean", describe: "all platforms, and the index of them" }, platform, ...transfer],
    examples: [
      ["podgen image copy docker://docker.io/library/nginx:1.27 docker://registry.example/nginx:1.27 --all", "from registry to registry"],
      ["podgen image copy docker://quay.io/podman/hello:latest oci-archive:hello.tar", "into a file"],
    ],
    load: () => import("./commands/image/copy.js"),
  },
  {
    name: "image inspect",
    positionals: "<images..>",
    describe: "what images are, by their manifests and configurations; no layer is read",
    options: [
      { name: "raw", type: "boolean", describe: "print the manifest or index as it is" },
      { name: "config", type: "boolean", describe: "print the configuration as it is" },
      platform,
      { name: "tags", type: "boolean", describe: "also list the tags of its repository (--no-tags: do not)", default: true },
    ],
    examples: [["podgen image inspect docker://quay.io/podman/hello:latest", "of a registry, without pulling it"]],
    load: () => import("./commands/image/inspect.js"),
  },
  {
    name: "image list-tags",
    positionals: "<repository>",
    describe: "list the tags of a repository in a registry",
    options: [listing],
    examples: [["podgen image list-tags docker://quay.io/podman/hello", "one line a tag"]],
    load: () => import("./commands/image/list-tags.js"),
  },
  {
    name: "image search",
    positionals: "<term>",
    describe: "search registries for images (REGISTRY/TERM, or TERM in all that are to be searched)",
    options: [{ name: "limit", type: "count", describe: "at most so many", default: 25 }, listing],
    examples: [["podgen image search docker.io/nginx", "by docker's search, or by the registry's catalog"]],
    load: () => import("./commands/image/search.js"),
  },
  {
    name: "image delete",
    positionals: "<images..>",
    describe: "delete images in a registry",
    options: [],
    examples: [["podgen image delete docker://registry.example/app:1.0", "the tag, or with it what it names"]],
    load: () => import("./commands/image/delete.js"),
  },
  {
    name: "image push",
    positionals: "<image> [destination]",
    describe: "send an image of the store to a registry, or to another place",
    options: transfer,
    examples: [
      ["podgen image push registry.example/app:1.0", "where its name says"],
      ["podgen image push app:1.0 docker://registry.example/team/app:1.0", "under another name"],
    ],
    load: () => import("./commands/image/push.js"),
  },
];
