// Runs test files by level: node test/tools/test.mjs LEVEL[:K/N]…|FILE… [-- node --test options]; bundles them first.
// LEVEL:K/N is every Nth of its files from the Kth: for N runs side by side.
// Levels are folders (TESTHOSTS.md): pure = test/*.test.ts and the mirrors of src/, native, session, host.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle } from "./esbuild.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);
const special = new Set(["native", "session", "host", "machine", "bench", "harness", "tools", "lib"]);

/** What one test, and one file of tests, may take; milliseconds. What hangs fails and does not take the rest along. */
const TEST_MS = 150_000;
const FILE_MS = 420_000;
/** The same for files of an emulated machine, whose boot alone is half a minute, and of podman, which takes its time. */
const SLOW_MS = 400_000;

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

/** Runs node --test on built files; its output, counts and seconds. */
function runFiles(files, options) {
  const from = Date.now();
  const limit = files.some((file) => /\/machine\/|\/podman-/.test(file)) ? SLOW_MS : TEST_MS;
  const words = ["--enable-source-maps", "--test", `--test-timeout=${limit}`, ...options, ...files];
  return new Promise((resolve) => {
    // A group of its own, so that what a test that hangs has started ends with it.
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        text += chunk;
      }); // prettier-ignore
    const timer = setTimeout(() => {
      text += `\nkilled: not done after ${FILE_MS / 1000} s\n`;
      process.kill(-child.pid, "SIGKILL");
    }, FILE_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
      const passed = count("pass");
      const failed = count("fail") + count("cancelled");
      const ok = code === 0 && passed > 0 && failed === 0;
      resolve({ ok, passed, failed: ok ? 0 : Math.max(1, failed), text, seconds: ((Date.now() - from) / 1000).toFixed(1) });
    });
  });
}

const split = process.argv.indexOf("--");
const words = process.argv.slice(2, split < 0 ? undefined : split);
const options = split < 0 ? [] : process.argv.slice(split + 1);
/** The files that a word stands for. */
function filesOf(word) {
  const [, level, part, of] = /^(\w+)(?::(\d+)\/(\d+))?$/.exec(word) ?? [];
  if (level !== "pure" && !special.has(level)) return [word];
  const all = level === "pure" ? testsIn("test", special) : testsIn(join("test", level));
  return of === undefined ? all : all.filter((_, i) => i % Number(of) === Number(part) - 1);
}
const files = words.flatMap(filesOf);
if (files.length === 0) {
  console.error(`no test files for: ${words.join(" ")}`);
  process.exit(1);
}
const out = `dist/test-${
  words
    .filter((w) => /^[\w:/]+$/.test(w))
    .join("-")
    .replace(/[:/]/g, "-") || process.pid
}`;
rmSync(out, { recursive: true, force: true });
await bundle(files, out, { outbase: "test" });
writeFileSync(join(out, "package.json"), '{"type":"module"}\n');
const built = files.map((f) => join(out, relative("test", f).replace(/\.ts$/, ".js")));

// Pure files share nothing and run at once; levels that share a machine run one file after the other.
const groups = words.every((w) => w === "pure") ? [built] : built.map((file) => [file]);
const total = { passed: 0, failed: 0 };
for (const group of groups) {
  const name = group.length === 1 ? relative(out, group[0]).replace(/\.js$/, "") : words.join(" ");
  let run = await runFiles(group, options);
  if (!run.ok) {
    console.log(run.text);
    // Real time on a shared machine: what fails is tried once more, in the open. A defect fails twice.
    console.log(`FAILED, tried once more: ${name}`);
    const again = await runFiles(group, options);
    if (again.ok) console.log(`UNSTEADY: ${name} passed the second time only`);
    else console.log(again.text);
    run = again;
  } else if (files.length === 1) console.log(run.text);
  total.passed += run.passed;
  total.failed += run.failed;
  console.log(`${run.ok ? "ok" : "not ok"}  ${name}  ${run.passed} tests, ${run.seconds} s`);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
