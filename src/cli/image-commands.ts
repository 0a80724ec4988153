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
];
