// A bus that is not there, goes away, belongs to another user, or was never started: every call ends, and says why.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { Connection } from "../../../src/host/dbus/connection.js";
import { BusClosedError, BusTimeoutError, NoBusError } from "../../../src/host/dbus/errors.js";
import { createHost } from "../../../src/host/index.js";
import { openManager } from "../../../src/host/systemd/manager.js";
import { becomeUser, eventually, type Session, startSession } from "../../lib/session.js";

let session: Session;
let end: () => Promise<void>;

before(async () => {
  session = await startSession("pgh1");
  end = await becomeUser(session);
  const folder = `${session.home}/.config/systemd/user`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/b-never.service`, "[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=sleep 1000\n");
  writeFileSync(`${folder}/b-sleep.service`, "[Service]\nExecStart=sleep 1000\n");
});

after(() => end());

test("no variables at all: the error names both and says what to do", async () => {
  await assert.rejects(openManager({}, "/nowhere"), (error) => {
    assert.ok(error instanceof NoBusError);
    assert.equal(error.code, "no-bus");
    assert.match(error.message, /DBUS_SESSION_BUS_ADDRESS is not set; XDG_RUNTIME_DIR is not set/);
    assert.match(error.hint ?? "", /loginctl enable-linger pgh1/);
    return true;
  });
});

test("sockets that are not there", async () => {
  await assert.rejects(openManager({ XDG_RUNTIME_DIR: session.home }, "/nowhere"), (error) => {
    assert.ok(error instanceof NoBusError);
    assert.match(error.message, /pgh1\/bus: there is no such socket; .*systemd\/private: there is no such socket/);
    return true;
  });
});

test("the address alone, and the runtime folder alone, are enough", async () => {
  for (const name of ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"]) {
    const manager = await openManager({ [name]: process.env[name] }, "/nowhere");
    assert.ok((await manager.version()) > 0);
    await manager.close();
  }
});

test("a host that had no bus finds it at the next call", async () => {
  const env: Record<string, string | undefined> = {};
  const host = createHost(env);
  await assert.rejects(host.manager(), NoBusError);
  env["XDG_RUNTIME_DIR"] = session.runtime;
  assert.ok((await (await host.manager()).version()) > 0);
  await host.close();
  assert.ok((await (await host.manager()).version()) > 0);
  await host.close();
});

test("systemd's private socket does where there is no bus: jobs, waits, truth", async () => {
  const folder = `${session.home}/busless`;
  mkdirSync(folder, { mode: 0o700 });
  symlinkSync(`${session.runtime}/systemd`, `${folder}/systemd`);
  const manager = await openManager({ XDG_RUNTIME_DIR: folder }, `${folder}/podgen`);
  await manager.reload();
  assert.equal(await manager.start("b-sleep.service", 10_000), "done");
  assert.equal((await manager.get("b-sleep.service")).activeState, "active");
  assert.equal((await manager.list(["b-sleep*"]))[0]?.name, "b-sleep.service");
  assert.equal(await manager.stop("b-sleep.service", 10_000), "done");
  await manager.close();
});

/** A peer that does what `serve` says with each connection. */
async function withPeer(serve: (socket: Socket) => void, work: (path: string) => Promise<void>): Promise<void> {
  const path = `${session.home}/peer`;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await work(path);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("a peer that says nothing, refuses, hangs up, or speaks something else", async () => {
  await withPeer(
    () => undefined,
    (path) => assert.rejects(Connection.connect({ path, direct: false }, 200), BusTimeoutError),
  );
  await withPeer(
    (socket) => socket.on("data", () => socket.write("REJECTED EXTERNAL\r\n")),
    (path) => assert.rejects(Connection.connect({ path, direct: false }, 2000), /authentication/),
  );
  await withPeer(
    (socket) => socket.end(),
    (path) => assert.rejects(Connection.connect({ path, direct: false }, 2000), /closed|EPIPE|ECONNRESET/),
  );
  const answers = ["OK 0123456789abcdef\r\n", "this is no D-Bus message at all"];
  await withPeer(
    (socket) => socket.on("data", () => socket.write(answers.shift() ?? "")),
    (path) => assert.rejects(Connection.connect({ path, direct: false }, 2000), /no D-Bus message/),
  );
});

test("a call without an answer ends after its own time, and the connection lives on", async () => {
  const connection = await Connection.connect({ path: `${session.runtime}/bus`, direct: false });
  // A name that we own ourselves: nobody answers, since podgen offers nothing.
  await connection.callBus("RequestName", "su", ["io.podgen.Deaf", 0]);
  const call = { destination: "io.podgen.Deaf", path: "/", interface: "a.b", member: "Nothing", timeout: 200 };
  await assert.rejects(connection.call(call), BusTimeoutError);
  assert.equal((await connection.callBus("NameHasOwner", "s", ["io.podgen.Deaf"])).body()[0], true);
  connection.close();
  await assert.rejects(connection.call(call), BusClosedError);
});

test("the bus is killed in the middle: every pending call and wait rejects, and a new connection works", async () => {
  const manager = await openManager(process.env, `${session.runtime}/podgen`);
  const second = await openManager(process.env, `${session.runtime}/podgen`);
  await manager.reload();
  await manager.lock(0);
  const began = performance.now();
  const pending = [manager.start("b-never.service", 60_000), second.lock(60_000)].map((promise) =>
    assert.rejects(promise, (error) => error instanceof BusClosedError),
  );
  await eventually("activating", async () => (await manager.get("b-never.service")).activeState === "activating");
  const pid = execFileSync("systemctl", ["--user", "show", "-P", "MainPID", "dbus.service"], { encoding: "utf8" }).trim();
  process.kill(Number(pid), "SIGKILL");
  await Promise.all(pending);
  assert.ok(performance.now() - began < 10_000);
  await assert.rejects(manager.version(), BusClosedError);
  await manager.close();
  await second.close();
  // dbus.socket starts the bus anew; the manager comes back to it.
  const again = await eventually("a new bus", () => openManager(process.env, `${session.runtime}/podgen`).catch(() => undefined));
  await eventually("the manager on the new bus", () => again.version().catch(() => 0), 30_000);
  await again.close();
  execFileSync("systemctl", ["--user", "stop", "b-never.service"]);
  unlinkSync(`${session.home}/.config/systemd/user/b-never.service`);
});
