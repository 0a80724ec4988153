// Subordinate ids: enough of them, and nobody else's (subuid(5), subgid(5)).
import { fail, type Outcome, ok, warn } from "../outcome.js";

/** Containers expect ids 0 to 65535: nobody is 65534. */
export const WANTED = 65536;

export interface Range {
  readonly owner: string;
  readonly first: number;
  readonly count: number;
}

export interface SubidFacts {
  readonly user: string;
  readonly uid: number;
  /** Contents of the files. */
  readonly subuid: string;
  readonly subgid: string;
  readonly passwd: string;
  readonly group: string;
  /** Sources of `subid:` in nsswitch.conf other than files, `sss` say. */
  readonly otherSources: readonly string[];
}

/** Lines `owner:first:count`; what does not fit is left out, as newuidmap does. */
export function parseRanges(text: string): Range[] {
  return text.split("\n").flatMap((line) => {
    const [, owner, first, count] = /^([^:#\s]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return owner && first && count ? [{ owner, first: Number(first), count: Number(count) }] : [];
  });
}

/** Name and number of every line of passwd or group. */
export function parseIds(text: string): { name: string; id: number }[] {
  return text.split("\n").flatMap((line) => {
    const [name, , id] = line.split(":");
    return name && id && /^\d+$/.test(id) ? [{ name, id: Number(id) }] : [];
  });
}

export function decideSubids(facts: SubidFacts): Outcome {
  if (facts.otherSources.length > 0) return warn(`subordinate ids come from ${facts.otherSources.join(", ")} (nsswitch.conf); not checked`);
  const files = [
    { file: "/etc/subuid", ranges: parseRanges(facts.subuid), real: parseIds(facts.passwd), kind: "user" },
    { file: "/etc/subgid", ranges: parseRanges(facts.subgid), real: parseIds(facts.group), kind: "group" },
  ];
  const everything = files.flatMap((f) => f.ranges);
  const isOurs = (range: Range) => range.owner === facts.user || range.owner === String(facts.uid);
  const fix = addCommand(facts.user, everything);

  for (const { file, ranges } of files) {
    const total = ranges.filter(isOurs).reduce((sum, range) => sum + range.count, 0);
    if (total === 0) return fail(`${file} has no range for ${facts.user}: images with more than one user cannot run`, fix);
    if (total < WANTED) return warn(`${file} gives ${facts.user} ${total} ids; images expect ${WANTED}`, fix);
  }
  for (const { file, ranges, real, kind } of files) {
    for (const own of ranges.filter(isOurs)) {
      const account = real.find(({ id }) => id >= own.first && id < own.first + own.count);
      if (account)
        return fail(
          `${file}: the range ${show(own)} of ${facts.user} has the ${kind} ${account.name} (${account.id}) in it, whose files containers could then change`,
          moveCommand(own, fix),
        );
      const other = ranges.find((range) => !isOurs(range) && range.first < own.first + own.count && own.first < range.first + range.count);
      if (other)
        return fail(
          `${file}: the range ${show(own)} of ${facts.user} overlaps ${show(other)} of ${other.owner}: containers of the two could reach each other's files`,
          moveCommand(own, fix),
        );
    }
  }
  const uids = files[0]?.ranges.filter(isOurs) ?? [];
  return ok(`${facts.user} has ${uids.map(show).join(" and ")}`);
}

const show = ({ first, count }: Range) => `${first}-${first + count - 1}`;

/** A range above all others. */
function addCommand(user: string, all: readonly Range[]): string {
  const end = Math.max(100000, ...all.map((range) => range.first + range.count));
  const range = `${end}-${end + WANTED - 1}`;
  return `sudo usermod --add-subuids ${range} --add-subgids ${range} ${user}`;
}

/** Takes the bad range away and gives another. Not by usermod --del-subuids: it refuses while the user has a process. */
function moveCommand({ owner, first, count }: Range, add: string): string {
  const line = `${owner}:${first}:${count}`.replaceAll(".", "\\.");
  return `# delete your pods first: files that containers made belong to the old ids\nsudo sed -i '/^${line}$/d' /etc/subuid /etc/subgid\n${add}`;
}
