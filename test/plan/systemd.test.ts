// Containers whose command is an init: which they are, and what they get.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageConfig } from "../../src/base/facts.js";
import type { Container, PodModel } from "../../src/model/types.js";
import { startsInit } from "../../src/plan/systemd.js";
import type { PlannedContainer } from "../../src/plan/types.js";
import { at, configMap, container, goodPlan, imageFacts, modelOf, pod, volumeMount } from "../lib/models.js";

const commands: readonly [boolean, ...string[]][] = [
  [true, "/sbin/init"],
  [true, "/usr/sbin/init"],
  [true, "/usr/local/sbin/init"],
  [true, "/sbin/init", "3"],
  [true, "/lib/systemd/systemd"],
  [true, "/usr/lib/systemd/systemd", "--log-level=debug"],
  [true, "/opt/systemd"],
  [true, "systemd"],
  [true, "/bin/sh", "-c", "/sbin/init"],
  [true, "/bin/sh", "-c", "/usr/lib/systemd/systemd"],
  [false, "/bin/sh", "-c", "/sbin/init; true"],
  [false, "/bin/sh", "-c"],
  [false, "sh", "-c", "/sbin/init"],
  [false, "/bin/init"],
  [false, "/init"],
  [false, "init"],
  [false, "/usr/bin/systemd-run"],
  [false, "/lib/systemd/systemd/"],
  [false, "/tini", "/sbin/init"],
];
for (const [wanted, ...words] of commands)
  test(`${words.join(" ")} is ${wanted ? "an" : "no"} init`, () => assert.equal(startsInit(words), wanted));

function planned(over: Partial<Container>, config: Partial<ImageConfig> = {}, podOver: Partial<PodModel> = {}): PlannedContainer {
  const model = modelOf(pod("web", { containers: [container("app", over)], ...podOver }), configMap("c", { k: "v" }));
  const [first] = goodPlan(model, { images: [imageFacts(undefined, config)] }).pods[0]?.containers ?? [];
  assert.ok(first);
  return first;
}

const init = { command: ["/sbin/init"] };
const targets = (c: PlannedContainer) => c.mounts.map((m) => `${m.type} ${m.destination}`);

test("the image's command counts as the spec's does, merged", () => {
  assert.ok(planned({}, { cmd: ["/sbin/init"] }).writableCgroup);
  assert.ok(planned({ args: ["3"] }, { entrypoint: ["/sbin/init"], cmd: [] }).writableCgroup);
  assert.ok(!planned({ command: ["sh"] }, { entrypoint: ["/sbin/init"] }).writableCgroup);
  assert.ok(!planned({}, { entrypoint: ["/tini"], cmd: ["/sbin/init"] }).writableCgroup);
});

test("who is no init gets nothing of it", () => {
  const { env, mounts, stopSignal } = planned({});
  assert.deepEqual([env.filter((e) => e.startsWith("container=")), mounts, stopSignal], [[], [], "SIGTERM"]);
});

test("an init gets its folders of memory, parents first", () => {
  assert.deepEqual(targets(planned(init)), ["tmpfs /run", "tmpfs /run/lock", "tmpfs /tmp", "tmpfs /var/log/journal"]);
});

test("a volume on one of them goes first; one below it lies in it", () => {
  const volumes = ["run", "deep", "journal"].map((name) => ({ name, source: { kind: "emptyDir", medium: "" } as const, at: at() }));
  const files = {
    name: "tmp",
    source: { kind: "configMap", name: "c", optional: false, items: [], defaultMode: 0o644 } as const,
    at: at(),
  };
  const volumeMounts = [
    volumeMount("deep", "/run/lock/deep"),
    volumeMount("run", "/run/"),
    volumeMount("journal", "/var/log/journal/old"),
    volumeMount("tmp", "/tmp"),
  ];
  const got = planned({ ...init, volumeMounts }, {}, { volumes: [...volumes, files] });
  const wanted = ["bind /run", "tmpfs /run/lock", "bind /run/lock/deep", "tmpfs /var/log/journal", "bind /var/log/journal/old"];
  assert.deepEqual(targets(got), wanted);
  assert.deepEqual(
    got.files.map((f) => f.destination),
    ["/tmp"],
  );
});

test("it is stopped as systemd wants to be, unless the image says how", () => {
  assert.equal(planned(init).stopSignal, "SIGRTMIN+3");
  assert.equal(planned(init, { stopSignal: "SIGTERM" }).stopSignal, "SIGTERM");
});

test("it is told that it is in a container, unless image or spec say in which", () => {
  const said = (c: PlannedContainer) => c.env.filter((e) => e.startsWith("container="));
  assert.deepEqual(said(planned(init)), ["container=podgen"]);
  assert.deepEqual(said(planned(init, { env: ["container=oci"] })), ["container=oci"]);
  const env = [{ name: "container", source: { kind: "value", value: "" } as const, at: at() }];
  assert.deepEqual(said(planned({ ...init, env })), ["container="]);
});
