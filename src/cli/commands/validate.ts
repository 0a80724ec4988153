// podgen validate: the pure stages that need no machine.
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT } from "../exit.js";
import { readSpecs } from "../input.js";
import { compileModel } from "../pipeline.js";
import { json, printDiagnostics } from "../print.js";
import { shortNameWarnings } from "../short-names.js";

export async function run(args: Args, context: Context): Promise<number> {
  const texts = await readSpecs(args, context);
  const compiled = compileModel(texts);
  const warnings = compiled.value === undefined ? [] : shortNameWarnings(compiled.value);
  const model = { ...compiled, diagnostics: [...compiled.diagnostics, ...warnings] };
  if (args.text("output") === "json") {
    context.out.write(json("Diagnostics", { valid: model.value !== undefined, diagnostics: model.diagnostics }));
  } else {
    printDiagnostics(context, model.diagnostics, texts);
    if (model.value !== undefined) {
      const { pods, configMaps, secrets, claims } = model.value;
      const more = claims.length === 0 ? "" : `, ${claims.length} claims`;
      context.out.write(`valid: ${pods.length} pods, ${configMaps.length} config maps, ${secrets.length} secrets${more}\n`);
    }
  }
  return model.value === undefined ? EXIT.failed : EXIT.done;
}
