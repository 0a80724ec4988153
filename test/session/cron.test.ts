// podrt cron under a real systemd --user: runs by the clock, by hand, made up for, and in each other's way. Controllers of Jobs are stood in
// for by shell scripts that keep to what is said of job.json and of a Job's state (native/README.md).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { DIST, image, PodHost } from "../lib/pods.js";
import { eventually, runOk } from "../lib/session.js";

const PATIENCE = 60_000;

let host: PodHost;
let home: string;

before(async () => {
  host = await PodHost.start("crjobs");
  home = host.session.home;
});
after(() => host.stop());

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const now = (): number => Math.floor(Date.now() / 1000);

/** As the user would, with all folders above. */
function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Writes a state; runs until HOME/NAME.end says how it ends. Its pod is another unit, which it starts and does not stop. */
const CONTROLLER = `#!/bin/sh
state=$HOME/jobs/$1.json
[ -e "$state" ] && echo again >> "$HOME/$1.log" || echo begins >> "$HOME/$1.log"
write() { printf '{"phase":"%s","finishedAt":%s}' "$1" "$2" > "$state.new" && mv "$state.new" "$state"; }
write running 0
systemctl --user start pod-$1-0.service
trap 'echo stopped >> "$HOME/$1.log"; exit 0' TERM
while [ ! -e "$HOME/$1.end" ]; do sleep 0.05; done
write "$(cat "$HOME/$1.end")" "$(date +%s)"
rm "$HOME/$1.end"
systemctl --user stop pod-$1-0.service
echo ends >> "$HOME/$1.log"
`;

interface Wish {
  readonly policy?: string;
  readonly slots?: number;
  /** What cron.json has besides. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** When it was last settled; absent: it has no state yet. */
  readonly last?: number;
}

const CRON = "podgen-cron-n.service";
const TIMER = "podgen-cron-n.timer";
const NOW = "podgen-cron-n__now.service";
const statePath = (): string => `${home}/cron/n/state.json`;
const state = (): { last: number; ran: number } => JSON.parse(readFileSync(statePath(), "utf8"));
const jobPath = (job: string): string => `${home}/jobs/${job}.json`;
const log = (job: string): string[] =>
  existsSync(`${home}/${job}.log`) ? readFileSync(`${home}/${job}.log`, "utf8").trim().split("\n") : [];
const systemctl = (...words: string[]): Promise<string> => runOk(host.user, ["systemctl", "--user", ...words], { timeout: PATIENCE });
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> => eventually(what, probe, PATIENCE);
const active = async (unit: string): Promise<string> => host.property(unit, "ActiveState");
/** One look at the clock; its exit status. */
const look = async (unit = CRON): Promise<string> => {
  // One that the end of a run has begun has read what was there before.
  await until("nobody looks", async () => ["inactive", "failed"].includes(await active(CRON)));
  await host.run(["systemctl", "--user", "start", unit], { timeout: PATIENCE });
  return host.property(unit, "ExecMainStatus");
};
const end = async (job: string, how: string): Promise<void> => {
  writeFileSync(`${home}/${job}.end`, how);
  await until(`${job} ends`, async () => (await active(`podgen-job-${job}.service`)) === "inactive");
};
/** The journal may be a moment behind. */
const tells = (what: RegExp): Promise<unknown> => until(`${what} is told`, async () => what.test(await said()));
const said = (): Promise<string> => runOk(host.user, ["journalctl", "--user", "-o", "cat", "-u", CRON, "-u", NOW]);

/** A CronJob of every minute, as new; nothing of an earlier one is up. */
async function cronJob({ policy = "Allow", slots = 1, more = {}, last }: Wish): Promise<void> {
  const jobs = numbers(0, slots - 1).map((i) => `n-r${i}`);
  const units = `${home}/.config/systemd/user`;
  await host.run(["systemctl", "--user", "stop", "podgen-*", "pod-*"], { timeout: PATIENCE });
  for (const name of ["cron", "jobs", "history", `.config/systemd/user`]) rmSync(`${home}/${name}`, { recursive: true, force: true });
  for (const name of readdirSync(home)) if (/\.(log|end)$/.test(name)) rmSync(`${home}/${name}`);
  const always = { minutes: numbers(0, 59), hours: numbers(0, 23), days: numbers(1, 31), months: numbers(1, 12), weekdays: numbers(0, 6) };
  const runs = jobs.map((job) => ({ job, unit: `podgen-job-${job}.service`, file: `${home}/files/${job}.json`, state: jobPath(job) }));
  const spec = {
    name: "n",
    timer: TIMER,
    schedule: "* * * * *",
    ...always,
    concurrencyPolicy: policy,
    state: statePath(),
    history: `${home}/history`,
    runs,
  };
  put(`${home}/files/cron.json`, JSON.stringify({ ...spec, ...more }));
  mkdirSync(`${home}/jobs`);
  put(`${home}/controller`, CONTROLLER);
  const service = (name: string, body: string): void => put(`${units}/${name}`, `[Service]\n${body}\n`);
  for (const job of jobs) {
    put(`${home}/files/${job}.json`, JSON.stringify({ slots: [{ pod: `${job}-0`, unit: `pod-${job}-0.service` }] }));
    service(`podgen-job-${job}.service`, `ExecStart=/bin/sh %h/controller ${job}\n[Unit]\nOnSuccess=${CRON}\nOnFailure=${CRON}`);
    service(`pod-${job}-0.service`, "ExecStart=/bin/sleep infinity");
  }
  service(CRON, `Type=oneshot\nExecStart=${DIST}/podrt cron %h/files/cron.json`);
  put(`${units}/${TIMER}`, "[Timer]\nOnCalendar=*-02-29\n");
  service(NOW, `Type=oneshot\nExecStart=${DIST}/podrt cron --now %h/files/cron.json`);
  if (last !== undefined) put(statePath(), JSON.stringify({ version: 1, schedule: "* * * * * ", last, ran: 0, starting: "" }));
  execFileSync("chown", ["-R", `${host.user}:`, home]);
  await systemctl("daemon-reload");
  await systemctl("start", TIMER);
}

test("nothing was missed before its first look; then what is due is run once, however often it was due", async () => {
  await cronJob({ more: { schedule: "0 0 29 2 *", minutes: [0], hours: [0], days: [29], months: [2] } });
  assert.equal(await look(), "0");
  assert.ok(Math.abs(state().last - now()) < 60);
  assert.deepEqual(log("n-r0"), []);

  await cronJob({ last: now() - 3 * 86_400 });
  assert.equal(await look(), "0");
  await until("the run begins", () => log("n-r0").length === 1);
  const { last, ran } = state();
  assert.ok(last === ran && last % 60 === 0 && now() - last < 120, `${last}`);
  await end("n-r0", "complete");
  // Its end has made it look again; in the same minute nothing is due.
  assert.ok(log("n-r0").length <= 3 || now() - last >= 60, log("n-r0").join());
});

test("startingDeadlineSeconds: what is later is missed, and the next is not", async () => {
  const noon = { schedule: "0 0 29 2 *", minutes: [0], hours: [0], days: [29], months: [2], startingDeadlineSeconds: 3600 };
  await cronJob({ more: noon });
  put(statePath(), JSON.stringify({ version: 1, schedule: "0 0 29 2 * ", last: now() - 9 * 365 * 86_400, ran: 0, starting: "" }));
  execFileSync("chown", ["-R", `${host.user}:`, home]);
  assert.equal(await look(), "0");
  await tells(/due at 20\d\d-02-29 00:00 [A-Z]+: missed: its startingDeadlineSeconds are over/);
  assert.deepEqual(log("n-r0"), []);
  assert.ok(state().last > now() - 5 * 365 * 86_400 && state().ran === 0);
  await cronJob({ last: now() - 3600, more: { startingDeadlineSeconds: 3600 } });
  await look();
  await until("the run begins", () => log("n-r0").length === 1);
});

test("Forbid: what is due while a run goes on stays due, and begins when that has ended", async () => {
  await cronJob({ policy: "Forbid", last: now() - 60 });
  await look();
  await until("the run begins", () => log("n-r0").join() === "begins" && existsSync(jobPath("n-r0")));
  put(statePath(), JSON.stringify({ version: 1, schedule: "* * * * * ", last: now() - 300, ran: 0, starting: "" }));
  const { last } = state();
  assert.equal(await look(), "0");
  await tells(/the last run goes on; it begins when one has ended/);
  assert.equal(state().last, last);
  assert.deepEqual(log("n-r0"), ["begins"]);
  writeFileSync(`${home}/n-r0.end`, "failed");
  // The controller's OnSuccess= has started podrt cron.
  await until("the next run begins", () => log("n-r0").join() === "begins,ends,begins");
  assert.match(readFileSync(`${home}/history/${readdirSync(`${home}/history`)[0]}`, "utf8"), /"failed"/);
  assert.ok(state().last > last);
});

test("Replace: the run that goes on is ended with its pods first", async () => {
  await cronJob({ policy: "Replace", last: now() - 60 });
  await look();
  await until("its pod is up", async () => (await active("pod-n-r0-0.service")) === "active");
  const before = await host.incarnation("pod-n-r0-0.service");
  put(statePath(), JSON.stringify({ version: 1, schedule: "* * * * * ", last: now() - 300, ran: 0, starting: "" }));
  assert.equal(await look(), "0");
  await until("the next run begins", () => log("n-r0").join() === "begins,stopped,begins");
  await until("a new pod is up", async () => !["", before].includes(await host.incarnation("pod-n-r0-0.service")));
  await tells(/ends the last run, for it is in its way: job n-r0/);
});

test("Allow: side by side in the slots; by hand as long as there is room, suspended or not, and nothing that is due is used up", async () => {
  await cronJob({ slots: 2, last: now(), more: { suspend: true } });
  const { last } = state();
  assert.equal(await look(NOW), "0");
  await until("the first begins", () => log("n-r0").join() === "begins");
  assert.equal(await look(NOW), "0");
  await until("the second begins", () => log("n-r1").join() === "begins");
  assert.equal(await look(NOW), "1");
  await tells(/there is no room: as many runs go on as it may have/);
  assert.deepEqual(state().last, last);
  // By the clock it is suspended.
  await end("n-r0", "complete");
  assert.equal(await look(), "0");
  assert.deepEqual([log("n-r0"), log("n-r1")], [["begins", "ends"], ["begins"]]);
});

test("a run that was cut off goes on at the next boot, and not where a person has stopped it", async () => {
  await cronJob({ policy: "Forbid", last: now() + 600 });
  await look(NOW);
  await until("the run begins", () => existsSync(jobPath("n-r0")));
  await systemctl("stop", "podgen-job-n-r0.service");
  await until("it is looked at", async () => (await active(CRON)) === "inactive");
  await look();
  assert.deepEqual(log("n-r0"), ["begins", "stopped"]);
  // What a boot takes away.
  rmdirSync(`${host.session.runtime}/podgen/cron/n`);
  await look();
  await until("it goes on", () => log("n-r0").join() === "begins,stopped,again");
  // The power failed between what was written and the start.
  await systemctl("stop", "podgen-job-n-r0.service");
  rmSync(jobPath("n-r0"));
  put(statePath(), JSON.stringify({ version: 1, schedule: "* * * * * ", last: now() + 600, ran: 0, starting: "n-r0" }));
  await look();
  await until("it begins", () => log("n-r0").join() === "begins,stopped,again,stopped,begins");
  // One that was stopped for good does not hold the next up.
  await systemctl("stop", "podgen-job-n-r0.service");
  await look(NOW);
  await until("the next begins", () => log("n-r0").length === 7);
});

test("what is no CronJob, and a time zone that there is not, are told", async () => {
  await cronJob({ more: { timeZone: "Europe/Nowhere" }, last: 0 });
  assert.equal(await look(), "125");
  await tells(/podrt: cron: time zone: Europe\/Nowhere: No such file or directory/);
  put(`${home}/files/cron.json`, "{}");
  assert.equal(await look(), "125");
  await tells(/name: expected a string/);
  assert.equal((await host.run([`${DIST}/podrt`, "cron"])).code, 64);
  assert.equal((await host.run([`${DIST}/podrt`, "cron", "--then", "x"])).code, 64);
});

/** A CronJob of podgen's own, whose runs note that they were there. */
function nightly({ suspend = false, schedule = "0 3 * * *", policy = "Forbid", tag = "1" } = {}): string {
  return host.spec(
    "nightly.yaml",
    `apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  schedule: "${schedule}"
  timeZone: Etc/UTC
  concurrencyPolicy: ${policy}
  startingDeadlineSeconds: 200000
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 1
  suspend: ${suspend}
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers:
            - name: note
              image: ${image("busybox")}
              command: [sh, -c, "echo ran >> /notes/log; while [ -e /notes/hold ]; do sleep 0.05; done"]
              env: [{ name: TAG, value: "${tag}" }]
              volumeMounts: [{ name: notes, mountPath: /notes }]
          volumes: [{ name: notes, hostPath: { path: ${home}/notes } }]
`,
  );
}

test("from YAML: a timer of the calendar, runs by hand, what was missed, suspended, and gone", async () => {
  await host.run(["systemctl", "--user", "stop", "podgen-*", "pod-*"], { timeout: PATIENCE });
  rmSync(`${home}/.config/systemd/user`, { recursive: true, force: true });
  await systemctl("daemon-reload");
  mkdirSync(`${home}/notes`);
  execFileSync("chmod", ["777", `${home}/notes`]);
  const notes = (): number => (existsSync(`${home}/notes/log`) ? readFileSync(`${home}/notes/log`, "utf8").trim().split("\n").length : 0);
  interface Shown {
    readonly crons: { name: string; suspend: boolean; next?: number; last?: number; runs: { phase: string }[] }[];
  }
  const status = async (): Promise<Shown["crons"][0] | undefined> =>
    (JSON.parse(await host.ok(["status", "-o", "json"])) as Shown).crons[0];
  const complete = (runs: number): Promise<unknown> =>
    until(`${runs} runs are complete`, async () => (await status())?.runs.filter((r) => r.phase === "complete").length === runs);

  assert.match(await host.ok(["apply", nightly()]), /cron\/nightly created/);
  const next = (await status())?.next ?? 0;
  assert.equal(next % 86_400_000, 3 * 3_600_000, new Date(next).toISOString());
  assert.ok(next > Date.now() && next <= Date.now() + 86_400_000);
  assert.match(await host.ok(["apply", nightly()]), /unchanged/);
  assert.equal(notes(), 0);

  writeFileSync(`${home}/notes/hold`, "");
  assert.match(await host.ok(["start", "--now", "cronjob/nightly"]), /cron\/nightly: a run started/);
  await until("the run goes on", () => notes() === 1);
  const refused = await host.podgen(["start", "--now", "cronjob/nightly"]);
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /cron\/nightly: the last run goes on/);
  // What is changed meanwhile counts from the next run on.
  const before = await host.incarnation("pod-nightly-r0-0_note.service");
  assert.match(await host.ok(["apply", nightly({ tag: "2" })]), /pod\/nightly-r0-0 configured/);
  assert.match(await host.ok(["apply", nightly({ tag: "2" })]), /unchanged/);
  assert.equal(await host.incarnation("pod-nightly-r0-0_note.service"), before);
  rmSync(`${home}/notes/hold`);
  await complete(1);
  assert.equal((await status())?.last, undefined);

  // The machine was off the day before yesterday and yesterday: one run makes up for both.
  await host.ok(["stop", "cronjob/nightly"]);
  assert.equal((await host.podgen(["status", "cronjob/nightly"])).code, 3);
  const path = `${home}/.local/state/podgen/cron/nightly/state.json`;
  const memory = JSON.parse(readFileSync(path, "utf8")) as { last: number };
  writeFileSync(path, JSON.stringify({ ...memory, last: now() - 2 * 86_400 }));
  await host.ok(["start", "cronjob/nightly"]);
  await until("the run was there", () => notes() === 2);
  // One that succeeded is kept, besides the one in its slot none.
  await complete(1);
  assert.equal(((await status())?.last ?? 0) % 86_400_000, 3 * 3_600_000);
  assert.match(await host.ok(["status", "cj/nightly"]), /Schedule: +0 3 \* \* \* \(Etc\/UTC\)[\s\S]*nightly-r0 +complete/);

  // Another schedule is counted from now; three may go on at once, and then one again.
  const units = (): string[] => readdirSync(`${home}/.config/systemd/user`).filter((name) => /^podgen-job-.*service$/.test(name));
  await host.ok(["apply", nightly({ suspend: true, policy: "Allow" })]);
  assert.deepEqual(
    units().sort(),
    [0, 1, 2].map((i) => `podgen-job-nightly-r${i}.service`),
  );
  await host.ok(["apply", nightly({ suspend: true, schedule: "*/5 * * * *", policy: "Replace" })]);
  assert.deepEqual(units(), ["podgen-job-nightly-r0.service"]);
  const suspended = await status();
  assert.deepEqual([suspended?.suspend, suspended?.next], [true, undefined]);
  await until("it was looked at", async () => (await active("podgen-cron-nightly.service")) === "inactive");
  assert.equal(notes(), 2);

  await host.ok(["delete", "cronjob/nightly"]);
  assert.deepEqual(JSON.parse(await host.ok(["status", "-o", "json"])).crons, undefined);
  for (const gone of [".local/state/podgen/cron/nightly", ".local/state/podgen/jobs/history/nightly", ".local/share/podgen/cron/nightly"])
    assert.ok(!existsSync(`${home}/${gone}`), gone);
  const left = readdirSync(`${home}/.config/systemd/user`).filter((name) => /nightly/.test(name));
  assert.deepEqual(left, []);
});
