// Talking to one registry: authorization, tries with back-off, and what a refusal means (OCI distribution-spec 1.1).
import { setTimeout as sleep } from "node:timers/promises";
import type { Credentials } from "../../base/registry-login.js";
import { ImageError } from "../../ports/images.js";
import { authorize, Refusal } from "./authorization.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Deadlines } from "./deadlines.js";
import { type Answer, discard, type HttpClient, HttpError, isLoopback, type Request, readAll, shown } from "./http.js";
import { isObject, parseJson, printable } from "./json.js";
import type { RegistryReference } from "./reference.js";

/** Who we may be to a registry, in the order to try, and what there is to say where none of them will do. */
export interface Logins {
  readonly candidates: readonly Credentials[];
  readonly notes: readonly string[];
}

export interface SessionOptions {
  /** Asked when the registry first wants a login. */
  readonly logins: () => Promise<Logins>;
  /** HTTPS also where the host is loopback. */
  readonly secure: boolean;
  /** registries.conf calls it insecure: HTTPS with any certificate, or else plain HTTP. */
  readonly insecure?: boolean;
  /** Of the tokens to ask for; `pull` of the repository when absent. */
  readonly scopes?: readonly string[];
}

const BUSY = new Set([408, 429, 500, 502, 503, 504]);
/** What a server that speaks no TLS, or does not listen for it, makes of our greeting. */
const NO_TLS = /^(?:EPROTO|ERR_SSL.*|HPE_.*|ECONNREFUSED|ECONNRESET)$/;

export class RegistrySession {
  readonly reference: RegistryReference;
  readonly deadlines: Deadlines;
  readonly #http: HttpClient;
  readonly #options: SessionOptions;
  #base: URL;
  #settled: Promise<void> | undefined;
  #logins: Promise<Logins> | undefined;
  /** The candidate in use, of how many. */
  #candidate = 0;
  #candidates = 0;
  /** The Authorization header that was accepted, or is tried next; and the one that was accepted last. */
  #authorization: string | undefined;
  #accepted: string | undefined;
  #login: Promise<void> | undefined;
  /** A registry that once answered and then refuses connections is restarting; one that never did is down. */
  #answered = false;

  constructor(reference: RegistryReference, http: HttpClient, deadlines: Deadlines, options: SessionOptions) {
    this.reference = reference;
    this.#http = http;
    this.#options = options;
    this.deadlines = deadlines;
    const host = reference.host === "docker.io" ? "registry-1.docker.io" : reference.host;
    const url = new URL(`https://${host}/v2/${reference.repository === "" ? "" : `${reference.repository}/`}`);
    // Registries for trying things out speak plain HTTP on loopback; one with a certificate has a folder in certs.d.
    const plain = isLoopback(url.hostname) && !options.secure && options.insecure !== true;
    this.#base = plain ? new URL(`http://${url.host}${url.pathname}`) : url;
  }

  /** The address of the repository; of an insecure registry it may change its scheme with the first request. */
  get base(): URL {
    return this.#base;
  }

  /** True once the registry has accepted an authorization. */
  get loggedIn(): boolean {
    return this.#accepted !== undefined;
  }

  get #scopes(): readonly string[] {
    return this.#options.scopes ?? [`repository:${this.reference.repository}:pull`];
  }

  /** Whether an insecure registry speaks TLS at all, asked without credentials. What else is wrong shows at the request itself. */
  async #settle(): Promise<void> {
    try {
      discard(await this.#http.send(new URL("/v2/", this.#base), { method: "GET", headers: {} }));
    } catch (error) {
      if (error instanceof HttpError && NO_TLS.test(error.code)) this.#base = new URL(`http://${this.#base.host}${this.#base.pathname}`);
    }
  }

  /**
   * An answer other than 401, 403, 429 and 5xx; its body is not read. `path` is relative to /v2/REPOSITORY/, or an address the registry
   * gave: one of another host gets no authorization. Throws ImageError image-unreachable or image-unauthorized. A request
   * that is `once` gets 429 and 5xx too, and throws HttpError.
   */
  async open(path: string, request: Request): Promise<Answer> {
    if (this.#options.insecure === true) {
      this.#settled ??= this.#settle();
      await this.#settled;
    }
    const url = new URL(path, this.base);
    let refused = 0;
    for (let attempt = 1; ; attempt++) {
      const used = url.origin === this.base.origin ? this.#authorization : undefined;
      const headers = { ...request.headers, ...(used === undefined ? {} : { authorization: used }) };
      const answer = await this.#patiently(url, { ...request, headers }, attempt);
      if (typeof answer === "number") continue;
      if (answer.status !== 401 && answer.status !== 403) {
        if (used !== undefined) this.#accepted = used;
        return answer;
      }
      // A registry's 401 is answered with what it asks for as long as there is somebody else to be; another host's (after a
      // redirect) never.
      const challenges = parseChallenges(answer.headers["www-authenticate"] ?? "");
      if (answer.status === 403 || answer.url.origin !== this.base.origin || !this.#mayRetry(used, ++refused))
        throw await this.#unauthorized(answer);
      discard(answer);
      await this.#logIn(challenges, used);
    }
  }

  /** The error for a failure of HTTP. */
  unreachable(error: HttpError): ImageError {
    const { host } = this.reference;
    let hint = "Check the name, the network and that the registry runs; what was downloaded is kept, so apply goes on from there.";
    if (/CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/.test(error.code)) {
      hint = `If its certificate is of your own authority, put that authority's certificate into ~/.config/containers/certs.d/${host}/ca.crt.`;
    } else if (error.code === "EPROTO" || error.code.startsWith("ERR_SSL") || error.code.startsWith("HPE_")) {
      hint = `${host} does not seem to speak HTTPS. If you trust the network to it, call it insecure in registries.conf (podgen-registries(5)).`;
    }
    const text = `${this.reference.text}: ${printable(error.message)}`;
    return new ImageError("image-unreachable", this.reference.text, text, hint, error);
  }

  /** Waits before try number `next`; doubles each time, with some chance in it, so that many clients do not come back as one. */
  async pause(next: number, signal: AbortSignal | undefined): Promise<void> {
    const ms = this.deadlines.backoff * 2 ** (next - 1) * (0.75 + Math.random() / 2);
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  }

  /** One exchange. A number instead of an answer: it failed in a way that may mend, and the pause is over. */
  async #patiently(url: URL, request: Request, attempt: number): Promise<Answer | number> {
    const last = attempt >= this.deadlines.attempts;
    try {
      const answer = await this.#http.send(url, request);
      this.#answered = true;
      if (request.once === true || !BUSY.has(answer.status)) return answer;
      const asked = retryAfter(answer.headers["retry-after"]);
      discard(answer);
      if (last || asked > this.deadlines.retryAfter) throw this.#busy(answer, asked);
      if (asked > 0) await sleep(asked, undefined, request.signal === undefined ? {} : { signal: request.signal });
      else await this.pause(attempt, request.signal);
      return answer.status;
    } catch (error) {
      if (!(error instanceof HttpError) || request.once === true) throw error;
      // Nobody there: not worth a second try, unless it was there a moment ago.
      if (last || !error.again || !(error.connected || this.#answered || error.code === "EAI_AGAIN")) throw this.unreachable(error);
      await this.pause(attempt, request.signal);
      return 0;
    }
  }

  /** True while a header was not tried yet, may only have expired, or there is another candidate. `refused`: 401s of one request. */
  #mayRetry(used: string | undefined, refused: number): boolean {
    if (used === undefined) return true;
    if (refused > this.#candidates + 2) return false;
    // Somebody else is at it, or has done it.
    if (used !== this.#authorization || this.#login !== undefined) return true;
    if (used !== this.#accepted) return ++this.#candidate < this.#candidates;
    // It served once: a token's time may be over. The next one has to be accepted before that counts again.
    this.#accepted = undefined;
    return true;
  }

  /** Who we may be. Throws ImageError image-unauthorized for a broken login file. */
  logins(): Promise<Logins> {
    this.#logins ??= this.#options.logins();
    return this.#logins;
  }

  /** Sets the authorization the challenges ask for; layers asked for at the same time share one login. */
  #logIn(challenges: readonly Challenge[], used: string | undefined): Promise<void> {
    if (this.#authorization !== used) return Promise.resolve();
    this.#login ??= this.#authorize(challenges).finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  /** The first candidate from the present one on that gets a header; as anybody where there is none at all. */
  async #authorize(challenges: readonly Challenge[]): Promise<void> {
    const { candidates } = await this.logins();
    this.#candidates = candidates.length;
    const wire = {
      send: (url: URL, request: Request) => this.#surely(url, request),
      read: (answer: Answer, limit: number) => this.read(answer, limit),
    };
    for (;;) {
      try {
        this.#authorization = await authorize(challenges, candidates[this.#candidate], this.#scopes, wire);
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (++this.#candidate < candidates.length) continue;
        throw await this.#refused(error.message);
      }
    }
  }

  /** An answer of the token server, with tries. */
  async #surely(url: URL, request: Request): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#patiently(url, request, attempt);
      if (typeof answer !== "number") return answer;
    }
  }

  /** A body of at most `limit` bytes; undefined when it is longer. A cut body is an ImageError image-unreachable. */
  async read(answer: Answer, limit: number): Promise<Uint8Array | undefined> {
    try {
      return await readAll(answer, limit, this.deadlines);
    } catch (error) {
      throw error instanceof HttpError ? this.unreachable(error) : error;
    }
  }

  /** What the registry says of an error, in its own words but on one line (the JSON of distribution-spec, "errors"). */
  async reason(answer: Answer): Promise<string> {
    const json = parseJson((await readAll(answer, 64 * 1024, this.deadlines).catch(() => undefined)) ?? new Uint8Array());
    const first = isObject(json) && Array.isArray(json["errors"]) ? json["errors"][0] : undefined;
    if (!isObject(first)) return `HTTP ${answer.status}`;
    const { code, message } = first;
    return `HTTP ${answer.status}, ${printable([code, message].filter((t) => typeof t === "string" && t !== "").join(": "))}`;
  }

  #busy(answer: Answer, asked: number): ImageError {
    const when = asked > 0 ? `Try again in ${Math.ceil(asked / 1000)} s, as the registry asks.` : "Try again later.";
    const limited = answer.status === 429 ? " Logged-in users are often allowed more." : "";
    const text = `${this.reference.text}: ${shown(answer.url)} answered ${answer.status} each time`;
    return new ImageError("image-unreachable", this.reference.text, text, when + limited);
  }

  async #unauthorized(answer: Answer): Promise<ImageError> {
    return this.#refused(await this.reason(answer));
  }

  async #refused(why: string): Promise<ImageError> {
    const { host, text } = this.reference;
    const { notes } = await this.logins();
    // Somebody may log in before the next request: a watcher's session lasts.
    this.#candidate = 0;
    this.#logins = undefined;
    this.#authorization = undefined;
    const what = this.#scopes.some((scope) => /[:,](?:push|delete|\*)/.test(scope)) ? "do this" : "read it";
    const hint = `Check the name. If it is private, log in: podgen image login ${host}.`;
    return new ImageError("image-unauthorized", text, `${text}: ${host} does not let us ${what} (${[why, ...notes].join("; ")})`, hint);
  }
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110 section 10.2.3); 0 where there is none. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}
