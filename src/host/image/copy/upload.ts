// One blob into a registry: in one stream, or in pieces where a proxy wants small ones; after a cut it goes on where the registry is
// (OCI distribution-spec 1.1, "Pushing blobs").
import { ImageError } from "../../../ports/images.js";
import { type Answer, discard, HttpError } from "../http.js";
import type { RegistrySession } from "../session.js";
import type { Body } from "./content.js";

const SMALL = 1024 * 1024;
/** What is held in memory of a blob that is sent in pieces. */
const PIECE = 8 * 1024 * 1024;
const BUSY = new Set([408, 429, 500, 502, 503, 504]);
const TYPE = { "content-type": "application/octet-stream" };

/** How far an upload is, and where it goes on. */
interface Place {
  readonly url: string;
  readonly offset: number;
}

/** An answer after which the same may go well. */
class Again extends Error {}

export class Uploader {
  readonly #session: RegistrySession;
  /** A proxy on the way has refused a large body: from now on all goes in pieces. */
  #pieces = false;

  constructor(session: RegistrySession) {
    this.#session = session;
  }

  async exists(digest: string): Promise<boolean> {
    const answer = await this.#session.open(`blobs/${digest}`, { method: "HEAD", headers: {} });
    discard(answer);
    return answer.status === 200;
  }

  /** The whole blob; `begun` is an upload that was begun for it. Throws ImageError. */
  async send(body: Body, signal: AbortSignal, begun?: string): Promise<void> {
    const { deadlines } = this.#session;
    let place: Place | undefined = begun === undefined ? undefined : { url: begun, offset: 0 };
    for (let tries = 1; ; tries++) {
      const before = place?.offset ?? 0;
      try {
        place ??= { url: await this.#begin(), offset: 0 };
        return await this.#attempt(body, place, signal);
      } catch (error) {
        if (!(error instanceof Again) && !(error instanceof HttpError && error.again)) throw this.#told(error);
        place = place === undefined ? undefined : await this.#progress(place);
        // As for a download: a real gain starts the count anew.
        if ((place?.offset ?? 0) - before >= deadlines.windowBytes) tries = 0;
        // Who refuses a large body may cut the connection before its 413 is read.
        else if (error instanceof HttpError) this.#pieces = true;
        if (tries >= deadlines.attempts) throw this.#told(error);
        await this.#session.pause(Math.max(1, tries), signal);
        // The answer to the last request may be all that was lost.
        if (body.known !== undefined && (await this.exists(body.known.digest))) return;
      }
    }
  }

  async #attempt(body: Body, place: Place, signal: AbortSignal): Promise<void> {
    const { known } = body;
    if (known !== undefined && known.size <= SMALL && place.offset === 0) {
      const headers = { ...TYPE, "content-length": String(known.size) };
      const request = { method: "PUT" as const, headers, signal, once: true, body: () => body.open(0) };
      return this.#finish(await this.#session.open(closing(place.url, known.digest), request));
    }
    const url = this.#pieces ? await this.#sendPieces(body, place, signal) : await this.#sendStream(body, place, signal);
    const headers = { ...TYPE, "content-length": "0" };
    await this.#finish(await this.#session.open(closing(url, body.result().digest), { method: "PUT", headers, signal, once: true }));
  }

  async #begin(): Promise<string> {
    const answer = await this.#session.open("blobs/uploads/", { method: "POST", headers: { "content-length": "0" } });
    if (answer.status !== 202 || answer.headers.location === undefined) throw await this.#refused(answer, "an upload");
    discard(answer);
    return this.#placed(answer.headers.location, answer);
  }

  /** All that is left in one request. Returns where it goes on. */
  async #sendStream(body: Body, { url, offset }: Place, signal: AbortSignal): Promise<string> {
    const { known } = body;
    const length = known === undefined ? {} : { "content-length": String(known.size - offset) };
    // Without a size its end cannot be named; then it is a new upload, and from 0 on there is nothing to say.
    const range = known === undefined || offset === 0 ? {} : { "content-range": `${offset}-${known.size - 1}` };
    const headers = { ...TYPE, ...length, ...range };
    return this.#next(await this.#session.open(url, { method: "PATCH", headers, signal, once: true, body: () => body.open(offset) }), url);
  }

  async #sendPieces(body: Body, place: Place, signal: AbortSignal): Promise<string> {
    let { url, offset } = place;
    for await (const piece of gathered(body.open(offset))) {
      const headers = { ...TYPE, "content-length": String(piece.length), "content-range": `${offset}-${offset + piece.length - 1}` };
      url = await this.#next(await this.#session.open(url, { method: "PATCH", headers, signal, once: true, body: () => [piece] }), url);
      offset += piece.length;
    }
    return url;
  }

  /** Where the upload goes on after a part of it was taken. */
  async #next(answer: Answer, before: string): Promise<string> {
    if ([201, 202, 204].includes(answer.status)) {
      discard(answer);
      const { location } = answer.headers;
      return location === undefined ? before : this.#placed(location, answer);
    }
    if (answer.status === 413 && !this.#pieces) {
      this.#pieces = true;
      discard(answer);
      throw new Again("the registry takes no body of that size");
    }
    throw await this.#refused(answer, "a layer");
  }

  /** Where a registry says that it goes on. Throws ImageError image-refused for what is no address. */
  #placed(location: string, { url }: Answer): string {
    if (URL.canParse(location, url.href)) return new URL(location, url).href;
    const { text } = this.#session.reference;
    throw new ImageError("image-refused", text, `${text}: ${url.host} names no address to send a layer to`);
  }

  async #finish(answer: Answer): Promise<void> {
    if (![201, 202, 204].includes(answer.status)) throw await this.#refused(answer, "a layer");
    discard(answer);
  }

  /** How far the registry is; undefined when it has forgotten the upload. */
  async #progress({ url }: Place): Promise<Place | undefined> {
    try {
      const answer = await this.#session.open(url, { method: "GET", headers: {} });
      discard(answer);
      const range = /^(?:bytes=)?0-(\d+)$/.exec(String(answer.headers["range"] ?? ""));
      const { location } = answer.headers;
      if (answer.status !== 204 || range === null) return undefined;
      // distribution says 0-0 for nothing at all, as it would for one byte: a byte sent twice is refused, so it begins anew.
      if (range[1] === "0") return undefined;
      return { url: location === undefined ? url : this.#placed(location, answer), offset: Number(range[1]) + 1 };
    } catch (error) {
      if (error instanceof ImageError) return undefined;
      throw error;
    }
  }

  async #refused(answer: Answer, what: string): Promise<Error> {
    if (BUSY.has(answer.status) || answer.status === 416) {
      discard(answer);
      return new Again(`HTTP ${answer.status}`);
    }
    const { text } = this.#session.reference;
    return new ImageError("image-refused", text, `${text}: the registry does not take ${what} (${await this.#session.reason(answer)})`);
  }

  #told(error: unknown): unknown {
    if (error instanceof HttpError) return this.#session.unreachable(error);
    if (!(error instanceof Again)) return error;
    const { text } = this.#session.reference;
    return new ImageError("image-unreachable", text, `${text}: a layer cannot be sent: ${error.message} each time`, "Try again later.");
  }
}

/** The address that closes an upload. What the registry put into it is left as it is. */
function closing(url: string, digest: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}

/** The same bytes in pieces of a size that proxies take. */
async function* gathered(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bytes) {
    parts.push(part);
    size += part.length;
    if (size < PIECE) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}
