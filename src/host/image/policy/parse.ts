// policy.json: what an image must fulfil before it is used (containers-policy.json(5)). Every word is known or refused. Pure.
import { ImageError } from "../../../ports/images.js";
import { isObject, type Json, parseJson, printable } from "../json.js";
import { repeatedKey } from "../json-keys.js";
import { type Requirement, readRequirement } from "./requirement.js";

export interface Policy {
  readonly default: readonly Requirement[];
  /** Transport -> scope -> requirements; the scope "" is the transport's own default. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, readonly Requirement[]>>;
}

/** Throws ImageError image-config: a policy that is not understood whole lets nothing through. */
export function parsePolicy(bytes: Uint8Array, file: string): Policy {
  const fail = (what: string): never => {
    const hint = "See containers-policy.json(5). Until it is mended no image is fetched.";
    throw new ImageError("image-config", file, `${file}: ${what}`, hint);
  };
  const json = parseJson(bytes);
  if (!isObject(json)) return fail("is not a JSON object");
  const twice = repeatedKey(new TextDecoder().decode(bytes));
  if (twice !== undefined) fail(`"${printable(twice)}" is there twice`);
  const unknown = Object.keys(json).find((key) => key !== "default" && key !== "transports");
  if (unknown !== undefined) fail(`unknown member "${printable(unknown)}"`);
  if (json["default"] === undefined) fail('the member "default" is missing');
  const transports = json["transports"] ?? {};
  if (!isObject(transports)) return fail('"transports" is not an object');
  return {
    default: readRequirements(json["default"] as Json, '"default"', fail),
    transports: new Map(
      Object.entries(transports).map(([transport, scopes]) => {
        if (!isObject(scopes)) return fail(`"${printable(transport)}" is not an object`);
        const entries = Object.entries(scopes).map(
          ([scope, list]) => [scope, readRequirements(list, `"${printable(transport)}", "${printable(scope)}"`, fail)] as const,
        );
        return [transport, new Map(entries)] as const;
      }),
    ),
  };
}

function readRequirements(list: Json, at: string, fail: (what: string) => never): Requirement[] {
  if (!Array.isArray(list) || list.length === 0) return fail(`${at} is not a list of at least one requirement`);
  return list.map((item) => readRequirement(item, (what) => fail(`${at}${what.startsWith(":") ? "" : " "}${what}`)));
}
