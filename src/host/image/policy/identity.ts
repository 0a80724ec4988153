// signedIdentity: for which names a signature is good (containers-policy.json(5)). Pure.
import { isObject, type Json, printable } from "../json.js";
import { type ImageName, isPrefix, isRepository, nameText, parseName } from "./name.js";

export type Identity =
  | { readonly type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { readonly type: "exactReference" | "exactRepository"; readonly name: ImageName }
  | { readonly type: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

const MEMBERS: Readonly<Record<Identity["type"], readonly string[]>> = {
  matchExact: [],
  matchRepoDigestOrExact: [],
  matchRepository: [],
  exactReference: ["dockerReference"],
  exactRepository: ["dockerRepository"],
  remapIdentity: ["prefix", "signedPrefix"],
};

/** `json` as it stands in a requirement; `fail` is told what is wrong and throws. */
export function readIdentity(json: Json | undefined, fail: (what: string) => never): Identity {
  if (json === undefined) return { type: "matchRepoDigestOrExact" };
  if (!isObject(json) || typeof json["type"] !== "string") return fail("signedIdentity is not an object with a type");
  const type = json["type"] as Identity["type"];
  if (!Object.hasOwn(MEMBERS, type)) return fail(`signedIdentity has the unknown type "${printable(type)}"`);
  const odd = Object.keys(json).find((key) => key !== "type" && !MEMBERS[type].includes(key));
  if (odd !== undefined) fail(`signedIdentity: ${type} has no member "${printable(odd)}"`);
  const text = (member: string): string => {
    const value = json[member];
    return typeof value === "string" ? value : fail(`signedIdentity: ${type} needs the text "${member}"`);
  };
  switch (type) {
    case "exactReference": {
      const name = parseName(text("dockerReference"));
      if (name === undefined || isRepository(name)) return fail("signedIdentity: dockerReference is no name with a tag or digest");
      return { type, name };
    }
    case "exactRepository": {
      const name = parseName(text("dockerRepository"));
      if (name === undefined || !isRepository(name)) return fail("signedIdentity: dockerRepository is no name of a repository");
      return { type, name };
    }
    case "remapIdentity": {
      const [prefix, signedPrefix] = [text("prefix"), text("signedPrefix")];
      for (const value of [prefix, signedPrefix])
        if (!isPrefix(value)) fail(`signedIdentity: "${printable(value)}" is neither a registry nor a path in one`);
      return { type, prefix, signedPrefix };
    }
    default:
      return { type };
  }
}

/** True when a signature that says `signed` is good for `image`; undefined: an image that has no name (`dir:`). */
export function matchesIdentity(identity: Identity, image: ImageName | undefined, signed: string): boolean {
  const claim = parseName(signed);
  if (claim === undefined) return false;
  if (identity.type === "exactReference") return nameText(claim) === nameText(identity.name);
  if (identity.type === "exactRepository") return claim.name === identity.name.name;
  if (image === undefined) return false;
  switch (identity.type) {
    case "matchExact":
      return !isRepository(image) && nameText(claim) === nameText(image);
    case "matchRepository":
      return claim.name === image.name;
    case "matchRepoDigestOrExact":
      return matchesName(image, claim);
    case "remapIdentity": {
      const { prefix, signedPrefix } = identity;
      if (image.name !== prefix && !image.name.startsWith(`${prefix}/`)) return matchesName(image, claim);
      return matchesName({ ...image, name: signedPrefix + image.name.slice(prefix.length) }, claim);
    }
  }
}

/** A tag has to be the same. A digest was compared with the manifest, so that any tag of the repository will do. */
function matchesName(image: ImageName, claim: ImageName): boolean {
  if (isRepository(claim) || isRepository(image)) return false;
  return image.tag === undefined ? claim.name === image.name : nameText(claim) === nameText(image);
}
