// podgen schema: a JSON Schema of the kinds that podgen takes, for editors.
import { suggest } from "../../base/suggest.js";
import { jsonSchema } from "../../model/kube/json-schema.js";
import { KINDS } from "../../model/kube/kinds.js";
import { KNOWN_KINDS } from "../../model/kube/known-kinds.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";

export async function run(args: Args, context: Context): Promise<number> {
  const word = args.text("kind");
  context.out.write(`${JSON.stringify(jsonSchema(word === undefined ? undefined : kindOf(word)), null, 2)}\n`);
  return EXIT.done;
}

function kindOf(word: string): string {
  const names = [...KINDS.keys()];
  const name = names.find((n) => n.toLowerCase() === word.toLowerCase());
  if (name !== undefined) return name;
  const known = KNOWN_KINDS.find((k) => k.name.toLowerCase() === word.toLowerCase());
  if (known !== undefined) throw new UserError(`podgen does not take a ${known.name} yet`, EXIT.failed, known.refused);
  const near = suggest(word, names);
  throw new UserError(
    `no kind is called "${word}"`,
    EXIT.failed,
    near === undefined ? `podgen takes ${names.join(", ")}` : `did you mean ${near.word}?`,
  );
}
