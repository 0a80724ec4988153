// --platform: OS/ARCHITECTURE[/VARIANT], as docker and podman write it.
import type { Args } from "./args.js";
import { EXIT, UserError } from "./exit.js";

export interface PlatformWords {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

// What uname says, for what indexes say.
const ALIASES: Readonly<Record<string, string>> = { x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64", armhf: "arm", i386: "386" };

/** The platform that was asked for; undefined: this machine's. Throws UserError (64). */
export function platformOf(args: Args): PlatformWords | undefined {
  const text = args.text("platform");
  if (text === undefined) return undefined;
  const found = /^([a-z0-9]+)\/([a-z0-9_-]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (found === null) throw new UserError(`--platform ${text}: it is OS/ARCHITECTURE[/VARIANT], linux/arm64 say`, EXIT.usage);
  const [, os = "", architecture = "", variant = ""] = found;
  return { os, architecture: ALIASES[architecture] ?? architecture, variant };
}
