// Which ids a pod with a user namespace of its own has: keep-id, nomap, and ranges that no other pod has.
import type { HostFacts, ImageFacts } from "../base/facts.js";
import { type IdRange, mapsJson, outsideId, type UsernsMaps } from "../base/userns.js";
import type { Container, PodModel, UsernsWish } from "../model/types.js";
import { type PodContext, refuse } from "./context.js";
import { digestOf } from "./digest.js";
import { planUser } from "./process.js";

/** The maps of a pod, with the name that layers shifted by them have. */
export interface PlannedUserns extends UsernsMaps {
  /** Of the maps, 16 hex digits. */
  readonly digest: string;
}

/** The maps of installed pods, by the pod's name: what is taken, and what a pod keeps. */
export type InstalledUserns = Readonly<Record<string, UsernsMaps | undefined>>;

/** As many as a pod may want where the user has plenty of ids: all of 16 bits. */
const PLENTY = 65536;
const PLENTY_FROM = 16 * PLENTY;
/** Else: enough for the users of nearly all images, and for fifteen pods out of the usual 65536. Sizes are multiples of the step. */
const USUAL = 4096;
const STEP = 1024;

interface Range {
  readonly first: number;
  readonly size: number;
}

/** Chooses ranges for all pods of one apply, so that the same specs on the same machine always get the same ones. */
export class UsernsPlanner {
  readonly #facts: HostFacts;
  readonly #installed: InstalledUserns;
  /** What `auto` pods have, by pod: installed ones that this apply does not speak of, and those planned so far. */
  readonly #taken = new Map<string, Range>();
  /** What planned pods have and will not keep: they may still run with it when others start. */
  readonly #leaving = new Map<string, Range>();

  constructor(facts: HostFacts, installed: InstalledUserns, pods: readonly PodModel[], images: ReadonlyMap<string, ImageFacts>) {
    this.#facts = facts;
    this.#installed = installed;
    // A pod that goes with this apply runs until the others have been planned: its range is free at the next one.
    const planned = new Set(pods.map((pod) => pod.name));
    for (const [name, maps] of Object.entries(installed)) {
      const range = maps === undefined || maps.mode !== "auto" ? undefined : rangeOf(maps);
      if (range !== undefined && !planned.has(name)) this.#taken.set(name, range);
    }
    // First those that keep what they have, so that no new pod takes it.
    for (const pod of pods) {
      const range = this.#kept(pod, images);
      if (range !== undefined && this.#isFree(range)) this.#taken.set(pod.name, range);
      const maps = installed[pod.name];
      const old = maps === undefined || maps.mode !== "auto" ? undefined : rangeOf(maps);
      if (old !== undefined && !this.#taken.has(pod.name)) this.#leaving.set(pod.name, old);
    }
  }

  /** The pod's maps; undefined for the shared namespace, and where the ids cannot be had: then that is among the findings. */
  plan(context: PodContext): PlannedUserns | undefined {
    const { pod, images } = context;
    const wish = pod.userns ?? { mode: "shared" };
    if (wish.mode === "shared") return undefined;
    const { uids, gids } = this.#facts.subordinateIds;
    if (uids === 0 || gids === 0) {
      const message = `userns ${wish.mode}: user ${this.#facts.user} has no subordinate ids, and a user namespace of the pod's own needs some`;
      refuse(context, "userns-no-ids", pod.at, message, "podgen doctor says how to give some");
      return undefined;
    }
    const maps = wish.mode === "auto" ? this.#auto(context, sizeOf(wish, pod, images, Math.min(uids, gids))) : this.#whole(wish);
    if (maps === undefined) return undefined;
    for (const container of [...pod.initContainers, ...pod.containers]) checkUser(context, container, maps);
    return { ...maps, digest: digestOf(mapsJson(maps)).slice(0, 16) };
  }

  #whole(wish: Exclude<UsernsWish, { mode: "shared" | "auto" }> | { readonly mode: "nomap" | "shared" }): UsernsMaps {
    const { uids, gids } = this.#facts.subordinateIds;
    if (wish.mode !== "keep-id") return { mode: "nomap", uids: [[0, 1, uids]], gids: [[0, 1, gids]] };
    const { uid, gid } = keptIds(wish, this.#facts);
    return { mode: "keep-id", uids: around(uid, uids), gids: around(gid, gids) };
  }

  #auto(context: PodContext, size: number): UsernsMaps | undefined {
    const { pod } = context;
    const range = this.#taken.get(pod.name) ?? this.#free(size, pod.name);
    if (range === undefined) {
      const { uids, gids } = this.#facts.subordinateIds;
      const others = [...this.#taken.values()].reduce((sum, r) => sum + r.size, 0);
      const message = `userns auto: no room for ${size} ids: user ${this.#facts.user} has ${Math.min(uids, gids)}, and other pods have ${others} of them`;
      refuse(
        context,
        "userns-no-room",
        pod.at,
        message,
        "ask for fewer with podgen.io/userns: auto:size=N, or give the user more (subuid(5))",
      );
      return undefined;
    }
    this.#taken.set(pod.name, range);
    const ids: readonly IdRange[] = [[0, range.first, range.size]];
    return { mode: "auto", uids: ids, gids: ids };
  }

  /** What an installed pod has, if it is what it would get now. */
  #kept(pod: PodModel, images: ReadonlyMap<string, ImageFacts>): Range | undefined {
    const maps = this.#installed[pod.name];
    if (pod.userns?.mode !== "auto" || maps?.mode !== "auto") return undefined;
    const room = Math.min(this.#facts.subordinateIds.uids, this.#facts.subordinateIds.gids);
    const range = rangeOf(maps);
    if (range === undefined || range.first + range.size - 1 > room) return undefined;
    const wanted = sizeOf(pod.userns, pod, images, room);
    // A pod that needs fewer by now keeps all: others would be another namespace, and a restart for nothing.
    return pod.userns.size === undefined ? (range.size >= wanted ? range : undefined) : range.size === wanted ? range : undefined;
  }

  #isFree({ first, size }: Range): boolean {
    return [...this.#taken.values()].every((r) => first >= r.first + r.size || r.first >= first + size);
  }

  /** From the top, for files of pods that share the user's namespace have low ids. */
  #free(size: number, pod: string): Range | undefined {
    let end = Math.min(this.#facts.subordinateIds.uids, this.#facts.subordinateIds.gids) + 1;
    // Its own old ids are nobody else's: it ends before it starts with new ones.
    const leaving = [...this.#leaving].flatMap(([name, range]) => (name === pod ? [] : [range]));
    for (const r of [...this.#taken.values(), ...leaving].sort((a, b) => b.first - a.first)) {
      if (end - size >= r.first + r.size) break;
      end = Math.min(end, r.first);
    }
    return end - size >= 1 ? { first: end - size, size } : undefined;
  }
}

/** The ids that the user has inside. */
export function keptIds(wish: { readonly uid?: number; readonly gid?: number }, facts: HostFacts): { uid: number; gid: number } {
  return { uid: wish.uid ?? facts.uid, gid: wish.gid ?? facts.gid };
}

/** `id` inside is the user; all others are subordinate ones, in order. */
function around(id: number, count: number): IdRange[] {
  const ranges: IdRange[] = [
    [0, 1, Math.min(id, count)],
    [id, 0, 1],
    [id + 1, id + 1, count - id],
  ];
  return ranges.filter(([, , n]) => n > 0);
}

function rangeOf({ uids: [first] }: UsernsMaps): Range | undefined {
  return first === undefined ? undefined : { first: first[1], size: first[2] };
}

function sizeOf(wish: { readonly size?: number }, pod: PodModel, images: ReadonlyMap<string, ImageFacts>, room: number): number {
  if (wish.size !== undefined) return wish.size;
  if (room >= PLENTY_FROM) return PLENTY;
  const users = [...pod.initContainers, ...pod.containers].flatMap((container) => {
    const image = images.get(container.image);
    return image === undefined ? [] : [{ ...planUser(container, image), groups: container.security.groups ?? [] }];
  });
  const needed = 1 + Math.max(0, ...users.flatMap(({ uid, gid, groups }) => [uid, gid, ...groups]));
  return Math.max(USUAL, Math.ceil(needed / STEP) * STEP);
}

/** Names are looked up in the image when it starts, and podrt then says the same. */
function checkUser(context: PodContext, container: Container, maps: UsernsMaps): void {
  const image = context.images.get(container.image);
  if (image === undefined) return;
  const { uid, gid } = planUser(container, image);
  const groups = [gid, ...(container.security.groups ?? [])];
  const group = groups.find((id) => outsideId(maps.gids, id) === undefined);
  const missing = outsideId(maps.uids, uid) === undefined ? `user ${uid}` : group !== undefined ? `group ${group}` : "";
  if (missing === "") return;
  const message = `container "${container.name}" runs as ${missing}, and the pod's user namespace (${maps.mode}) has no such id`;
  const hint = maps.mode === "auto" ? `podgen.io/userns: auto:size=${Math.max(uid, ...groups) + 1}` : undefined;
  refuse(context, "userns-no-id", container.at, message, hint);
}
