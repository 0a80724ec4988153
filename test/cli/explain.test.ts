// podgen explain and podgen schema, as they print.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/cli/args.js";
import * as explain from "../../src/cli/commands/explain.js";
import * as schema from "../../src/cli/commands/schema.js";
import type { Context } from "../../src/cli/context.js";

type Command = { run(args: Args, context: Context): Promise<number> };

async function output(command: Command, values: Record<string, unknown>): Promise<string> {
  const written: string[] = [];
  const out = { isTTY: false, columns: 80, write: (more: string) => written.push(more) };
  assert.equal(await command.run(new Args(values), { out } as unknown as Context), 0);
  return written.join("");
}

test("explain: a field, what becomes of it, and the fields below", async () => {
  const text = await output(explain, { field: "pod.spec.containers" });
  assert.match(text, /^pod\.spec\.containers {2}<\[\]Container, required> {2}v1\n\n {2}What runs together in the pod\.\n {2}Honoured\.\n/);
  assert.match(text, /^ {2}name\* +string +The container's name/m);
  assert.match(text, /^ {2}volumeDevices +\[\]VolumeDevice +refused +Block devices/m);
  assert.ok(!text.includes("mountPath"), "fields of fields only when asked for");
  assert.match(await output(explain, { field: "pod.spec.containers", recursive: true }), /^ {4}mountPath\* +string/m);
});

test("explain: reason, hint, values and version", async () => {
  assert.match(
    await output(explain, { field: "pod.spec.containers.volumeDevices" }),
    /^ {2}Refused: claims are folders, and a block device of its own takes root\.$/m,
  );
  assert.match(await output(explain, { field: "pod.spec.restartPolicy" }), /^ {2}One of: Always, OnFailure, Never\.$/m);
  assert.match(await output(explain, { field: "cj.spec.suspend" }), /^cronjob\.spec\.suspend[\s\S]*Honoured\.$/m);
});

test("explain alone lists kinds; as JSON it is data", async () => {
  assert.match(await output(explain, {}), /^pod +po +v1 +taken$/m);
  const data = JSON.parse(await output(explain, { field: "pod.spec.runtimeClassName", output: "json" })) as Record<string, unknown>;
  assert.deepEqual([data["path"], data["fate"], data["type"]], ["pod.spec.runtimeClassName", "refused", "string"]);
});

test("a field that is not there, and a kind without a schema, are errors that say what to do", async () => {
  await assert.rejects(output(explain, { field: "pod.spec.imagee" }), /has no field "imagee"/);
  await assert.rejects(output(schema, { kind: "nothing" }), /no kind is called "nothing"/);
  assert.equal((JSON.parse(await output(schema, { kind: "pod" })) as Record<string, unknown>)["title"], "Pod, as podgen takes it");
});
