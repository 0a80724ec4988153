// Jobs as they are read: numbers, slots, runs and policies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readJob } from "../../../src/model/kube/job/read.js";
import { Path } from "../../../src/spec/path.js";
import { Reader } from "../../../src/spec/reader.js";
import { Report } from "../../../src/spec/report.js";
import { parseYaml } from "../../../src/spec/yaml.js";

/** A Job of a container `main` with these lines of spec. */
function read(spec: string, pod = "restartPolicy: Never"): { job: ReturnType<typeof readJob>; found: string[] } {
  const text = `spec:\n  ${spec.split("\n").join("\n  ")}\n  template:\n    spec:\n      ${pod}\n      containers: [{ name: main, image: reg.example/x }]\n`;
  const { value } = parseYaml("job.yaml", text);
  const root = value?.[0]?.root;
  assert.ok(root?.kind === "map");
  const reader = new Reader(root, Path.root);
  const report = new Report();
  const at = { file: "job.yaml", line: 1, column: 1 };
  const job = readJob(reader, report, { name: "pi", namespace: "default", labels: {}, annotations: {}, at, metadata: undefined });
  return { job, found: report.diagnostics.map((d) => d.message) };
}

test("slots: one without numbers, no more than there is to do, one per index, as many as run at once of a queue of work", () => {
  const slots = (spec: string): unknown => {
    const { model } = read(spec).job;
    return [model.completions, model.slots.length];
  };
  assert.deepEqual(slots("suspend: false"), [1, 1]);
  assert.deepEqual(slots("completions: 3\nparallelism: 2"), [3, 2]);
  assert.deepEqual(slots("completions: 2\nparallelism: 9"), [2, 2]);
  assert.deepEqual(slots("parallelism: 4"), [undefined, 4]);
  assert.deepEqual(slots("completions: 5\nparallelism: 2\ncompletionMode: Indexed"), [5, 5]);
  assert.deepEqual(slots("parallelism: 0\ncompletions: 3"), [3, 0]);
});

test("an indexed pod knows its number, by variable, label, annotation and host name; what says the variable itself keeps it", () => {
  const [, pod] = read("completions: 2\ncompletionMode: Indexed").job.pods;
  assert.equal(pod?.hostname, "pi-1");
  assert.equal(pod?.labels["batch.kubernetes.io/job-completion-index"], "1");
  assert.equal(pod?.annotations["batch.kubernetes.io/job-completion-index"], "1");
  assert.deepEqual(
    pod?.containers[0]?.env.map((v) => [v.name, v.source]),
    [["JOB_COMPLETION_INDEX", { kind: "value", value: "1" }]],
  );
  assert.deepEqual(pod?.owner, { kind: "Job", name: "pi", index: 1 });
});

test("another run is what Kubernetes would not take as a change; however it is written", () => {
  const run = (spec: string, pod?: string): string => read(spec, pod).job.model.run;
  const one = run("completions: 3\nbackoffLimit: 1");
  assert.equal(run('# three\n"completions": 3'), one);
  assert.equal(run("completions: 0x3\nparallelism: 2\nsuspend: true\nttlSecondsAfterFinished: 9"), one);
  assert.notEqual(run("completions: 4"), one);
  assert.notEqual(run("completions: 3", "restartPolicy: OnFailure"), one);
});

test("what Kubernetes refuses, too", () => {
  const found = (spec: string, pod?: string): string[] => read(spec, pod).found;
  assert.match(found("suspend: false", "restartPolicy: Always")[0] ?? "", /restartPolicy: pods of a Job run to their end/);
  assert.match(found("completionMode: Indexed")[0] ?? "", /completions: missing/);
  assert.match(found("backoffLimitPerIndex: 1")[0] ?? "", /goes with completionMode Indexed only/);
  assert.match(found("completions: 3\nmaxFailedIndexes: 1\ncompletionMode: Indexed")[0] ?? "", /needs a backoffLimitPerIndex/);
  assert.match(found("completions: 9999\ncompletionMode: Indexed")[0] ?? "", /1000 pods of a template at most/);
  assert.match(found("manualSelector: true")[0] ?? "", /selector: missing/);
  const codes = (rule: string): string[] => found(`podFailurePolicy:\n  rules:\n  - ${rule}`);
  assert.deepEqual(codes("{ action: FailJob, onExitCodes: { operator: In, values: [1, 3] } }"), []);
  assert.match(codes("{ action: FailJob, onExitCodes: { operator: In, values: [0, 3] } }")[0] ?? "", /may not have 0/);
  assert.match(codes("{ action: FailJob, onExitCodes: { operator: NotIn, values: [3, 1] } }")[0] ?? "", /rising order/);
  assert.match(
    codes("{ action: FailIndex, onExitCodes: { operator: In, values: [3] } }")[0] ?? "",
    /FailIndex needs a backoffLimitPerIndex/,
  );
  assert.match(
    codes("{ action: Ignore, onExitCodes: { containerName: x, operator: In, values: [3] } }")[0] ?? "",
    /none of the template's/,
  );
  assert.match(codes("{ action: Ignore }")[0] ?? "", /exactly one of/);
  const success = (rule: string): string[] => found(`completions: 4\ncompletionMode: Indexed\nsuccessPolicy:\n  rules:\n  - ${rule}`);
  assert.deepEqual(success("{ succeededIndexes: 0-1, succeededCount: 2 }"), []);
  assert.match(success("{ succeededIndexes: 0-1, succeededCount: 3 }")[0] ?? "", /more than there are indexes/);
  assert.match(success("{ succeededIndexes: 2-4 }")[0] ?? "", /the last index is 3/);
  assert.match(success("{}")[0] ?? "", /one of succeededIndexes and succeededCount/);
});
