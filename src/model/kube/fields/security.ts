// Fields of securityContext, of pods and of containers.
import { type Check, type Fields, list, names, object } from "../../../spec/schema.js";
import { capabilityName } from "../capabilities.js";
import { sysctlName } from "../formats.js";

/** Ids that Kubernetes takes: 0 to 2^31 - 1. */
const id = { type: "integer", min: 0, max: 2147483647 } as const;

const CAPABILITIES = object("Capabilities", {
  add: {
    type: list({ type: "string", check: capabilityName }),
    note: "They hold within the pod's user namespace. With SYS_ADMIN or ALL the container's cgroup is its own to divide, as a nested engine wants to.",
  },
  drop: { type: list({ type: "string", check: capabilityName }) },
});
/** A check for a few words that are taken among those that Kubernetes knows. */
function except(refused: Readonly<Record<string, string>>): Check {
  return (text) => {
    const why = Object.hasOwn(refused, text) ? refused[text] : undefined;
    return why === undefined ? undefined : { code: "refused-value", problem: `is not supported: ${why}` };
  };
}

const PROFILES = ["RuntimeDefault", "Unconfined", "Localhost"];
const NO_FILES = "podgen takes no profiles of the host's yet";
const NO_APPARMOR = "podgen sets no AppArmor profiles";
const SECCOMP = object("SeccompProfile", {
  type: {
    type: "string",
    required: true,
    values: PROFILES,
    check: except({ Localhost: NO_FILES }),
    note: "RuntimeDefault is what applies to every container that says nothing; Localhost is refused.",
  },
  localhostProfile: { type: "string", refused: NO_FILES },
});
const APPARMOR = object("AppArmorProfile", {
  type: {
    type: "string",
    required: true,
    values: PROFILES,
    check: except({ Localhost: NO_APPARMOR, RuntimeDefault: NO_APPARMOR }),
    hint: "remove it",
    note: "Only Unconfined is taken, which is what happens.",
  },
  localhostProfile: { type: "string", refused: NO_APPARMOR },
});

/** In both contexts. */
const COMMON: Fields = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: { type: "boolean", note: "As in Kubernetes, an image's user must then be a number, or runAsUser say one." },
  seLinuxOptions: { type: names("SELinuxOptions", "level role type user"), refused: "podgen sets no SELinux labels yet" },
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
  seLinuxChangePolicy: { type: "string", since: "1.32", refused: "podgen sets no SELinux labels yet" },
  sysctls: { type: list(SYSCTL), note: "Those of the pod's own namespaces: net.*, kernel.msg*, kernel.sem, kernel.shm*, fs.mqueue.*." },
});

export const SECURITY = object("SecurityContext", {
  ...COMMON,
  capabilities: { type: CAPABILITIES },
  readOnlyRootFilesystem: { type: "boolean", aka: ["readOnly"] },
  allowPrivilegeEscalation: { type: "boolean", note: "false is PR_SET_NO_NEW_PRIVS; it is refused beside the capability SYS_ADMIN." },
  privileged: {
    type: "boolean",
    refused: "podgen runs no privileged containers yet",
    fine: [false],
    hint: "add the capabilities that are needed",
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
