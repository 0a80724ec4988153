// One image behind several registries: the first that answers well is used, also in the middle of a layer.
import { ImageError } from "../../ports/images.js";
import type { Content } from "./copy/content.js";
import type { Descriptor } from "./manifest.js";
import type { RawManifest } from "./resolve.js";
import type { Found } from "./signatures/signature.js";
import type { ImageSource, Resolved } from "./source.js";

export interface Place {
  readonly source: ImageSource & Content & { signatures(digest: string): Promise<Found> };
  /** `host:port`, for messages. */
  readonly host: string;
}

export class MirroredSource implements ImageSource, Content {
  readonly remote = true;
  readonly #places: readonly Place[];
  /** Where the image was found: its layers are there, too. */
  #found: number | undefined;

  /** The primary location is the last one; its trouble is the one that is told. */
  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  get text(): string {
    return this.#places.at(-1)?.source.text ?? "";
  }

  top(): Promise<RawManifest> {
    return this.#first((source) => source.top());
  }

  manifest(digest: string): Promise<RawManifest> {
    return this.#first((source) => source.manifest(digest));
  }

  current(): Promise<string> {
    return this.#first((source) => source.current());
  }

  resolve(digest?: string): Promise<Resolved> {
    return this.#first((source) => source.resolve(digest));
  }

  /** Those of where the image was found, and no other's: as containers/image has it. A manifest of the store has to be found first. */
  async signatures(digest: string): Promise<Found> {
    if (this.#found === undefined) await this.manifest(digest);
    return (this.#places[this.#found ?? 0] as Place).source.signatures(digest);
  }

  async *layer(layer: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let offset = from;
    const found = this.#found ?? 0;
    const order = [...this.#places.slice(found), ...this.#places.slice(0, found)];
    for (const [i, { source }] of order.entries()) {
      try {
        for await (const piece of source.layer(layer, offset, signal)) {
          offset += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        if (!(error instanceof ImageError) || signal.aborted || i === order.length - 1) throw error;
      }
    }
  }

  async #first<T>(work: (source: ImageSource & Content) => Promise<T>): Promise<T> {
    const troubles: string[] = [];
    for (const [i, { source, host }] of this.#places.entries()) {
      try {
        const result = await work(source);
        this.#found = i;
        return result;
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        if (i === this.#places.length - 1) throw told(error, troubles);
        troubles.push(`${host}: ${error.message.replace(`${error.reference}: `, "").replace(`${error.reference} `, "")}`);
      }
    }
    throw new Error("an image without a place");
  }
}

function told(error: ImageError, mirrors: readonly string[]): ImageError {
  if (mirrors.length === 0) return error;
  return new ImageError(error.code, error.reference, `${error.message}; mirrors before it: ${mirrors.join("; ")}`, error.hint, error);
}
