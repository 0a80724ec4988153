// A pod of one container that starts and stops at once, for tests in which many pods come and go; and what podgen keeps of pods.
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { image, type PodHost } from "./pods.js";

export interface SmallPod {
  readonly name: string;
  /** Published from the container's 8080; none when absent. */
  readonly port?: number;
  /** What `/index.html` answers, with a line feed. */
  readonly page?: string;
  /** Instead of the web server; a YAML list. */
  readonly command?: string;
  readonly policy?: "Always" | "OnFailure" | "Never";
  /** A reference; busybox when absent. */
  readonly image?: string;
  /** More lines of the container, indented by six. */
  readonly more?: string;
}

/** A shell that serves the page and, as PID 1, hears SIGTERM because it asked for it. */
const serve = (page: string) =>
  `[sh, -c, "trap 'exit 0' TERM; mkdir -p /page; echo '${page}' > /page/index.html; httpd -p 8080 -h /page; while :; do sleep 3600 & wait $!; done"]`;

export function smallPod(pod: SmallPod): string {
  const ports = pod.port === undefined ? "" : `\n      ports: [{ containerPort: 8080, hostPort: ${pod.port} }]`;
  return `apiVersion: v1
kind: Pod
metadata: { name: ${pod.name} }
spec:
  terminationGracePeriodSeconds: 2
  restartPolicy: ${pod.policy ?? "Always"}
  containers:
    - name: app
      image: ${pod.image ?? image("busybox")}
      command: ${pod.command ?? serve(pod.page ?? pod.name)}${ports}
${pod.more ?? ""}`;
}

/** The folders in which podgen keeps what it owns, of one user. */
export function ownFolders(home: string): Record<"units" | "data" | "state", string> {
  return { units: `${home}/.config/systemd/user`, data: `${home}/.local/share/podgen`, state: `${home}/.local/state/podgen` };
}

/** Every file and link below a folder as `path -> mode and digest`; none where there is no folder. */
export function filesBelow(folder: string, skip: RegExp = /(?!)/): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const inner = join(path, name);
      if (skip.test(inner)) continue;
      const stat = lstatSync(inner);
      if (stat.isDirectory()) walk(inner);
      else if (stat.isSymbolicLink()) found[inner] = `-> ${readlinkSync(inner)}`;
      else found[inner] = `${(stat.mode & 0o7777).toString(8)} ${createHash("sha256").update(readFileSync(inner)).digest("hex")}`;
    }
  };
  try {
    walk(folder);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  return found;
}

/** What an apply wrote and a rollback must put back, byte for byte; not the images, what containers write, and the key that stays so that paths do. */
export function installedFiles(home: string): Record<string, string> {
  const { units, data, state } = ownFolders(home);
  return {
    ...filesBelow(units),
    ...filesBelow(data, /\/podgen\/((storage|containers|empty|volumes)|secrets\/\.key)$/),
    ...filesBelow(state),
  };
}

/** Temporary files and half layers that lie about; what a later pull may resume from does not count. */
export function debris(home: string): string[] {
  const { units, data, state } = ownFolders(home);
  const places = [units, `${data}/bin`, `${data}/pods`, `${data}/secrets`, `${data}/storage`, state];
  return places.flatMap(names).filter((path) => /\/\.tmp|\.tmp$|\/locks\/[0-9a-f]{64}$/.test(path));
}

/** Names below a folder; an unpacked layer's own are not looked at. */
function names(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      const layer = /\/storage\/layers\/[^/]+$/.test(path);
      return entry.isDirectory() && !layer ? [path, ...names(path)] : [path];
    });
  } catch {
    return [];
  }
}

/** Units of podgen's that the user's manager knows, with their state. */
export async function unitsOf(host: PodHost): Promise<string[]> {
  const listed = await host.run(["systemctl", "--user", "list-units", "--all", "--no-legend", "--plain", "pod*"]);
  return listed.stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(/\s+/).slice(0, 3).join(" "));
}

/** Processes of podgen's own programs that run as the user. */
export async function processesOf(host: PodHost): Promise<string> {
  return (await host.run(["pgrep", "--list-full", "--euid", host.user, "podrt|pasta|newuidmap"])).stdout;
}
