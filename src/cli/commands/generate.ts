// podgen generate: the rendered files below a folder, as they would stand on the machine. Installs nothing.
import { basename } from "node:path/posix";
import type { ManagerReader } from "../../ports/manager.js";
import type { Args } from "../args.js";
import type { Context } from "../context.js";
import { EXIT, UserError } from "../exit.js";
import { generatedPath } from "../generated.js";
import { readSpecs } from "../input.js";
import { readManifest } from "../installed.js";
import { compileModel, compilePlan } from "../pipeline.js";
import { printDiagnostics } from "../print.js";

export async function run(args: Args, context: Context): Promise<number> {
  const directory = args.text("directory");
  if (directory === undefined) throw new UserError("say where to write: -d FOLDER", EXIT.usage);
  const texts = await readSpecs(args, context);
  const model = compileModel(texts);
  printDiagnostics(context, model.diagnostics, texts);
  if (model.value === undefined) return EXIT.failed;
  const reader = await context.host.files();
  const facts = await context.host.facts(await managerOrGuess(context));
  const compiled = await compilePlan(texts, model.value, {
    facts,
    manifest: await readManifest(facts.paths, reader),
    images: await context.host.images(),
    // The folder may be a repository: nothing in it shall follow from a secret's value.
    secretKey: undefined,
    read: (path) => reader.read(path),
    list: (path) => reader.list(path),
  });
  printDiagnostics(context, compiled.diagnostics, texts);
  if (compiled.value === undefined) return EXIT.failed;
  const root = directory.startsWith("/") ? directory : `${context.cwd}/${directory}`;
  const files = await context.host.files();
  for (const file of [...compiled.value.rendered.shared, ...compiled.value.rendered.pods.flatMap((p) => p.files)]) {
    // Secret values belong in the store and nowhere else; the folder may be a repository.
    if (file.secret) {
      context.err.write(`left out (secret): ${basename(file.path)}\n`);
      continue;
    }
    const target = generatedPath(file, root, facts.paths);
    await files.write(target, file.bytes, file.mode);
    context.out.write(`${target}\n`);
  }
  return EXIT.done;
}

/** The user manager where there is one: units may be generated on a machine that will not run them. */
async function managerOrGuess(context: Context): Promise<Pick<ManagerReader, "version" | "searchPath">> {
  try {
    return await context.host.manager();
  } catch {
    return { version: async () => OLDEST_SYSTEMD, searchPath: async () => context.env["PATH"] ?? "" };
  }
}

/** Debian 12's: units for it work on every later one. */
const OLDEST_SYSTEMD = 252;
