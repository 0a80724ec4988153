// Files: what is to be created, updated and removed. Bytes are compared, never dates.
import type { Installed, ManifestPod, OwnedFile } from "../base/installed.js";
import type { FileKind, RenderedFile } from "../render/types.js";
import type { FileChange } from "./types.js";

/** Whether two byte strings are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Creates and updates that bring the installed files to the rendered ones. */
export function wantedFiles(files: readonly RenderedFile[], installed: Installed): FileChange[] {
  return files.flatMap((file): FileChange[] => {
    const { path, bytes, mode, kind, secret } = file;
    const before = installed.files.get(path);
    if (before === undefined) return [{ path, action: "create", kind, secret, mode, after: bytes }];
    return sameBytes(before, bytes) ? [] : [{ path, action: "update", kind, secret, mode, before, after: bytes }];
  });
}

/**
 * Removal of what a pod owned and is not kept. A file that is gone already needs none. `kept` names the paths that the
 * pod as wanted, or another pod (a Secret's value may be shared), still has.
 */
export function obsoleteFiles(before: ManifestPod | undefined, kept: ReadonlySet<string>, installed: Installed): FileChange[] {
  return (before?.files ?? []).flatMap((file): FileChange[] => {
    const bytes = installed.files.get(file.path);
    if (kept.has(file.path) || bytes === undefined) return [];
    const kind = kindOf(file, before);
    const mode = kind === "unit" ? 0o644 : 0o600;
    return [{ path: file.path, action: "remove", kind, secret: STORE.test(file.path), mode, before: bytes }];
  });
}

/** The secret store and the files of ConfigMaps (src/README.md, Places): a folder named by a digest in the path. */
const STORE = /\/secrets\/[^/]+\/[0-9a-f]{32}\/[^/]+$/;
const CONFIG = /\/pods\/[^/]+\/_config\/[0-9a-f]{32}\//;

/** What kind of file a remembered path is; the manifest holds paths only. */
function kindOf(file: OwnedFile, pod: ManifestPod | undefined): FileKind {
  const base = file.path.slice(file.path.lastIndexOf("/") + 1);
  if (STORE.test(file.path) || CONFIG.test(file.path)) return "data";
  if (pod?.units.includes(base) === true) return "unit";
  return base === "config.json" ? "bundle" : "data";
}
