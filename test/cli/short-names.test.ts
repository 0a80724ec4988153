// Short names in specs: settled by the machine's files, chosen by a person, tried in order, or refused where they stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileModel } from "../../src/cli/pipeline.js";
import { type Choose, nameImages, shortNameWarnings } from "../../src/cli/short-names.js";
import { ImageError, type ImageReader, type ShortName } from "../../src/ports/images.js";
import { imageFacts } from "../lib/models.js";

const spec = (...images: string[]) => `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
${images.map((image, i) => `    - { name: c${i}, imagePullPolicy: IfNotPresent, image: "${image}" }\n`).join("")}`;
const model = (...images: string[]) => {
  const compiled = compileModel([{ file: "web.yaml", source: "/web.yaml", text: spec(...images) }]);
  assert.ok(compiled.value !== undefined, JSON.stringify(compiled.diagnostics));
  return compiled.value;
};
const SEVERAL: ShortName = { kind: "several", candidates: ["a.example/app:1", "b.example/app:1"], ask: true, tryAll: false };

/** A machine whose files say `names`; `there` are images of registries, `stored` those of the store; others have this trouble. */
function machine(names: Record<string, ShortName>, there: string[] = [], stored: string[] = [], trouble: Record<string, string> = {}) {
  const asked: string[] = [];
  const images: Pick<ImageReader, "inspect" | "longName"> = {
    longName: async (short) => names[short] ?? { kind: "unknown" },
    inspect: async (reference, policy) => {
      asked.push(`${policy} ${reference}`);
      if ((policy === "Never" ? stored : there).includes(reference)) return imageFacts(reference);
      throw new ImageError(trouble[reference] ?? "image-not-found", reference, `${reference} is not there`);
    },
  };
  return { images: images as ImageReader, asked };
}
const named = (m: ReturnType<typeof machine>, choose?: Choose, ...images: string[]) =>
  nameImages(model(...images), m.images, new Map(), choose);
const imagesOf = (found: Awaited<ReturnType<typeof nameImages>>) => found.value?.model.pods[0]?.containers.map((c) => c.image);

test("an alias or the only registry settles it; full names stay, and without short names nothing is asked", async () => {
  const m = machine({ "app:1": { kind: "settled", reference: "quay.example/team/app:1" } });
  assert.deepEqual(imagesOf(await named(m, undefined, "app:1", "x.example/y:2")), ["quay.example/team/app:1", "x.example/y:2"]);
  const whole = model("x.example/y:2");
  assert.equal((await nameImages(whole, m.images, new Map(), undefined)).value?.model, whole);
  assert.deepEqual(m.asked, []);
});

test("nobody to ask: an error at its place that lists the candidates; unknown: one with docker's name", async () => {
  const { diagnostics, value } = await named(machine({ "app:1": SEVERAL }), undefined, "app:1", "other");
  assert.equal(value, undefined);
  assert.deepEqual(
    diagnostics.map((d) => [d.code, d.severity, d.at?.line, d.at?.column]),
    [
      ["short-image", "error", 6, 57],
      ["short-image", "error", 7, 57],
    ],
  ); // prettier-ignore
  assert.match(diagnostics[0]?.message ?? "", /"app:1" may be any of a\.example\/app:1, b\.example\/app:1/);
  assert.match(diagnostics[1]?.hint ?? "", /write docker\.io\/library\/other:latest/);
});

test("a person is asked once for each name, and what was chosen is told; no choice is no image", async () => {
  const questions: string[] = [];
  const choose: Choose = async (short, candidates) => {
    questions.push(short);
    return candidates[1];
  };
  const found = await named(machine({ "app:1": SEVERAL }), choose, "app:1", "app:1");
  assert.deepEqual(imagesOf(found), ["b.example/app:1", "b.example/app:1"]);
  assert.deepEqual([...(found.value?.chosen ?? [])], [["app:1", "b.example/app:1"]]);
  assert.deepEqual(questions, ["app:1"]);
  assert.equal((await named(machine({ "app:1": SEVERAL }), async () => undefined, "app:1")).diagnostics[0]?.code, "short-image");
});

test("permissive and disabled: the store first, then the registries in order; one that cannot be reached ends it", async () => {
  const names = { "app:1": { ...SEVERAL, tryAll: true } };
  const both = ["a.example/app:1", "b.example/app:1"];
  assert.deepEqual(imagesOf(await named(machine(names, both, ["b.example/app:1"]), undefined, "app:1")), ["b.example/app:1"]);
  const second = machine(names, ["b.example/app:1"], [], { "a.example/app:1": "image-unauthorized" });
  assert.deepEqual(imagesOf(await named(second, undefined, "app:1")), ["b.example/app:1"]);
  const down = machine(names, ["b.example/app:1"], []);
  down.images.inspect = async (reference, policy) => {
    if (policy === "Never") throw new ImageError("image-not-found", reference, "not stored");
    if (reference.startsWith("a.")) throw new ImageError("image-unreachable", reference, "a.example is down");
    return imageFacts(reference);
  };
  assert.equal((await named(down, undefined, "app:1")).diagnostics[0]?.code, "image-unreachable");
  const none = await named(machine(names), undefined, "app:1");
  assert.equal(none.diagnostics[0]?.code, "image-not-found");
  assert.match(none.diagnostics[0]?.message ?? "", /a\.example.*b\.example/);
});

test("validate has no machine to ask: it warns", () => {
  const [warning] = shortNameWarnings(model("x.example/y", "app"));
  assert.deepEqual([warning?.code, warning?.severity, warning?.at?.line], ["short-image", "warning", 7]);
});
