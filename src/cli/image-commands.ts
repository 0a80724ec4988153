// The rows of `podgen image …`: the command table's second half.
import type { CommandSpec, OptionSpec } from "./commands.js";

const output: OptionSpec = {
  name: "output",
  alias: "o",
  type: "string",
  describe: "format of what is printed",
  choices: ["text", "wide", "json", "yaml", "name"],
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

export const IMAGE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "image ls",
    aliases: ["list"],
    positionals: "[images..]",
    describe: "list the images in the store",
    options: [output, { name: "digests", type: "boolean", describe: "show digests whole" }],
    examples: [["podgen image ls", "every image, its size and the pods that need it"]],
    load: () => import("./commands/image/ls.js"),
  },
  {
    name: "image pull",
    positionals: "<images..>",
    describe: "get images into the store",
    options: [
      {
        name: "policy",
        type: "string",
        describe: "when to ask the registry, as imagePullPolicy has it",
        choices: ["Always", "IfNotPresent", "Never"],
        default: "Always",
      },
      { name: "quiet", alias: "q", type: "boolean", describe: "print no progress, only digests" },
    ],
    examples: [["podgen image pull docker.io/library/nginx:1.27", "what the tag names now, for this machine"]],
    load: () => import("./commands/image/pull.js"),
  },
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
];
