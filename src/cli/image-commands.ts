// The rows of `podgen image …`: the command table's second half.
import type { CommandSpec, OptionSpec } from "./commands.js";
import { LOGIN_COMMANDS } from "./image-login-commands.js";
import { MANIFEST_COMMANDS } from "./image-manifest-commands.js";
import { PLACE_COMMANDS } from "./image-place-commands.js";

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
  {
    name: "image rm",
    aliases: ["remove"],
    positionals: "<images..>",
    describe: "remove names of images, and free what no image needs any more; never what a pod needs",
    options: [],
    examples: [["podgen image rm nginx:1.27", "an image under that name"]],
    load: () => import("./commands/image/rm.js"),
  },
  {
    name: "image prune",
    positionals: "",
    describe: "free what neither a name nor a pod needs",
    options: [
      { name: "all", alias: "a", type: "boolean", describe: "also remove every image that no pod needs" },
      { ...output, choices: ["text", "json"] },
    ],
    examples: [["podgen image prune --all", "keep what the pods need"]],
    load: () => import("./commands/image/prune.js"),
  },
  {
    name: "image tag",
    positionals: "<image> <names..>",
    describe: "give an image of the store further names",
    options: [],
    examples: [["podgen image tag nginx:1.27 localhost/web:stable", "one more name for the same image"]],
    load: () => import("./commands/image/tag.js"),
  },
  {
    name: "image untag",
    positionals: "<images..>",
    describe: "take names away, and free nothing yet",
    options: [],
    examples: [["podgen image untag localhost/web:stable", "the image stays under its other names"]],
    load: () => import("./commands/image/untag.js"),
  },
  {
    name: "image history",
    positionals: "<image>",
    describe: "the steps an image was made by, newest first",
    options: [
      { name: "full", type: "boolean", describe: "show commands whole" },
      { ...output, choices: ["text", "json"] },
    ],
    examples: [["podgen image history nginx:1.27", "each step with its layer and size"]],
    load: () => import("./commands/image/history.js"),
  },
  {
    name: "image df",
    positionals: "",
    describe: "what the store takes, and what of it could be freed",
    options: [{ ...output, choices: ["text", "json"] }],
    examples: [["podgen image df", "layers, blobs, cut downloads; each image's own layers"]],
    load: () => import("./commands/image/df.js"),
  },
  {
    name: "image fsck",
    positionals: "",
    describe: "look for damage in the store, and mend it",
    options: [
      { name: "repair", type: "boolean", describe: "remove what is damaged and fetch anew what images then lack" },
      { name: "deep", type: "boolean", describe: "read every byte of every layer, too" },
      { ...output, choices: ["text", "json"] },
    ],
    examples: [["podgen image fsck --deep --repair", "after a disk has failed"]],
    load: () => import("./commands/image/fsck.js"),
  },
  {
    name: "image save",
    positionals: "<images..>",
    describe: "write images of the store into one archive",
    options: [
      { name: "output", alias: "o", type: "string", describe: "the file; - is standard output", default: "-" },
      { name: "format", type: "string", describe: "kind of archive", choices: ["oci-archive", "docker-archive"], default: "oci-archive" },
    ],
    examples: [["podgen image save -o web.tar nginx:1.27 redis:7", "two images, their common layers once"]],
    load: () => import("./commands/image/save.js"),
  },
  {
    name: "image load",
    positionals: "<file>",
    describe: "bring the images of an archive into the store",
    options: [{ name: "name", type: "array", describe: "what its one image is to be called (repeatable)" }],
    examples: [["podgen image load web.tar", "what podgen image save, docker save or podman save wrote"]],
    load: () => import("./commands/image/load.js"),
  },
  {
    name: "image commit",
    positionals: "<container> <name>",
    describe: "make an image of what a container has changed of its root file system",
    options: [
      { name: "author", alias: "a", type: "string", describe: "who made it" },
      { name: "message", alias: "m", type: "string", describe: "a comment for the history" },
      { name: "change", alias: "c", type: "array", describe: "a Dockerfile's instruction about the configuration (repeatable)" },
      { name: "format", alias: "f", type: "string", describe: "family of the manifest", choices: ["oci", "docker"], default: "oci" },
      { name: "pause", alias: "p", type: "boolean", describe: "have the container stand still meanwhile" },
      { name: "iidfile", type: "string", describe: "write the image's id (its configuration's digest) into this file" },
      { name: "quiet", alias: "q", type: "boolean", describe: "print nothing but the digest" },
    ],
    examples: [
      ["podgen image commit web/app localhost/web:patched", "the image of the container app, with what was changed in it"],
      [
        "podgen image commit -p -c CMD=sh -c USER=33 web web:debug",
        "with another command and user, of a container that stands still meanwhile",
      ],
    ],
    load: () => import("./commands/image/commit.js"),
  },
  {
    name: "image mount",
    positionals: "[images..]",
    describe: "mount images to look at their files, in a shell of podgen unshare; without one, list what is mounted",
    options: [{ ...output, choices: ["text", "json"] }],
    examples: [["podgen unshare sh -c 'ls $(podgen image mount nginx:1.27)/etc'", "without a trace afterwards"]],
    load: () => import("./commands/image/mount.js"),
  },
  {
    name: "image unmount",
    aliases: ["umount"],
    positionals: "[images..]",
    describe: "unmount images that image mount has mounted in this shell",
    options: [
      { name: "all", alias: "a", type: "boolean", describe: "all that are mounted here" },
      { name: "force", alias: "f", type: "boolean", describe: "also while somebody is in it" },
    ],
    examples: [["podgen image unmount nginx:1.27", "the rest goes with the shell"]],
    load: () => import("./commands/image/unmount.js"),
  },
  ...PLACE_COMMANDS,
  ...LOGIN_COMMANDS,
  ...MANIFEST_COMMANDS,
];
