// Kustomize's own program: a folder with a kustomization becomes the text of its objects.
import { HostError } from "../ports/host.js";
import { run } from "./process/run.js";

/** It may fetch bases from elsewhere. */
const DEADLINE_MS = 120_000;
/** As of any spec. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Kustomize by itself, or the one within kubectl. No option lets it run plugins or Helm: it only reads. */
const PROGRAMS: readonly (readonly string[])[] = [
  ["kustomize", "build"],
  ["kubectl", "kustomize"],
];

/**
 * The objects of a folder, as YAML documents. Throws HostError kustomize-missing (neither program is in PATH) or kustomize-failed, with what
 * it said.
 */
export async function kustomize(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  for (const words of PROGRAMS) {
    const name = words.join(" ");
    const { code, stdout, stderr, failure } = await run([...words, folder], DEADLINE_MS, env, { limit: MAX_BYTES + 1 });
    if (failure === "not found") continue;
    if (failure !== undefined) throw new HostError("kustomize-failed", `${name} ${folder}: ${failure}`);
    if (code !== 0) throw new HostError("kustomize-failed", `${name} ${folder}: ${stderr.trim() || `exit ${code}`}`);
    if (Buffer.byteLength(stdout) > MAX_BYTES) throw new HostError("kustomize-failed", `${name} ${folder}: over ${MAX_BYTES >> 20} MiB`);
    return stdout;
  }
  const hint = "install kustomize (https://kubectl.docs.kubernetes.io) or kubectl, or feed its output: podgen apply -";
  throw new HostError("kustomize-missing", "-k needs the program kustomize, or kubectl, and neither is in PATH", hint);
}
