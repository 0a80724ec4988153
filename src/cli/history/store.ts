// Generations on disk: `<state>/generations/NAME/N.json`, 0600, for secrets are in them.
import type { Paths } from "../../base/facts.js";
import type { Generation } from "../../diff/generation.js";
import type { FileReader, FileWriter } from "../../ports/files.js";
import { UserError } from "../exit.js";

/** Names of pods have no `_`, so no two lineages have one folder. */
export function lineageFolder(paths: Pick<Paths, "state">, name: string): string {
  return `${paths.state}/generations/${name.replace("/", "_")}`;
}

/** The numbers there are, ascending. */
export async function numbersOf(paths: Pick<Paths, "state">, files: FileReader, name: string): Promise<number[]> {
  const found = await files.list(lineageFolder(paths, name));
  return found.flatMap((file) => Number(/^([1-9]\d{0,8})\.json$/.exec(file)?.[1] ?? [])).sort((a, b) => a - b);
}

/** Undefined where there is none of that number. Throws UserError for one that cannot be read as one. */
export async function readGeneration(
  paths: Pick<Paths, "state">,
  files: FileReader,
  name: string,
  number: number,
): Promise<Generation | undefined> {
  const path = generationPath(paths, name, number);
  const bytes = await files.read(path);
  if (bytes === undefined) return undefined;
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Generation;
    if (found.version !== 1 || found.name !== name || !Array.isArray(found.content.pods))
      throw new Error(`version ${String(found.version)}`);
    return found;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${path}: not a generation this podgen can read (${why})`, 1, "remove it; the others are good");
  }
}

/** All of a lineage, ascending. */
export async function readGenerations(paths: Pick<Paths, "state">, files: FileReader, name: string): Promise<Generation[]> {
  const numbers = await numbersOf(paths, files, name);
  return (await Promise.all(numbers.map((n) => readGeneration(paths, files, name, n)))).filter((g) => g !== undefined);
}

/** Names of all lineages that have generations. */
export async function lineageNames(paths: Pick<Paths, "state">, files: FileReader): Promise<string[]> {
  return (await files.list(`${paths.state}/generations`)).map((folder) => folder.replace("_", "/"));
}

export async function writeGeneration(paths: Pick<Paths, "state">, files: FileWriter, generation: Generation): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(generation)}\n`);
  await files.write(generationPath(paths, generation.name, generation.number), bytes, 0o600);
}

export async function removeGeneration(paths: Pick<Paths, "state">, files: FileWriter, name: string, number: number): Promise<void> {
  await files.remove(generationPath(paths, name, number), paths.state);
}

function generationPath(paths: Pick<Paths, "state">, name: string, number: number): string {
  return `${lineageFolder(paths, name)}/${number}.json`;
}
