// Runs podgen.cjs with V8's code cache (podgen.cache beside it); without one, or with another node's, it is just compiled.
const { readFileSync, writeFileSync } = require("node:fs");
const { wrap } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

// esbuild writes ASCII only; read as bytes, as Node reads text in pieces of 8 KiB.
const file = join(__dirname, "podgen.cjs");
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, "podgen.cache"));
} catch {
  // No cache: slower by some 30 ms.
}
const script = new Script(wrap(readFileSync(file).latin1Slice()), { filename: file, ...(cachedData ? { cachedData } : {}) });
script.runInThisContext()(exports, require, module, file, __dirname);

// Set by the build only: after the command has run, so that the functions it used are in the cache.
const target = process.env.PODGEN_BUILD_CACHE;
if (target) process.once("exit", () => writeFileSync(target, script.createCachedData()));
