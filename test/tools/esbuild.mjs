// The one place that says how TypeScript becomes JavaScript: options shared by the program and its tests.
import { build } from "esbuild";

// dbus-next is CommonJS and asks for optional native modules that podgen never uses.
const external = ["usocket", "x11"];
const banner = {
  js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
};

/** Bundles entry points to ESM for Node 20; templates become strings. */
export async function bundle(entryPoints, outdir, extra = {}) {
  await build({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external,
    banner,
    sourcemap: "linked",
    logLevel: "warning",
    loader: { ".service": "text", ".socket": "text", ".slice": "text" },
    ...extra,
  });
}
