// The copies port: images between registries, folders and archives, without the store.
import { machine } from "node:os";
import type { ImageCopies } from "../../../ports/image-copy.js";
import { DEADLINES, type Deadlines } from "../deadlines.js";
import { local } from "../failure.js";
import { hostPlatform } from "../platform.js";
import { copy } from "./copy.js";
import { openContent, openSink } from "./endpoint.js";

export interface CopiesOptions {
  /** The podrt that compresses. */
  readonly podrt: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines?: Partial<Deadlines>;
}

/** Nothing is opened or read until it is asked. */
export function createCopies(options: CopiesOptions): ImageCopies {
  const { podrt, env } = options;
  const deadlines = { ...DEADLINES, ...options.deadlines };
  return {
    copy: (from, to, { platform, ...wishes }, progress) =>
      local(from, async () => {
        const ends = { env, deadlines, platform: platform ?? hostPlatform(process.arch, machine()) };
        const content = await openContent(from, ends);
        const sink = await openSink(to, content, ends);
        return copy(content, sink, { ...wishes, platform: ends.platform, podrt, progress });
      }),
  };
}
