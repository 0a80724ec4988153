// The journal of real units: their lines and not the manager's, counted, followed, in any bytes, and refused clearly.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { JournalError } from "../../../src/host/journal/errors.js";
import { Journalctl } from "../../../src/host/journal/journal.js";
import type { LogLine, LogQuery } from "../../../src/ports/journal.js";
import { becomeUser, eventually, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;
const journal = new Journalctl(process.env);

before(async () => {
  session = await startSession("pgh1");
  end = await becomeUser(session);
  const folder = `${session.home}/.config/systemd/user`;
  mkdirSync(folder, { recursive: true });
  // journald looks up a line's unit by its sender's pid: what a sender that has ended wrote has none (UNITS.md 6). So the
  // shell itself writes, and stays.
  const unit = (script: string) => `[Service]\nType=oneshot\nExecStart=sh -c '${script}; sleep 0.2'\nSyslogIdentifier=web/app\n`;
  writeFileSync(`${folder}/j-lines.service`, unit("for i in 1 2 3 4 5; do echo line $i; done; echo wrong >&2"));
  writeFileSync(`${folder}/j-bytes.service`, unit('printf "caf\\\\351 \\\\001\\\\n\\\\342\\\\202\\\\254 ok\\\\n"'));
  writeFileSync(`${folder}/j-long.service`, unit('printf "%%020000d\\\\n" 0'));
  writeFileSync(`${folder}/j-many.service`, unit("for i in $(seq 3000); do echo $i; done"));
  execFileSync("systemctl", ["--user", "daemon-reload"]);
});

after(() => end());

async function all(query: LogQuery): Promise<LogLine[]> {
  const found: LogLine[] = [];
  for await (const line of journal.read(query)) found.push(line);
  return found;
}

async function runUnit(name: string, lines: number): Promise<LogLine[]> {
  execFileSync("systemctl", ["--user", "start", name]);
  let found: LogLine[] = [];
  await eventually(
    () => `${lines} lines of ${name}, not ${found.length} (${found.at(0)?.message} to ${found.at(-1)?.message})`,
    async () => {
      found = await all({ units: [name] });
      return found.length >= lines;
    },
  );
  return found;
}

test("the unit's lines in order, without the manager's remarks", async () => {
  const found = await runUnit("j-lines.service", 6);
  assert.deepEqual(
    found.map((line) => line.message).filter((text) => text !== "wrong"),
    [1, 2, 3, 4, 5].map((i) => `line ${i}`),
  );
  const remarks = execFileSync("journalctl", ["--user-unit", "j-lines.service", "-o", "cat"], { encoding: "utf8" });
  assert.match(remarks, /Start(ed|ing)|Finished/, "the manager did say something about it");
  for (const line of found) {
    assert.equal(line.unit, "j-lines.service");
    assert.equal(line.identifier, "web/app");
    assert.equal(line.priority, 6);
    assert.ok(Math.abs(line.time / 1000 - Date.now()) < 60_000);
  }
});

test("the last N are N of the unit's own, with and without --since; none of another unit", async () => {
  const texts = async (query: Partial<LogQuery>) => (await all({ units: ["j-lines.service"], ...query })).map((line) => line.message);
  const every = await texts({});
  assert.deepEqual(await texts({ lines: 2 }), every.slice(-2));
  assert.deepEqual(await texts({ lines: 100 }), every);
  assert.deepEqual(await texts({ lines: 0 }), []);
  assert.deepEqual(await texts({ since: "-1h", lines: 1 }), every.slice(-1));
  assert.deepEqual(await texts({ since: "2100-01-01" }), []);
  assert.deepEqual(await texts({ units: ["j-nothing.service"] }), []);
  assert.deepEqual(await texts({ units: [] }), []);
});

test("lines sent in the native protocol under the unit's name, as podrt's relay does", async () => {
  const fields = "USER_UNIT=pod-web_app.service\nSYSLOG_IDENTIFIER=web/app\nPRIORITY=3\nMESSAGE=from the relay\n";
  execFileSync("python3", [
    "-c",
    "import socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(sys.argv[1].encode(),'/run/systemd/journal/socket')",
    fields,
  ]);
  const [line] = await eventually("the relay's line", async () => {
    const found = await all({ units: ["pod-web_app.service"] });
    return found.length > 0 ? found : undefined;
  });
  assert.deepEqual([line?.unit, line?.identifier, line?.priority, line?.message], ["pod-web_app.service", "web/app", 3, "from the relay"]);
});

test("bytes that are no text, and lines longer than journalctl's own limit", async () => {
  assert.deepEqual(
    (await runUnit("j-bytes.service", 2)).map((line) => line.message),
    ["caf\ufffd \u0001", "€ ok"],
  );
  assert.equal((await runUnit("j-long.service", 1))[0]?.message, "0".repeat(20_000));
});

test("follow gives what is there, then what comes, until the abort; nothing twice", async () => {
  for (const lines of [undefined, 1, 0]) {
    const before = (await all({ units: ["j-lines.service"], ...(lines === undefined ? {} : { lines }) })).length;
    const abort = new AbortController();
    const found: string[] = [];
    const query = { units: ["j-lines.service"], follow: true, ...(lines === undefined ? {} : { lines }) };
    const reading = (async () => {
      for await (const line of journal.read(query, abort.signal)) found.push(line.message);
    })();
    await eventually("what is there", () => found.length >= before);
    // A journalctl that has nothing to show yet gives no sign of being ready.
    await new Promise((resolve) => setTimeout(resolve, 500));
    execFileSync("systemctl", ["--user", "start", "j-lines.service"]);
    await eventually("six more", () => found.length >= before + 6);
    abort.abort();
    await reading;
    assert.equal(found.length, before + 6, `with lines ${lines}`);
  }
});

test("a reader that stops early leaves no journalctl behind", async () => {
  for await (const _ of journal.read({ units: ["j-lines.service"], follow: true })) break;
  await eventually("no journalctl of ours", () => {
    const found = spawnSyncText(["pgrep", "-P", String(process.pid), "-x", "journalctl", "-r", "R,S,D"]);
    return found === "";
  });
});

function spawnSyncText(argv: readonly [string, ...string[]]): string {
  try {
    return execFileSync(argv[0], argv.slice(1), { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

test("a bad --since, no journalctl, and a journal that may not be read", async () => {
  await assert.rejects(all({ units: ["j-lines.service"], since: "gibberish" }), (error) => {
    assert.ok(error instanceof JournalError);
    assert.equal(error.code, "journal-failed");
    assert.match(error.message, /gibberish/);
    return true;
  });
  const read = async (path: string) => {
    for await (const _ of new Journalctl({ PATH: path }).read({ units: ["x.service"] }));
  };
  await assert.rejects(read("/nowhere"), (error) => error instanceof JournalError && /cannot run journalctl/.test(error.message));
  // What journalctl says to a user who is in no group, with a volatile journal.
  const folder = `${session.home}/bin`;
  mkdirSync(folder);
  writeFileSync(`${folder}/journalctl`, "#!/bin/sh\necho 'No journal files were opened due to insufficient permissions.' >&2\nexit 1\n");
  chmodSync(`${folder}/journalctl`, 0o755);
  await assert.rejects(read(folder), (error) => {
    assert.ok(error instanceof JournalError);
    assert.equal(error.code, "journal-denied");
    assert.match(error.hint ?? "", /systemd-journal/);
    return true;
  });
});

test("thousands of lines come whole and in order, read at once and while they are written", async () => {
  const abort = new AbortController();
  const followed: string[] = [];
  const reading = (async () => {
    for await (const line of journal.read({ units: ["j-many.service"], follow: true }, abort.signal)) followed.push(line.message);
  })();
  const wanted = Array.from({ length: 3000 }, (_, i) => String(i + 1));
  try {
    const found = await runUnit("j-many.service", 3000);
    assert.deepEqual(
      found.map((line) => line.message),
      wanted,
    );
    await eventually("the followed lines", () => followed.length >= 3000);
  } finally {
    // A reader that follows keeps this process.
    abort.abort();
    await reading;
  }
  assert.deepEqual(followed, wanted);
});
