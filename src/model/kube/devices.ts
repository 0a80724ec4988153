// Devices among a container's resources: CDI's names, and podman's way to name a device node by its path.
import { isQualifiedName } from "../../base/cdi.js";
import type { Reader } from "../../spec/reader.js";
import type { Field } from "../../spec/schema.js";
import type { Device } from "../types.js";

/** podman kube play's key for a node of the host (podman-kube-play(1)). */
const BY_PATH = "podman.io/device=";

/** `podman.io/device=/dev/ttyUSB0`, with another place in the container behind a colon. */
const PATHS = /^podman\.io\/device=(\/[^:]+)(?::(\/[^:]+))?(?::([rwm]{1,3}))?$/;

/** Whether a resource's key names a device that podgen may hand out. */
export function isDevice(key: string): boolean {
  return key.startsWith(BY_PATH) ? PATHS.test(key) : isQualifiedName(key);
}

/** For the field tables. */
export const DEVICE: Field = {
  type: "quantity",
  check: (text) => (text === "1" ? undefined : { problem: "cannot be had: a device with a name is one", hint: "write 1" }),
};

/** Those of a container's limits, in the file's order. */
export function readDevices(limits: Reader | undefined): Device[] {
  return [...(limits?.node.entries ?? [])].flatMap(([key, { key: place }]): Device[] => {
    const [, path, destination = path] = PATHS.exec(key) ?? [];
    if (path !== undefined && destination !== undefined) return [{ kind: "path", path, destination, at: place.at }];
    return isQualifiedName(key) && !key.startsWith(BY_PATH) ? [{ kind: "cdi", name: key, at: place.at }] : [];
  });
}
