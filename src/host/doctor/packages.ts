// How a missing program is installed here, by /etc/os-release (os-release(5)); pure.

type Family = "debian" | "fedora" | "suse" | "arch";
export type Package = "uidmap" | "passt" | "user-bus" | "fuse-overlayfs";

const COMMANDS: Readonly<Record<Family, string>> = {
  debian: "sudo apt install",
  fedora: "sudo dnf install",
  suse: "sudo zypper install",
  arch: "sudo pacman -S",
};

const NAMES: Readonly<Record<Package, Readonly<Record<Family, string>>>> = {
  uidmap: { debian: "uidmap", fedora: "shadow-utils", suse: "shadow", arch: "shadow" },
  passt: { debian: "passt", fedora: "passt", suse: "passt", arch: "passt" },
  "user-bus": { debian: "dbus-user-session", fedora: "dbus-broker", suse: "dbus-broker", arch: "dbus-broker" },
  "fuse-overlayfs": { debian: "fuse-overlayfs", fedora: "fuse-overlayfs", suse: "fuse-overlayfs", arch: "fuse-overlayfs" },
};

const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ["debian", "debian"],
  ["ubuntu", "debian"],
  ["fedora", "fedora"],
  ["rhel", "fedora"],
  ["centos", "fedora"],
  ["suse", "suse"],
  ["opensuse", "suse"],
  ["arch", "arch"],
]);

/** The command that installs a package; names it for Debian where the system is none we know. */
export function installCommand(what: Package, osRelease: string): string {
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  const words = `${value("ID")} ${value("ID_LIKE")}`.split(/\s+/);
  const family = words.map((word) => FAMILIES.get(word)).find((found) => found !== undefined) ?? "debian";
  return `${COMMANDS[family]} ${NAMES[what][family]}`;
}
