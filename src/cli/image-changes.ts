// Words of `--change` as changes of an image's configuration: the Dockerfile's instructions that are about that. Pure.
import type { ImageChange } from "../base/image-change.js";
import { EXIT, UserError } from "./exit.js";

type Kind = ImageChange["kind"];
type Parse = (kind: Kind, rest: string, bad: (why: string, hint?: string) => UserError) => ImageChange;

const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/;
const PORTS_MAX = 65535;

const PARSERS: Readonly<Record<Kind, Parse>> = {
  CMD: command,
  ENTRYPOINT: command,
  ENV: pairs,
  LABEL: pairs,
  EXPOSE: (_, rest, bad) => ({ kind: "EXPOSE", names: wordsOf(rest, bad).flatMap((word) => portsOf(word, bad)) }),
  VOLUME: (_, rest, bad) => {
    const names = jsonWords(rest) ?? wordsOf(rest, bad);
    const relative = names.find((name) => !name.startsWith("/"));
    if (relative !== undefined) throw bad(`${relative} is no absolute path`);
    return { kind: "VOLUME", names };
  },
  ONBUILD: (_, value) => ({ kind: "ONBUILD", value }),
  STOPSIGNAL: single,
  USER: single,
  WORKDIR: single,
};

/** One `--change`: `CMD ["nginx"]`, `ENV A=1 B="2 3"`, or with `=` after the instruction, as podman takes it, too. Throws UserError (64). */
export function parseChange(text: string): ImageChange {
  const bad = (why: string, hint?: string) => new UserError(`--change ${JSON.stringify(text)}: ${why}`, EXIT.usage, hint);
  const [, word = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text) ?? [];
  const kind = word.toUpperCase();
  if (!isKind(kind)) throw bad("no such instruction", `one of: ${Object.keys(PARSERS).join(", ")}`);
  if (rest === "") throw bad("it says nothing");
  return PARSERS[kind](kind, rest, bad);
}

function isKind(word: string): word is Kind {
  return Object.hasOwn(PARSERS, word);
}

function command(kind: Kind, rest: string): ImageChange {
  const words = jsonWords(rest);
  return { kind: kind as "CMD", words: words ?? [rest], shell: words === undefined };
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) && json.every((word) => typeof word === "string") ? json : undefined;
  } catch {
    return undefined;
  }
}

function single(kind: Kind, rest: string, bad: (why: string) => UserError): ImageChange {
  const [value, ...more] = wordsOf(rest, bad);
  if (value === undefined || value === "" || more.length > 0) throw bad("one word is expected");
  return { kind: kind as "USER", value };
}

/** `A=1 B="2 3"`, or a name and one value to the end of the line. */
function pairs(kind: Kind, rest: string, bad: (why: string) => UserError): ImageChange {
  const old = /^([^\s="']+)\s+(.*)$/s.exec(rest);
  const words = old === null ? wordsOf(rest, bad) : [`${old[1]}=${wordsOf(old[2] ?? "", bad).join(" ")}`];
  const found = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    if (at < 1) throw bad(`${JSON.stringify(word)} is not NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return { kind: kind as "ENV", pairs: found };
}

function portsOf(word: string, bad: (why: string) => UserError): string[] {
  const [, first, last = first, protocol = "tcp"] = PORT.exec(word) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (!(from >= 1 && from <= to && to <= PORTS_MAX)) throw bad(`${JSON.stringify(word)} is no port`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

/** Words with a shell's quotes and backslashes. Nothing is expanded, so what asks for it is refused. */
function wordsOf(text: string, bad: (why: string, hint?: string) => UserError): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "\\" && quote !== "'" && i + 1 < text.length) word = (word ?? "") + (text[++i] as string);
    else if (c === "$" && quote !== "'")
      throw bad("variables are not expanded", "write the value, or \\$ for the character itself"); // prettier-ignore
    else if (c === quote) quote = "";
    else if (quote === "" && (c === '"' || c === "'")) {
      quote = c;
      word ??= "";
    } else if (quote === "" && /\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (quote !== "") throw bad(`a ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}
