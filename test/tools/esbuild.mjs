// The one place that says how TypeScript becomes JavaScript: options shared by the program and its tests.
import { build } from "esbuild";

// dbus-next is CommonJS and asks for optional native modules that podgen never uses.
const external = ["usocket", "x11"];
const banner = {
  js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  external,
  sourcemap: "linked",
  logLevel: "warning",
  loader: { ".service": "text", ".socket": "text", ".timer": "text", ".slice": "text" },
};

/**
 * Bundles tests to ESM, each file by itself: a test that has become a throw-away user (test/lib/session.ts) may not read
 * the checkout any more, so no part of it is left to be loaded later.
 */
export async function bundle(entryPoints, outdir, extra = {}) {
  await build({ ...common, entryPoints, outdir, format: "esm", banner, ...extra });
}

/**
 * Bundles the program to one CommonJS file, in which what is imported lazily is also evaluated lazily. One file and not
 * chunks of ESM, because it loads in a third of the time: V8's code cache works for scripts only (tools/launch.cjs).
 */
export async function bundleProgram(entry, outfile) {
  await build({
    ...common,
    entryPoints: [entry],
    outfile,
    format: "cjs",
    // A script of node:vm has no import(): of Node's own modules, too, it becomes require().
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "__moduleUrl" },
    banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    minifySyntax: true,
    minifyWhitespace: true,
  });
}
