// The volumes of claims: folders of podgen's that only a person removes.
import type { Manifest } from "../base/installed.js";
import type { ClaimModel } from "../model/types.js";
import { claimKey } from "../plan/claim-objects.js";
import { claimFolder } from "../plan/paths.js";
import type { FileReader } from "../ports/files.js";
import type { Context } from "./context.js";
import { readObjects } from "./installed.js";

export interface VolumeInfo {
  readonly name: string;
  readonly path: string;
  /** The folder is there: a pod has used it. */
  readonly made: boolean;
  /** Absent: no claim of the name was applied. */
  readonly claim?: Pick<ClaimModel, "accessModes" | "storage" | "storageClassName">;
  /** Pods that use it. */
  readonly pods: readonly string[];
}

/** All that there are, by name: folders, and claims that nobody has used yet. */
export async function volumesOf(context: Context, manifest: Manifest): Promise<VolumeInfo[]> {
  const { paths } = context.host;
  const files = await context.host.files();
  const [folders, objects] = await Promise.all([
    files.list(`${paths.data}/volumes`),
    readObjects(claimsOnly(manifest), (path) => files.read(path)),
  ]);
  const names = [...new Set([...folders, ...objects.claims.keys()])].sort();
  return names.map((name) => {
    const claim = objects.claims.get(name);
    return {
      name,
      path: claimFolder(paths, name),
      made: folders.includes(name),
      ...(claim === undefined ? {} : { claim: { accessModes: claim.accessModes, ...sizes(claim) } }),
      pods: usersOf(manifest, name),
    };
  });
}

function sizes({ storage, storageClassName }: ClaimModel): Pick<ClaimModel, "storage" | "storageClassName"> {
  return { ...(storage === undefined ? {} : { storage }), ...(storageClassName === undefined ? {} : { storageClassName }) };
}

/** Secrets need not be read for this. */
function claimsOnly(manifest: Manifest): Manifest {
  const prefix = claimKey("");
  return { ...manifest, objects: Object.fromEntries(Object.entries(manifest.objects).filter(([key]) => key.startsWith(prefix))) };
}

function usersOf(manifest: Manifest, name: string): string[] {
  return Object.values(manifest.pods).flatMap((pod) => (pod.objects.includes(claimKey(name)) ? [pod.name] : []));
}

/** The same from the bundles on disk: what an older podgen applied says nothing of claims in the manifest. */
export async function mountedBy(manifest: Manifest, path: string, files: FileReader): Promise<string[]> {
  const mount = `"source":${JSON.stringify(path)}`;
  const uses = async (bundle: string): Promise<boolean> => {
    const bytes = await files.read(bundle);
    return bytes !== undefined && new TextDecoder().decode(bytes).includes(mount);
  };
  const found: string[] = [];
  for (const pod of Object.values(manifest.pods)) {
    const bundles = pod.files.map((f) => f.path).filter((p) => p.endsWith("/config.json"));
    for (const bundle of bundles)
      if (await uses(bundle)) {
        found.push(pod.name);
        break;
      }
  }
  return found;
}
