// What was signed: the JSON of containers-signature(5) and of cosign's simple signing. As strict as who trusts it has to be. Pure.
import { isObject, type Json, parseJson, printable } from "../json.js";
import { repeatedKey } from "../json-keys.js";
import { Rejection } from "./rejection.js";

/** What a signature says. */
export interface Claim {
  readonly digest: string;
  readonly reference: string;
}

export type PayloadType = "atomic container signature" | "cosign container image signature";

type Fields = { readonly [key: string]: Json };

/** Throws Rejection for anything but the documented members; only the optional ones may have company. */
export function parsePayload(bytes: Uint8Array, type: PayloadType): Claim {
  const json = parseJson(bytes);
  if (json === undefined) throw new Rejection("what it signs is not JSON");
  const twice = repeatedKey(new TextDecoder().decode(bytes));
  if (twice !== undefined) throw new Rejection(`what it signs has "${printable(twice)}" twice`);
  const { critical, optional } = exactly(json, "what it signs", ["critical", "optional"]);
  checkOptional(optional, type);
  const parts = exactly(critical, "critical", ["type", "image", "identity"]);
  if (parts["type"] !== type) throw new Rejection(`it is of the type ${printable(JSON.stringify(parts["type"]))}, not "${type}"`);
  const digest = exactly(parts["image"], "critical.image", ["docker-manifest-digest"])["docker-manifest-digest"];
  const reference = exactly(parts["identity"], "critical.identity", ["docker-reference"])["docker-reference"];
  if (typeof digest !== "string" || typeof reference !== "string") throw new Rejection("what it signs has no digest or no name");
  return { digest, reference };
}

/** cosign writes null where it has nothing to say. */
function checkOptional(json: Json | undefined, type: PayloadType): void {
  if (json === null && type === "cosign container image signature") return;
  if (!isObject(json)) throw new Rejection("optional is not an object in what it signs");
  const { creator, timestamp } = json;
  if (creator !== undefined && typeof creator !== "string") throw new Rejection("optional.creator is not text in what it signs");
  if (timestamp !== undefined && !Number.isInteger(timestamp)) throw new Rejection("optional.timestamp is not an integer in what it signs");
}

/** An object with these members, all of them and no other. Throws Rejection. */
export function exactly(json: Json | undefined, what: string, members: readonly string[]): Fields {
  const keys = isObject(json) ? Object.keys(json) : [];
  if (!isObject(json) || keys.length !== members.length || !members.every((m) => Object.hasOwn(json, m)))
    throw new Rejection(`${what} has not exactly the members ${members.join(", ")}`);
  return json;
}
