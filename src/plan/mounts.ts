// volumeMounts: bind mounts of folders and files of the host, and files that podrt fills in.
import type { Container, Volume, VolumeMount } from "../model/types.js";
import { hasAddress } from "./addresses.js";
import { type PodContext, refuse } from "./context.js";
import { type Declared, expandWith } from "./env.js";
import { referredNames } from "./expand.js";
import { type FileSource, planFiles } from "./files.js";
import { claimFolder, cleanPath, emptyDirFolder, memoryFolder, parentsFirst, staysBeneath } from "./paths.js";
import type { PlannedContainer, PlannedFiles, PlannedMount } from "./types.js";

export type PlannedVolumes = Pick<PlannedContainer, "mounts" | "files">;

/** All volumes of a container (`map`: digest of the pod's own ids), each list with parents before what is mounted below them. */
export function planVolumes(context: PodContext, container: Container, declared: Declared, map?: string): PlannedVolumes {
  const mounts: PlannedMount[] = [];
  const files: PlannedFiles[] = [];
  for (const written of container.volumeMounts) {
    const mount = expanded(context, written, declared);
    const volume = context.pod.volumes.find((v) => v.name === mount.name);
    if (volume === undefined) throw new Error(`the model lets a mount of no volume through: ${mount.name}`);
    const { source } = volume;
    if (isFiles(source)) {
      const planned = planFiles(context, volume, source, mount);
      const live = container.updatesFiles && planned?.subPath === undefined && mount.subPath === "";
      if (planned !== undefined) files.push(live ? { ...planned, live } : planned);
    } else if (mount.subPath !== "" && !staysBeneath(cleanPath(mount.subPath).slice(1)))
      refuse(context, "unsafe-path", mount.at, `subPath ${JSON.stringify(mount.subPath)} leaves the volume`);
    else if (source.kind === "image") {
      const planned = showImage(context, source, mount);
      if (planned !== undefined) mounts.push(planned);
    } else mounts.push(bind(context, volume, source, mount, map));
  }
  return { mounts: parentsFirst(mounts), files: parentsFirst(files) };
}

/** The mount with its subPathExpr as a subPath. A variable that is not there is an error, as in Kubernetes. */
function expanded(context: PodContext, mount: VolumeMount, declared: Declared): VolumeMount {
  const { subPathExpr } = mount;
  if (subPathExpr === undefined) return mount;
  const missing = referredNames(subPathExpr).filter((name) => !declared.has(name));
  const where = `subPathExpr of volume "${mount.name}"`;
  for (const name of missing) refuse(context, "missing-variable", mount.at, `${where}: there is no variable ${name} in env or envFrom`);
  const subPath = expandWith(context, subPathExpr, declared, where, mount.at);
  if (missing.length === 0 && (subPath.startsWith("/") || subPath.split("/").includes("..")))
    refuse(context, "unsafe-path", mount.at, `${where} becomes ${JSON.stringify(subPath)}, which leaves the volume`);
  if (hasAddress(subPath))
    refuse(context, "late-value", mount.at, `${where}: addresses are known at the start of the pod only, and this is said before`);
  return { ...mount, subPath };
}

type ImageSource = Extract<Volume["source"], { kind: "image" }>;
type BoundSource = Exclude<Volume["source"], FileSource | ImageSource>;

function isFiles(source: Volume["source"]): source is FileSource {
  return source.kind === "configMap" || source.kind === "secret" || source.kind === "projected";
}

/** Read-only and not to be executed, as the kubelet mounts it. */
function showImage(context: PodContext, source: ImageSource, mount: VolumeMount): PlannedMount | undefined {
  const image = context.images.get(source.image);
  // Said of the volume, whether it is mounted or not (pod.ts).
  if (image === undefined) return undefined;
  return {
    destination: cleanPath(mount.mountPath),
    type: "image",
    image,
    options: ["rprivate", "ro", "nosuid", "nodev", "noexec", ...subPathOf(mount)],
  };
}

function subPathOf(mount: VolumeMount): string[] {
  return mount.subPath === "" ? [] : [`x-podgen.subpath=${cleanPath(mount.subPath).slice(1)}`];
}

/** A folder that is there keeps its owner. */
function ownerOf({ objects }: PodContext, claim: string): string[] {
  const owner = objects.claims.get(claim)?.owner;
  return owner === undefined ? [] : [`x-podgen.owner=${owner.uid}:${owner.gid}`];
}

function bind(context: PodContext, volume: Volume, source: BoundSource, mount: VolumeMount, map: string | undefined): PlannedMount {
  const { paths } = context.facts;
  const { path, options } = ((): { path: string; options: string[] } => {
    switch (source.kind) {
      case "emptyDir":
        return source.medium === "Memory"
          ? { path: memoryFolder(paths, context.pod.name, volume.name), options: ["x-podgen.memory"] }
          : { path: emptyDirFolder(paths, context.pod.name, volume.name, map), options: ["x-podgen.mkdir"] };
      case "persistentVolumeClaim":
        return { path: claimFolder(paths, source.claimName), options: ["x-podgen.mkdir", ...ownerOf(context, source.claimName)] };
      case "hostPath":
        return { path: cleanPath(source.path), options: source.type === "" ? [] : [`x-podgen.type=${source.type}`] };
    }
  })();
  const never = mount.recursiveReadOnly ? "rro" : "ro";
  const readOnly = mount.readOnly || (source.kind === "persistentVolumeClaim" && source.readOnly);
  return {
    destination: cleanPath(mount.mountPath),
    type: "bind",
    source: path,
    options: [
      "rbind",
      mount.fromHost ? "rslave" : "rprivate",
      readOnly ? never : "rw",
      ...options,
      ...groupOptions(context, source),
      ...subPathOf(mount),
    ],
  };
}

/** As Kubernetes: only claims keep files from pod to pod, so that the policy is theirs; what is the host's is nobody's to give. */
function groupOptions({ pod: { fsGroup } }: PodContext, source: BoundSource): string[] {
  if (fsGroup === undefined || source.kind === "hostPath") return [];
  const claim = source.kind === "persistentVolumeClaim";
  return [
    `x-podgen.group=${fsGroup.gid}`,
    ...(claim && fsGroup.always ? ["x-podgen.group-always"] : []),
    ...(claim && source.readOnly ? ["x-podgen.group-reads"] : []),
  ];
}
