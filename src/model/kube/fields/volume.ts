// Fields of volumes.
import { type Field, list, names, type ObjectType, object } from "../../../spec/schema.js";
import { absolutePath, dataKey, dnsLabel, dnsSubdomain, filePath } from "../formats.js";
import { imageReference } from "../image.js";
import { memoryQuantity } from "../quantity.js";
import { METADATA, STATUS, TEMPLATE_METADATA } from "./metadata.js";
import { FILE_FIELD_SELECTOR, LABEL_SELECTOR, RESOURCE_SELECTOR } from "./selectors.js";

const mode: Field = { type: "integer", min: 0, max: 0o777, hint: "file modes are octal, up to 0777: write 0644, say" };
const NAME = { type: "string", required: true, check: dnsSubdomain } as const;

const KEY_TO_PATH = object("KeyToPath", {
  key: { type: "string", required: true, check: dataKey },
  path: { type: "string", required: true, check: filePath },
  mode,
});

const CONFIG_MAP = object("ConfigMapVolumeSource", {
  name: { ...NAME, aka: ["configMapName"] },
  items: { type: list(KEY_TO_PATH) },
  defaultMode: mode,
  optional: { type: "boolean" },
});
const SECRET = object("SecretVolumeSource", {
  secretName: { ...NAME, aka: ["name"] },
  items: { type: list(KEY_TO_PATH) },
  defaultMode: mode,
  optional: { type: "boolean" },
});
const CLAIM = object("PersistentVolumeClaimVolumeSource", {
  claimName: { ...NAME, aka: ["name"] },
  readOnly: { type: "boolean" },
});
const EMPTY_DIR = object("EmptyDirVolumeSource", {
  medium: {
    type: "string",
    values: ["", "Memory"],
    // hugetlbfs lacks FS_USERNS_MOUNT.
    hint: "leave it out for a folder on disk; huge pages the kernel mounts for root alone",
  },
  sizeLimit: {
    type: "quantity",
    check: memoryQuantity,
    note: "The size of the tmpfs of medium Memory. Nothing that a user may do limits a folder on disk: a warning says so.",
  },
});
const HOST_PATH = object("HostPathVolumeSource", {
  path: { type: "string", required: true, check: absolutePath },
  type: {
    type: "string",
    values: ["", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"],
  },
});

const DOWNWARD_FILE = object("DownwardAPIVolumeFile", {
  path: { type: "string", required: true, check: filePath },
  fieldRef: { type: FILE_FIELD_SELECTOR },
  resourceFieldRef: { type: RESOURCE_SELECTOR },
  mode,
});
const DOWNWARD_ITEMS: Field = {
  type: list(DOWNWARD_FILE),
  note: "A change of labels or annotations restarts the container: its files are made when it starts.",
};
const NO_API: Pick<Field, "refused" | "presence" | "hint"> = {
  refused: "there is no API server here",
  presence: true,
  hint: "a volume kube-api-access-… comes from the API server and means nothing here: remove it and its mounts",
};
const PROJECTION = object("VolumeProjection", {
  clusterTrustBundle: {
    since: "1.27",
    ...NO_API,
    type: object("ClusterTrustBundleProjection", {
      labelSelector: { type: LABEL_SELECTOR },
      name: { type: "string" },
      optional: { type: "boolean" },
      path: { type: "string" },
      signerName: { type: "string" },
    }),
  },
  configMap: {
    type: object("ConfigMapProjection", {
      name: { ...NAME, aka: ["configMapName"] },
      items: { type: list(KEY_TO_PATH) },
      optional: { type: "boolean" },
    }),
  },
  downwardAPI: { type: object("DownwardAPIProjection", { items: DOWNWARD_ITEMS }) },
  podCertificate: {
    since: "1.34",
    ...NO_API,
    type: names(
      "PodCertificateProjection",
      "certificateChainPath credentialBundlePath keyPath keyType maxExpirationSeconds signerName userAnnotations",
    ),
  },
  secret: {
    type: object("SecretProjection", {
      name: { ...NAME, aka: ["secretName"] },
      items: { type: list(KEY_TO_PATH) },
      optional: { type: "boolean" },
    }),
  },
  serviceAccountToken: { type: names("ServiceAccountTokenProjection", "audience expirationSeconds path"), ...NO_API },
});

const NO_CLASSES = "every claim is a folder of the user's";
const STORAGE = object("ResourceList", {
  storage: {
    type: "quantity",
    check: memoryQuantity,
    note: "Nothing that a user may do limits a folder: a warning says so. It may grow later, not shrink.",
  },
});
const NO_COPIES = "podgen does not fill a volume from another";
const CLAIM_SPEC = object("PersistentVolumeClaimSpec", {
  accessModes: {
    type: list({ type: "string", values: ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] }),
    note: "ReadWriteOncePod: one pod alone may use the claim, else apply refuses. The others mean the same on one machine.",
  },
  dataSource: { type: names("TypedLocalObjectReference", "apiGroup kind name"), refused: NO_COPIES },
  dataSourceRef: { type: names("TypedObjectReference", "apiGroup kind name namespace"), refused: NO_COPIES, since: "1.22" },
  resources: {
    type: object("VolumeResourceRequirements", {
      limits: { type: STORAGE, noEffect: "Linux lets only root limit the size of a folder" },
      requests: { type: STORAGE },
    }),
  },
  selector: { type: LABEL_SELECTOR, refused: "there are no PersistentVolumes to choose from" },
  storageClassName: { type: "string", noEffect: NO_CLASSES },
  volumeAttributesClassName: { type: "string", noEffect: NO_CLASSES, since: "1.29" },
  volumeMode: { type: "string", refused: "claims are folders, and a block device of its own takes root", fine: ["Filesystem"] },
  volumeName: { type: "string", refused: "there are no PersistentVolumes to choose from" },
});
const CLAIM_TEMPLATE = object("PersistentVolumeClaimTemplate", {
  metadata: { type: TEMPLATE_METADATA },
  spec: { type: CLAIM_SPEC, required: true },
});

export const CLAIM_OBJECT = object("PersistentVolumeClaim", {
  apiVersion: { type: "string", required: true },
  kind: { type: "string", required: true },
  metadata: { type: METADATA, required: true },
  spec: { type: CLAIM_SPEC, required: true },
  status: STATUS,
});

/** One of a StatefulSet's volumeClaimTemplates, where what it is need not be said. */
export const CLAIM_OF_SET = object("PersistentVolumeClaim", {
  apiVersion: { type: "string", values: ["v1"] },
  kind: { type: "string", values: ["PersistentVolumeClaim"] },
  metadata: { type: METADATA, required: true },
  spec: { type: CLAIM_SPEC, required: true },
  status: STATUS,
});

/** Sources that need a cluster's storage drivers: type name, then its field names. */
const REMOTE: Readonly<Record<string, readonly [string, string]>> = {
  awsElasticBlockStore: ["AWSElasticBlockStoreVolumeSource", "fsType partition readOnly volumeID"],
  azureDisk: ["AzureDiskVolumeSource", "cachingMode diskName diskURI fsType kind readOnly"],
  azureFile: ["AzureFileVolumeSource", "readOnly secretName shareName"],
  cephfs: ["CephFSVolumeSource", "monitors path readOnly secretFile secretRef user"],
  cinder: ["CinderVolumeSource", "fsType readOnly secretRef volumeID"],
  csi: ["CSIVolumeSource", "driver fsType nodePublishSecretRef readOnly volumeAttributes"],
  fc: ["FCVolumeSource", "fsType lun readOnly targetWWNs wwids"],
  flexVolume: ["FlexVolumeSource", "driver fsType options readOnly secretRef"],
  flocker: ["FlockerVolumeSource", "datasetName datasetUUID"],
  gcePersistentDisk: ["GCEPersistentDiskVolumeSource", "fsType partition pdName readOnly"],
  glusterfs: ["GlusterfsVolumeSource", "endpoints path readOnly"],
  iscsi: [
    "ISCSIVolumeSource",
    "chapAuthDiscovery chapAuthSession fsType initiatorName iqn iscsiInterface lun portals readOnly secretRef targetPortal",
  ],
  nfs: ["NFSVolumeSource", "path readOnly server"],
  photonPersistentDisk: ["PhotonPersistentDiskVolumeSource", "fsType pdID"],
  portworxVolume: ["PortworxVolumeSource", "fsType readOnly volumeID"],
  quobyte: ["QuobyteVolumeSource", "group readOnly registry tenant user volume"],
  rbd: ["RBDVolumeSource", "fsType image keyring monitors pool readOnly secretRef user"],
  scaleIO: [
    "ScaleIOVolumeSource",
    "fsType gateway protectionDomain readOnly secretRef sslEnabled storageMode storagePool system volumeName",
  ],
  storageos: ["StorageOSVolumeSource", "fsType readOnly secretRef volumeName volumeNamespace"],
  vsphereVolume: ["VsphereVirtualDiskVolumeSource", "fsType storagePolicyID storagePolicyName volumePath"],
};

function remote(type: ObjectType): Field {
  return { type, refused: "it needs a storage driver of a cluster", presence: true, hint: "mount it on the host and use hostPath" };
}

export const VOLUME = object("Volume", {
  name: { type: "string", required: true, check: dnsLabel },
  configMap: { type: CONFIG_MAP },
  emptyDir: { type: EMPTY_DIR },
  hostPath: { type: HOST_PATH },
  persistentVolumeClaim: { type: CLAIM, aka: ["pvc"] },
  secret: { type: SECRET },
  downwardAPI: { type: object("DownwardAPIVolumeSource", { defaultMode: mode, items: DOWNWARD_ITEMS }) },
  ephemeral: {
    type: object("EphemeralVolumeSource", { volumeClaimTemplate: { type: CLAIM_TEMPLATE, required: true } }),
    since: "1.19",
    note: "A folder on disk, like an emptyDir: new with the pod, and gone with it.",
  },
  gitRepo: {
    type: names("GitRepoVolumeSource", "directory repository revision"),
    refused: "Kubernetes has dropped it",
    presence: true,
    hint: "clone in an init container",
  },
  image: {
    since: "1.31",
    type: object("ImageVolumeSource", {
      pullPolicy: { type: "string", values: ["Always", "IfNotPresent", "Never"], aka: ["imagePullPolicy"] },
      reference: { type: "string", required: true, check: imageReference, aka: ["image"] },
    }),
    note: "Read-only, and nothing in it can be executed, as in Kubernetes. It is pulled and kept like a container's image. Of an image of several layers it takes overlay.",
  },
  projected: { type: object("ProjectedVolumeSource", { defaultMode: mode, sources: { type: list(PROJECTION) } }) },
  ...Object.fromEntries(Object.entries(REMOTE).map(([field, [type, fields]]) => [field, remote(names(type, fields))])),
});

/** The fields of a volume that say where its content comes from. */
export const VOLUME_SOURCES: readonly string[] = [...VOLUME.fields.keys()].filter((name) => name !== "name");
