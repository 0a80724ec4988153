// The rows of `podgen image manifest …`: manifest lists, with podman's words.
import type { CommandSpec, OptionSpec } from "./commands.js";
import { transfer } from "./image-place-commands.js";

const all: OptionSpec = { name: "all", type: "boolean", describe: "of an index, all of its images" };
const annotation: OptionSpec = { name: "annotation", type: "array", describe: "KEY=VALUE, in the index (repeatable)" };
/** What can be said of one image of a list. */
const words: readonly OptionSpec[] = [
  { name: "os", type: "string", describe: "the operating system it is for" },
  { name: "arch", type: "string", describe: "the architecture it is for" },
  { name: "variant", type: "string", describe: "the variant of the architecture" },
  { name: "os-version", type: "string", describe: "the version of the operating system" },
  { name: "os-features", type: "array", describe: "what it wants of the operating system (repeatable)" },
  { name: "features", type: "array", describe: "what it wants of the processor (repeatable)" },
  annotation,
];

export const MANIFEST_COMMANDS: readonly CommandSpec[] = [
  {
    name: "image manifest create",
    positionals: "<list> [images..]",
    describe: "make a manifest list, with these images",
    options: [all, { name: "amend", alias: "a", type: "boolean", describe: "add to a list that is there already" }, annotation],
    examples: [["podgen image manifest create app:1.0 docker://registry.example/app:1.0-amd64", "one image; add brings the others"]],
    load: () => import("./commands/image/manifest/create.js"),
  },
  {
    name: "image manifest add",
    positionals: "<list> <images..>",
    describe: "add images to a manifest list",
    options: [all, ...words],
    examples: [["podgen image manifest add app:1.0 store:app:arm --arch arm64 --variant v8", "an image of the store, and for what it is"]],
    load: () => import("./commands/image/manifest/add.js"),
  },
  {
    name: "image manifest annotate",
    positionals: "<list> [digest]",
    describe: "say more of an image of a manifest list",
    options: [...words, { name: "index", type: "boolean", describe: "annotate the list itself" }],
    examples: [["podgen image manifest annotate app:1.0 3f2a8c11d0e5 --variant v7", "by the beginning of its digest"]],
    load: () => import("./commands/image/manifest/annotate.js"),
  },
  {
    name: "image manifest inspect",
    positionals: "<list>",
    describe: "print a manifest list, of the store or of any place",
    options: [],
    examples: [["podgen image manifest inspect docker://docker.io/library/nginx:1.27", "for which platforms it is"]],
    load: () => import("./commands/image/manifest/inspect.js"),
  },
  {
    name: "image manifest push",
    positionals: "<list> [destination]",
    describe: "send a manifest list, with its images, to a registry or another place",
    options: [
      { name: "all", type: "boolean", describe: "with the images (--no-all: the list alone)", default: true },
      { name: "rm", type: "boolean", describe: "remove the list from the store when it is there" },
      ...transfer,
    ],
    examples: [["podgen image manifest push app:1.0 docker://registry.example/team/app:1.0", "the images that are not there are copied"]],
    load: () => import("./commands/image/manifest/push.js"),
  },
  {
    name: "image manifest remove",
    positionals: "<list> <digests..>",
    describe: "take images out of a manifest list",
    options: [],
    examples: [["podgen image manifest remove app:1.0 3f2a8c11d0e5", "by the beginning of its digest"]],
    load: () => import("./commands/image/manifest/remove.js"),
  },
  {
    name: "image manifest rm",
    positionals: "<lists..>",
    describe: "remove manifest lists, and no image",
    options: [],
    examples: [["podgen image manifest rm app:1.0", "its images stay under their own names"]],
    load: () => import("./commands/image/manifest/rm.js"),
  },
  {
    name: "image manifest exists",
    positionals: "<list>",
    describe: "whether there is such a manifest list, by the exit code",
    options: [],
    examples: [["podgen image manifest exists app:1.0", "0: yes; 1: no"]],
    load: () => import("./commands/image/manifest/exists.js"),
  },
];
