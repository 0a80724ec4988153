// Names in podman's store, as containers-transports(5) has them: [DRIVER@ROOT+RUNROOT]NAME[:TAG][@DIGEST], or an id. Pure.

export interface StoredName {
  /** `overlay` or `vfs`, where the name says so. */
  readonly driver?: string;
  /** The store's folder, where the name says so. */
  readonly root?: string;
  /** With a tag, unless there is a digest; with or without a registry. */
  readonly name?: string;
  /** `sha256:…` of a manifest. */
  readonly digest?: string;
  /** The beginning of an image's id, 3 to 64 hex digits; `name` holds where no id begins so, unless `sure`. */
  readonly id?: string;
  readonly sure?: boolean;
}

export type ParsedStoredName = StoredName | { readonly problem: string; readonly hint?: string };

const PLACE = /^\[(?:([a-z0-9-]*)@)?(\/[^\]+:]*)(?:\+(\/[^\]:]*))?(:[^\]]*)?\]/;
const NAME =
  /^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?$/;

/** What follows `containers-storage:`; nothing of it is ignored, and what is not honoured is a problem. */
export function parseStoredName(text: string): ParsedStoredName {
  const place = PLACE.exec(text);
  if (place === null && text.startsWith("["))
    return { problem: "has no place of a store in its brackets", hint: "write [overlay@/FOLDER]NAME, or NAME for podman's own store" };
  const [all = "", driver = "", root, , options] = place ?? [];
  if (options !== undefined)
    return { problem: `has options of a storage driver (${options.slice(1)}), which podgen does not have`, hint: "leave them out" };
  if (driver !== "" && driver !== "overlay" && driver !== "vfs")
    return { problem: `names the storage driver ${driver}; podgen reads overlay and vfs` };
  const where = { ...(driver === "" ? {} : { driver }), ...(root === undefined ? {} : { root: root.replace(/(.)\/+$/, "$1") }) };
  const named = parseName(text.slice(all.length));
  return "problem" in named ? named : { ...where, ...named };
}

function parseName(text: string): ParsedStoredName {
  if (text === "") return { problem: "names no image" };
  const at = text.lastIndexOf("@");
  const [name, pin] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  if (at < 0 && /^[0-9a-f]{3,64}$/.test(text)) return { id: text, name: `${text}:latest` };
  if (name !== "" && !NAME.test(name)) return { problem: "has no valid name of an image" };
  if (pin === undefined) return { name: /:[^/]*$/.test(name) ? name : `${name}:latest` };
  if (/^sha256:[0-9a-f]{64}$/.test(pin)) return name === "" ? { digest: pin } : { name, digest: pin };
  if (!/^[0-9a-f]{3,64}$/.test(pin)) return { problem: "has neither an id nor a sha256 digest after @" };
  return { id: pin, sure: true, ...(name === "" ? {} : { name }) };
}

/** The whole names that a name may stand for, in order: podman builds into localhost, and docker leaves its own registry out. */
export function storedNames(name: string): string[] {
  const [first = "", ...rest] = name.split("/");
  if (rest.length > 0 && (/[.:]/.test(first) || first === "localhost")) return [name];
  return [`localhost/${name}`, `docker.io/${rest.length === 0 ? "library/" : ""}${name}`];
}
