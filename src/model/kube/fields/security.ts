// Fields of securityContext, of pods and of containers.
import { type Fields, list, names, object } from "../../../spec/schema.js";
import { capabilityName } from "../capabilities.js";
import { notEmpty, relativePath, sysctlName } from "../formats.js";

/** Ids that Kubernetes takes: 0 to 2^31 - 1. */
const id = { type: "integer", min: 0, max: 2147483647 } as const;

const CAPABILITIES = object("Capabilities", {
  add: {
    type: list({ type: "string", check: capabilityName }),
    note: "They hold within the pod's user namespace. With SYS_ADMIN or ALL the container's cgroup is its own to divide, as a nested engine wants to.",
  },
  drop: { type: list({ type: "string", check: capabilityName }) },
});
const PROFILES = ["RuntimeDefault", "Unconfined", "Localhost"];
const SECCOMP = object("SeccompProfile", {
  type: {
    type: "string",
    required: true,
    values: PROFILES,
    note: "RuntimeDefault is what applies to every container that says nothing, but for privileged ones, whose calls nobody filters.",
  },
  localhostProfile: {
    type: "string",
    check: relativePath,
    note:
      "Beside Localhost: a file below $XDG_CONFIG_HOME/podgen/seccomp, in the format of the runtime-spec or of containers-common. It is read at " +
      "apply and becomes part of the container, which a change restarts. SCMP_ACT_NOTIFY is refused: there is no agent.",
  },
});
const APPARMOR = object("AppArmorProfile", {
  type: {
    type: "string",
    required: true,
    values: PROFILES,
    note:
      "Localhost is refused where the kernel has no AppArmor; that the profile is loaded is seen at the start, which else fails. RuntimeDefault confines " +
      "nothing, and a warning says so: a user can load no profile, so podgen has none of its own.",
  },
  localhostProfile: { type: "string", check: notEmpty, note: "Beside Localhost: the name of a loaded profile." },
});

const SELINUX = object("SELinuxOptions", {
  level: { type: "string" },
  role: { type: "string" },
  type: { type: "string" },
  user: { type: "string" },
});
const NO_LABELS =
  "Where SELinux is not enabled it says nothing, as in Kubernetes, and a warning says so; where it is, it is refused so far.";

/** In both contexts. */
const COMMON: Fields = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: { type: "boolean", note: "As in Kubernetes, an image's user must then be a number, or runAsUser say one." },
  seLinuxOptions: { type: SELINUX, note: NO_LABELS },
  seccompProfile: { type: SECCOMP, since: "1.19" },
  appArmorProfile: { type: APPARMOR, since: "1.30" },
  windowsOptions: {
    type: names("WindowsSecurityContextOptions", "gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName"),
    refused: "containers run Linux here",
  },
};

const SYSCTL = object("Sysctl", {
  name: { type: "string", required: true, check: sysctlName },
  value: { type: "string", required: true },
});

export const POD_SECURITY = object("PodSecurityContext", {
  ...COMMON,
  fsGroup: {
    ...id,
    note:
      "Also a further group of every process. emptyDir, ephemeral, claim, configMap, secret, projected and downwardAPI volumes are given to it, " +
      "readable and, but for the read-only ones, writable by the group; folders hand it on (setgid). A hostPath is left as it is.",
  },
  fsGroupChangePolicy: {
    type: "string",
    since: "1.18",
    values: ["OnRootMismatch", "Always"],
    note:
      "For claims. Always, the default: all files are gone through at each start of the pod. OnRootMismatch: only where the volume's " +
      "own folder has not the group and mode. An emptyDir is always treated as the latter.",
  },
  supplementalGroups: { type: list(id), note: "The user must have them as subordinate ids (/etc/subgid), as the other ids." },
  supplementalGroupsPolicy: {
    type: "string",
    since: "1.31",
    values: ["Merge", "Strict"],
    note: "Merge, the default: the groups that the image's /etc/group gives the user count too, those that are mapped. Strict: they do not.",
  },
  seLinuxChangePolicy: {
    type: "string",
    since: "1.32",
    values: ["MountOption", "Recursive"],
    noEffect: "volumes get no SELinux labels",
  },
  sysctls: { type: list(SYSCTL), note: "Those of the pod's own namespaces: net.*, kernel.msg*, kernel.sem, kernel.shm*, fs.mqueue.*." },
});

export const SECURITY = object("SecurityContext", {
  ...COMMON,
  capabilities: { type: CAPABILITIES },
  readOnlyRootFilesystem: { type: "boolean", aka: ["readOnly"] },
  allowPrivilegeEscalation: { type: "boolean", note: "false is PR_SET_NO_NEW_PRIVS; it is refused beside the capability SYS_ADMIN." },
  privileged: {
    type: "boolean",
    note:
      "All that a user can give: all capabilities of the user namespace, no filter of system calls, nothing hidden or write-protected, /sys and the container's " +
      "cgroup writable, and in /dev each device of the host that the user may open, but for terminals. What is root there is still the user outside.",
  },
  procMount: {
    since: "1.12",
    type: "string",
    values: ["Default", "Unmasked"],
    note:
      "Unmasked hides and write-protects nothing below /proc and /sys/firmware, /sys/fs/selinux and the like; only then may what runs " +
      "inside make containers in user namespaces of their own. Kubernetes demands spec.hostUsers: false with it; here it may be left " +
      "out, for every pod is in a user namespace: what is root there is the user outside, and may write what the user may.",
  },
});
