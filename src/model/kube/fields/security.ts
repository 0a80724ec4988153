// Fields of securityContext, of pods and of containers.
import { type Fields, list, names, object } from "../../../spec/schema.js";
import { capabilityName } from "../capabilities.js";

/** Ids that Kubernetes takes: 0 to 2^31 - 1. */
const id = { type: "integer", min: 0, max: 2147483647 } as const;

const CAPABILITIES = object("Capabilities", {
  add: {
    type: list({ type: "string", check: capabilityName }),
    note: "They hold within the pod's user namespace. With SYS_ADMIN or ALL the container's cgroup is its own to divide, as a nested engine wants to.",
  },
  drop: { type: list({ type: "string", check: capabilityName }) },
});
const PROFILE = "localhostProfile type";

/** In both contexts. */
const COMMON: Fields = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: { type: "boolean", refused: "podgen does not check the image's user yet", fine: [false], hint: "set runAsUser instead" },
  seLinuxOptions: { type: names("SELinuxOptions", "level role type user"), refused: "podgen sets no SELinux labels yet" },
  seccompProfile: {
    since: "1.19",
    type: names("SeccompProfile", PROFILE),
    refused: "podgen does not choose seccomp profiles yet",
    hint: "remove it; the usual default profile applies to every container",
  },
  appArmorProfile: { since: "1.30", type: names("AppArmorProfile", PROFILE), refused: "podgen sets no AppArmor profiles yet" },
  windowsOptions: {
    type: names("WindowsSecurityContextOptions", "gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName"),
    refused: "containers run Linux here",
  },
};

export const POD_SECURITY = object("PodSecurityContext", {
  ...COMMON,
  fsGroup: { type: "integer", refused: "podgen does not change the owners of volumes yet" },
  fsGroupChangePolicy: { since: "1.18", type: "string", refused: "podgen does not change the owners of volumes yet" },
  supplementalGroups: { type: list("integer"), refused: "podgen sets no supplementary groups yet" },
  supplementalGroupsPolicy: { since: "1.31", type: "string", refused: "podgen sets no supplementary groups yet", fine: ["Merge"] },
  seLinuxChangePolicy: { since: "1.32", type: "string", refused: "podgen sets no SELinux labels yet" },
  sysctls: { type: list(names("Sysctl", "name value")), refused: "podgen sets no sysctls yet" },
});

export const SECURITY = object("SecurityContext", {
  ...COMMON,
  capabilities: { type: CAPABILITIES },
  readOnlyRootFilesystem: { type: "boolean", aka: ["readOnly"] },
  allowPrivilegeEscalation: { type: "boolean", refused: "podgen does not set no_new_privs on request yet", fine: [true] },
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
