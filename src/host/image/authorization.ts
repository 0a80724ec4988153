// From a registry's challenge to an Authorization header: basic, or a token of the realm it names (distribution's token
// specification, and its OAuth2 form for identity tokens).
import type { Credentials } from "../../base/registry-login.js";
import type { Challenge } from "./challenge.js";
import { type Answer, discard, type Request } from "./http.js";
import { isObject, parseJson } from "./json.js";

const TOKEN_MAX = 1024 * 1024;
/** How we call ourselves to a token server that wants a client's name. */
const CLIENT = "podgen";

/** What is needed of the registry's session. */
export interface Wire {
  /** An exchange with tries and pauses. */
  send(url: URL, request: Request): Promise<Answer>;
  read(answer: Answer, limit: number): Promise<Uint8Array | undefined>;
}

/** Why there is no header, in words that go into "does not let us … (…)". */
export class Refusal extends Error {}

/** The header's value. `scopes`: `repository:NAME:pull`; none for a login that is only checked. Throws Refusal. */
export async function authorize(
  challenges: readonly Challenge[],
  credentials: Credentials | undefined,
  scopes: readonly string[],
  wire: Wire,
): Promise<string> {
  const bearer = challenges.find((c) => c.scheme === "bearer" && c.parameters["realm"] !== undefined);
  if (bearer !== undefined) return `Bearer ${await token(bearer, credentials, scopes, wire)}`;
  if (credentials === undefined) throw new Refusal("it wants a login");
  if (!challenges.some((c) => c.scheme === "basic")) throw new Refusal("it wants a login of a kind podgen does not know");
  if (credentials.identityToken !== undefined) throw new Refusal("it wants a password, and what is stored is an identity token");
  return basic(credentials);
}

/** Asks the realm for a token, with the user's credentials or as anybody. */
async function token(challenge: Challenge, credentials: Credentials | undefined, scopes: readonly string[], wire: Wire): Promise<string> {
  const { realm = "", service } = challenge.parameters;
  if (!URL.canParse(realm)) throw new Refusal("it names no address to get a token from");
  const url = new URL(realm);
  const answer = await (credentials?.identityToken === undefined
    ? wire.send(withQuery(url, service, scopes), {
        method: "GET",
        headers: credentials === undefined ? {} : { authorization: basic(credentials) },
      })
    : wire.send(url, refresh(credentials.identityToken, service, scopes)));
  if (answer.status !== 200) {
    discard(answer);
    throw new Refusal(`${url.host} answered ${answer.status} instead of a token`);
  }
  const json = parseJson((await wire.read(answer, TOKEN_MAX)) ?? new Uint8Array());
  const found = isObject(json) ? (json["token"] ?? json["access_token"]) : undefined;
  // What cannot be in a header would otherwise throw from inside node:http, with the token in the message.
  if (typeof found !== "string" || !/^[\x21-\x7e]+$/.test(found)) throw new Refusal(`${url.host} answered no token`);
  return found;
}

function withQuery(realm: URL, service: string | undefined, scopes: readonly string[]): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return url;
}

/** An identity token goes into the body of a POST, never into an address. */
function refresh(identityToken: string, service: string | undefined, scopes: readonly string[]): Request {
  const form = new URLSearchParams({ grant_type: "refresh_token", client_id: CLIENT, refresh_token: identityToken });
  if (service !== undefined) form.set("service", service);
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  return { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: () => [Buffer.from(form.toString())] };
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
