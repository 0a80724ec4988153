// Which lines of a unit file a running unit takes from a reload.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { changedDirectives, needRestart, parseDirectives } from "../../src/diff/directives.js";

const parse = (text: string) => parseDirectives(new TextEncoder().encode(text));
const changed = (a: string, b: string) => changedDirectives(parse(a), parse(b));

test("comments and empty lines are nothing; sections and repeated keys count", () => {
  assert.deepEqual(changed("# a\n[Unit]\n\nA=1\n", "[Unit]\n; b\nA=1\n"), []);
  assert.deepEqual(changed("[Unit]\nA=1\n[Service]\nA=1\n", "[Unit]\nA=1\n[Service]\nA=2\n"), ["Service.A"]);
  assert.deepEqual(changed("[Unit]\nA=1\nA=2\n", "[Unit]\nA=2\nA=1\n"), ["Unit.A"]);
  assert.deepEqual(changed("[Unit]\nA=x=y\n", "[Unit]\n"), ["Unit.A"]);
});

test("limits and restarts by a reload; what is executed, and what nobody knows, by a restart", () => {
  assert.deepEqual(needRestart(["Service.MemoryMax", "Service.Restart", "Unit.Description"]), []);
  assert.deepEqual(needRestart(["Service.ExecStart", "Unit.Requisite", "Socket.ListenStream", "Service.Nonsense"]), [
    "Service.ExecStart",
    "Unit.Requisite",
    "Socket.ListenStream",
    "Service.Nonsense",
  ]);
});

test("what the templates have is decided: only these need a restart", () => {
  const keys = new Set<string>();
  for (const name of readdirSync("templates").filter((n) => /\.(service|socket|slice)$/.test(n)))
    for (const key of parse(readFileSync(`templates/${name}`, "utf8")).keys()) keys.add(key);
  assert.deepEqual(needRestart([...keys].sort()), [
    "Service.Delegate",
    "Service.ExecStart",
    "Service.NotifyAccess",
    "Service.OOMPolicy",
    "Service.RemainAfterExit",
    "Service.Slice",
    "Service.Type",
    "Service.WatchdogSec",
    "Socket.Backlog",
    "Socket.BindIPv6Only",
    "Socket.FileDescriptorName",
    "Socket.FreeBind",
    "Socket.ListenDatagram",
    "Socket.ListenStream",
    "Socket.Service",
    "Unit.Conflicts",
    "Unit.DefaultDependencies",
    "Unit.Requisite",
  ]);
});
