// Facts that the pure planner takes as arguments: what the machine is, what an image says of itself.

import type { StorageDriver } from "./storage.js";

/** Absolute folders and files of one user's podgen; made once from the environment in host/facts/. */
export interface Paths {
  readonly home: string;
  /** `$XDG_CONFIG_HOME/systemd/user` */
  readonly units: string;
  /** `$XDG_DATA_HOME/podgen` */
  readonly data: string;
  /** `$XDG_STATE_HOME/podgen` */
  readonly state: string;
  /** `$XDG_RUNTIME_DIR/podgen` */
  readonly run: string;
  /** `$XDG_CONFIG_HOME/podgen` */
  readonly settings: string;
  /** The stable path units name: `<data>/bin/podrt` */
  readonly podrt: string;
}

/** What the planner must know of the host. */
export interface HostFacts {
  readonly paths: Paths;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** How many ids the user has beside their own (subuid(5), subgid(5)). */
  readonly subordinateIds: { readonly uids: number; readonly gids: number };
  /** Major version of the user manager, 252 or 257 say. */
  readonly systemdVersion: number;
  /** Absolute path of pasta, or undefined where there is none (pods then have no uplink, and apply says so). */
  readonly pasta?: string;
  /** First port an unprivileged user may bind (net.ipv4.ip_unprivileged_port_start). */
  readonly unprivilegedPortStart: number;
  /** The cgroup v2 controllers delegated to the user manager; empty on hybrid or v1 machines. */
  readonly controllers: readonly string[];
  /** How image layers become a container's root, where the user has chosen; else podrt tries at start. */
  readonly storageDriver?: StorageDriver;
  /** Whether root has reserved memory (MemoryMin=) for the user's manager and the slices above it. */
  readonly memoryProtected: boolean;
  /** Security modules of the kernel that have labels, and are enabled. */
  readonly lsm: { readonly apparmor: boolean; readonly selinux: boolean };
  /** What containers may be told of the machine: its host name, processors and bytes of memory. */
  readonly machine: { readonly name: string; readonly cpus: number; readonly memoryBytes: number };
}

/** The `config` object of an OCI image configuration, as far as units and bundles need it. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly stopSignal: string;
}

/** What is known of an image before and after it is pulled: enough to plan with, none of its layers needed. */
export interface ImageFacts {
  /** As written in the spec, normalised: `registry/repo:tag[@digest]`, `oci:/path[:ref]`, `docker-archive:/path[:ref]`, `containers-storage:name`. */
  readonly reference: string;
  /** Digest of the manifest for this platform, `sha256:…`. */
  readonly digest: string;
  /** diff_ids, bottom first, `sha256:…`; layer N is unpacked at `<data>/storage/layers/<hex of diff_id>`. */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}
