// docker:// names without a registry: settled as podgen image pull settles them, and kept once what was asked for is done.
import { shortImage } from "../model/kube/image.js";
import type { Context } from "./context.js";

/**
 * What the name is for. Where registries.conf has the candidates tried in turn, `read` takes the first that has the image and `tags` the
 * first that has the repository; `write`, which is also for deleting, takes none by trying.
 */
export type NameUse = "read" | "tags" | "write";

const DOCKER = "docker://";

export class Names {
  readonly #context: Pick<Context, "host" | "ask" | "err">;
  readonly #chosen = new Map<string, string>();

  constructor(context: Pick<Context, "host" | "ask" | "err">) {
    this.#context = context;
  }

  /** `docker://NAME` with its registry; every other word as it is. Throws ImageError (short-image, image-not-found, image-config). */
  async full(word: string, use: NameUse): Promise<string> {
    const short = word.startsWith(DOCKER) ? shortImage(word.slice(DOCKER.length)) : undefined;
    if (short === undefined) return word;
    const { host } = this.#context;
    // Loaded for who needs it: a full name is the rule, and must not wait.
    const [images, copies, { chooser }, { settle }] = await Promise.all([
      host.images(),
      host.imageCopies(),
      import("./commands/apply.js"),
      import("./short-names.js"),
    ]);
    const probe = (candidate: string) =>
      use === "tags" ? copies.tags(`${DOCKER}${candidate}`) : copies.inspect(`${DOCKER}${candidate}`, { raw: true });
    const asked = { images, ...chooser(this.#context), chosen: this.#chosen, probe, exact: use === "write" };
    const found = await settle(short, "Always", asked);
    if (typeof found !== "string") throw found;
    return `${DOCKER}${found}`;
  }

  /** Keeps what a person has chosen, now that it has served. Throws ImageError. */
  async keep(): Promise<void> {
    const images = this.#chosen.size === 0 ? undefined : await this.#context.host.images();
    for (const [short, reference] of this.#chosen) await images?.remember(short, reference);
    this.#chosen.clear();
  }
}
