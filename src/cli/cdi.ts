// The files of the Container Device Interface, read where a pod names a device of theirs.
import type { CdiFile } from "../base/cdi.js";
import type { Model } from "../model/types.js";
import type { FileReader } from "../ports/files.js";

/** Nobody writes a larger one. */
const LARGEST = 4 * 1024 * 1024;

/** CDI's own folders, and the user's, by priority (SPEC.md; `settings`: podgen's). */
export function cdiFolders(settings: string): readonly string[] {
  return ["/etc/cdi", "/var/run/cdi", `${settings}/cdi`];
}

/** Every .json and .yaml file of them, or none where no pod of the model wants a device by name. */
export async function readCdi(model: Model, settings: string, files: Pick<FileReader, "read" | "list">): Promise<CdiFile[]> {
  const pods = [...model.pods, ...(model.workloads ?? []).flatMap((w) => w.surge)];
  const containers = pods.flatMap((pod) => [...pod.initContainers, ...pod.containers]);
  return containers.some((c) => c.devices?.some((d) => d.kind === "cdi")) ? readCdiFiles(settings, files) : [];
}

export async function readCdiFiles(settings: string, files: Pick<FileReader, "read" | "list">): Promise<CdiFile[]> {
  const { load } = await import("js-yaml");
  const found: CdiFile[] = [];
  for (const [priority, folder] of cdiFolders(settings).entries())
    for (const name of (await files.list(folder)).filter((n) => /\.(json|yaml)$/.test(n))) {
      const path = `${folder}/${name}`;
      const problem = (error: unknown): CdiFile => ({
        path,
        priority,
        problem: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "",
      });
      try {
        const bytes = await files.read(path);
        if (bytes === undefined) continue;
        if (bytes.length > LARGEST) throw new Error(`has ${bytes.length} bytes; ${LARGEST} is the most`);
        // JSON is YAML, too.
        found.push({ path, priority, content: load(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) });
      } catch (error) {
        found.push(problem(error));
      }
    }
  return found;
}
