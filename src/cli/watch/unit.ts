// The watcher as a user unit of its own: podgen watch --install and --uninstall.
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { HEADER, pathUnit, watchedPaths } from "./path-unit.js";

/** `home-alice-pods` for /home/alice/pods, as `systemd-escape --path` does (systemd.unit(5)). */
export function escapePath(path: string): string {
  const trimmed = path.replace(/\/+/g, "/").replace(/^\/|\/$/g, "");
  if (trimmed === "") return "-";
  let escaped = "";
  for (const byte of new TextEncoder().encode(trimmed)) {
    const c = String.fromCharCode(byte);
    if (c === "/") escaped += "-";
    else if (/[A-Za-z0-9:_]/.test(c) || (c === "." && escaped !== "")) escaped += c;
    else escaped += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

function unitName(folder: string, suffix: "service" | "path" = "service"): string {
  return `podgen-watch-${escapePath(folder)}.${suffix}`;
}

/** A word of an Exec line: quoted, specifiers and variables doubled (systemd.service(5), "Command lines"). */
function word(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/%/g, "%%").replace(/\$/g, "$$$$")}"`;
}

/** What the unit's watcher is to do; `variables`: options with absolute paths. */
export interface UnitWishes {
  readonly prune: boolean;
  /** With --yes. */
  readonly many: boolean;
  readonly timeout?: number;
  /** The folder is kustomize's. */
  readonly kustomize: boolean;
  /** A path unit starts it when something changes, and it ends when that is done. */
  readonly path: boolean;
  readonly variables?: readonly string[];
}

/** The text of the unit. Node.js is named by its full path: a user manager's PATH may not have it. */
export function watchUnit(folder: string, wishes: UnitWishes, node: string, executable: string): string {
  const timeout = wishes.timeout === undefined ? [] : ["--timeout", String(wishes.timeout)];
  const options = [...timeout, ...(wishes.prune ? ["--prune"] : []), ...(wishes.many ? ["--yes"] : []), ...(wishes.variables ?? [])];
  const once = wishes.path ? ["--once"] : [];
  const words = [node, executable, "watch", ...(wishes.kustomize ? ["-k"] : []), folder, ...once, ...options];
  return [
    HEADER,
    "[Unit]",
    `Description=podgen watches ${folder.replace(/%/g, "%%")}`,
    "Documentation=man:podgen-watch(1)",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${words.map(word).join(" ")}`,
    `Restart=${wishes.path ? "on-failure" : "always"}`,
    "RestartSec=5s",
    "Slice=background.slice",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** One that is installed in the other way is another one from now on. */
export async function install(folder: string, wishes: UnitWishes, context: Context): Promise<number> {
  const files = await context.host.files();
  if ((await files.kind(folder)) !== "folder") throw new UserError(`${folder}: no such folder`);
  const [name, path] = [unitName(folder), unitName(folder, "path")];
  for (const unit of [name, path]) await refuseForeign(unit, context);
  const manager = await context.host.manager();
  const write = (unit: string, text: string): Promise<void> =>
    files.write(`${context.host.paths.units}/${unit}`, new TextEncoder().encode(text), 0o644);
  await write(name, watchUnit(folder, wishes, context.node, context.executable));
  const watched = wishes.path ? await watchedPaths(folder, wishes, files) : undefined;
  if (watched === undefined) await takeAway(path, context);
  else await write(path, pathUnit(folder, name, watched.paths));
  const units = watched === undefined ? [name] : [name, path];
  await manager.enable(units);
  await manager.reload();
  for (const unit of units.toReversed()) await started(unit, context);
  const how = watched === undefined ? "" : ", started by changes alone";
  context.out.write(`${name} watches ${folder}, now and after every boot${how}\n`);
  if (watched !== undefined && watched.deep > 0)
    context.err.write(
      `note: systemd watches folders one by one: the ${watched.deep} in ${folder} are watched as they are now; after a new one, the same command again\n`,
    );
  return EXIT.done;
}

async function started(unit: string, context: Context): Promise<void> {
  const result = await (await context.host.manager()).restart(unit, 30_000);
  if (result !== "done") throw new UserError(`${unit}: the job ended as "${result}"`, EXIT.failed, `systemctl --user status ${unit}`);
}

async function refuseForeign(unit: string, context: Context): Promise<void> {
  const path = `${context.host.paths.units}/${unit}`;
  const before = await (await context.host.files()).read(path);
  if (before !== undefined && !isOurs(before)) throw new UserError(`${path} is there and is not podgen's`);
}

export async function uninstall(folder: string, context: Context): Promise<number> {
  const name = unitName(folder);
  for (const unit of [unitName(folder, "path"), name]) await refuseForeign(unit, context);
  const path = await takeAway(unitName(folder, "path"), context);
  const service = await takeAway(name, context);
  if (!path && !service) throw new UserError(`${folder} is not watched by a unit`);
  await (await context.host.manager()).reload();
  context.out.write(`${name} is gone; the pods go on\n`);
  return EXIT.done;
}

/** False where there is no such unit. */
async function takeAway(unit: string, context: Context): Promise<boolean> {
  const { units } = context.host.paths;
  const files = await context.host.files();
  if ((await files.read(`${units}/${unit}`)) === undefined) return false;
  const manager = await context.host.manager();
  await manager.stop(unit, 30_000);
  await manager.disable([unit]);
  await files.remove(`${units}/${unit}`, units);
  return true;
}

function isOurs(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes).startsWith(HEADER);
}
