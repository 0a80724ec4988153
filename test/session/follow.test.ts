// podgen events and status --watch: what happens is told as it happens, and once.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { DIST, PodHost } from "../lib/pods.js";
import { CHECKOUT, eventually } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgfollow");
});
after(() => host.stop());

/** A podgen that goes on until it is stopped, and what it has printed. */
class Following {
  said = "";
  readonly #process: ChildProcess;

  constructor(...words: string[]) {
    this.#process = spawn(`${CHECKOUT}/test/harness/session.sh`, ["run", host.user, `${DIST}/podgen`, ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
  }

  /** Whole lines as objects. */
  get items(): Record<string, unknown>[] {
    return this.said
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
  }
}

const apply = (name: string, command?: string, policy?: "Never") =>
  host.ok([
    "apply",
    "--no-wait",
    host.spec(`${name}.yaml`, smallPod({ name, ...(command ? { command } : {}), ...(policy ? { policy } : {}) })),
  ]);

test("a pod's life as lines of JSON: of its status, and of its events", async () => {
  const status = new Following("status", "--watch", "-o", "json");
  const events = new Following("events", "--watch", "-o", "json");
  await host.ok(["apply", host.spec("idle.yaml", smallPod({ name: "idle" }))]);
  await eventually("both listen", () => /"idle"/.test(status.said) && /"idle"/.test(events.said), 20_000);
  await apply("one", '[sh, -c, "exit 3"]', "Never");
  const phases = () => status.items.filter((i) => i["name"] === "one").map((i) => i["phase"]);
  await eventually("status has the end", () => phases().at(-1) === "Failed", 20_000);
  const told = () => events.items.filter((i) => i["pod"] === "one" && i["container"] === "app");
  await eventually("events have the end", () => told().some((i) => i["type"] === "Failed"), 20_000);
  assert.deepEqual(
    told().map((i) => i["type"]),
    ["Started", "Ended", "Failed"],
  );
  assert.equal(told()[1]?.["exitCode"], 3);
  await host.ok(["delete", "one"]);
  await eventually("it is gone", () => phases().at(-1) === "Deleted", 20_000);
  const lines = status.items.filter((i) => i["name"] === "one").map((i) => JSON.stringify(i));
  assert.equal(new Set(lines).size, lines.length, "no line twice");
  await Promise.all([status.stop(), events.stop()]);
});

test("what has been: all, of one pod or container, the last so many; of what is gone, too", async () => {
  const lines = async (...words: string[]) => (await host.ok(["events", ...words])).split("\n").slice(0, -1);
  const all = await lines();
  assert.ok(all.some((l) => / Ready +pod\/idle /.test(l)) && all.some((l) => / Ended +pod\/one\/app /.test(l)), all.join("\n"));
  assert.ok((await lines("one/app")).every((l) => l.includes("pod/one/app ")));
  const [last] = await lines("one", "--tail", "1");
  assert.equal((await lines("one")).at(-1), last);
  assert.deepEqual(await lines("one", "--since", "2000-01-01"), await lines("one"));
});

test("off a terminal the view is printed again when it changes; a format that cannot go on is refused", async () => {
  const view = new Following("status", "--watch");
  await eventually("it is shown", () => /^idle +1\/1 +Running/m.test(view.said), 20_000);
  await host.ok(["stop", "idle"]);
  await eventually("the stop is shown", () => /\n\nNAME [\s\S]*^idle +0\/1 +Stopped/m.test(view.said), 20_000);
  await view.stop();
  const refused = await host.podgen(["status", "--watch", "-o", "yaml"]);
  assert.deepEqual([refused.code, /--watch prints text or json/.test(refused.stderr)], [64, true]);
});
