// Which of an image's platforms this machine runs, best first.

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty where there is none. */
  readonly variant: string;
}

// Node's names of architectures -> Go's, which image indexes use.
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
};

// Variants that run, best first; "" is an entry without one. Only what every processor of the architecture has.
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  amd64: ["v1", ""],
  arm64: ["v8", ""],
  arm: ["v7", "v6", "v5", ""],
};

/** This machine's platform. `architecture` is Node's name of it (process.arch), `machine` the kernel's (uname -m). */
export function hostPlatform(architecture: string, machine: string): Platform {
  // Only 32-bit ARM has processors that do not run the newest variant; an armv8 kernel runs all of them.
  const arm = architecture === "arm" ? /^armv([5-7])/.exec(machine)?.[1] : undefined;
  return { os: "linux", architecture: ARCHITECTURES[architecture] ?? architecture, variant: arm === undefined ? "" : `v${arm}` };
}

/** How well `offered` fits, smaller is better; undefined: it does not run here. */
export function fit(offered: Platform, host: Platform): number | undefined {
  if (offered.os !== host.os || offered.architecture !== host.architecture) return undefined;
  const variants = VARIANTS[host.architecture] ?? [""];
  const rank = variants.slice(Math.max(0, variants.indexOf(host.variant || (variants[0] ?? "")))).indexOf(offered.variant);
  return rank < 0 ? undefined : rank;
}

/** `linux/arm/v7` */
export function platformName(p: Platform): string {
  return p.variant === "" ? `${p.os}/${p.architecture}` : `${p.os}/${p.architecture}/${p.variant}`;
}
