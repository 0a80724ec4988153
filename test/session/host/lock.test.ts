// One writer per user: the second waits, a killed holder frees the lock, the holder is named; over the bus and without one.
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { after, before, test } from "node:test";
import { openManager } from "../../../src/host/systemd/manager.js";
import { HostError } from "../../../src/ports/host.js";
import { becomeUser, buildProgram, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;
let agent: string;
/** A runtime folder with systemd's private socket in it, and no bus. */
let busless: Record<string, string>;

before(async () => {
  session = await startSession("pgh1");
  const program = await buildProgram("test/session/host/agents/agent.ts");
  agent = program.file;
  end = await becomeUser(session, [program.folder]);
  const folder = `${session.home}/busless`;
  mkdirSync(folder, { mode: 0o700 });
  symlinkSync(`${session.runtime}/systemd`, `${folder}/systemd`);
  busless = { XDG_RUNTIME_DIR: folder, DBUS_SESSION_BUS_ADDRESS: "" };
});

after(() => end());

type Agent = ChildProcessByStdio<Writable, Readable, null>;

function start(env: Record<string, string>, deadline: number): Agent {
  return spawn(process.execPath, [agent, "lock", String(deadline)], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** The first line an agent prints, with when it came. */
async function said(process: Agent): Promise<{ line: string; at: number }> {
  let text = "";
  for await (const chunk of process.stdout) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return { line: text.trim(), at: performance.now() };
}

for (const [name, env] of [
  ["over the bus", () => ({})],
  ["without a bus", () => busless],
] as const) {
  test(`${name}: the second waits until the first is killed`, async () => {
    const first = start(env(), 5000);
    assert.equal((await said(first)).line, "held");
    const second = start(env(), 20_000);
    const waiting = said(second);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const killed = performance.now();
    first.kill("SIGKILL");
    const { line, at } = await waiting;
    assert.equal(line, "held");
    assert.ok(at >= killed, "not before the first was gone");
    assert.ok(at - killed < 3000, `${at - killed} ms`);
    second.kill("SIGKILL");
  });

  test(`${name}: who does not get it in time learns who has it`, async () => {
    const first = start(env(), 5000);
    assert.equal((await said(first)).line, "held");
    const second = start(env(), 300);
    const { line } = await said(second);
    assert.match(line, /^locked: another podgen \(pid \d+, node\) is changing this user's pods; waited 0\.3 s for it$/);
    assert.ok(line.includes(`pid ${first.pid},`));
    first.stdin.end();
    const third = start(env(), 5000);
    assert.equal((await said(third)).line, "held");
    third.kill("SIGKILL");
  });
}

test("taking it twice in one process is taking it once", async () => {
  const manager = await openManager(process.env, `${session.runtime}/podgen`);
  await manager.lock(1000);
  await manager.lock(0);
  await manager.close();
  await assert.rejects(manager.lock(0), HostError);
});
