// What confines a container's process beside its namespaces: capabilities, system calls, AppArmor; and SELinux, as far as that goes.
import type { Container } from "../model/types.js";
import { capabilitySet } from "./capabilities.js";
import { type PodContext, refuse } from "./context.js";
import { seccompProfile } from "./seccomp.js";
import type { PlannedContainer } from "./types.js";

type Confinement = Pick<
  PlannedContainer,
  "capabilities" | "noNewPrivileges" | "unconfined" | "seccomp" | "apparmor" | "maskedPaths" | "writableCgroup" | "privileged"
>;

export function planConfinement(context: PodContext, container: Container): Confinement {
  const { security } = container;
  const privileged = security.privileged === true;
  const capabilities = capabilitySet(privileged ? ["ALL"] : security.capabilitiesAdd, privileged ? [] : security.capabilitiesDrop);
  const seccomp = seccompProfile(context, container);
  const apparmor = appArmor(context, container);
  if (security.selinux) selinux(context, container);
  return {
    capabilities,
    noNewPrivileges: security.noNewPrivileges === true,
    unconfined: security.unconfined === true,
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(apparmor === undefined ? {} : { apparmor }),
    maskedPaths: !privileged && security.procMount === "Default",
    writableCgroup: capabilities.includes("CAP_SYS_ADMIN"),
    ...(privileged ? { privileged } : {}),
  };
}

/** The profile's name. Which are loaded only root may see: the start says it. */
function appArmor(context: PodContext, container: Container): string | undefined {
  const { apparmor } = container.security;
  if (apparmor === undefined) return undefined;
  const what = `container "${container.name}" of pod "${context.pod.name}"`;
  if (apparmor.kind === "default") {
    const reason = "appArmorProfile RuntimeDefault confines nothing: a user can load no profile, so podgen has none of its own";
    context.unenforced.push({ code: "no-apparmor-default", what, reason, at: container.at });
    return undefined;
  }
  if (!context.facts.lsm.apparmor)
    refuse(
      context,
      "no-apparmor",
      container.at,
      `${what}: the kernel of this machine has no AppArmor, and so no profile "${apparmor.name}"`,
    );
  return apparmor.name;
}

function selinux(context: PodContext, container: Container): void {
  const what = `container "${container.name}" of pod "${context.pod.name}"`;
  if (context.facts.lsm.selinux)
    refuse(context, "selinux", container.at, `${what}: seLinuxOptions: podgen sets no SELinux labels yet`, "remove it");
  else {
    const reason = "seLinuxOptions say nothing: SELinux is not enabled on this machine";
    context.unenforced.push({ code: "no-selinux", what, reason, at: container.at });
  }
}
