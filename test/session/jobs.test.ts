// Jobs under a real systemd --user: pods run to their ends, some at a time; what fails is tried again, or is the Job's failure; all by podrt job.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

let host: PodHost;
let notes: string;
const busybox = image("busybox");
const PATIENCE = 40_000;

before(async () => {
  host = await PodHost.start("jbjobs");
  notes = `${host.session.home}/notes`;
  mkdirSync(notes);
  chmodSync(notes, 0o777);
});
after(() => host.stop());

interface Wish {
  readonly name: string;
  /** A shell's command; what it appends to /notes/NAME stays. */
  readonly does: string;
  /** Lines of the spec. */
  readonly spec?: string;
  readonly policy?: string;
  readonly label?: string;
  /** An init container's command. */
  readonly init?: string;
}

function job({ name, does, spec = "backoffLimit: 0", policy = "Never", label = "", init }: Wish): string {
  return `apiVersion: batch/v1
kind: Job
metadata: { name: ${name} }
spec:
  ${spec.trim().split("\n").join("\n  ")}
  template:
    metadata: { labels: { app: ${name}${label} } }
    spec:
      restartPolicy: ${policy}
      terminationGracePeriodSeconds: 1
      ${init === undefined ? "" : `initContainers: [{ name: first, image: "${busybox}", command: [sh, -c, "${init}"] }]`}
      containers:
        - name: main
          image: ${busybox}
          command: [sh, -c, ${JSON.stringify(does)}]
          volumeMounts:
            - { name: notes, mountPath: /notes }
            - { name: scratch, mountPath: /scratch }
      volumes:
        - { name: notes, hostPath: { path: ${notes} } }
        - { name: scratch, emptyDir: {} }
`;
}

const file = (wish: Wish) => host.spec(`${wish.name}.yaml`, job(wish));
const apply = (wish: Wish) => host.ok(["apply", file(wish)]);

interface Seen {
  readonly name: string;
  readonly phase: string;
  readonly reason?: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly active: number;
}

async function seen(name: string): Promise<Seen | undefined> {
  const { jobs = [] } = JSON.parse(await host.ok(["status", "--output", "json"])) as { jobs?: Seen[] };
  return jobs.find((j) => j.name === name);
}

/** Waits for the end, or another phase. */
function reaches(name: string, phase: string): Promise<Seen> {
  let last: Seen | undefined;
  return eventually(
    () => `job ${name} is ${phase}: ${JSON.stringify(last)}`,
    async () => {
      last = await seen(name);
      return last?.phase === phase ? last : undefined;
    },
    PATIENCE,
  );
}

/** Lines that its pods have left. */
function lines(name: string): string[] {
  return existsSync(`${notes}/${name}`) ? readFileSync(`${notes}/${name}`, "utf8").trim().split("\n") : [];
}

const SLEEP = "sleep 3600 & trap 'exit 143' TERM; wait $!";

test("what fails is tried again in a fresh pod after the back-off; started first, judged last", async () => {
  await apply({
    name: "again",
    spec: "backoffLimit: 3",
    does: "echo $(ls /scratch | wc -l) >> /notes/again; touch /scratch/x /left; test $(wc -l < /notes/again) -ge 2",
  });
});

test("three completions, two at a time; a finished one stays so, and runs anew when its template is another", async () => {
  const wish = { name: "three", does: "echo $(hostname) >> /notes/three", spec: "completions: 3\nparallelism: 2" };
  const said = await apply(wish);
  assert.match(said, /^job\/three created$/m);
  const done = await reaches("three", "Complete");
  assert.deepEqual([done.succeeded, done.failed, done.active], [3, 0, 0]);
  assert.equal(lines("three").length, 3);
  assert.ok(lines("three").every((pod) => pod === "three-0" || pod === "three-1"));
  await host.active("podgen-job-three.service", "inactive", PATIENCE);
  assert.equal(await host.property("podgen-job-three.service", "UnitFileState"), "enabled");
  assert.equal(await host.property("pod-three-0.service", "UnitFileState"), "disabled");
  // Unchanged: neither an apply nor a start, as of the boot, does anything.
  assert.match(await apply(wish), /^job\/three unchanged$/m);
  await host.run(["systemctl", "--user", "start", "podgen-job-three.service"]);
  await host.active("podgen-job-three.service", "inactive", PATIENCE);
  assert.equal(lines("three").length, 3);
  assert.match(await host.ok(["status", "job/three"]), /Completions: +3\/3/);
  // Less at a time is the same run; another label is another.
  assert.match(await apply({ ...wish, spec: "completions: 3\nparallelism: 1" }), /^pod\/three-1 deleted$/m);
  assert.equal(lines("three").length, 3);
  await apply({ ...wish, label: "-2" });
  await eventually("a run of all anew", () => lines("three").length === 6, PATIENCE);
  assert.equal((await reaches("three", "Complete")).succeeded, 3);
});

test("an indexed pod knows its number; what succeeds of them by successPolicy is enough, and the rest ends", async () => {
  const spec = `completions: 3
parallelism: 3
completionMode: Indexed
selector: { matchLabels: { app: index } }
manualSelector: true
podReplacementPolicy: Failed
successPolicy:
  rules:
    - { succeededIndexes: 0-1, succeededCount: 2 }`;
  const does = `echo $JOB_COMPLETION_INDEX $(hostname) >> /notes/index; test $JOB_COMPLETION_INDEX -lt 2 || { ${SLEEP}; }`;
  await apply({ name: "index", does, spec });
  const done = await reaches("index", "Complete");
  assert.equal(done.reason, "SuccessPolicy");
  assert.deepEqual(
    lines("index")
      .filter((line) => !line.startsWith("2"))
      .sort(),
    ["0 index-0", "1 index-1"],
  );
  await host.active("pod-index-2.service", "inactive", PATIENCE);
  assert.equal((await host.podgen(["start", "index-0"])).code, 1);
  assert.match(await host.ok(["delete", "job/index"]), /^job\/index deleted$/m);
  assert.equal(await seen("index"), undefined);
  assert.ok(!existsSync(`${host.session.home}/.local/state/podgen/jobs/index.json`));
  assert.match((await host.run(["systemctl", "--user", "list-unit-files", "*index*"])).stdout, /^0 unit files/m);
});

test("a Job that has failed by then fails its apply, and leaves nothing; one that was there before comes back", async () => {
  // As long as an init container runs, its first pod is not started.
  const broken = { name: "broken", does: "echo x >> /notes/broken", init: "sleep 0.2; exit 3" };
  const ran = await host.podgen(["apply", file(broken)]);
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(ran.stderr, /Job "broken": failed: BackoffLimitExceeded/);
  assert.equal(await seen("broken"), undefined);
  assert.ok(!existsSync(`${host.session.home}/.local/state/podgen/jobs/broken.json`));
  const { init: _, ...good } = broken;
  await apply(good);
  await reaches("broken", "Complete");
  assert.equal((await host.podgen(["apply", file(broken)])).code, 3);
  const back = await reaches("broken", "Complete");
  assert.equal(back.succeeded, 1);
  assert.match(await apply(good), /^job\/broken unchanged$/m);
  // It is not made to do its work again.
  assert.equal(lines("broken").length, 1);
});

test("exit codes decide by podFailurePolicy: a Job fails at once, a number alone, or a failure does not count", async () => {
  const policy = (rule: string, more = "") => `backoffLimit: 6\n${more}podFailurePolicy:\n  rules:\n    - ${rule}`;
  const fatal = policy("{ action: FailJob, onExitCodes: { containerName: main, operator: In, values: [42] } }");
  const number = policy(
    "{ action: FailIndex, onExitCodes: { operator: NotIn, values: [1] } }",
    "completions: 2\ncompletionMode: Indexed\nparallelism: 2\nbackoffLimitPerIndex: 1\nmaxFailedIndexes: 1\n",
  );
  // Long enough for its apply to be over.
  await apply({ name: "fatal", does: "echo x >> /notes/fatal; sleep 2; exit 42", spec: fatal });
  await apply({ name: "number", does: "sleep 2; test $JOB_COMPLETION_INDEX = 0 || exit 9", spec: number });
  const disrupted = policy("{ action: Ignore, onPodConditions: [{ type: DisruptionTarget, status: 'True' }] }").replace("6", "0");
  await apply({ name: "moved", does: `echo x >> /notes/moved; test $(wc -l < /notes/moved) -ge 2 || { ${SLEEP}; }`, spec: disrupted });
  await eventually("it runs", () => lines("moved").length === 1, PATIENCE);
  await host.run(["systemctl", "--user", "stop", "pod-moved-0.service"]);
  assert.equal((await reaches("fatal", "Failed")).reason, "PodFailurePolicy");
  assert.equal(lines("fatal").length, 1);
  const half = await reaches("number", "Failed");
  assert.deepEqual([half.reason, half.succeeded], ["FailedIndexes", 1]);
  await reaches("moved", "Complete");
});

test("suspend ends its pods and counts nothing; resumed it goes on; its time after the end over, it is gone", async () => {
  const wish = { name: "rest", does: `echo x >> /notes/rest; test -e /notes/go || { ${SLEEP}; }` };
  await apply({ ...wish, spec: "backoffLimit: 0\nsuspend: false\nttlSecondsAfterFinished: 1\nactiveDeadlineSeconds: 300" });
  await eventually("it runs", () => lines("rest").length === 1, PATIENCE);
  await apply({ ...wish, spec: "backoffLimit: 0\nsuspend: true\nttlSecondsAfterFinished: 1" });
  assert.equal((await reaches("rest", "Suspended")).failed, 0);
  await host.active("pod-rest-0.service", "inactive", PATIENCE);
  await host.ok(["stop", "job/rest"]);
  await reaches("rest", "Stopped");
  writeFileSync(`${notes}/go`, "");
  await apply({ ...wish, spec: "backoffLimit: 0\nttlSecondsAfterFinished: 1" });
  await eventually("it is gone", async () => lines("rest").length === 2 && (await seen("rest")) === undefined, PATIENCE);
  // As in Kubernetes, where there is none any more: the same file makes it anew.
  await apply({ ...wish, spec: "backoffLimit: 0\nttlSecondsAfterFinished: 1" });
  await eventually("a run anew", () => lines("rest").length === 3, PATIENCE);
});

test("a controller that is killed goes on with the pod that runs; what it cannot write down it does again, and loses nothing", async () => {
  const unit = "podgen-job-held.service";
  const states = `${host.session.home}/.local/state/podgen/jobs`;
  await apply({ name: "held", does: "echo x >> /notes/held; while [ ! -e /notes/held.end ]; do sleep 0.05; done" });
  await eventually("it runs", () => lines("held").length === 1, PATIENCE);
  const first = await host.mainPid(unit);
  await host.run(["kill", "-9", `${first}`]);
  await eventually("another controller", async () => ![0, first].includes(await host.mainPid(unit)), PATIENCE);
  chmodSync(states, 0o500);
  try {
    writeFileSync(`${notes}/held.end`, "");
    await eventually("it says so", async () => /job: write/.test(await host.log(unit)), PATIENCE);
  } finally {
    chmodSync(states, 0o700);
  }
  const done = await reaches("held", "Complete");
  assert.deepEqual([done.succeeded, done.failed, lines("held").length], [1, 0, 1]);
});

test("the one that was tried again: its second pod knew nothing of the first", async () => {
  const done = await reaches("again", "Complete");
  assert.deepEqual([done.succeeded, done.failed], [1, 1]);
  assert.deepEqual(lines("again"), ["0", "0"]);
  const all = await host.ok(["delete", "job/again", "job/three"]);
  assert.match(all, /^pod\/again-0 deleted$/m);
});
