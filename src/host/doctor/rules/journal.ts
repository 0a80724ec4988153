// The journal: readable by the user, and not throttled unawares.
import { KEEP_ON_DISK } from "../../journal/errors.js";
import { fail, type Outcome, ok, warn } from "../outcome.js";

/** journald.conf(5). */
export interface JournaldSettings {
  readonly storage: string;
  readonly intervalSeconds: number;
  readonly burst: number;
}

const UNITS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, "": 1, s: 1, sec: 1, m: 60, min: 60, h: 3600, hr: 3600, d: 86400 };

/** A time span as systemd.time(7) writes it, `1min 30s`; undefined when it is none. */
function seconds(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}

/** Files in the order they are read: the last word counts, an empty value means the default. */
export function parseJournald(files: readonly string[]): JournaldSettings {
  const values = new Map<string, string>();
  for (const line of files.join("\n").split("\n")) {
    const [, key, value] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const burst = Number.parseInt(values.get("RateLimitBurst") ?? "", 10);
  return {
    storage: values.get("Storage") || "auto",
    intervalSeconds: seconds(values.get("RateLimitIntervalSec") ?? values.get("RateLimitInterval") ?? "") ?? 30,
    burst: Number.isNaN(burst) ? 10_000 : burst,
  };
}

const FIX = `sudo mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nRateLimitIntervalSec=30s\\nRateLimitBurst=100000\\n' | sudo tee /etc/systemd/journald.conf.d/podgen.conf
sudo systemctl restart systemd-journald`;

export function decideRateLimit({ storage, intervalSeconds, burst }: JournaldSettings): Outcome {
  if (storage === "none")
    return fail(
      "journald keeps nothing (Storage=none): podgen logs has nothing to show",
      "sudo sed -i s/^Storage=none/Storage=auto/ /etc/systemd/journald.conf && sudo systemctl restart systemd-journald",
    );
  if (intervalSeconds === 0 || burst === 0) return ok("no limit");
  const limit = `${burst} lines in ${intervalSeconds} s (RateLimitBurst=), for all your units together: beyond that lines are dropped, also of quiet containers`;
  return burst < 1000 ? warn(limit, FIX) : { ...ok(limit), fix: FIX };
}

/** `error` is what reading the own lines gave; undefined when it worked. */
export function decideReadable(error: { readonly code: string; readonly message: string } | undefined): Outcome {
  if (!error) return ok("your units' lines can be read");
  if (error.code !== "journal-denied") return fail(error.message, "sudo systemctl restart systemd-journald");
  // Kept on disk, each user may read the own lines, in a file that the first of them makes; membership in systemd-journal
  // would show everybody's.
  return fail(error.message, `${KEEP_ON_DISK}\nsystemd-cat echo the journal is kept on disk`);
}
