// Talking to one registry: authorization, tries with back-off, and what a refusal means (OCI distribution-spec 1.1).
import { setTimeout as sleep } from "node:timers/promises";
import { ImageError } from "../../ports/images.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import { type Credentials, credentialsFor } from "./credentials.js";
import type { Deadlines } from "./deadlines.js";
import { type Answer, discard, type HttpClient, HttpError, isLoopback, type Request, readAll, shown } from "./http.js";
import { isObject, parseJson, printable } from "./json.js";
import type { RegistryReference } from "./reference.js";

type Env = Readonly<Record<string, string | undefined>>;

const BUSY = new Set([408, 429, 500, 502, 503, 504]);
const TOKEN_MAX = 1024 * 1024;

export class RegistrySession {
  readonly reference: RegistryReference;
  readonly base: URL;
  readonly deadlines: Deadlines;
  readonly #http: HttpClient;
  readonly #env: Env;
  readonly #scopes: readonly string[];
  /** The Authorization header that was accepted, or is tried next. */
  #authorization: string | undefined;
  #login: Promise<void> | undefined;
  /** A registry that once answered and then refuses connections is restarting; one that never did is down. */
  #answered = false;

  /**
   * `secure`: HTTPS also where the host is loopback. `scopes`: what a token is asked for (the distribution project's token
   * specification, "scope"); without them, to read the repository.
   */
  constructor(reference: RegistryReference, http: HttpClient, deadlines: Deadlines, env: Env, secure: boolean, scopes?: readonly string[]) {
    this.reference = reference;
    this.#scopes = scopes ?? [`repository:${reference.repository}:pull`];
    this.#http = http;
    this.#env = env;
    this.deadlines = deadlines;
    const host = reference.host === "docker.io" ? "registry-1.docker.io" : reference.host;
    const url = new URL(`https://${host}/v2/${reference.repository}/`);
    // Registries for trying things out speak plain HTTP on loopback; one with a certificate has a folder in certs.d.
    const plain = isLoopback(url.hostname) && !secure;
    this.base = plain ? new URL(`http://${url.host}${url.pathname}`) : url;
  }

  /**
   * An answer other than 401, 403, 429 and 5xx; its body is not read. `path` is relative to /v2/REPOSITORY/, or an address the registry
   * gave: one of another host gets no authorization. Throws ImageError image-unreachable or image-unauthorized. A request
   * that is `once` gets 429 and 5xx too, and throws HttpError.
   */
  async open(path: string, request: Request): Promise<Answer> {
    const url = new URL(path, this.base);
    let refused = 0;
    for (let attempt = 1; ; attempt++) {
      const used = url.origin === this.base.origin ? this.#authorization : undefined;
      const headers = { ...request.headers, ...(used === undefined ? {} : { authorization: used }) };
      const answer = await this.#patiently(url, { ...request, headers }, attempt);
      if (typeof answer === "number") continue;
      if (answer.status !== 401 && answer.status !== 403) return answer;
      // A registry's 401 is answered once with what it asks for; another host's (after a redirect) never.
      const challenges = parseChallenges(answer.headers["www-authenticate"] ?? "");
      if (answer.status === 403 || answer.url.origin !== this.base.origin || ++refused > 1) throw await this.#unauthorized(answer);
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
      hint = `${host} does not seem to speak HTTPS; podgen speaks plain HTTP with loopback addresses only.`;
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

  /** Sets the authorization the challenges ask for; layers asked for at the same time share one login. */
  #logIn(challenges: readonly Challenge[], used: string | undefined): Promise<void> {
    if (this.#authorization !== used) return Promise.resolve();
    this.#login ??= this.#authorize(challenges).finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  async #authorize(challenges: readonly Challenge[]): Promise<void> {
    const { host, repository, text } = this.reference;
    const credentials = await credentialsFor(host, repository, text, this.#env);
    const bearer = challenges.find((c) => c.scheme === "bearer" && c.parameters["realm"] !== undefined);
    if (bearer !== undefined) {
      this.#authorization = `Bearer ${await this.#token(bearer, credentials)}`;
      return;
    }
    if (challenges.some((c) => c.scheme === "basic") && credentials !== undefined) {
      this.#authorization = basic(credentials);
      return;
    }
    throw this.#refused(credentials === undefined ? "it wants a login" : "it wants a login of a kind podgen does not know");
  }

  /** Asks the realm for a token for the scopes, with the user's credentials or as anybody. */
  async #token(challenge: Challenge, credentials: Credentials | undefined): Promise<string> {
    const { realm = "", service } = challenge.parameters;
    if (!URL.canParse(realm)) throw this.#refused("it names no address to get a token from");
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of this.#scopes) url.searchParams.append("scope", scope);
    const headers: Record<string, string> = credentials === undefined ? {} : { authorization: basic(credentials) };
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#patiently(url, { method: "GET", headers }, attempt);
      if (typeof answer === "number") continue;
      if (answer.status !== 200) {
        discard(answer);
        throw this.#refused(`${url.host} answered ${answer.status} instead of a token`);
      }
      const json = parseJson((await this.read(answer, TOKEN_MAX)) ?? new Uint8Array());
      const token = isObject(json) ? (json["token"] ?? json["access_token"]) : undefined;
      // What cannot be in a header would otherwise throw from inside node:http, with the token in the message.
      if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) throw this.#refused(`${url.host} answered no token`);
      return token;
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

  #refused(why: string): ImageError {
    const { host, text } = this.reference;
    const what = this.#scopes.some((scope) => /[:,](?:push|delete|\*)/.test(scope)) ? "do this" : "read it";
    return new ImageError(
      "image-unauthorized",
      text,
      `${text}: ${host} does not let us ${what} (${why})`,
      `Check the name. If it is private, log in: podman login ${host} or docker login ${host} writes the file podgen reads (credential helpers are not asked).`,
    );
  }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110 section 10.2.3); 0 where there is none. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}
