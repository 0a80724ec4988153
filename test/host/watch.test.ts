// podgen watch on a booted host: what is written into a folder runs, and nothing else is disturbed, now and after a reboot.
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { Host } from "../lib/host.js";
import { pagePod } from "../lib/page-pod.js";
import { eventually } from "../lib/session.js";

const WATCH = "podgen-watch-home-alice-pods.service";
const APPLIED = 15_000;
const A = { name: "a", port: 18081 };
const B = { name: "b", port: 18082 };

let host: Host;
before(async () => {
  host = await Host.start("t-watch");
  host.write("pods/a.yaml", pagePod(A));
  host.write("foreground/readme.txt", "no spec\n");
  await host.ok(["watch", "--install", "/home/alice/pods"]);
  await eventually("pod a runs", () => runs("a"), APPLIED);
});
after(() => host.stop());

async function runs(pod: string): Promise<boolean> {
  return (await host.unit(`pod-${pod}.service`)).active === "active";
}

/** What the watcher's unit has written to the journal. */
function reported(): Promise<string> {
  return host.journal("--user-unit", WATCH);
}

/** Milliseconds from `saved` (of process.hrtime) until systemd called the unit active; both are the kernel's monotonic clock. */
async function since(saved: bigint, unit: string): Promise<number> {
  const active = BigInt(await host.property(unit, "ActiveEnterTimestampMonotonic")) * 1000n;
  assert.ok(active > saved, `${unit} was active before the file was saved`);
  return Math.round(Number(active - saved) / 1e6);
}

/** Saves a changed `log` container of a pod and waits until it runs; the time is printed. */
async function change(t: TestContext, pod: typeof A, word: string, save: (text: string) => void): Promise<void> {
  const unit = `pod-${pod.name}_log.service`;
  const before = (await host.unit(unit)).invocation;
  const saved = process.hrtime.bigint();
  save(pagePod({ ...pod, word }));
  await eventually(`${unit} is another`, async () => ![before, ""].includes((await host.unit(unit)).invocation), APPLIED);
  await eventually(`${unit} is active`, async () => (await host.unit(unit)).active === "active", APPLIED);
  t.diagnostic(`from the save to ${unit} being active: ${await since(saved, unit)} ms`);
}

test("install makes a unit that is enabled, and applies what is there", async () => {
  assert.equal(await host.property(WATCH, "ActiveState"), "active");
  assert.equal(await host.property(WATCH, "UnitFileState"), "enabled");
  assert.match(await reported(), /^pod\/a created$/m);
});

test("a file that is written into the folder is applied", async (t) => {
  const saved = process.hrtime.bigint();
  host.write("pods/b.yaml", pagePod(B));
  await eventually("pod b runs", () => runs("b"), APPLIED);
  t.diagnostic(`from the save to pod-b.service being active: ${await since(saved, "pod-b.service")} ms`);
  await host.answers("http://127.0.0.1:18082/", "page of b\n", APPLIED);
});

test("a file that is changed restarts what changed, whether it is written in place or renamed into it", async (t) => {
  const others = [await host.invocations("a"), (await host.invocations("b"))["pod-b_app.service"]];
  await change(t, B, "renamed", (text) => host.write("pods/b.yaml", text));
  await change(t, B, "in-place", (text) => host.writeInPlace("pods/b.yaml", text));
  assert.deepEqual([await host.invocations("a"), (await host.invocations("b"))["pod-b_app.service"]], others);
});

test("a broken file changes nothing and is reported once; mended, it is applied", async (t) => {
  const before = [await host.invocations("a"), await host.invocations("b")];
  host.write("pods/b.yaml", pagePod(B).replace("image:", "imagee:"));
  await eventually("a report", async () => /pods\/b\.yaml:\d+:\d+: error: .*imagee/.test(await reported()), APPLIED);
  // A look at the folder for another reason does not report it again.
  await change(t, A, "meanwhile", (text) => host.write("pods/a.yaml", text));
  assert.equal((await reported()).match(/b\.yaml:\d+:\d+: error: .*imagee/g)?.length, 1);
  assert.deepEqual(await host.invocations("b"), before[1]);
  await change(t, B, "mended", (text) => host.write("pods/b.yaml", text));
});

test("a burst of 20 saves is applied as one or two changes, the last of which counts", async (t) => {
  const starts = async () => (await host.ok(["logs", "b/log"])).split("\n").filter((line) => line.startsWith("burst")).length;
  for (let n = 1; n <= 20; n++) {
    host.write("pods/b.yaml", pagePod({ ...B, word: `burst-${n}` }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await eventually("the last one runs", async () => /^burst-20$/m.test(await host.ok(["logs", "b/log"])), APPLIED);
  t.diagnostic(`20 saves made ${await starts()} starts`);
  assert.ok((await starts()) <= 2);
});

test("a pod that was stopped by hand gets its new files and is not started", async () => {
  await host.ok(["stop", "b"]);
  host.write("pods/b.yaml", pagePod({ ...B, word: "while-stopped" }));
  const bundle = ".local/share/podgen/pods/b/log/config.json";
  await eventually("the new bundle", () => host.read(bundle)?.includes("while-stopped"), APPLIED);
  // Another look for another reason does not start it either.
  host.write("pods/a.yaml", pagePod({ ...A, word: "again" }));
  await eventually("pod a has changed", async () => /^again$/m.test(await host.ok(["logs", "a/log"])), APPLIED);
  assert.equal(await runs("b"), false);
  assert.equal((await host.unit("pod-b_log.service")).active, "inactive");
  await host.ok(["start", "b"]);
  await eventually("the new word", async () => /^while-stopped$/m.test(await host.ok(["logs", "b/log"])), APPLIED);
});

test("a file that stays away is reported after 5 s and its pod goes on; one that comes back in time is not missed", async () => {
  const before = await host.invocations("b");
  const text = host.read("pods/b.yaml") ?? "";
  host.remove("pods/b.yaml");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  host.write("pods/b.yaml", text);
  await new Promise((resolve) => setTimeout(resolve, 4500));
  assert.doesNotMatch(await reported(), /b\.yaml is gone/);
  const gone = performance.now();
  host.remove("pods/b.yaml");
  await eventually("a report", async () => /pods\/b\.yaml is gone; its pods go on: b\./.test(await reported()), APPLIED);
  const after = performance.now() - gone;
  assert.ok(after > 4500, `reported already after ${Math.round(after)} ms`);
  assert.deepEqual(await host.invocations("b"), before);
});

test("with --prune, what was away before is deleted, and so is what goes", async () => {
  await host.ok(["watch", "--install", "--prune", "/home/alice/pods"]);
  await eventually("pod b is gone", async () => (await host.units("pod-b*")).size === 0, APPLIED);
  assert.match(await reported(), /^pod\/b deleted \(.*b\.yaml is gone\)$/m);
  host.write("pods/b.yaml", pagePod(B));
  await eventually("pod b is back", () => runs("b"), APPLIED);
  host.remove("pods/b.yaml");
  await eventually("pod b is gone", async () => (await host.units("pod-b*")).size === 0, APPLIED);
  assert.equal(await runs("a"), true);
});

test("the watcher survives a reboot", async (t) => {
  await host.reboot();
  await eventually("pod a runs", () => runs("a"), APPLIED);
  await eventually("it watches", async () => (await host.journal("--user-unit", WATCH, "--boot")).includes("watching"), APPLIED);
  await change(t, A, "after-boot", (text) => host.write("pods/a.yaml", text));
});

test("uninstall takes the unit away and leaves the pods", async () => {
  await host.ok(["watch", "--uninstall", "/home/alice/pods"]);
  assert.equal(await host.property(WATCH, "LoadState"), "not-found");
  assert.equal(host.read(`.config/systemd/user/${WATCH}`), undefined);
  assert.equal(await runs("a"), true);
  assert.notEqual((await host.podgen(["watch", "--uninstall", "/home/alice/pods"])).code, 0);
});

test("in the foreground: events as JSON, and SIGTERM ends it with 0", async () => {
  const words = ["timeout", "--preserve-status", "8", "podgen", "watch", "/home/alice/foreground", "-o", "json"];
  const watching = host.run(words, { timeout: 30_000 });
  setTimeout(() => host.write("foreground/bad.yaml", "apiVersion: v1\nkind: Podd\n"), 2500);
  setTimeout(() => host.write("foreground/c.yaml", pagePod({ name: "c", port: 18083 })), 3500);
  const { code, stdout, stderr } = await watching;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^watching \/home\/alice\/foreground$/m);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map((event) => [event.type, event.pod ?? event.source]),
    [
      ["rejected", "/home/alice/foreground/bad.yaml"],
      ["applied", "c"],
    ],
  );
  assert.equal(await runs("c"), true);
});
