// HTTP exchanges with a deadline on every phase. node:http and not fetch: custom certificate authorities, redirects in our
// own hands, no second HTTP stack to load.
import * as http from "node:http";
// Only its types: TLS takes some 15 ms to load, which a registry on loopback need not cost.
import type * as https from "node:https";
import type { Trust } from "./certificates.js";
import type { Deadlines } from "./deadlines.js";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: http.IncomingMessage;
  /** What answered in the end, after redirects. */
  readonly url: URL;
}

export interface Request {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** What is sent along; called once for each try, and no redirect is followed. Without a content-length in the headers it goes in HTTP's own chunks. */
  readonly body?: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** One try, whatever the answer: the caller has to look at what arrived before it tries again. */
  readonly once?: boolean;
}

/** Why there is no answer, or only a part of one. `again`: worth another try. `connected`: the other side was there. */
export class HttpError extends Error {
  readonly again: boolean;
  readonly connected: boolean;
  readonly code: string;
  constructor(message: string, code: string, again: boolean, connected: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = "HttpError";
    this.code = code;
    this.again = again;
    this.connected = connected;
  }
}

const REDIRECTS_MAX = 10;

/**
 * Of the sockets, and so of the bodies (node:net hands it on to the Duplex; the types do not know it): what arrives while the last piece is
 * hashed and written comes as one piece then. With Node's 64 KiB a pull took nearly half as much processor time again.
 */
const ROOM: object = { readableHighWaterMark: 1 << 20 };

/** True for hosts that never leave this machine: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(hostname: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]" || hostname === "localhost";
}

/** Where a URL points, for people: without user, query and fragment, which may carry secrets. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

export class HttpClient {
  readonly #deadlines: Deadlines;
  readonly #trustOf: (host: string) => Promise<Trust>;
  readonly #trust = new Map<string, Promise<Trust>>();
  readonly #plain = new http.Agent({ keepAlive: true, ...ROOM });
  readonly #secure = new Map<string, Promise<https.Agent>>();

  /** `trust` is asked once for each `host:port`. */
  constructor(deadlines: Deadlines, trust: (host: string) => Promise<Trust>) {
    this.#deadlines = deadlines;
    this.#trustOf = trust;
  }

  /** What is known of a `host:port`. */
  trust(host: string): Promise<Trust> {
    const known = this.#trust.get(host) ?? this.#trustOf(host);
    this.#trust.set(host, known);
    return known;
  }

  /**
   * Sends a request and follows redirects. Authorization goes to the first origin only; plain HTTP only to loopback and to
   * registries that registries.conf calls insecure, and never after HTTPS. The body is not read: use chunks() or readAll(), or discard(). Throws HttpError.
   */
  async send(url: URL, request: Request): Promise<Answer> {
    let headers = { ...request.headers };
    let at = url;
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      if (at.protocol !== "https:" && !(at.protocol === "http:" && (isLoopback(at.hostname) || (await this.trust(at.host)).insecure))) {
        const why = "podgen speaks plain HTTP with loopback addresses only, and with what registries.conf calls insecure";
        throw new HttpError(`${shown(at)} is refused: ${why}`, "insecure", false, true);
      }
      const answer = await this.#exchange(at, request, headers);
      const to = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.status) || to === undefined || request.body !== undefined) return answer;
      discard(answer);
      const next = URL.canParse(to, at.href) ? new URL(to, at) : undefined;
      if (next === undefined) throw new HttpError(`${shown(at)} redirects to something that is no address`, "redirect", false, true);
      if (at.protocol === "https:" && next.protocol !== "https:") {
        throw new HttpError(
          `${shown(at)} redirects from HTTPS to plain ${next.protocol}//${next.host}, which is refused`,
          "redirect",
          false,
          true,
        );
      }
      if (next.origin !== at.origin) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      at = next;
    }
    throw new HttpError(`${shown(url)} redirects more than ${REDIRECTS_MAX} times`, "redirect", false, true);
  }

  async #exchange(url: URL, request: Request, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const plain = url.protocol === "http:";
    const agent = plain ? this.#plain : await this.#secureAgent(url.host);
    const { request: begin } = plain ? http : await import("node:https");
    const { connect, headers: head, idle } = this.#deadlines;
    return new Promise<Answer>((resolve, reject) => {
      let connected = false;
      /** Why the body could not be had: an error of where it comes from, not of this connection. */
      let broken: { error: unknown } | undefined;
      const options = { method: request.method, headers, agent, ...(request.signal === undefined ? {} : { signal: request.signal }) };
      let sent: http.ClientRequest;
      try {
        sent = begin(url, options);
      } catch (error) {
        // A key or certificate that is none is found when TLS begins.
        reject(httpError(error, url, false));
        return;
      }
      const late = (what: string, ms: number) => () =>
        sent.destroy(new HttpError(`${url.host}: ${what} in ${ms / 1000} s`, "deadline", true, connected));
      let timer = setTimeout(late("no connection", connect), connect);
      const onConnected = () => {
        connected = true;
        clearTimeout(timer);
        if (request.body === undefined || sent.writableFinished) timer = setTimeout(late("no answer", head), head);
      };
      sent.on("socket", (socket) => {
        if (!socket.connecting && sent.reusedSocket) onConnected();
        else socket.once(url.protocol === "http:" ? "connect" : "secureConnect", onConnected);
      });
      sent.on("response", (body) => {
        clearTimeout(timer);
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url });
      });
      sent.on("error", (error) => {
        clearTimeout(timer);
        reject(broken === undefined ? httpError(error, url, connected) : broken.error);
      });
      if (request.body === undefined) return void sent.end();
      sent.on("finish", () => {
        clearTimeout(timer);
        if (!sent.destroyed) timer = setTimeout(late("no answer", head), head);
      });
      pump(sent, request.body(), idle, late("it takes nothing", idle)).catch((error: unknown) => {
        broken = { error };
        sent.destroy(error as Error);
      });
    });
  }

  #secureAgent(host: string): Promise<https.Agent> {
    const known = this.#secure.get(host);
    if (known !== undefined) return known;
    const agent = Promise.all([import("node:https"), this.trust(host)]).then(([{ Agent }, { ca, cert, key, insecure }]) => {
      const own = {
        ...(ca === undefined ? {} : { ca: [...ca] }),
        ...(cert === undefined ? {} : { cert: [...cert], key: [...(key ?? [])] }),
      };
      return new Agent({ keepAlive: true, ...ROOM, minVersion: "TLSv1.2", rejectUnauthorized: insecure !== true, ...own });
    });
    this.#secure.set(host, agent);
    return agent;
  }
}

/** Sends a body piece by piece; ends early when the other side has answered already. Throws what the body throws. */
async function pump(
  sent: http.ClientRequest,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  idle: number,
  late: () => void,
): Promise<void> {
  let answered = false;
  let wake: () => void = () => undefined;
  sent.once("response", () => {
    answered = true;
  });
  for (const event of ["drain", "close", "response"]) sent.on(event, () => wake());
  for await (const piece of body) {
    if (answered || sent.destroyed) return;
    if (sent.write(piece)) continue;
    const timer = setTimeout(late, idle);
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    clearTimeout(timer);
  }
  if (!sent.destroyed) sent.end();
}

/** Gives up on a body; its connection is not used again. */
export function discard(answer: Answer): void {
  answer.body.on("error", () => undefined);
  answer.body.destroy();
}

/** The pieces of a body, in order; the clock stands still while the reader works. Throws HttpError when it is cut or too slow. */
export async function* chunks(answer: Answer, deadlines: Deadlines): AsyncGenerator<Uint8Array> {
  const pieces = answer.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let waited = 0;
  let arrived = 0;
  try {
    for (;;) {
      const since = performance.now();
      const timer = setTimeout(() => {
        answer.body.destroy(new HttpError(`${answer.url.host} sent nothing for ${deadlines.idle / 1000} s`, "deadline", true, true));
      }, deadlines.idle);
      let piece: IteratorResult<Uint8Array>;
      try {
        piece = await pieces.next();
      } finally {
        clearTimeout(timer);
      }
      if (piece.done === true) return;
      waited += performance.now() - since;
      arrived += piece.value.length;
      if (waited >= deadlines.window) {
        if (arrived < deadlines.windowBytes) throw new HttpError(`${answer.url.host} sends too slowly`, "deadline", true, true);
        waited = 0;
        arrived = 0;
      }
      yield piece.value;
    }
  } catch (error) {
    throw httpError(error, answer.url, true);
  } finally {
    discard(answer);
  }
}

/** A whole body of at most `limit` bytes; undefined when it is longer. Throws HttpError. */
export async function readAll(answer: Answer, limit: number, deadlines: Deadlines): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks(answer, deadlines)) {
    length += part.length;
    if (length > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

// A connection that broke, or a name server that is busy: another try may go better. Wrong names and certificates do not mend.
const AGAIN = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ECONNABORTED",
  "HPE_INVALID_EOF_STATE",
]);

function httpError(error: unknown, url: URL, connected: boolean): HttpError {
  if (error instanceof HttpError) return error;
  const { code = "", message = String(error), name = "" } = error as { code?: string; message?: string; name?: string };
  if (name === "AbortError") return new HttpError("given up", "aborted", false, connected, error);
  // A name with several addresses, localhost for one: each has failed in its way, and the whole has no message of its own.
  const said =
    error instanceof AggregateError ? error.errors.map((e: unknown) => (e instanceof Error ? e.message : String(e))).join(", ") : message;
  return new HttpError(`${url.host}: ${code === "ECONNRESET" ? "the connection was cut" : said}`, code, AGAIN.has(code), connected, error);
}
