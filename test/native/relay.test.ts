// The relay from container to journal: no line lost, each under its container's unit, whatever journald does meanwhile.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  buildHandover,
  frozenJournal,
  infra,
  infraDir,
  infraUnit,
  journal,
  mainPid,
  messages,
  pauseUnit,
  privateMemory,
  sh,
  show,
  systemctl,
  unit,
} from "./pod.js";
import { type Outcome, runAs, spawnAs, type TestUser, until, userStart, userStop } from "./user.js";

let user: TestUser;
let handover: string;
let number = 0;
/** Each test has units of its own, for the journal forgets nothing. */
let app = "";
let log = "";

before(() => {
  user = userStart("pgn1");
  handover = buildHandover(user);
  pauseUnit(user);
  infra(user, "web");
});

after(() => userStop(user));

beforeEach(() => {
  number++;
  app = `pod-web_app${number}.service`;
  log = `pod-web_log${number}.service`;
  systemctl(user, "start", infraUnit("web"));
});

const words = (unit: string, script: string, kind = "pipe", fields = "-"): string[] => [
  handover,
  infraDir(user, "web"),
  unit,
  `web/${unit.slice(8, 11)}`,
  fields,
  kind,
  "bash",
  "-c",
  script,
];
/** What a container would be: its output is infra's to relay, and it ends when the script does. */
const container = (...args: Parameters<typeof words>): Outcome => {
  const r = runAs(user, words(...args));
  assert.equal(r.code, 0, r.stderr);
  return r;
};
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
const arrived = (unit: string, count: number) => until(`${count} lines of ${unit}`, () => journal(user, unit).length >= count);

describe("lines", () => {
  test("two containers at once: all of both, in order, each its own", async () => {
    const both = [app, log].map((unit) => spawnAs(user, words(unit, "seq 1 2500; sleep 0.2; seq 2501 3000"), { stdio: "inherit" }));
    await Promise.all(both.map((child) => new Promise((done) => child.once("exit", done))));
    for (const unit of [app, log]) {
      await arrived(unit, 3000);
      assert.deepEqual(messages(user, unit), numbers(1, 3000));
    }
  });

  test("unit, identifier, fields, priority by stream, an unfinished last line", async () => {
    container(app, "echo out; echo bad >&2; printf end", "pipe", '{"CONTAINER_NAME":"app","NOTE":"two\\nlines"}');
    await arrived(app, 3);
    const entries = journal(user, app);
    assert.deepEqual(entries.map(({ message, priority }) => `${priority} ${message}`).sort(), ["3 bad", "6 end", "6 out"]);
    for (const { fields } of entries) {
      assert.equal(fields["USER_UNIT"], app);
      assert.equal(fields["SYSLOG_IDENTIFIER"], "web/app");
      assert.equal(fields["CONTAINER_NAME"], "app");
      assert.equal(fields["NOTE"], "two\nlines");
      assert.equal(fields["_UID"], String(user.uid));
    }
  });

  test("200 KB in one line; 2.5 MB in marked pieces; empty and binary lines", async () => {
    const long = "head -c 200000 /dev/zero | tr '\\0' a; echo; head -c 2500000 /dev/zero | tr '\\0' b; echo; echo";
    container(app, `${long}; printf '\\000\\377\\001bin\\n'; echo end`);
    await arrived(app, 7);
    const [a, b1, b2, b3, empty, binary, end, ...more] = journal(user, app);
    assert.equal(a?.message, "a".repeat(200000));
    assert.equal(a?.fields["CONTAINER_PARTIAL_MESSAGE"], undefined);
    assert.deepEqual(
      [b1, b2, b3].map((e) => e?.fields["CONTAINER_PARTIAL_MESSAGE"]),
      ["true", "true", undefined],
    );
    assert.equal([b1, b2, b3].map((e) => e?.message).join(""), "b".repeat(2500000));
    assert.equal(empty?.message, "");
    assert.deepEqual(binary?.message, Uint8Array.from([0, 255, 1, 98, 105, 110]));
    assert.equal(end?.message, "end");
    assert.deepEqual(more, []);
  });

  test("a terminal's lines come without the carriage return", async () => {
    container(log, "[ -t 1 ] && echo one; echo two >&2", "tty");
    await arrived(log, 2);
    assert.deepEqual(messages(user, log), ["one", "two"]);
  });

  test("a noisy container does not hold up a quiet one", async () => {
    const noisy = spawnAs(user, words(log, "exec yes $(head -c 20000 /dev/zero | tr '\\0' y) | head -n 2000"), { stdio: "inherit" });
    container(app, "sleep 0.1; echo here");
    await arrived(app, 1);
    await new Promise((done) => noisy.once("exit", done));
    await arrived(log, 2000);
  });
});

describe("a frozen journald", () => {
  test("the last lines of a container are found under its unit when it, and infra, are long gone", async () => {
    await frozenJournal(() => {
      // A datagram per line: no more than the queue of a plain kernel holds.
      container(app, "echo first; sleep 0.1; seq 1 5; sleep 0.1; echo bad >&2; printf last");
      systemctl(user, "stop", infraUnit("web"));
    });
    await arrived(app, 8);
    assert.deepEqual(
      messages(user, app).filter((m) => m !== "bad"),
      ["first", ...numbers(1, 5), "last"],
    );
  });

  test("killed infra: what it sent before is found all the same", async () => {
    await frozenJournal(async () => {
      container(app, "seq 1 8");
      // It reads at once; there is nothing to ask it by, but that it sleeps again.
      await until("infra sleeps", () => sh(user, `cut -d' ' -f3 /proc/${mainPid(user, infraUnit("web"))}/stat`) === "S");
      process.kill(mainPid(user, infraUnit("web")), "SIGKILL");
    });
    await arrived(app, 8);
    assert.deepEqual(messages(user, app), numbers(1, 8));
  });

  test("killed again and again: the next one reads on, and the container notices nothing", async () => {
    const child = spawnAs(user, words(app, "for i in $(seq 1 300); do echo $i; echo e$i >&2; sleep 0.01; done"));
    for (let i = 0; i < 3; i++) {
      const pid = mainPid(user, infraUnit("web"));
      await until("some lines more", () => messages(user, app).length > 60 * (i + 1));
      process.kill(pid, "SIGKILL");
      await until("another infra", () => ![0, pid].includes(mainPid(user, infraUnit("web"))));
    }
    await arrived(app, 600);
    await until("the container has ended", () => child.exitCode === 0);
    const found = journal(user, app);
    assert.deepEqual(
      found.filter((e) => e.priority === 6).map((e) => e.message),
      numbers(1, 300),
    ); // prettier-ignore
    assert.equal(found.filter((e) => e.priority === 3).length, 300);
    // What has ended is not kept: the next infra begins with nothing.
    await until("the store is empty but for the namespaces", () => show(user, infraUnit("web"), "NFileDescriptorStore") === "5");
  });

  test("what a container wrote while there was no infra is not lost, though it has ended meanwhile", async () => {
    const drop = `${infraUnit("web")}.d/slow.conf`;
    unit(user, drop, ["[Service]", "RestartSec=2s"]);
    const child = spawnAs(user, words(app, "echo before; sleep 1; echo late; printf end"));
    await arrived(app, 1);
    process.kill(mainPid(user, infraUnit("web")), "SIGKILL");
    await until("the container has ended", () => child.exitCode !== null);
    assert.equal(show(user, infraUnit("web"), "ActiveState"), "activating");
    await arrived(app, 3);
    assert.deepEqual(messages(user, app), ["before", "late", "end"]);
    sh(user, `rm -r ~/.config/systemd/user/${infraUnit("web")}.d && systemctl --user daemon-reload`);
  });

  test("what does not fit into its queue is kept, and sent by the next infra", async () => {
    // A datagram per line, and the queue of a plain kernel holds 11.
    const script = "for i in $(seq 1 60); do echo $i; sleep 0.01; done; printf 61";
    const unsent = `${infraDir(user, "web")}/unsent`;
    const infraPid = mainPid(user, infraUnit("web"));
    await frozenJournal(async () => {
      container(app, script);
      // Not by systemctl: the manager logs to the same full queue, and waits 10 s for each of its own lines.
      process.kill(infraPid, "SIGTERM");
      await until("infra is gone", () => !existsSync(`/proc/${infraPid}`));
      if (existsSync(unsent)) assert.equal(statSync(unsent).mode & 0o777, 0o600);
    });
    await arrived(app, 61);
    assert.deepEqual(messages(user, app), numbers(1, 61));
    await until("nothing is kept any more", () => !existsSync(unsent));
  });

  // More than the queue, the relay's buffer and the pipe hold.
  test("containers wait rather than lose lines, and handovers go on", async () => {
    let writer: ReturnType<typeof spawnAs> | undefined;
    await frozenJournal(async () => {
      writer = spawnAs(
        user,
        words(app, "for i in $(seq 1 20); do echo $i; sleep 0.005; done; for i in $(seq 21 200); do printf '%s %2000s\\n' $i x; done"),
        { stdio: "inherit" },
      );
      await new Promise((wake) => setTimeout(wake, 700));
      assert.equal(writer.exitCode, null, "it waits for its pipe");
      const other = spawnAs(user, words(log, "echo other"), { stdio: "inherit" });
      await new Promise((done) => other.once("exit", done));
    });
    await new Promise((done) => writer?.once("exit", done));
    await arrived(log, 1);
    await arrived(app, 200);
    assert.deepEqual(
      messages(user, app).map((line) => String(line).trim().split(" ")[0]),
      numbers(1, 200),
    );
  });
});

describe("cost and bad requests", () => {
  test("no more than 100 KiB private memory for a pod of two containers", async () => {
    systemctl(user, "restart", infraUnit("web"));
    const both = [app, log].map((unit) =>
      spawnAs(user, words(unit, "seq 1 500; head -c 300000 /dev/zero | tr '\\0' a; echo; exec sleep 30")),
    );
    await arrived(app, 501);
    await arrived(log, 501);
    const { dirty, clean } = privateMemory(mainPid(user, infraUnit("web")));
    console.log(`infra with two containers: ${dirty} KiB private dirty, ${clean} KiB clean (the program, when it is mapped once)`);
    assert.ok(dirty <= 100, `${dirty} KiB`);
    for (const child of both) child.kill("SIGKILL");
  });

  test("fields that are not ours to set are refused by name", () => {
    const r = runAs(user, words(app, "true", "pipe", '{"_PID":"1"}'));
    assert.equal(r.code, 125);
    assert.match(r.stderr, /log fields: _PID: Invalid argument/);
  });

  test("without infra the handover gives up in time", () => {
    systemctl(user, "stop", infraUnit("web"));
    const began = Date.now();
    const r = runAs(user, words(app, "true"));
    assert.equal(r.code, 125);
    assert.match(r.stderr, /log handover: connect to infra: No such file/);
    assert.ok(Date.now() - began < 15_000);
  });
});
