// podman's annotations of a claim, volume.podman.io/…: taken, or refused by name.
import { suggest } from "../../../base/suggest.js";
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";

export interface ClaimOwner {
  readonly uid: number;
  readonly gid: number;
}

const PREFIX = "volume.podman.io/";

const NO_MOUNTS = "mounting a device or a remote file system takes root";
const HOST_PATH = "mount it on the host and use hostPath";

/** The words after the prefix: what is wrong with a value, and what to do. */
const KEYS: Readonly<Record<string, (value: string) => readonly [problem: string, hint: string] | undefined>> = {
  driver: (value) => (value === "local" || value === "" ? undefined : ["is not supported: volumes are folders", "write local"]),
  uid: id,
  gid: id,
  device: () => [`is not supported: ${NO_MOUNTS}`, HOST_PATH],
  type: () => [`is not supported: ${NO_MOUNTS}`, HOST_PATH],
  "mount-options": () => [`is not supported: ${NO_MOUNTS}`, HOST_PATH],
  "import-source": () => ["is not supported: podgen fills no volume", "unpack it in an init container"],
  image: () => ["is not supported: podgen fills no volume from an image", "copy from the image in an init container"],
};

const LARGEST_ID = 2 ** 32 - 2;

function id(value: string): readonly [string, string] | undefined {
  return /^\d{1,10}$/.test(value) && Number(value) <= LARGEST_ID ? undefined : ["is no user or group id", 'write a number: "999"'];
}

/** Reports what is not taken; whose the volume is to be, where that is said. */
export function claimAnnotations(document: Reader, report: Report): ClaimOwner | undefined {
  const annotations = document.object("metadata")?.object("annotations");
  const said = new Map<string, number>();
  for (const [key, entry] of annotations?.node.entries ?? []) {
    if (annotations === undefined || !key.startsWith(PREFIX)) continue;
    const word = key.slice(PREFIX.length);
    const check = Object.hasOwn(KEYS, word) ? KEYS[word] : undefined;
    if (check === undefined) {
      const near = suggest(word, Object.keys(KEYS));
      const meant = near === undefined ? "" : `, did you mean "${PREFIX}${near.word}"?`;
      report.error("unknown-annotation", entry.key, annotations.pathOf(key), `podman has no such annotation${meant}`, "remove it");
      continue;
    }
    const value = annotations.text(key) ?? "";
    const wrong = check(value);
    if (wrong !== undefined) report.error("bad-value", annotations.place(key), annotations.pathOf(key), ...wrong);
    else if (word === "uid" || word === "gid") said.set(word, Number(value));
  }
  if (said.size === 0) return undefined;
  return { uid: said.get("uid") ?? 0, gid: said.get("gid") ?? 0 };
}
