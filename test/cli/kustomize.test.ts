// -k: a folder goes through the real kustomize, or the one in kubectl, where the machine has one; Debian packages neither of today's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { test } from "node:test";
import { Args } from "../../src/cli/args.js";
import type { Context } from "../../src/cli/context.js";
import { readSpecs } from "../../src/cli/input.js";
import { compileModel } from "../../src/cli/pipeline.js";
import { Files } from "../../src/host/files/files.js";
import { kustomize } from "../../src/host/kustomize.js";

const folder = resolve("fixtures/kustomize/overlay");
const context = (env: NodeJS.ProcessEnv): Context =>
  ({
    cwd: resolve("."),
    env,
    host: { files: async () => new Files([]), kustomize: (path: string) => kustomize(path, env) },
  }) as unknown as Context;

function isThere(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((each) => {
    try {
      accessSync(join(each, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A kubectl that knows the word, too. */
function program(): string | undefined {
  if (isThere("kustomize")) return "kustomize";
  try {
    if (isThere("kubectl")) execFileSync("kubectl", ["kustomize", folder], { stdio: "ignore" });
    return isThere("kubectl") ? "kubectl" : undefined;
  } catch {
    return undefined;
  }
}

const none = program() === undefined ? "not run: there is neither kustomize nor kubectl on this machine" : false;

test("an overlay becomes pods and objects, with the folder as their source", { skip: none }, async () => {
  const texts = await readSpecs(new Args({ kustomize: ["fixtures/kustomize/overlay/"] }), context(process.env));
  assert.deepEqual(
    texts.map((t) => [t.file, t.source]),
    [["fixtures/kustomize/overlay (kustomize)", folder]],
  );
  const { value, diagnostics } = compileModel(texts);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    value?.pods.map((p) => [p.name, p.containers[0]?.image]),
    [["prod-web", "registry.test/app:2"]],
  );
  const [settings] = value?.configMaps ?? [];
  assert.match(settings?.name ?? "", /^prod-settings-[a-z0-9]{10}$/);
  assert.equal(value?.pods[0]?.containers[0]?.envFrom[0]?.name, settings?.name, "the pod refers to it by the name it was given");
});

test("what kustomize says is passed on", { skip: none }, async () => {
  await assert.rejects(kustomize(resolve("fixtures/kustomize"), process.env), /kustomize.*fixtures\/kustomize: [\s\S]*kustomization/);
});

test("without a program one line says what to install; a folder without kustomization, and one with it but no -k, are told apart", async () => {
  const read = (values: Readonly<Record<string, unknown>>) => readSpecs(new Args(values), context({ PATH: "/nowhere" }));
  await assert.rejects(read({ kustomize: [folder] }), { code: "kustomize-missing", message: /neither is in PATH/ });
  await assert.rejects(read({ kustomize: ["fixtures/good"] }), /fixtures\/good: there is no kustomization\.yaml in this folder/);
  await assert.rejects(read({ kustomize: ["package.json"] }), /-k takes a folder/);
  await assert.rejects(
    read({ files: ["fixtures/kustomize/base"] }),
    (error: Error & { hint?: string }) =>
      /a folder for kustomize/.test(error.message) && /apply -k fixtures\/kustomize\/base/.test(error.hint ?? ""),
  );
});
