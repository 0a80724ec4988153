// Pure parts of the host: paths, /proc, state.json, journal entries; and what createHost loads.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { build as Build } from "esbuild";
import { memoryProtected, securityModules } from "../../src/host/facts/facts.js";
import { readPaths } from "../../src/host/facts/paths.js";
import { isBeneath } from "../../src/host/files/files.js";
import { parseEntry } from "../../src/host/journal/entry.js";
import { journalError } from "../../src/host/journal/errors.js";
import { parseState } from "../../src/host/native/state.js";
import { parseStat } from "../../src/host/process/stat.js";

test("paths: the defaults", () => {
  assert.deepEqual(readPaths({ HOME: "/home/a", XDG_RUNTIME_DIR: "/run/user/7" }, "/x", "/y"), {
    home: "/home/a",
    units: "/home/a/.config/systemd/user",
    data: "/home/a/.local/share/podgen",
    state: "/home/a/.local/state/podgen",
    run: "/run/user/7/podgen",
    settings: "/home/a/.config/podgen",
    podrt: "/home/a/.local/share/podgen/bin/podrt",
  });
});

test("paths: absolute variables count, relative and empty ones do not", () => {
  const env = { HOME: "/h/", XDG_CONFIG_HOME: "/c/", XDG_DATA_HOME: "relative", XDG_STATE_HOME: "", XDG_RUNTIME_DIR: "./r" };
  const paths = readPaths(env, "/passwd", "/run/user/7");
  assert.deepEqual(
    [paths.home, paths.units, paths.data, paths.state, paths.run],
    ["/h", "/c/systemd/user", "/h/.local/share/podgen", "/h/.local/state/podgen", "/run/user/7/podgen"],
  );
  assert.equal(readPaths({}, "/passwd", "/r").home, "/passwd");
  assert.equal(readPaths({ HOME: "/" }, "/passwd", "/r").home, "/");
});

test("beneath is told by whole segments", () => {
  assert.ok(isBeneath("/a/b/c", "/a/b"));
  assert.ok(isBeneath("/a/b/..c", "/a/b"));
  for (const path of ["/a/b", "/a/bc", "/a/b/../c", "/a"]) assert.ok(!isBeneath(path, "/a/b"), path);
});

test("/proc/PID/stat of a process with an awkward name", () => {
  const rest = "S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 987654 0";
  assert.deepEqual(parseStat(`12 (a) b (c)) ${rest}`), { state: "S", startTime: "987654" });
  assert.equal(parseStat(""), undefined);
});

test("state.json: whole, cut off, of somebody else", () => {
  const whole = '{"pid":12,"startTime":"345","digest":"sha256:a","startedAt":1.5}';
  assert.deepEqual(parseState(whole), { pid: 12, startTime: "345", digest: "sha256:a" });
  for (const bad of ["", whole.slice(0, -3), "[]", "null", '{"pid":"12"}', '{"pid":-1,"startTime":"1","digest":""}']) {
    assert.equal(parseState(bad), undefined, bad);
  }
});

const entry = (fields: Record<string, unknown>, units = ["pod-web_app.service"]) =>
  parseEntry(JSON.stringify({ __REALTIME_TIMESTAMP: "1700000000000001", __CURSOR: "c", ...fields }), new Set(units));

test("journal entries: the relay's, the unit's own, the manager's, another unit's", () => {
  const relay = {
    USER_UNIT: "pod-web_app.service",
    _SYSTEMD_USER_UNIT: "pod-web__infra.service",
    SYSLOG_IDENTIFIER: "web/app",
    PRIORITY: "3",
  };
  assert.deepEqual(entry({ ...relay, MESSAGE: "hello" }), {
    time: 1700000000000001,
    unit: "pod-web_app.service",
    identifier: "web/app",
    priority: 3,
    message: "hello",
    cursor: "c",
  });
  // The relay had gone when journald looked: only its own word says whose line it is.
  assert.equal(entry({ ...relay, _SYSTEMD_USER_UNIT: undefined, MESSAGE: "last" })?.message, "last");
  assert.equal(entry({ _SYSTEMD_USER_UNIT: "pod-web_app.service", SYSLOG_IDENTIFIER: "podrt", MESSAGE: "m" })?.identifier, "podrt");
  assert.equal(entry({ ...relay, _SYSTEMD_USER_UNIT: "init.scope", SYSLOG_IDENTIFIER: "systemd", MESSAGE: "Started" }), undefined);
  assert.equal(entry({ ...relay, USER_UNIT: "pod-other_app.service", MESSAGE: "m" }), undefined);
  // The same entry when infra's own lines are asked for: the payload's are not among them twice.
  assert.equal(entry({ ...relay, MESSAGE: "m" }, ["pod-web__infra.service", "pod-web_app.service"])?.unit, "pod-web_app.service");
});

test("journal entries: bytes, repeated fields, nothing, broken JSON", () => {
  const unit = { USER_UNIT: "pod-web_app.service" };
  assert.equal(entry({ ...unit, MESSAGE: [104, 105, 233] })?.message, "hi\ufffd");
  assert.equal(entry({ ...unit, MESSAGE: ["first", "second"] })?.message, "first");
  assert.equal(entry({ ...unit, MESSAGE: null })?.message, "");
  assert.equal(entry({ ...unit })?.priority, 6);
  for (const text of ["", "{", "null", "3"]) assert.equal(parseEntry(text, new Set(["x"])), undefined);
});

test("journalctl's complaints", () => {
  assert.equal(journalError(0, "", "a"), undefined);
  assert.equal(journalError(null, "", "a"), undefined);
  assert.equal(journalError(1, "No journal files were found.\n", "a"), undefined);
  assert.equal(journalError(1, "No journal files were opened due to insufficient permissions.", "a")?.code, "journal-denied");
  assert.match(journalError(1, "x\nFailed to parse timestamp: y\n", "a")?.message ?? "", /Failed to parse timestamp: y/);
  assert.match(journalError(3, "", "a")?.message ?? "", /exit code 3/);
});

test("making a host loads nothing but paths: no dbus-next, no systemd, no files", async () => {
  // Not bundled: esbuild looks for its own files.
  const { build }: { build: typeof Build } = await import(`${process.cwd()}/node_modules/esbuild/lib/main.js`);
  const { metafile } = await build({
    entryPoints: ["src/host/index.ts"],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["usocket", "x11"],
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const output = metafile.outputs[name];
    if (!output || seen.has(name)) return;
    seen.add(name);
    for (const found of output.imports) if (found.kind === "import-statement") visit(found.path);
  };
  visit("out/index.js");
  const inputs = [...seen].flatMap((name) => Object.keys(metafile.outputs[name]?.inputs ?? {}));
  assert.deepEqual(inputs.sort(), ["src/host/facts/paths.ts", "src/host/index.ts"]);
});

test("memory is protected for a user where root has set it on everything above", async () => {
  const root = mkdtempSync(join(tmpdir(), "podgen-facts-"));
  const write = (group: string, text: string) => {
    mkdirSync(`${root}/sys/fs/cgroup/${group}`, { recursive: true });
    writeFileSync(`${root}/sys/fs/cgroup/${group}/memory.min`, `${text}\n`);
  };
  assert.equal(await memoryProtected(7, root), false);
  write("user.slice/user-7.slice/user@7.service", "max");
  write("user.slice/user-7.slice", "4096");
  write("user.slice", "0");
  assert.equal(await memoryProtected(7, root), false);
  write("user.slice", "8192");
  assert.equal(await memoryProtected(7, root), true);
  rmSync(root, { recursive: true });
});

test("security modules are those that are enabled", async () => {
  const root = mkdtempSync(join(tmpdir(), "podgen-lsm-"));
  try {
    const put = (path: string, text: string): void => {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    assert.deepEqual(await securityModules(root), { apparmor: false, selinux: false });
    put("sys/module/apparmor/parameters/enabled", "N\n");
    put("sys/fs/selinux/enforce", "1");
    put("proc/self/attr/current", "kernel\0");
    assert.deepEqual(await securityModules(root), { apparmor: false, selinux: false });
    put("sys/module/apparmor/parameters/enabled", "Y\n");
    put("proc/self/attr/current", "user_u:user_r:user_t:s0\0");
    assert.deepEqual(await securityModules(root), { apparmor: true, selinux: true });
  } finally {
    rmSync(root, { recursive: true });
  }
});
