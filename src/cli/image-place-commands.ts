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
export const transfer: readonly OptionSpec[] = [
  {
    name: "format",
    type: "string",
    describe: "family of the manifests: OCI's, or docker's schema 2 (default: as they are)",
    choices: ["oci", "v2s2"],
  },
  { name: "preserve-digests", type: "boolean", describe: "fail rather than change a manifest" },
  { name: "remove-signatures", type: "boolean", describe: "leave the source's signatures behind" },
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
    name: "image sync",
    positionals: "<source> <destination>",
    describe: "copy many images: a repository, a folder of images, or what a file lists",
    options: [
      { name: "src", alias: "s", type: "string", describe: "what the source is", choices: ["docker", "dir", "oci", "yaml"] },
      { name: "dest", alias: "d", type: "string", describe: "what the destination is", choices: ["docker", "dir", "oci"] },
      { name: "all", alias: "a", type: "boolean", describe: "all platforms of each, and the index of them" },
      { name: "scoped", type: "boolean", describe: "keep the whole names, registry and path, below the destination" },
      { name: "append-suffix", type: "string", describe: "add this to every tag" },
      { name: "dry-run", type: "boolean", describe: "print what would be copied, and copy nothing" },
      { name: "keep-going", type: "boolean", describe: "go on when one image cannot be copied" },
      { name: "format", type: "string", describe: "family of the manifests (default: as they are)", choices: ["oci", "v2s2"] },
      { name: "preserve-digests", type: "boolean", describe: "fail rather than change a manifest" },
      { name: "remove-signatures", type: "boolean", describe: "leave the source's signatures behind" },
      { name: "src-creds", type: "string", describe: "NAME:PASSWORD for the source's registry; others can see it while podgen runs" },
      { name: "dest-creds", type: "string", describe: "the same for the destination's" },
      { name: "authfile", type: "string", describe: "the file with logins, instead of the usual one" },
      {
        name: "src-tls-verify",
        type: "boolean",
        describe: "insist on TLS and a valid certificate of the source's registry (--no-src-tls-verify: do not)",
      },
      {
        name: "dest-tls-verify",
        type: "boolean",
        describe: "insist on TLS and a valid certificate of the destination's registry (--no-dest-tls-verify: do not)",
      },
      quiet,
    ],
    examples: [
      ["podgen image sync --src docker --dest dir --scoped registry.example/team/app /media/usb", "all tags of a repository, onto a stick"],
      ["podgen image sync --src yaml --dest docker images.yaml registry.example/mirror", "what a file lists, as skopeo-sync(1) has it"],
    ],
    load: () => import("./commands/image/sync.js"),
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
