// The command line as data: one row per command. yargs, the man pages' test and completion all read this table.
import type { Args } from "./args.js";
import type { Context } from "./context.js";
import { IMAGE_COMMANDS } from "./image-commands.js";
import { VOLUME_COMMANDS } from "./volume-commands.js";

export interface OptionSpec {
  readonly name: string;
  readonly alias?: string;
  /** A duration is given in seconds or as 10s, 2m, 1h, and handed on in seconds (values.ts). */
  readonly type: "string" | "boolean" | "duration" | "count" | "array";
  readonly describe: string;
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
}

export interface CommandSpec {
  /** One word, or a group's and its own: `image ls`. */
  readonly name: string;
  /** Other names; of a member of a group without the group's. */
  readonly aliases?: readonly string[];
  /** yargs' notation: `<pod>` required, `[pod]` optional, `[files..]` any number. */
  readonly positionals: string;
  readonly describe: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly (readonly [string, string])[];
  readonly load: () => Promise<{ run(args: Args, context: Context): Promise<number> }>;
}

const file: OptionSpec = { name: "filename", alias: "f", type: "array", describe: "a spec: file, folder, http(s) URL or - (repeatable)" };
const kustomize: OptionSpec = {
  name: "kustomize",
  alias: "k",
  type: "array",
  describe: "a folder with a kustomization.yaml, by the program kustomize or kubectl (repeatable)",
};
const recursive: OptionSpec = { name: "recursive", alias: "R", type: "boolean", describe: "look into folders of folders too" };
const variables: readonly OptionSpec[] = [
  { name: "set", type: "array", describe: "NAME=VALUE: replace ${NAME} in specs; NAME: by what it is in the environment (repeatable)" },
  { name: "env-file", type: "array", describe: "a file of NAME=VALUE lines, to replace ${NAME} in specs (repeatable)" },
  { name: "values", type: "array", describe: "a YAML map of values, to replace ${NAME} in specs (repeatable)" },
];
const output: OptionSpec = {
  name: "output",
  alias: "o",
  type: "string",
  describe: "format of what is printed",
  choices: ["text", "wide", "json", "yaml", "name"],
  default: "text",
};
const outputShort: OptionSpec = { ...output, choices: ["text", "json"] };
const planOutput: OptionSpec = {
  name: "output",
  alias: "o",
  type: "string",
  describe: "text, json, or a file to keep the plan in, for podgen apply FILE",
  default: "text",
};
const timeout: OptionSpec = {
  name: "timeout",
  type: "duration",
  describe: "how long a pod may take until it is ready: seconds, or 10s, 2m, 1h",
  default: 60,
};
/** Where the pods' probes are known. */
const applyTimeout: OptionSpec = {
  name: "timeout",
  type: "duration",
  describe: "how long a pod may take until it is ready: seconds, or 10s, 2m, 1h (60s, and what its probes may need)",
};
const prune: OptionSpec = {
  name: "prune",
  type: "boolean",
  describe: "also delete pods that were applied from these files and stand there no more",
};

const yes: OptionSpec = { name: "yes", alias: "y", type: "boolean", describe: "with --prune: also where that is more than five at a time" };

/** What a difference is shown of: units where neither is said. */
const shown: readonly OptionSpec[] = [
  { name: "specs", type: "boolean", describe: "show what of the specs themselves is another than was applied last" },
  { name: "units", type: "boolean", describe: "show what becomes of units and bundles: the default, and with --specs both" },
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "apply",
    aliases: ["play"],
    positionals: "[files..]",
    describe: "make what runs be what the specs say",
    options: [
      file,
      kustomize,
      recursive,
      ...variables,
      { name: "dry-run", type: "boolean", describe: "show what would change, change nothing" },
      prune,
      yes,
      { name: "adopt", type: "boolean", describe: "take over units of these names that are not podgen's (the old file is saved)" },
      { name: "wait", type: "boolean", describe: "wait until the pods are ready and judge them (--no-wait: do not)", default: true },
      applyTimeout,
      { name: "detailed-exitcode", type: "boolean", describe: "exit 2 when something changed" },
      outputShort,
    ],
    examples: [
      ["podgen apply web.yaml", "start or update the pods of a file"],
      ["podgen apply web.yaml --env-file prod.env --set TAG=1.27", "with values for ${NAME} in the file"],
      ["podgen apply --dry-run ./pods", "what a folder would change"],
    ],
    load: () => import("./commands/apply.js"),
  },
  {
    name: "diff",
    positionals: "[files..]",
    describe: "what apply would change; exit 0 nothing, 1 something, 2 an error",
    options: [file, kustomize, recursive, ...variables, prune, ...shown, outputShort],
    examples: [
      ["podgen diff web.yaml", "units, bundles and which containers would restart"],
      ["podgen diff --specs web.yaml", "what of the spec is another, object by object"],
    ],
    load: () => import("./commands/diff.js"),
  },
  {
    name: "plan",
    positionals: "[files..]",
    describe: "diff, and keep what it has shown for apply; exit 0 nothing, 1 something, 2 an error",
    options: [file, kustomize, recursive, ...variables, prune, ...shown, planOutput],
    examples: [
      ["podgen plan web.yaml -o web.plan", "what apply would change, kept in a file"],
      ["podgen apply web.plan", "just that, or nothing where anything has moved since"],
    ],
    load: () => import("./commands/plan.js"),
  },
  {
    name: "validate",
    positionals: "[files..]",
    describe: "check specs without a machine",
    options: [file, kustomize, recursive, ...variables, outputShort],
    examples: [["podgen validate web.yaml", "every finding with its place"]],
    load: () => import("./commands/validate.js"),
  },
  {
    name: "explain",
    positionals: "[field]",
    describe: "what a field of a spec means, and what becomes of it here",
    options: [{ name: "recursive", type: "boolean", describe: "the fields of fields too" }, outputShort],
    examples: [
      ["podgen explain pod.spec.containers.ports", "one field and the fields below it"],
      ["podgen explain", "the kinds there are"],
    ],
    load: () => import("./commands/explain.js"),
  },
  {
    name: "schema",
    positionals: "[kind]",
    describe: "a JSON Schema of the specs that podgen takes, for editors",
    options: [],
    examples: [["podgen schema > podgen.schema.json", "for yaml-language-server: # yaml-language-server: $schema=podgen.schema.json"]],
    load: () => import("./commands/schema.js"),
  },
  {
    name: "generate",
    positionals: "[files..]",
    describe: "write the units and bundles into a folder instead of installing them",
    options: [file, kustomize, recursive, ...variables, { name: "directory", alias: "d", type: "string", describe: "folder to write to" }],
    examples: [["podgen generate web.yaml -d out", "look at what apply would install"]],
    load: () => import("./commands/generate.js"),
  },
  {
    name: "delete",
    aliases: ["down"],
    positionals: "[pods..]",
    describe: "stop pods and remove what podgen made for them; volumes stay",
    options: [
      file,
      kustomize,
      recursive,
      ...variables,
      { name: "ignore-not-found", type: "boolean", describe: "no error for what is not there" },
      outputShort,
    ],
    examples: [["podgen delete web", "the pod web"]],
    load: () => import("./commands/delete.js"),
  },
  {
    name: "status",
    positionals: "[pods..]",
    describe: "state of pods and their containers",
    options: [
      {
        name: "watch",
        alias: "w",
        type: "boolean",
        describe: "again whenever something changes: a live view, or a line of JSON per change",
      },
      output,
    ],
    examples: [["podgen status web", "one pod, its containers and ports"]],
    load: () => import("./commands/status.js"),
  },
  {
    name: "ps",
    positionals: "[pods..]",
    describe: "list containers",
    options: [output],
    examples: [["podgen ps", "all containers of all pods"]],
    load: () => import("./commands/ps.js"),
  },
  {
    name: "events",
    positionals: "[pods..]",
    describe: "what has happened to pods and their containers: starts, ends, failures",
    options: [
      { name: "watch", alias: "w", type: "boolean", describe: "what happens from now on, until Ctrl-C" },
      { name: "since", type: "string", describe: "from then on, as journalctl takes it (-1h, today, a date)" },
      { name: "tail", type: "count", describe: "the last so many (100, unless --since or --watch is given)" },
      outputShort,
    ],
    examples: [["podgen events --watch -o json", "a line of JSON for each"]],
    load: () => import("./commands/events.js"),
  },
  {
    name: "logs",
    positionals: "<pod>",
    describe: "what containers have written, from the journal (POD or POD/CONTAINER)",
    options: [
      { name: "follow", alias: "f", type: "boolean", describe: "go on as lines come" },
      { name: "tail", alias: "n", type: "count", describe: "only the last so many lines" },
      { name: "since", type: "string", describe: "only since then, as journalctl takes it" },
      { name: "timestamps", alias: "t", type: "boolean", describe: "put the time in front" },
      outputShort,
    ],
    examples: [["podgen logs -f web/app", "follow one container"]],
    load: () => import("./commands/logs.js"),
  },
  {
    name: "exec",
    positionals: "<pod> [command..]",
    describe: "run a command in a container (POD or POD/CONTAINER)",
    options: [
      { name: "interactive", alias: "i", type: "boolean", describe: "pass standard input on" },
      { name: "tty", alias: "t", type: "boolean", describe: "give it a terminal" },
      { name: "container", alias: "c", type: "string", describe: "the container, where the pod has several" },
      { name: "env", alias: "e", type: "array", describe: "NAME=VALUE (repeatable)" },
      { name: "workdir", alias: "w", type: "string", describe: "folder to start in" },
      { name: "user", alias: "u", type: "string", describe: "user[:group] inside the container" },
    ],
    examples: [["podgen exec -it web/app -- sh", "a shell"]],
    load: () => import("./commands/exec.js"),
  },
  {
    name: "attach",
    positionals: "<pod>",
    describe: "standard input for a container that asks for it (stdin: true), and what it writes from now on (POD or POD/CONTAINER)",
    options: [
      { name: "container", alias: "c", type: "string", describe: "the container, where the pod has several" },
      { name: "no-stdin", type: "boolean", describe: "show what it writes, until it ends" },
      { name: "no-output", type: "boolean", describe: "pass standard input on, to its end, and show nothing" },
    ],
    examples: [
      ["podgen attach web/app", "type to it, and see what it says; Ctrl-C leaves it alone"],
      ["podgen attach --no-output web/app < list", "hand it a file"],
    ],
    load: () => import("./commands/attach.js"),
  },
  {
    name: "start",
    positionals: "<pods..>",
    describe: "start pods (POD) or containers (POD/CONTAINER)",
    options: [
      applyTimeout,
      { name: "now", type: "boolean", describe: "of a CronJob (cronjob/NAME): begin a run, whatever its schedule says" },
    ],
    examples: [
      ["podgen start web", "what podgen stop stopped"],
      ["podgen start --now cronjob/nightly", "a run by hand"],
    ],
    load: () => import("./commands/start.js"),
  },
  {
    name: "stop",
    positionals: "<pods..>",
    describe: "stop pods or containers until they are started again",
    options: [timeout],
    examples: [["podgen stop web/log", "one container"]],
    load: () => import("./commands/stop.js"),
  },
  {
    name: "restart",
    positionals: "<pods..>",
    describe: "restart pods or containers",
    options: [applyTimeout],
    examples: [["podgen restart web", "all containers of the pod"]],
    load: () => import("./commands/restart.js"),
  },
  {
    name: "why",
    positionals: "<pod>",
    describe: "why a pod is not as it should be: the chain of causes, the last lines, the next step; exit 3 when there is one",
    options: [outputShort],
    examples: [["podgen why web", "from what is seen to what it comes from"]],
    load: () => import("./commands/why.js"),
  },
  {
    name: "history",
    positionals: "[pods..]",
    describe: "the generations of pods and workloads that are kept to go back to",
    options: [output],
    examples: [["podgen history web", "what was applied, newest last"]],
    load: () => import("./commands/history.js"),
  },
  {
    name: "rollback",
    positionals: "<pod>",
    describe: "make a pod or workload what it was in an earlier generation",
    options: [
      { name: "to", type: "count", describe: "the generation, as history numbers them (the one before)" },
      { name: "dry-run", type: "boolean", describe: "show what would change, change nothing" },
      applyTimeout,
      outputShort,
    ],
    examples: [
      ["podgen rollback web", "undo what the last apply changed"],
      ["podgen rollback deployment/web --to 3", "all pods of a workload, in its steps"],
    ],
    load: () => import("./commands/rollback.js"),
  },
  {
    name: "hold",
    positionals: "<pods..>",
    describe: "stop pods and keep them stopped, through applies, watch and reboots, until they are released",
    options: [timeout],
    examples: [["podgen hold web", "nothing starts it but podgen release web"]],
    load: () => import("./commands/hold.js"),
  },
  {
    name: "release",
    positionals: "<pods..>",
    describe: "start pods that were held",
    options: [timeout],
    examples: [["podgen release web", "it runs, and starts at boot again"]],
    load: () => import("./commands/release.js"),
  },
  {
    name: "watch",
    positionals: "[directory]",
    describe: "apply specs of a folder whenever they change",
    options: [
      {
        ...kustomize,
        type: "string",
        describe: "the folder has a kustomization.yaml: watch what the program kustomize or kubectl makes of it",
      },
      ...variables,
      prune,
      yes,
      { name: "install", type: "boolean", describe: "do so from now on and at every boot, as a user unit" },
      {
        name: "path",
        type: "boolean",
        describe: "with --install: a path unit starts it when something changes, and nothing stays resident",
      },
      { name: "uninstall", type: "boolean", describe: "no longer do so" },
      { name: "once", type: "boolean", describe: "look once, go on as long as something changes or is left to be done, then end" },
      applyTimeout,
      outputShort,
    ],
    examples: [
      ["podgen watch --install ~/pods", "a user unit that keeps pods as the folder says"],
      ["podgen watch -k ~/repo/overlays/home --prune", "an overlay, with all bases and files that it refers to"],
    ],
    load: () => import("./commands/watch.js"),
  },
  {
    name: "linger",
    positionals: "<action>",
    describe: "whether your pods start at boot with nobody logged in: enable, disable or status",
    options: [outputShort],
    examples: [["podgen linger enable", "pods run from boot on"]],
    load: () => import("./commands/linger.js"),
  },
  {
    name: "doctor",
    positionals: "",
    describe: "is this machine fit for rootless pods, and what mends it",
    options: [outputShort],
    examples: [["podgen doctor", "every check with the command that mends it"]],
    load: () => import("./commands/doctor.js"),
  },
  {
    name: "unshare",
    positionals: "[command..]",
    describe: "run a command in the user namespace of your pods (to look at volumes, say)",
    options: [],
    examples: [["podgen unshare -- ls -ln ~/.local/share/podgen/volumes", "owners as containers see them"]],
    load: () => import("./commands/unshare.js"),
  },
  ...VOLUME_COMMANDS,
  ...IMAGE_COMMANDS,
];

/** The words before the last of commands of several words, with what the group is for; a group may be in another. */
export const GROUPS: Readonly<Record<string, string>> = {
  image: "images in the store, in registries and in files",
  volume: "the volumes of claims",
  "image manifest": "manifest lists: one name for an image of several platforms",
};

/** A command's words: `["image", "ls"]`. */
export function wordsOf(spec: CommandSpec): readonly string[] {
  return spec.name.split(" ");
}

/** The commands of a group; of no group (""), those of one word. */
export function membersOf(group: string): readonly CommandSpec[] {
  return COMMANDS.filter((c) => groupOf(c.name) === group);
}

/** The words before the last: `image` of `image ls`, "" of `apply`. */
export function groupOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(" ")));
}
