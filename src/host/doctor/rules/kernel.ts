// The kernel: user namespaces, cgroups and what of them the user has.
import { fail, type Outcome, ok, warn } from "../outcome.js";

export interface NamespaceFacts {
  /** `6.1.0-13-amd64` */
  readonly release: string;
  /** Contents of the sysctls; undefined where the kernel has no such switch. */
  readonly maxUserNamespaces: string | undefined;
  readonly unprivilegedClone: string | undefined;
  readonly apparmorRestrict: string | undefined;
}

const sysctl = (key: string, value: string) => `echo '${key} = ${value}' | sudo tee /etc/sysctl.d/60-podgen.conf && sudo sysctl --system`;

/** Whether containers can be made. The first kernel with mount_setattr(2), which podrt needs for every mount, is 5.12. */
export function decideUserNamespaces(facts: NamespaceFacts): Outcome {
  const [major = 0, minor = 0] = facts.release.split(".").map((part) => Number.parseInt(part, 10));
  if (major < 5 || (major === 5 && minor < 12)) return fail(`kernel ${facts.release}: podgen needs 5.12 or later`);
  if (facts.maxUserNamespaces?.trim() === "0")
    return fail("user namespaces are off (user.max_user_namespaces = 0)", sysctl("user.max_user_namespaces", "15000"));
  if (facts.unprivilegedClone?.trim() === "0")
    return fail("user namespaces are root's only (kernel.unprivileged_userns_clone = 0)", sysctl("kernel.unprivileged_userns_clone", "1"));
  if (facts.apparmorRestrict?.trim() === "1")
    return warn(
      "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)",
      sysctl("kernel.apparmor_restrict_unprivileged_userns", "0"),
    );
  return ok(`kernel ${facts.release}`);
}

export interface CgroupFacts {
  readonly layout: "v2" | "hybrid" | "v1";
  readonly controllers: readonly string[];
}

const NEEDED = ["cpu", "memory", "pids"];

const DELEGATE = `sudo mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf
sudo systemctl daemon-reload
sudo systemctl restart user@UID.service`;

export function decideCgroups({ layout, controllers }: CgroupFacts, uid: number): Outcome {
  if (layout !== "v2")
    return warn(
      `cgroups are ${layout}: pods run, but resources.limits have no effect; ` +
        "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line",
    );
  const missing = NEEDED.filter((controller) => !controllers.includes(controller));
  if (missing.length > 0)
    return warn(
      `cgroup v2, but ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not delegated to your manager: these limits have no effect`,
      DELEGATE.replace("UID", String(uid)),
    );
  return ok(`v2, with ${controllers.join(", ")}`);
}
