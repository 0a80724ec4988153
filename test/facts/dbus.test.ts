// Decoding of D-Bus messages, against dbus-next's encoder; the stream cut anywhere; addresses from the environment.
import assert from "node:assert/strict";
import { test } from "node:test";
import wire from "dbus-next/lib/message.js";
import { systemAddresses, unixPaths, userAddresses } from "../../src/host/dbus/address.js";
import { Splitter } from "../../src/host/dbus/message.js";
import { splitSignature, type Value } from "../../src/host/dbus/reader.js";
import { encodeCall, type Sendable } from "../../src/host/dbus/writer.js";
import { unitState } from "../../src/host/systemd/states.js";

const METHOD_CALL = 1;

function encode(signature: string, body: readonly unknown[], serial = 1): Buffer {
  return wire.marshall({
    type: METHOD_CALL,
    serial,
    flags: 0,
    path: "/a/b",
    interface: "a.b",
    member: "M",
    destination: "c.d",
    signature,
    body,
  })[0];
}

function decode(bytes: Buffer): Value[] {
  const [message] = new Splitter().push(bytes);
  assert.ok(message);
  return message.body();
}

test("values of every type come back as they were encoded", () => {
  const cases: readonly [string, readonly unknown[]][] = [
    ["y", [255]],
    ["b", [true]],
    ["n", [-32768]],
    ["q", [65535]],
    ["i", [-2147483648]],
    ["u", [4294967295]],
    ["x", [-(2n ** 62n)]],
    ["t", [2n ** 64n - 1n]],
    ["d", [1.5]],
    ["s", ["größe €"]],
    ["s", [""]],
    ["o", ["/org/x"]],
    ["g", ["a{sv}"]],
    ["as", [[]]],
    ["as", [["a", "bc", ""]]],
    ["at", [[1n, 2n]]],
    ["ay", [[1, 2, 3]]],
    [
      "a(ss)",
      [
        [
          ["a", "b"],
          ["c", "d"],
        ],
      ],
    ],
    ["ba(sss)", [false, [["symlink", "/a", "/b"]]]],
    ["a(ssssssouso)", [[["n", "d", "l", "a", "s", "", "/p", 0, "", "/"]]]],
    ["(y(t)s)", [[1, [2n], "x"]]],
    ["uoss", [7, "/job/7", "a.service", "done"]],
    ["a{s(ub)}", [[["k", [1, true]]]]],
    ["aas", [[["a"], [], ["b", "c"]]]],
  ];
  for (const [signature, body] of cases) assert.deepEqual(decode(encode(signature, body)), body, signature);
});

test("calls are encoded byte for byte as dbus-next does", () => {
  const calls: readonly [string, readonly Sendable[]][] = [
    ["", []],
    ["s", ["größe €"]],
    ["ss", ["pod-web.service", "replace"]],
    ["su", ["io.podgen.Writer", 0]],
    ["asas", [[], ["pod-*", "x"]]],
    ["asbb", [["a.service", "bb.service"], false, true]],
    ["ssau", ["a.service", "", [1, 4294967295]]],
    ["s", ["x".repeat(5000)]],
    ["o", ["/a"]],
  ];
  for (const [signature, body] of calls) {
    const shape = { path: "/a/b", interface: "a.b", member: "M", destination: "c.d", ...(signature === "" ? {} : { signature, body }) };
    assert.deepEqual(encodeCall(shape, 77, 4), wire.marshall({ type: METHOD_CALL, serial: 77, flags: 4, ...shape })[0], signature);
  }
});

test("what does not fit its signature is refused before it is sent", () => {
  const shape = { path: "/a/b", interface: "a.b", member: "M", destination: "c.d" };
  const wrong: readonly [string, readonly Sendable[]][] = [
    ["s", [1]],
    ["s", []],
    ["", ["x"]],
    ["s", ["a\0b"]],
    ["u", [-1]],
    ["u", [4294967296]],
    ["u", ["1"]],
    ["b", [1]],
    ["as", ["x"]],
    ["as", [["x", 1]]],
    ["t", [1n]],
  ];
  for (const [signature, body] of wrong) assert.throws(() => encodeCall({ ...shape, signature, body }, 1, 0), RangeError, signature);
});

/** A property reply: what is not wanted is stepped over, of whatever type. */
test("wanted properties are found among others of every type", () => {
  const others: readonly [string, unknown][] = [
    ["y", 1], ["b", true], ["n", 1], ["q", 1], ["i", 1], ["u", 1], ["x", 1n], ["t", 1n], ["d", 1], ["s", "text"], ["o", "/"], ["g", "s"],
    ["as", ["a", "b"]], ["a(st)", [["a", 1n]]], ["(sas)", ["x", ["y"]]], ["a{ss}", [["a", "b"]]], ["at", []], ["ay", [1, 2, 3]], ["v", ["(ub)", [1, true]]],
  ]; // biome-ignore format: a table
  const properties = others.flatMap(([type, value], i) => [
    [`Other${i}`, [type, value]],
    [`Wanted${i}`, ["s", `value ${i}`]],
  ]);
  const [message] = new Splitter().push(encode("a{sv}", [properties]));
  const wanted = new Set(others.map((_, i) => `Wanted${i}`));
  const found = message?.bodyReader().properties(wanted);
  assert.deepEqual(
    [...(found ?? [])],
    others.map((_, i) => [`Wanted${i}`, `value ${i}`]),
  );
});

test("a stream cut at any byte gives the same messages", () => {
  const stream = Buffer.concat([
    encode("s", ["one"], 1),
    encode("ay", [Array.from({ length: 3000 }, (_, i) => i % 256)], 2),
    encode("", [], 3),
  ]);
  for (const size of [1, 7, 16, 100, stream.length]) {
    const splitter = new Splitter();
    const bodies: Value[][] = [];
    for (let at = 0; at < stream.length; at += size) bodies.push(...splitter.push(stream.subarray(at, at + size)).map((m) => m.body()));
    assert.deepEqual(
      bodies.map((body) => (Array.isArray(body[0]) ? body[0].length : (body[0] ?? "none"))),
      ["one", 3000, "none"],
      `cut at ${size}`,
    );
  }
});

test("a peer that speaks something else, or too much, is refused", () => {
  assert.throws(() => new Splitter().push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")), /no D-Bus message/);
  const huge = encode("s", ["x"]);
  huge.writeUInt32LE(0x7fffffff, 4);
  assert.throws(() => new Splitter().push(huge), /message of \d+ bytes/);
  assert.throws(() => splitSignature("(s"), /signature/);
});

test("big-endian messages are read too", () => {
  // Signal /a a.b.C with no body: `B`, 4, 0, 1, body 0, serial 1, fields.
  const fields = Buffer.from([1, 1, 0x6f, 0, 0, 0, 0, 2, 0x2f, 0x61, 0, 0, 0, 0, 0, 0, 3, 1, 0x73, 0, 0, 0, 0, 1, 0x43, 0]);
  const header = Buffer.from([0x42, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, fields.length]);
  const padding = Buffer.alloc((8 - ((16 + fields.length) % 8)) % 8);
  const [message] = new Splitter().push(Buffer.concat([header, fields, padding]));
  assert.deepEqual([message?.type, message?.path, message?.member], [4, "/a", "C"]);
});

test("addresses: several, escaped, abstract, others left out", () => {
  assert.deepEqual(unixPaths("unix:path=/run/user/1/bus,guid=abc"), ["/run/user/1/bus"]);
  assert.deepEqual(unixPaths("tcp:host=localhost,port=1;unix:abstract=/tmp/x;unix:path=/a%20b%3bc"), ["\0/tmp/x", "/a b;c"]);
  assert.deepEqual(unixPaths("unixexec:path=ssh;unix:tmpdir=/tmp;"), []);
});

test("the user's bus: the variable, then the runtime folder, then systemd's own socket, each once", () => {
  const paths = (env: NodeJS.ProcessEnv) => userAddresses(env).candidates.map((c) => c.path);
  assert.deepEqual(paths({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1/bus", XDG_RUNTIME_DIR: "/run/user/1" }), [
    "/run/user/1/bus",
    "/run/user/1/systemd/private",
  ]);
  assert.deepEqual(paths({ XDG_RUNTIME_DIR: "/r" }), ["/r/bus", "/r/systemd/private"]);
  assert.deepEqual(userAddresses({ XDG_RUNTIME_DIR: "r" }).problems, [
    "DBUS_SESSION_BUS_ADDRESS is not set",
    "XDG_RUNTIME_DIR=r is not absolute",
  ]);
  assert.deepEqual(userAddresses({ DBUS_SESSION_BUS_ADDRESS: "autolaunch:" }).problems, [
    "DBUS_SESSION_BUS_ADDRESS=autolaunch: names no unix socket",
    "XDG_RUNTIME_DIR is not set",
  ]);
  assert.deepEqual(
    systemAddresses({ DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/x" }).candidates.map((c) => c.path),
    ["/x"],
  );
  assert.equal(systemAddresses({}).candidates[0]?.path, "/run/dbus/system_bus_socket");
});

test("a unit's state from its properties; what is missing is empty, 64 bits are numbers", () => {
  const unit = unitState(
    new Map<string, Value>([
      ["Id", "a.service"],
      ["ActiveState", "active"],
      ["ActiveEnterTimestamp", 1700000000000000n],
      ["MainPID", 5],
    ]),
  );
  assert.equal(unit.service?.activeEnter, 1700000000000000);
  assert.deepEqual([unit.activeState, unit.loadState, unit.needDaemonReload, unit.service?.mainPid], ["active", "", false, 5]);
  assert.equal(unitState(new Map([["Id", "a.slice"]])).service, undefined);
  assert.doesNotThrow(() => JSON.stringify(unit));
});
