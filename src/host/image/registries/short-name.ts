// What a short name may stand for: an alias, or one of the registries to search (containers-registries.conf(5)). Pure.
import type { ShortName } from "../../../ports/images.js";
import type { Registries } from "./types.js";

/**
 * `short` is `nginx:1.27` or `team/app@sha256:…`. A choice that was made before wins over the aliases of files. Without a
 * short-name-mode several registries are a question, which nobody but a person may answer: podman's default, permissive, would
 * take the first that has the name, whoever owns it there.
 */
export function resolveShortName(short: string, registries: Registries, choices: ReadonlyMap<string, string>): ShortName {
  const [name, ending] = splitShort(short);
  const alias = choices.get(name) ?? registries.aliases.get(name);
  if (alias !== undefined) return { kind: "settled", reference: `${hub(alias)}${ending}` };
  const candidates = registries.search.map((host) => `${hub(`${host}/${name}`)}${ending}`);
  const [only] = candidates;
  if (only === undefined) return { kind: "unknown" };
  if (candidates.length === 1) return { kind: "settled", reference: only };
  return {
    kind: "several",
    candidates,
    ask: registries.mode !== "disabled",
    tryAll: registries.mode !== undefined && registries.mode !== "enforcing",
  };
}

/** Name, and the tag or digest behind it. */
export function splitShort(short: string): [string, string] {
  const at = short.indexOf("@");
  const head = at < 0 ? short : short.slice(0, at);
  const colon = head.lastIndexOf(":");
  const end = colon > head.lastIndexOf("/") ? colon : head.length;
  return [head.slice(0, end), short.slice(end)];
}

/** Docker Hub's own images are below library/. */
function hub(name: string): string {
  const [, rest] = /^(?:index\.)?docker\.io\/([^/]+)$/.exec(name) ?? [];
  return rest === undefined ? name.replace(/^index\.docker\.io\//, "docker.io/") : `docker.io/library/${rest}`;
}
