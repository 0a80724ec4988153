// The watcher as a user unit of its own: podgen watch --install and --uninstall.
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";

const HEADER = "# podgen: watch, made by podgen watch --install; podgen watch --uninstall takes it away";

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

function unitName(folder: string): string {
  return `podgen-watch-${escapePath(folder)}.service`;
}

/** A word of an Exec line: quoted, specifiers and variables doubled (systemd.service(5), "Command lines"). */
function word(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/%/g, "%%").replace(/\$/g, "$$$$")}"`;
}

/** What the unit's watcher is to do; `variables`: options with absolute paths. */
export interface UnitWishes {
  readonly prune: boolean;
  readonly timeout?: number;
  /** The folder is kustomize's. */
  readonly kustomize: boolean;
  readonly variables?: readonly string[];
}

/** The text of the unit. Node.js is named by its full path: a user manager's PATH may not have it. */
export function watchUnit(folder: string, wishes: UnitWishes, node: string, executable: string): string {
  const timeout = wishes.timeout === undefined ? [] : ["--timeout", String(wishes.timeout)];
  const options = [...timeout, ...(wishes.prune ? ["--prune"] : []), ...(wishes.variables ?? [])];
  const words = [node, executable, "watch", ...(wishes.kustomize ? ["-k"] : []), folder, ...options];
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
    "Restart=always",
    "RestartSec=5s",
    "Slice=background.slice",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

export async function install(folder: string, wishes: UnitWishes, context: Context): Promise<number> {
  if ((await (await context.host.files()).kind(folder)) !== "folder") throw new UserError(`${folder}: no such folder`);
  const name = unitName(folder);
  const path = `${context.host.paths.units}/${name}`;
  const before = await (await context.host.files()).read(path);
  if (before !== undefined && !isOurs(before)) throw new UserError(`${path} is there and is not podgen's`);
  const manager = await context.host.manager();
  const text = watchUnit(folder, wishes, context.node, context.executable);
  await (await context.host.files()).write(path, new TextEncoder().encode(text), 0o644);
  await manager.enable([name]);
  await manager.reload();
  const result = await manager.restart(name, 30_000);
  if (result !== "done") throw new UserError(`${name}: the job ended as "${result}"`, EXIT.failed, `systemctl --user status ${name}`);
  context.out.write(`${name} watches ${folder}, now and after every boot\n`);
  return EXIT.done;
}

export async function uninstall(folder: string, context: Context): Promise<number> {
  const name = unitName(folder);
  const { units } = context.host.paths;
  const before = await (await context.host.files()).read(`${units}/${name}`);
  if (before === undefined) throw new UserError(`${folder} is not watched by a unit`);
  if (!isOurs(before)) throw new UserError(`${units}/${name} is not podgen's`);
  const manager = await context.host.manager();
  await manager.stop(name, 30_000);
  await manager.disable([name]);
  await (await context.host.files()).remove(`${units}/${name}`, units);
  await manager.reload();
  context.out.write(`${name} is gone; the pods go on\n`);
  return EXIT.done;
}

function isOurs(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes).startsWith(HEADER);
}
