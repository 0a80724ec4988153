// podgen doctor: a table of checks, each a reading and a rule, all at once and each with a deadline.
import type { Check } from "../../ports/host.js";
import { findProgram, searchPath, unprivilegedPortStart } from "../facts/facts.js";
import { readStorage } from "../facts/storage.js";
import { LogindLinger } from "../systemd/logind.js";
import { fail, type Outcome, type Subject } from "./outcome.js";
import { installCommand } from "./packages.js";
import { readText, readWithDropins } from "./read/files.js";
import { readCgroups, readDisk, readDrivers, readIdmap, readNamespaces, readSubids } from "./read/machine.js";
import { readUplink } from "./read/network.js";
import { readBus, readOwnJournal, readRuntimeFolder } from "./read/session.js";
import { decideIdmap } from "./rules/idmap.js";
import { decideRateLimit, decideReadable, parseJournald } from "./rules/journal.js";
import { decideCgroups, decideUserNamespaces } from "./rules/kernel.js";
import { decidePasta, decidePorts, decideUplink } from "./rules/network.js";
import { decideBus, decideLinger, decideRuntimeFolder, decideUnitFolders } from "./rules/session.js";
import { decideDisk, decideDriver, decideMapping, decideOverlay } from "./rules/storage.js";
import { decideSubids } from "./rules/subids.js";

/** Milliseconds for one check. */
const DEADLINE = 8000;

/** What several checks use, read once. */
interface Shared {
  readonly subject: Subject;
  readonly osRelease: string;
  readonly bus: ReturnType<typeof readBus>;
  readonly drivers: ReturnType<typeof readDrivers>;
}

type Row = readonly [id: string, title: string, check: (shared: Shared) => Promise<Outcome>];

const CHECKS: readonly Row[] = [
  ["user-namespaces", "user namespaces", async () => decideUserNamespaces(await readNamespaces())],
  ["subordinate-ids", "subordinate ids", async ({ subject }) => decideSubids(await readSubids(subject))],
  ["idmap-helpers", "newuidmap, newgidmap", async ({ subject }) => decideIdmap(await readIdmap(subject))],
  ["id-mapping", "user namespace with these ids", async ({ drivers }) => decideMapping(await drivers)],
  ["runtime-folder", "XDG_RUNTIME_DIR", async ({ subject: s }) => decideRuntimeFolder(await readRuntimeFolder(s), s.uid, s.user)],
  ["user-bus", "user manager and bus", async (s) => decideBus(await s.bus, installCommand("user-bus", s.osRelease), s.subject.user)],
  ["unit-folder", "unit folder", checkUnitFolder],
  ["linger", "linger", async ({ subject: s }) => decideLinger((await new LogindLinger(s.env, s.user, s.uid).status()).enabled, s.user)],
  ["cgroups", "cgroups", async ({ subject }) => decideCgroups(await readCgroups(subject), subject.uid)],
  ["overlay", "overlay mounts", async ({ drivers }) => decideOverlay(await drivers)],
  ["storage-driver", "storage driver", checkDriver],
  ["disk", "disk space", async ({ subject }) => decideDisk(await readDisk(subject))],
  ["pasta", "pasta (uplink of pods)", checkPasta],
  ["ports", "unprivileged ports", async () => decidePorts(await unprivilegedPortStart())],
  ["uplink", "names and uplink", async ({ subject }) => decideUplink(await readUplink(subject))],
  ["journal", "own journal", async ({ subject }) => decideReadable(await readOwnJournal(subject))],
  ["journal-rate", "journal rate limit", async () => decideRateLimit(parseJournald(await readWithDropins("journald.conf")))],
];

async function checkUnitFolder({ bus, subject }: Shared): Promise<Outcome> {
  const { error, folders } = await bus;
  return error ? fail("unknown, since the manager does not answer") : decideUnitFolders(folders, subject.paths.units);
}

/** Settings that cannot be read are told as the failure of this check. */
async function checkDriver({ drivers, subject, osRelease }: Shared): Promise<Outcome> {
  const { driver } = await readStorage(subject.paths.settings);
  return decideDriver(await drivers, installCommand("fuse-overlayfs", osRelease), driver);
}

/** Where units look for it, since one of them starts it; where no manager answers, where we would. */
async function checkPasta({ bus, subject, osRelease }: Shared): Promise<Outcome> {
  const path = (await bus).path || searchPath(subject.env);
  return decidePasta(await findProgram("pasta", path), installCommand("passt", osRelease));
}

/** All checks in the table's order. Never rejects: a check that could not be made is a failed one that says so. */
export async function examine(subject: Subject): Promise<readonly Check[]> {
  const osRelease = (await readText("/etc/os-release")) ?? "";
  const shared: Shared = { subject, osRelease, bus: readBus(subject), drivers: readDrivers(subject) };
  // Awaited by several checks or, should those fail first, by none.
  for (const promise of [shared.bus, shared.drivers]) promise.catch(() => undefined);
  return Promise.all(CHECKS.map(async ([id, title, check]) => ({ id, title, ...(await inTime(check(shared))) })));
}

function inTime(outcome: Promise<Outcome>): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(fail(`no result within ${DEADLINE / 1000} s`)), DEADLINE);
    const done = (value: Outcome) => {
      clearTimeout(timer);
      resolve(value);
    };
    outcome.then(done, (error) => done(fail(`could not be checked: ${error instanceof Error ? error.message : String(error)}`)));
  });
}
