// Storage: how container file systems are made, and whether there is room.
import type { StorageDriver } from "../../../base/storage.js";
import { fail, type Outcome, ok, warn } from "../outcome.js";

/** What `podrt machine` found by trying. */
export interface DriverFacts {
  /** Whether a user namespace with the mapped ids could be made, and why not; undefined when podrt did not say. */
  readonly mapping: { readonly ok: boolean; readonly single: boolean; readonly reason: string } | undefined;
  /** Undefined when podrt did not say. */
  readonly overlay: boolean | undefined;
  readonly fuseOverlayfs: boolean | undefined;
  /** Why podrt could not be asked. */
  readonly error: string | undefined;
  /** statfs type of the folder the data are in. */
  readonly filesystem: number;
}

/** File systems that cannot hold overlay's upper folder (kernel, Documentation/filesystems/overlayfs.rst). */
const NO_UPPER: Readonly<Record<number, string>> = {
  26985: "NFS",
  4283649346: "CIFS",
  4266872130: "SMB",
  2035054128: "overlay",
  1702057286: "FUSE",
  19780: "FAT",
};

const AUTO = 'in ~/.config/podgen/storage.json: "driver": "auto"; then podgen apply';

/** Trying tells more than looking: ranges and helpers may all be there and the kernel, or a sandbox, still refuse. */
export function decideMapping({ mapping, error }: DriverFacts): Outcome {
  if (error !== undefined) return fail(`could not be tried: ${error}`);
  if (mapping === undefined) return warn("podrt does not say");
  if (!mapping.ok) return fail(`cannot be made: ${mapping.reason}`);
  if (mapping.single) return warn(`made with a single id only, so images with more than one user do not work: ${mapping.reason}`);
  return ok("made with your subordinate ids");
}

export function decideOverlay({ overlay, error, filesystem }: DriverFacts): Outcome {
  if (error !== undefined) return warn(`could not be tried: ${error}`);
  const reason = NO_UPPER[filesystem];
  if (overlay === true) return ok("the kernel mounts overlay in your user namespace");
  if (reason === undefined) return warn("the kernel does not mount overlay in your user namespace");
  return warn(
    `overlay does not work on ${reason}, where podgen's data are: give XDG_DATA_HOME a folder on a local disk (ext4, xfs, btrfs)`,
    "mkdir -p ~/.config/environment.d && echo XDG_DATA_HOME=/PATH/ON/LOCAL/DISK >> ~/.config/environment.d/podgen.conf",
  );
}

/** The driver that is set, or that `auto` comes to; vfs copies the image at every start. */
export function decideDriver({ overlay, fuseOverlayfs, error }: DriverFacts, install: string, set: StorageDriver = "auto"): Outcome {
  const by = "set in storage.json";
  if (set === "vfs") return ok(`vfs, ${by}: each start of a container copies its whole image`);
  if (error !== undefined) return warn(`could not be tried: ${error}`);
  if (set === "overlay")
    return overlay ? ok(`overlay, ${by}`) : fail(`overlay, ${by}, does not work here: containers will not start`, AUTO);
  if (set === "fuse-overlayfs")
    return fuseOverlayfs ? ok(`fuse-overlayfs, ${by}`) : fail(`fuse-overlayfs, ${by}, is not there or does not work`, install);
  if (overlay) return ok("overlay");
  if (fuseOverlayfs) return ok("fuse-overlayfs: works, with one more process per container");
  return warn("vfs: each start of a container copies its whole image", install);
}

export interface DiskFacts {
  /** The nearest folder that exists. */
  readonly path: string;
  readonly freeBytes: number;
  /** 0 of 0 where the file system has no fixed number. */
  readonly freeInodes: number;
  readonly inodes: number;
}

const MIB = 1024 * 1024;

export function decideDisk({ path, freeBytes, freeInodes, inodes }: DiskFacts): Outcome {
  const free = freeBytes >= 1024 * MIB ? `${(freeBytes / 1024 / MIB).toFixed(1)} GiB` : `${Math.floor(freeBytes / MIB)} MiB`;
  // Nothing of podgen's removes what may be wanted again; a person can see what takes the room.
  const fix = `du -xh -d 2 ${path} | sort -h | tail`;
  if (freeBytes < 100 * MIB) return fail(`${free} free at ${path}`, fix);
  if (inodes > 0 && freeInodes < 1000) return fail(`${freeInodes} inodes free at ${path}`, fix);
  if (freeBytes < 1024 * MIB) return warn(`${free} free at ${path}`, fix);
  if (inodes > 0 && freeInodes < 20_000) return warn(`${freeInodes} inodes free at ${path}; an image may need that many`, fix);
  return ok(`${free} free at ${path}`);
}
