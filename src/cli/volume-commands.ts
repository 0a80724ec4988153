// The rows of `podgen volume …`.
import type { CommandSpec } from "./commands.js";

export const VOLUME_COMMANDS: readonly CommandSpec[] = [
  {
    name: "volume ls",
    aliases: ["list"],
    positionals: "",
    describe: "list the volumes of claims, and which pods use them",
    options: [
      {
        name: "output",
        alias: "o",
        type: "string",
        describe: "format of what is printed",
        choices: ["text", "wide", "json", "yaml", "name"],
        default: "text",
      },
    ],
    examples: [["podgen volume ls -o wide", "with their folders"]],
    load: () => import("./commands/volume/ls.js"),
  },
  {
    name: "volume rm",
    aliases: ["remove", "delete"],
    positionals: "<volumes..>",
    describe: "remove volumes with all their files, and forget their claims",
    options: [{ name: "ignore-not-found", type: "boolean", describe: "no error for what is not there" }],
    examples: [["podgen volume rm data", "once no pod uses it"]],
    load: () => import("./commands/volume/rm.js"),
  },
];
