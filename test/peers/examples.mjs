// Public example manifests through validation: node test/peers/examples.mjs FOLDER…
// FOLDER is a copy of a public collection (github.com/kubernetes/examples, say), which is nobody's part of this one. Every object of every
// .yaml, .yml and .json file is validated by itself, and the pods of Deployments and the like as if they were Pods. Prints how many are
// accepted, and why the others are not, most frequent first, each with a file to look at. Templates ({{ … }}) are counted and passed over.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadAll } from "js-yaml";
import { bundle } from "../tools/esbuild.mjs";

const folders = process.argv.slice(2).map((folder) => resolve(folder));
if (folders.length === 0) {
  console.error("usage: examples.mjs FOLDER…");
  process.exit(64);
}
process.chdir(new URL("../..", import.meta.url).pathname);

const built = mkdtempSync(join(tmpdir(), "podgen-examples-"));
const { check } = await (async () => {
  try {
    writeFileSync(join(built, "package.json"), '{"type":"module"}\n');
    await bundle(["test/lib/spec.ts"], built);
    return await import(pathToFileURL(join(built, "spec.js")).href);
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
})();

/** Objects of a file: plain values; undefined for what is no YAML. */
function objectsOf(text) {
  try {
    return loadAll(text).flatMap((value) => (value?.kind === "List" ? (value.items ?? []) : value?.kind === undefined ? [] : [value]));
  } catch {
    return undefined;
  }
}

/** The pod that a kind makes, as a Pod of its own. */
function podOf(object) {
  const template = object?.spec?.jobTemplate?.spec?.template ?? object?.spec?.template;
  if (template?.spec?.containers === undefined) return undefined;
  const metadata = { ...template.metadata, name: object.metadata?.name ?? "pod" };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: template.spec };
}

/** Errors without what is the spec's own: indices, names in quotes after the reason. */
function reasonsOf(object) {
  const { diagnostics } = check(JSON.stringify(object));
  const errors = diagnostics.filter((d) => d.severity === "error");
  return [
    ...new Set(errors.map((d) => `${d.code}: ${d.message.replace(/\[\d+\]/g, "[]").replace(/^metadata\.name: .*/, "metadata.name")}`)),
  ];
}

const groups = { pods: new Map(), templates: new Map(), others: new Map() };
const totals = { pods: [0, 0], templates: [0, 0], others: [0, 0] };
let passedOver = 0;

function count(group, object, file) {
  const reasons = reasonsOf(object);
  totals[group][0]++;
  if (reasons.length === 0) totals[group][1]++;
  for (const reason of reasons) {
    const known = groups[group].get(reason) ?? { times: 0, file };
    groups[group].set(reason, { ...known, times: known.times + 1 });
  }
}

for (const folder of folders)
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (!/\.(ya?ml|json)$/.test(name)) continue;
    const file = join(folder, name);
    let text;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      continue;
    }
    if (!/^\s*"?kind"?\s*:/m.test(text)) continue;
    const objects = /\{\{|<%/.test(text) ? undefined : objectsOf(text);
    if (objects === undefined) passedOver++;
    for (const object of objects ?? []) {
      count(object.kind === "Pod" ? "pods" : "others", object, relative(folder, file));
      const pod = podOf(object);
      if (pod !== undefined) count("templates", pod, relative(folder, file));
    }
  }

for (const [group, what] of [
  ["pods", "Pods"],
  ["templates", "pods of Deployments, Jobs and the like, as Pods"],
  ["others", "other kinds"],
]) {
  const [all, good] = totals[group];
  console.log(`\n${what}: ${all}, accepted ${good}, refused ${all - good}`);
  const rows = [...groups[group]].sort((a, b) => b[1].times - a[1].times);
  for (const [reason, { times, file }] of rows) console.log(`${String(times).padStart(5)}  ${reason}  (${file})`);
}
if (passedOver > 0) console.log(`\n${passedOver} files are templates or no YAML`);
