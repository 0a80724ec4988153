// npm run build: dist/podgen, dist/podrt and the bundled image's OCI layout.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { bundle } from "./esbuild.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);
mkdirSync("dist", { recursive: true });

// Written beside and swapped in, so that a podgen that is running keeps its chunks until the end of the build.
rmSync("dist/lib.new", { recursive: true, force: true });
await bundle(["src/main.ts"], "dist/lib.new", { minifySyntax: true, minifyWhitespace: true, chunkNames: "[name]-[hash]" });
rmSync("dist/lib.old", { recursive: true, force: true });
try {
  renameSync("dist/lib", "dist/lib.old");
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}
renameSync("dist/lib.new", "dist/lib");
rmSync("dist/lib.old", { recursive: true, force: true });
writeFileSync("dist/package.json", '{"type":"module"}\n');
writeFileSync("dist/podgen.tmp", '#!/usr/bin/env node\nimport "./lib/main.js";\n');
chmodSync("dist/podgen.tmp", 0o755);
renameSync("dist/podgen.tmp", "dist/podgen");

execFileSync("make", ["-s", "-C", "native", `-j${availableParallelism()}`, "all"], { stdio: "inherit" });
