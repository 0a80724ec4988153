// ${NAME} in the scalars of a spec, replaced after YAML is read: a value can change no structure. Pure.

/** What stands for the names, when a person asked for that. */
export interface Variables {
  readonly values: ReadonlyMap<string, string>;
  /** The names given one by one: one that nothing uses is a mistake. */
  readonly asked: ReadonlySet<string>;
}

/** What is wrong with one `${`. */
export interface VariableProblem {
  readonly code: "variable-undefined" | "variable-syntax";
  /** Which `${` of the text, from 0; `$${` counts, too. */
  readonly index: number;
  readonly message: string;
  /** The words that the spec itself gives for it (`${NAME:?words}`). */
  readonly words?: string;
  readonly hint: string;
}

export interface Expanded {
  readonly text: string;
  readonly used: readonly string[];
  readonly problems: readonly VariableProblem[];
}

/** A name: of a shell's, with dots between the names of nested maps. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*$/;
const REFERENCE = /\$?\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)(?:(:?)([-=?+])(.*))?$/s;
const LITERAL = "write $${ for the text ${";

/**
 * `${NAME}`, `${NAME:-default}` and, as a POSIX shell has them (2.6.2), `-`, `=`, `:=`, `?`, `:?`, `+`, `:+`; a colon takes an empty value for none.
 * `$${` is `${` itself. `$NAME` and Kubernetes' `$(NAME)` are left alone. What has a problem stays as it stands.
 */
export function expand(text: string, { values }: Pick<Variables, "values">): Expanded {
  const used: string[] = [];
  const problems: VariableProblem[] = [];
  let index = -1;
  const result = text.replace(REFERENCE, (whole: string, body: string, end: string) => {
    index++;
    if (whole.startsWith("$$")) return whole.slice(1);
    const parts = BODY.exec(body);
    if (end === "" || parts === null || body.includes("${")) {
      const message = end === "" ? "a ${ is not closed" : "what stands in ${…} is no variable";
      problems.push({ code: "variable-syntax", index, message, hint: LITERAL });
      return whole;
    }
    const [, name = "", colon = "", operator = "", word = ""] = parts;
    used.push(name);
    const value = values.get(name);
    const there = value !== undefined && !(colon === ":" && value === "");
    if (operator === "+") return there ? word : "";
    if (there) return value;
    if (operator === "-" || operator === "=") return word;
    const hint = `give it a value (--set ${name}=…, --env-file, --values), or a default: \${${name}:-…}`;
    const words = operator === "?" && word !== "" ? { words: word } : {};
    problems.push({ code: "variable-undefined", index, message: `the variable ${name} is not set`, hint, ...words });
    return whole;
  });
  return { text: result, used, problems };
}
