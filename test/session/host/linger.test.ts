// Linger, against a logind of our own on a private bus: allowed, refused by polkit, absent.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import dbus from "dbus-next";
import { LogindLinger } from "../../../src/host/systemd/logind.js";
import { HostError } from "../../../src/ports/host.js";
import { becomeUser, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;
let daemon: ChildProcess;
let env: NodeJS.ProcessEnv;
let bus: dbus.MessageBus;
let marks: string;

/** What the fake logind does. */
const logind = { linger: false, refusal: "", known: true, calls: [] as unknown[][] };

before(async () => {
  session = await startSession("pgh1");
  end = await becomeUser(session);
  marks = join(session.home, "marks");
  fs.mkdirSync(marks);
  const path = join(session.home, "system-bus");
  daemon = spawn("dbus-daemon", ["--session", "--nofork", "--nopidfile", `--address=unix:path=${path}`, "--print-address"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => daemon.stdout?.once("data", resolve));
  env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` };
  bus = dbus.sessionBus({ busAddress: `unix:path=${path}` });
  bus.on("error", () => undefined);
  bus.addMethodHandler(answer);
  await bus.requestName("org.freedesktop.login1", 0);
});

after(async () => {
  bus.disconnect();
  daemon.kill();
  await end();
});

/** Answers as systemd-logind's manager does (org.freedesktop.login1(5)). */
function answer(message: dbus.Message): boolean {
  const reply = (signature: string, body: unknown[]) => bus.send(dbus.Message.newMethodReturn(message, signature, body));
  const refuse = (name: string, text: string) => bus.send(dbus.Message.newError(message as never, name, text));
  if (message.member === "SetUserLinger") {
    logind.calls.push([...message.body, message.flags]);
    if (logind.refusal) refuse(logind.refusal, "Interactive authentication required.");
    else {
      logind.linger = message.body[1] === true;
      reply("", []);
    }
  } else if (message.member === "GetUser") {
    if (logind.known) reply("o", ["/org/freedesktop/login1/user/_1"]);
    else refuse("org.freedesktop.login1.NoSuchUser", "no such user");
  } else if (message.member === "Get") reply("v", [new dbus.Variant("b", logind.linger)]);
  else return false;
  return true;
}

const linger = (more: NodeJS.ProcessEnv = env) => new LogindLinger(more, session.user, session.uid, marks);

test("enable, status, disable: asked of logind for our own uid, with leave to ask the user", async () => {
  assert.deepEqual(await linger().status(), { enabled: false, source: "logind" });
  await linger().set(true);
  assert.deepEqual(await linger().status(), { enabled: true, source: "logind" });
  await linger().set(false);
  assert.deepEqual(await linger().status(), { enabled: false, source: "logind" });
  assert.deepEqual(logind.calls, [
    [session.uid, true, true, 4],
    [session.uid, false, true, 4],
  ]);
});

test("a user logind does not know, or no bus: the mark on disk is the truth", async () => {
  logind.known = false;
  assert.deepEqual(await linger().status(), { enabled: false, source: "file" });
  fs.writeFileSync(join(marks, session.user), "");
  assert.deepEqual(await linger().status(), { enabled: true, source: "file" });
  assert.deepEqual(await linger({ DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/nowhere" }).status(), { enabled: true, source: "file" });
  logind.known = true;
});

/** What set() is refused with. */
async function refusal(env: NodeJS.ProcessEnv): Promise<HostError> {
  try {
    await linger(env).set(true);
  } catch (error) {
    assert.ok(error instanceof HostError);
    return error;
  }
  assert.fail("it was not refused");
}

test("polkit's refusals are explained, with the command for someone who may", async () => {
  for (const name of [
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.PolicyKit1.Error.NotAuthorized",
  ]) {
    logind.refusal = name;
    const error = await refusal(env);
    assert.equal(error.code, "linger-denied");
    assert.match(error.message, /polkit does not let you.*Interactive authentication required/);
    assert.match(error.hint ?? "", /sudo loginctl enable-linger pgh1$/);
  }
  logind.refusal = "org.example.Strange";
  assert.equal((await refusal(env)).code, "org.example.Strange");
});

test("no system bus, and a system bus without logind", async () => {
  const none = await refusal({ DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/nowhere" });
  assert.equal(none.code, "linger-unavailable");
  assert.match(none.message, /\/nowhere: there is no such socket/);
  await bus.releaseName("org.freedesktop.login1");
  const absent = await refusal(env);
  assert.equal(absent.code, "linger-unavailable");
  assert.match(absent.message, /logind does not run here/);
});
