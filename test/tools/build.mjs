// npm run build: dist/podgen, dist/podrt and the bundled image's OCI layout.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundleProgram } from "./esbuild.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);

/** Made beside and swapped in, so that a podgen that is running keeps its own files until the end of the build. */
async function buildProgram() {
  const fresh = "dist/lib.new";
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await bundleProgram("src/main.ts", `${fresh}/podgen.cjs`);
  copyFileSync("test/tools/launch.cjs", `${fresh}/launch.cjs`);
  warm(fresh);
  rmSync("dist/lib.old", { recursive: true, force: true });
  try {
    renameSync("dist/lib", "dist/lib.old");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  renameSync(fresh, "dist/lib");
  rmSync("dist/lib.old", { recursive: true, force: true });
  writeFileSync("dist/package.json", '{"type":"commonjs"}\n');
  writeFileSync("dist/podgen.tmp", '#!/usr/bin/env node\nrequire("./lib/launch.cjs");\n');
  chmodSync("dist/podgen.tmp", 0o755);
  renameSync("dist/podgen.tmp", "dist/podgen");
}

/**
 * Leaves what V8 has compiled after a run through all pure stages: later runs need not compile it again. The run is
 * given a home of its own and ends in a folder that is thrown away.
 */
function warm(folder) {
  const home = mkdtempSync(join(tmpdir(), "podgen-build-"));
  try {
    const spec = readFileSync("fixtures/quickstart/web.yaml", "utf8").replaceAll("IMAGES", resolve("dist/images"));
    writeFileSync(join(home, "web.yaml"), spec);
    execFileSync(process.execPath, [`${folder}/launch.cjs`, "generate", join(home, "web.yaml"), "-d", join(home, "out")], {
      env: { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: home, PODGEN_BUILD_CACHE: `${folder}/podgen.cache` },
      stdio: ["ignore", "ignore", "pipe"],
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}

execFileSync("make", ["-s", "-C", "native", `-j${availableParallelism()}`, "all"], { stdio: "inherit" });
await buildProgram();
