// How many subordinate ids the user has, as podrt will map them (native/lib/subid.c).
import { smallText } from "../files/small.js";

/** podrt takes so many lines (SUBID_MAX). */
const LINES_MAX = 100;

/**
 * The ids of all lines that name the user, by login name or number. Lines that are malformed, overlap an earlier one or hold `own`, the id
 * that becomes root, do not count: the kernel would refuse the whole map.
 */
export function countIds(text: string, user: string, uid: number, own: number): number {
  const taken: [first: number, count: number][] = [[own, 1]];
  for (const line of text.split("\n")) {
    const [, name = "", first = "", count = ""] = /^([^:]+):(\d{1,10}):(\d{1,10})$/.exec(line.trim()) ?? [];
    if ((name !== user && name !== String(uid)) || taken.length > LINES_MAX) continue;
    const [a, n] = [Number(first), Number(count)];
    const total = taken.reduce((sum, [, c]) => sum + c, 0);
    if (n === 0 || a + n > 0xffffffff || total + n > 0xffffffff || taken.some(([b, m]) => a < b + m && b < a + n)) continue;
    taken.push([a, n]);
  }
  return taken.slice(1).reduce((sum, [, count]) => sum + count, 0);
}

/** Both files; 0 where there is none. */
export async function subordinateIds(
  { user, uid, gid }: { readonly user: string; readonly uid: number; readonly gid: number },
  root = "",
): Promise<{ uids: number; gids: number }> {
  const read = (name: string): string => smallText(`${root}/etc/${name}`) ?? "";
  const [subuid, subgid] = [read("subuid"), read("subgid")];
  return { uids: countIds(subuid, user, uid, uid), gids: countIds(subgid, user, uid, gid) };
}
