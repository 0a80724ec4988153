// Runs test files by level: node test/tools/test.mjs LEVEL… [-- node --test options]; bundles them first.
// Levels are folders (TESTHOSTS.md): pure = test/*.test.ts and the mirrors of src/, native, session, host.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle } from "./esbuild.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);
const special = new Set(["native", "session", "host", "machine", "bench", "harness", "tools", "lib"]);

/** All *.test.ts below a folder. */
function testsIn(folder, skip = new Set()) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return skip.has(name) ? [] : testsIn(path);
      return name.endsWith(".test.ts") ? [path] : [];
    });
}

const split = process.argv.indexOf("--");
const words = process.argv.slice(2, split < 0 ? undefined : split);
const options = split < 0 ? [] : process.argv.slice(split + 1);
const files = words.flatMap((word) =>
  word === "pure" ? testsIn("test", special) : special.has(word) ? testsIn(join("test", word)) : [word],
);
if (files.length === 0) {
  console.error(`no test files for: ${words.join(" ")}`);
  process.exit(1);
}
const out = `dist/test-${words.filter((w) => /^\w+$/.test(w)).join("-") || process.pid}`;
rmSync(out, { recursive: true, force: true });
await bundle(files, out, { outbase: "test" });
// Tests are modules; the program in dist/ is a script.
writeFileSync(join(out, "package.json"), '{"type":"module"}\n');
const built = files.map((f) => join(out, relative("test", f).replace(/\.ts$/, ".js")));
// Levels that share a machine run one file after the other.
const serial = words.some((w) => w !== "pure") ? ["--test-concurrency=1"] : [];
const result = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...serial, ...options, ...built], { stdio: "inherit" });
process.exit(result.status ?? 1);
