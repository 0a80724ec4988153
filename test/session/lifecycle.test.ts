// What is done after a container's start and before its stop, in which order, and what becomes of a failure: by what the containers wrote.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually, type Ran } from "../lib/session.js";

const PATIENCE = 60_000;

let host: PodHost;
let folder: string;

before(async () => {
  host = await PodHost.start("lifecycle");
  folder = `${host.session.home}/notes`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
});
after(() => host.stop());

/** Notes its own start and SIGTERM, and ends with 0 when told to. */
const MAIN = "note main; trap 'note term; exit 0' TERM; while [ ! -e /notes/end ]; do sleep 0.05; done";
const NOTE = "note() { echo $* >> /notes/log; };";

interface Wanted {
  readonly main?: string;
  readonly postStart?: string;
  readonly preStop?: string;
  /** Lines of the spec, indented by two. */
  readonly more?: string;
}

/** A pod `web` with a container `app`; scripts know `note`. */
function pod({ main = MAIN, postStart, preStop, more = "" }: Wanted): string {
  const hook = (name: string, script: string | undefined) =>
    script === undefined ? "" : `        ${name}: { exec: { command: [sh, -c, ${JSON.stringify(`${NOTE} ${script}`)}] } }\n`;
  for (const name of ["log", "end", "go"]) rmSync(`${folder}/${name}`, { force: true });
  return host.spec(
    "web.yaml",
    `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
${more}  containers:
    - name: app
      image: ${image("busybox")}
      command: [sh, -c, ${JSON.stringify(`${NOTE} ${main}`)}]
      volumeMounts: [{ name: notes, mountPath: /notes }]
      lifecycle:
        stopSignal: SIGTERM
${hook("postStart", postStart)}${hook("preStop", preStop)}  volumes: [{ name: notes, hostPath: { path: ${folder} } }]
`,
  );
}

const APP = "pod-web_app.service";
const notes = (): string[] => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, "utf8").trim().split("\n") : []);
const tell = (name: string): void => writeFileSync(`${folder}/${name}`, "");
const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> =>
  eventually(() => `${what}; notes: ${notes().join(", ")}`, probe, PATIENCE);

test("postStart is in the container, and before its end there is no readiness; preStop is before the stop signal", async () => {
  const postStart = "note hook; echo I am pid $$ of $(hostname); while [ ! -e /notes/go ]; do sleep 0.05; done; note hooked";
  const apply = host.podgen(["apply", pod({ postStart, preStop: "note stop; sleep 0.2; note stopped" })]);
  await until("the hook runs", () => notes().includes("hook") && notes().includes("main"));
  assert.equal(await host.property(APP, "ActiveState"), "activating");
  assert.equal(existsSync(`${host.session.runtime}/podgen/pods/web/app/ready`), false);
  assert.equal(await Promise.race([apply, "waits"]), "waits");
  tell("go");
  const applied = await apply;
  assert.equal(applied.code, 0, applied.stderr);
  assert.deepEqual(notes().sort(), ["hook", "hooked", "main"]);
  assert.equal(existsSync(`${host.session.runtime}/podgen/pods/web/app/ready`), true);
  assert.match(await host.log(APP), /^postStart: I am pid [0-9]+ of web$/m);
  await host.ok(["stop", "web"]);
  assert.deepEqual(notes().slice(-3), ["stop", "stopped", "term"]);
  assert.equal(await host.property(APP, "Result"), "success");
});

test("a container that has ended by itself has no preStop", async () => {
  const spec = pod({ preStop: "note stop", more: "  restartPolicy: Never\n" });
  await host.ok(["apply", spec]);
  await until("it runs", () => notes().includes("main"));
  tell("end");
  await host.active(APP, "inactive", PATIENCE);
  assert.deepEqual(notes(), ["main"]);
  assert.match(await host.ok(["status", "web"]), /Status: +Succeeded/);
  await host.ok(["delete", "web"]);
});

test("a preStop that takes too long, and a main process that does not hear: one budget, and then SIGKILL", async () => {
  const main = "note main; trap 'note deaf' TERM; while :; do sleep 0.05; done";
  await host.ok(["apply", pod({ main, preStop: "note stop; exec sleep 600", more: "  terminationGracePeriodSeconds: 3\n" })]);
  await until("it runs", () => notes().includes("main"));
  const from = performance.now();
  await host.ok(["stop", "web"]);
  // 3 s and 2 of Kubernetes' least; not twice the grace, and far from the manager's own limits.
  const took = performance.now() - from;
  assert.ok(took >= 4900 && took < 10_500, `${took} ms`);
  assert.deepEqual(notes(), ["main", "stop", "deaf"]);
  const log = await host.log(APP);
  assert.match(log, /podrt: hook: warning: preStop: it took too long: Connection timed out; stopping all the same/);
  assert.match(log, /podrt: hook: warning: stop: it has not ended within its 3 s; killing it/);
  await host.ok(["delete", "web"]);
});

test("a postStart that fails ends the container, is told with its last words, and counts for the restart policy", async () => {
  const postStart = "note hook; printf 'no \\033[31mluck' >&2; exit 3";
  const failed = await host.podgen(["apply", pod({ postStart, more: "  restartPolicy: Never\n" })]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /container app: postStart has failed: exited with status 3: no .*luck/);
  assert.ok(!failed.stderr.includes("\u001b"), "nothing of it reaches a terminal as it is");
  assert.match(failed.stderr, /\| postStart: no \\x1b\[31mluck/);
  await until("the container has ended", () => notes().includes("term"));
  assert.match(await host.log(APP), /podrt: hook: postStart: exited with status 3: no/);

  const again = await host.podgen(["apply", "--no-wait", pod({ postStart: "note hook; exit 3", more: "  restartPolicy: OnFailure\n" })]);
  assert.equal(again.code, 0, again.stderr);
  await until("it is started anew", () => notes().filter((n) => n === "hook").length >= 2);
  await host.ok(["delete", "web"]);
});

test("hooks ask web servers: any answer is a success, none is a failure, and preStop comes after a failed postStart, too", async () => {
  const server = `  initContainers:
    - name: server
      image: ${image("busybox")}
      restartPolicy: Always
      command: [httpd, -f, -vv, -p, "8080", -h, /tmp]
      startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1000 }
`;
  const asks = (port: string, path: string): string =>
    `{ httpGet: { port: ${port}, path: ${path}, httpHeaders: [{ name: X-From, value: podgen }] } }`;
  const spec = (start: string, stop: string): string => {
    const file = pod({ more: `  restartPolicy: Never\n  terminationGracePeriodSeconds: 1\n${server}` });
    const text = readFileSync(file, "utf8").replace(
      "        stopSignal: SIGTERM\n",
      `        postStart: ${start}\n        preStop: ${stop}\n      ports: [{ name: http, containerPort: 8080 }]\n`,
    );
    writeFileSync(file, text);
    return file;
  };
  const asked = async (path: string): Promise<boolean> => (await host.log("pod-web_server.service")).includes(`url:${path}`);
  const applied = await host.podgen(["apply", spec(asks("http", "/missing"), asks("8080", "/leave"))]);
  assert.equal(applied.code, 0, applied.stderr);
  await until("the server was asked", () => asked("/missing"));
  assert.equal(await asked("/leave"), false);
  await host.ok(["stop", "web"]);
  await until("it was asked before the stop", () => asked("/leave"));
  assert.equal(notes().at(-1), "term");

  const failed = await host.podgen(["apply", spec(asks("9", "/nobody"), asks("http", "/after"))]);
  assert.equal(failed.code, 3, failed.stderr);
  assert.match(failed.stderr, /container app: postStart has failed: GET \/nobody, port 9: .*Connection refused/);
  await until("it was asked after the failure", () => asked("/after"));
  await host.ok(["delete", "web"]);
});

test("termination messages: of the file, of the log where a failed one left none, and nothing that a terminal would obey", async () => {
  const words = (name: string, script: string, more = ""): string => `    - name: ${name}
      image: ${image("busybox")}
      command: [sh, -c, ${JSON.stringify(script)}]
${more}`;
  const spec = host.spec(
    "words.yaml",
    `apiVersion: v1
kind: Pod
metadata: { name: words }
spec:
  restartPolicy: Never
  containers:
${words("usual", "printf 'disk \\033[31mfull\\nor so' > /dev/termination-log; chmod 0 /dev/termination-log; exit 3")}${words(
  "other",
  "yes 0123456 | head -c 9000 > /var/last/words",
  "      terminationMessagePath: /var/last/words\n      securityContext: { runAsUser: 1000 }\n",
)}${words(
  "logged",
  "for i in $(seq 100); do echo line $i; done; printf half >&2; exit 1",
  "      terminationMessagePolicy: FallbackToLogsOnError\n",
)}${words("fine", "echo done", "      terminationMessagePolicy: FallbackToLogsOnError\n")}${words("silent", "exit 1")}`,
  );
  await host.podgen(["apply", "--no-wait", spec]);
  for (const name of ["usual", "other", "logged", "fine", "silent"])
    await until(`${name} has ended`, async () =>
      ["inactive", "failed"].includes(await host.property(`pod-words_${name}.service`, "ActiveState")),
    );
  const shown = JSON.parse((await host.podgen(["status", "words", "-o", "json"])).stdout).items[0].containers as readonly {
    readonly name: string;
    readonly terminationMessage?: string;
  }[];
  const said = Object.fromEntries(shown.map((c) => [c.name, c.terminationMessage]));
  assert.equal(said["usual"], "disk \u001b[31mfull\nor so");
  assert.equal(said["other"], "0123456\n".repeat(512));
  const lines = Array.from({ length: 79 }, (_, i) => `line ${i + 22}\n`);
  assert.equal(said["logged"], `${lines.join("")}half\n`);
  assert.deepEqual([said["fine"], said["silent"]], [undefined, undefined]);
  const text = (await host.podgen(["status", "words"])).stdout;
  assert.match(text, /^Termination message of usual:\n {2}disk \\x1b\[31mfull\n {2}or so$/m);
  assert.match(await host.log("pod-words_usual.service"), /podrt: termination message: disk/);
  const upper = statSync(`${host.session.home}/.local/share/podgen/containers/words/usual`);
  assert.equal(upper.mode & 0o777, 0o700, "nobody else gets to what a container leaves");
  await host.ok(["delete", "words"]);
});

test("standard input: for all who attach, without an end; for the first alone, and then it ends; each start reads a new one", async () => {
  rmSync(`${folder}/log`, { force: true });
  const reader = (name: string, script: string, once: boolean): string => `    - name: ${name}
      image: ${image("busybox")}
      command: [sh, -c, ${JSON.stringify(`${NOTE} ${script}`)}]
      stdin: true
      stdinOnce: ${once}
      securityContext: { runAsUser: 1000 }
      volumeMounts: [{ name: notes, mountPath: /notes }]
`;
  const loop = (name: string): string =>
    `while read line; do echo heard $line; note ${name} $line; done < /dev/stdin; note ${name} ended; sleep 3600`;
  const spec = host.spec(
    "input.yaml",
    `apiVersion: v1
kind: Pod
metadata: { name: input }
spec:
  terminationGracePeriodSeconds: 1
  containers:
${reader("all", loop("all"), false)}${reader("one", loop("one"), true)}  volumes: [{ name: notes, hostPath: { path: ${folder} } }]
`,
  );
  chmodSync(folder, 0o777);
  await host.ok(["apply", spec]);
  const say = (container: string, text: string, more: readonly string[] = ["--no-output"]): Promise<Ran> =>
    host.podgen(["attach", ...more, `input/${container}`], { input: text });
  const noted = (note: string): Promise<unknown> => until(`"${note}" is noted`, () => notes().includes(note));
  assert.deepEqual(notes(), [], "nobody reads an end before somebody has attached");
  for (const word of ["first", "second"]) {
    const ran = await say("all", `${word}\n`);
    assert.equal(ran.code, 0, ran.stderr);
    await noted(`all ${word}`);
  }
  // Infra holds it open; the next one takes it over.
  const infra = "pod-input__infra.service";
  const before = await host.mainPid(infra);
  await host.run(["systemctl", "--user", "kill", "--signal=KILL", infra]);
  await until(
    "infra is back",
    async () => (await host.property(infra, "SubState")) === "running" && (await host.mainPid(infra)) !== before,
  );
  assert.equal(notes().includes("one ended"), false);
  assert.equal((await say("one", "only\n")).code, 0);
  await noted("one ended");
  const late = await say("one", "late\n");
  assert.equal(late.code, 1);
  assert.match(late.stderr, /somebody has attached to its standard input already/);
  await host.ok(["restart", "input/one"]);
  const seen = say("one", "again\n", []);
  await noted("one again");
  await host.ok(["stop", "input"]);
  assert.match((await seen).stdout, /^heard again$/m);
  assert.equal(notes().includes("all ended"), false);
  await host.ok(["delete", "input"]);
});

test("a postStart under way is given up with a stop; one of a container that ends meanwhile is no failure", async () => {
  const started = await host.podgen(["apply", "--no-wait", pod({ postStart: "note hook; exec sleep 600" })]);
  assert.equal(started.code, 0, started.stderr);
  await until("the hook runs", () => notes().includes("hook") && notes().includes("main"));
  const from = performance.now();
  await host.ok(["stop", "web"]);
  assert.ok(performance.now() - from < 20_000);
  await host.ok(["delete", "web"]);
  const main = "note main; while [ ! -e /notes/end ]; do sleep 0.05; done; exit 0";
  await host.podgen(["apply", "--no-wait", pod({ main, postStart: "note hook; exec sleep 600", more: "  restartPolicy: Never\n" })]);
  await until("the hook runs", () => notes().includes("hook") && notes().includes("main"));
  tell("end");
  await host.active(APP, "inactive", PATIENCE);
  assert.equal(await host.property(APP, "Result"), "success");
  await host.ok(["delete", "web"]);
});
