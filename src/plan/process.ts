// What a container executes and as whom: Kubernetes' command and args over the image's configuration.
import type { ImageFacts } from "../base/facts.js";
import type { Container } from "../model/types.js";
import { type PodContext, refuse, warn } from "./context.js";
import { type Declared, expandWith } from "./env.js";
import { checkWord, lengthOf } from "./limits.js";
import { cleanPath } from "./paths.js";
import { stopSignal } from "./signal.js";
import type { PlannedContainer } from "./types.js";

/**
 * The words to execute. command replaces entrypoint and cmd, args alone replace cmd (Kubernetes, "Define a Command and
 * Arguments for a Container"); an empty list is the same as none.
 */
export function planArgs(context: PodContext, container: Container, image: ImageFacts, declared: Declared): string[] {
  const expandAll = (words: readonly string[], field: string): string[] =>
    words.map((word) => expandWith(context, word, declared, `${field} of container "${container.name}"`, container.at));
  const command = expandAll(container.command ?? [], "command");
  const args = expandAll(container.args ?? [], "args");
  const { entrypoint, cmd } = image.config;
  const words = command.length > 0 ? [...command, ...args] : args.length > 0 ? [...entrypoint, ...args] : [...entrypoint, ...cmd];
  if (words.length === 0) {
    const message = `container "${container.name}": image ${container.image} has neither entrypoint nor command`;
    refuse(context, "no-command", container.at, message, "say what to execute with command");
  }
  for (const [i, word] of words.entries())
    checkWord(context, `container "${container.name}": word ${i + 1} of its command`, lengthOf(word), container.at);
  return words;
}

export function planCwd(container: Container, image: ImageFacts): string {
  const own = container.workingDir ?? "";
  return cleanPath(own !== "" ? own : image.config.workingDir);
}

export type PlannedUser = Pick<PlannedContainer, "uid" | "gid" | "userName">;

/**
 * Whose rights the process has. runAsUser stands for the image's whole USER, runAsGroup for its group. Where a group is
 * not said by number, or the user is a name, podrt looks it up in the image's /etc/passwd: then `userName` is set. `usual`: who it is
 * where nobody says anything, root when absent.
 */
export function planUser(container: Container, image: ImageFacts, usual?: { uid: number; gid: number }): PlannedUser {
  const { runAsUser, runAsGroup } = container.security;
  const cut = image.config.user.indexOf(":");
  const imageUser = cut < 0 ? image.config.user : image.config.user.slice(0, cut);
  const imageGroup = cut < 0 ? "" : image.config.user.slice(cut + 1);
  const user = runAsUser === undefined ? imageUser : String(runAsUser);
  const group = runAsGroup !== undefined ? String(runAsGroup) : runAsUser === undefined ? imageGroup : "";
  if (user === "" && group === "" && usual !== undefined) return usual;
  // Root's group is 0 in every image: no lookup.
  if ((user === "" || user === "0") && group === "") return { uid: 0, gid: 0 };
  const uid = number(user === "" ? "0" : user);
  const gid = number(group);
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  return { uid: uid ?? 0, gid: gid ?? 0, userName: group === "" ? user : `${user === "" ? "0" : user}:${group}` };
}

function number(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Refuses a container that must not be root and would be, or of which nobody can say: its image's user is a name (as in Kubernetes). */
export function checkNonRoot(context: PodContext, container: Container, image: ImageFacts, user: PlannedUser): void {
  if (!container.security.nonRoot) return;
  const name = user.userName?.replace(/:.*/, "");
  if (name === undefined ? user.uid !== 0 : /^0*[1-9]\d*$/.test(name)) return;
  const isName = name !== undefined && !/^\d*$/.test(name);
  const why = isName ? `the user of image ${image.reference} is a name, "${name}", that may be root's` : "it would run as root";
  refuse(
    context,
    "would-be-root",
    container.at,
    `container "${container.name}": runAsNonRoot is true, and ${why}`,
    "say which user with runAsUser",
  );
}

/** What the spec says, else the image's STOPSIGNAL; SIGTERM, with a warning, when that is none. */
export function planStopSignal(context: PodContext, container: Container, image: ImageFacts): string {
  if (container.stopSignal !== undefined) {
    const own = stopSignal(container.stopSignal);
    if (own !== undefined) return own;
    refuse(context, "bad-stop-signal", container.at, `container "${container.name}": there is no signal "${container.stopSignal}"`);
  }
  const signal = stopSignal(image.config.stopSignal);
  if (signal !== undefined) return signal;
  const message = `image ${container.image} has an unknown STOPSIGNAL ${JSON.stringify(image.config.stopSignal)}: SIGTERM is used`;
  warn(context, "bad-stop-signal", container.imageAt, message);
  return "SIGTERM";
}
