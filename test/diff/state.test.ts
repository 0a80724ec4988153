// The verdict as the state of the units and of what runs has it; the files are the same before and after unless said.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitState } from "../../src/base/installed.js";
import { checkForeign, makeChangeSet } from "../../src/diff/index.js";
import { shownSecret } from "../../src/diff/unified.js";
import type { Rendered } from "../../src/render/types.js";
import { acts, unitState, type World, worldOf } from "../lib/installed.js";
import { at, configMap, container, imageFacts, initContainer, modelOf, pod, port, renderOf, secret, volumeMount } from "../lib/models.js";

const web = pod("web", { initContainers: [initContainer("prep")], containers: [container("app", { ports: [port(80, 8080)] })] });
const rendered = renderOf(modelOf(web));
/** The same pod with another argument for app. */
const other = renderOf(modelOf({ ...web, containers: [container("app", { ports: [port(80, 8080)], args: ["-v"] })] }));
const APP = "pod-web_app.service";

function change(world: World, wanted: Rendered = rendered, prune: string[] = []) {
  const changes = makeChangeSet(wanted, world, { prune });
  return { changes, first: changes.pods[0], acts: acts(changes.pods[0]) };
}
function set(world: World, name: string, over: Partial<UnitState>, service: Partial<NonNullable<UnitState["service"]>> = {}): World {
  world.units.set(name, unitState(name, over, service));
  return world;
}
const inactive = { activeState: "inactive", subState: "dead" };
const exited = (status: number) => ({ execMainCode: 1, execMainStatus: status, result: status === 0 ? "success" : "exit-code" });

test("what is applied and runs is left alone", () => {
  const { changes } = change(worldOf(rendered));
  assert.deepEqual([changes.empty, changes.reload, changes.pods[0]?.verdict], [true, false, "unchanged"]);
});

test("killed between writing and restarting: the running container tells of which bundle it is", () => {
  const world = worldOf(other);
  const old = worldOf(rendered).running.get("web/app");
  assert.ok(old);
  world.running.set("web/app", old);
  const result = change(world, other);
  assert.deepEqual(result.acts, [`${APP}: restart (bundle changed)`]);
  assert.equal(result.changes.empty, false);
});

test("files that are updated in place: no restart, one reload, and none once the running container has them", () => {
  const volumes = [{ name: "v", source: { kind: "configMap", name: "c", defaultMode: 0o644, optional: false } as const, at: at() }];
  const live = (value: string, subPath = "") => {
    const app = container("app", { updatesFiles: true, reloadSignal: 1, volumeMounts: [volumeMount("v", "/v", { subPath })] });
    return renderOf(modelOf({ ...web, containers: [app], volumes }, configMap("c", { key: value })));
  };
  const { first, acts: done } = change(worldOf(live("old")), live("new"));
  assert.deepEqual(done, [`${APP}: reload (files of its volumes changed: updated in place)`]);
  assert.equal(first?.units.find((u) => u.unit === APP)?.refresh, true);
  assert.deepEqual(change(worldOf(live("new")), live("new")).acts, []);
  // Killed after the files were written: the running container says which it has.
  const killed = worldOf(live("new"));
  const had = worldOf(live("old")).running.get("web/app");
  assert.ok(had);
  killed.running.set("web/app", had);
  assert.deepEqual(change(killed, live("new")).acts, done);
  killed.running.set("web/app", { ...had, alive: false });
  assert.deepEqual(change(killed, live("new")).acts, []);
  // A file by itself cannot be exchanged.
  assert.match(
    change(worldOf(live("old", "key")), live("new", "key")).acts.join(),
    /app\.service: restart \(bundle changed: files of ConfigMaps and Secrets\)/,
  );
});

test("killed before the manager had read the new units", () => {
  const { changes, acts: done } = change(set(worldOf(rendered), APP, { needDaemonReload: true }));
  assert.equal(changes.reload, true);
  assert.deepEqual(done, [`${APP}: reload (unit file not loaded yet)`]);
});

test("a living container is what counts, not the bundle on disk", () => {
  const world = worldOf(other);
  const state = worldOf(rendered).running.get("web/app");
  assert.ok(state);
  world.running.set("web/app", state);
  assert.deepEqual(change(world, rendered).acts, []);
});

test("a container that never came up is started anew with a mended bundle", () => {
  const world = set(worldOf(rendered), APP, { activeState: "activating", subState: "auto-restart" }, exited(127));
  world.running.delete("web/app");
  assert.deepEqual(change(world, other).acts, [`${APP}: restart (bundle changed: command)`]);
});

test("one that crashes in a loop is mended also by going back to what ran before", () => {
  const world = set(worldOf(other), APP, { activeState: "activating", subState: "auto-restart" }, exited(127));
  const good = worldOf(rendered).running.get("web/app");
  assert.ok(good);
  world.running.set("web/app", { ...good, alive: false });
  assert.deepEqual(change(world, rendered).acts, [`${APP}: restart (bundle changed: command)`]);
});

test("killed while a change was being taken back: what waits for its next try is not waited for", () => {
  const world = set(worldOf(rendered), APP, { activeState: "activating", subState: "auto-restart" }, exited(127));
  const state = world.running.get("web/app");
  const entry = world.manifest.pods["web"];
  assert.ok(state && entry);
  world.running.set("web/app", { ...state, alive: false });
  assert.deepEqual(change(world).acts, []);
  world.manifest.pods["web"] = { ...entry, unfinished: true };
  assert.deepEqual(change(world).acts, [`${APP}: restart (an earlier apply was interrupted)`]);
  world.running.set("web/app", state);
  const result = change(world);
  assert.deepEqual([result.acts, result.changes.empty], [[], false], "the manifest is written anew");
});

test("killed in a delete: enabled once more, whatever the manager still believes", () => {
  const world = worldOf(rendered);
  const entry = world.manifest.pods["web"];
  assert.ok(entry);
  world.manifest.pods["web"] = { ...entry, unfinished: true };
  assert.deepEqual(change(world).first?.enable, ["pod-web.service"]);
});

test("one that is down is started, with the reason", () => {
  assert.deepEqual(change(set(worldOf(rendered), APP, inactive)).acts, [`${APP}: start (not running)`]);
  assert.equal(change(set(worldOf(rendered), APP, inactive)).first?.verdict, "started");
  const failed = set(worldOf(rendered), APP, { activeState: "failed" }, exited(1));
  assert.deepEqual(change(failed).acts, [`${APP}: start (failed (exit-code))`]);
});

test("a stopped pod is started; enabling it once more is no change", () => {
  const world = worldOf(rendered);
  world.units.clear();
  const { first } = change(world);
  assert.equal(first?.verdict, "started");
  assert.deepEqual(first?.enable, ["pod-web.service"]);
  assert.ok(first?.units.find((u) => u.role === "pod")?.verdict === "start");
  assert.ok(first?.units.every((u) => u.verdict === "start" || u.role === "slice" || u.role === "forward"));
});

test("a pod that somebody disabled is enabled again", () => {
  const { first } = change(set(worldOf(rendered), "pod-web.service", { unitFileState: "disabled" }));
  assert.deepEqual([first?.verdict, first?.enable], ["configured", ["pod-web.service"]]);
});

for (const [policy, status, wanted] of [
  ["Never", 0, []],
  ["OnFailure", 0, []],
  ["Always", 0, ["start (not running)"]],
  ["Never", 1, ["start (not running)"]],
] as const)
  test(`restartPolicy ${policy}, ended with ${status}: ${wanted.join() || "unchanged"}`, () => {
    const job = renderOf(modelOf({ ...web, restartPolicy: policy }));
    assert.deepEqual(
      change(set(worldOf(job), APP, inactive, exited(status)), job).acts,
      wanted.map((w) => `${APP}: ${w}`),
    ); // prettier-ignore
  });

test("a completed container with another bundle runs again", () => {
  const job = (args: string[]) => renderOf(modelOf({ ...web, restartPolicy: "Never", containers: [container("app", { args })] }));
  const world = set(worldOf(job([])), APP, inactive, exited(0));
  assert.deepEqual(change(world, job(["x"])).acts, [`${APP}: start (not running; bundle changed: command)`]);
});

test("a forwarder that nobody has called is not started; a socket that is closed is", () => {
  assert.deepEqual(change(set(worldOf(rendered), "pod-web__8080-tcp.socket", inactive)).acts, [
    "pod-web__8080-tcp.socket: start (not running)",
  ]);
});

test("an uplink without pasta is done", () => {
  const world = set(worldOf(rendered), "pod-web__uplink.service", inactive, { execMainCode: 1, execMainStatus: 77 });
  assert.deepEqual(change(world).acts, []);
});

test("infra's restart takes the others along; what is down is started all the same", () => {
  const before = worldOf(rendered);
  const infra = before.running.get("web/_infra");
  const app = before.running.get("web/app");
  assert.ok(infra && app);
  before.running.set("web/_infra", { ...infra, digest: "0" });
  before.running.set("web/app", { ...app, digest: "0" });
  const along = "restarts with pod-web__infra.service";
  assert.deepEqual(change(before).acts, [
    "pod-web__infra.service: restart (bundle changed)",
    `pod-web__uplink.service: restart (${along})`,
    `pod-web_prep.service: restart (${along})`,
    `${APP}: restart (bundle changed; ${along}; restarts with pod-web_prep.service)`,
  ]);
  assert.ok(change(set(before, APP, inactive)).acts.includes(`${APP}: start (not running; bundle changed)`));
});

test("a file that somebody changed or removed is put right", () => {
  const world = worldOf(rendered);
  const path = [...world.files.keys()].find((p) => p.endsWith(APP)) ?? "";
  const text = new TextDecoder().decode(world.files.get(path));
  world.files.set(path, new TextEncoder().encode(text.replace("Slice=", "Slice=x-")));
  assert.deepEqual(change(world).acts, [`${APP}: restart (unit file: Slice)`]);
  world.files.set(path, new TextEncoder().encode(`# more\n${text}`));
  assert.deepEqual(change(world).acts, [`${APP}: reload (unit file: comments)`]);
  world.files.delete(path);
  assert.deepEqual(change(world).acts, [`${APP}: reload (unit file was gone)`]);
});

test("a socket whose address changes is opened anew", () => {
  const world = worldOf(rendered);
  const path = [...world.files.keys()].find((p) => p.endsWith(".socket")) ?? "";
  world.files.set(path, new TextEncoder().encode("[Socket]\nListenStream=1\n"));
  assert.match(change(world).acts.join(), /8080-tcp\.socket: restart \(unit file: .*ListenStream/);
});

test("an image with the same content under another digest: the manifest is written, nothing restarts", () => {
  const again = renderOf(modelOf(web), { images: [{ ...imageFacts(), digest: `sha256:${"f".repeat(64)}` }] });
  const { changes, first, acts: done } = change(worldOf(rendered), again);
  assert.deepEqual([changes.empty, first?.verdict, done, first?.files], [false, "configured", [], []]);
});

test("the manifest names files with digests, units, init containers, images", () => {
  const { first } = change(worldOf(rendered));
  assert.deepEqual(first?.manifest?.inits, ["prep"]);
  assert.deepEqual(first?.manifest?.enabled, ["pod-web.service"]);
  assert.deepEqual(Object.keys(first?.manifest?.images ?? {}), ["prep", "app"]);
  assert.match(first?.manifest?.files[0]?.sha256 ?? "", /^[0-9a-f]{64}$/);
});

test("the manifest names the objects a pod refers to: they are kept as long as it is", () => {
  const env = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
  const user = renderOf(modelOf(pod("web", { containers: [container("app", { envFrom: [env] })] }), secret("s", { K: "v" })));
  assert.deepEqual(change(worldOf(user), user).first?.manifest?.objects, ["Secret/s"]);
});

test("pods that are not in this apply stay, and a pod that is applied is not pruned", () => {
  const both = worldOf(renderOf(modelOf(web, pod("other"))));
  assert.deepEqual(
    change(both).changes.pods.map((p) => p.name),
    ["web"],
  );
  assert.equal(change(both, rendered, ["web", "nope"]).changes.empty, true);
});

test("a Secret's value that two pods share goes with the second of them", () => {
  const env = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
  const user = (name: string) => pod(name, { containers: [container("app", { envFrom: [env] })] });
  const nothing = { pods: [], shared: [], objects: {} };
  const world = worldOf(renderOf(modelOf(user("a"), user("b"), secret("s", { K: "v" }))));
  const removed = (prune: string[]) => makeChangeSet(nothing, world, { prune }).pods.flatMap((p) => p.files.filter((f) => f.secret));
  assert.deepEqual(removed(["a"]), []);
  const [file] = removed(["a", "b"]);
  assert.match(file?.path ?? "", /\/secrets\/s\/[0-9a-f]{32}\/K$/);
  assert.equal(file && shownSecret(file), "secret removed");
});

test("a value at a place that an older podgen named goes when it gets its new one", () => {
  const env = { kind: "secret", name: "s", prefix: "", optional: false, at: at() } as const;
  const model = modelOf(pod("a", { containers: [container("app", { envFrom: [env] })] }), secret("s", { K: "v" }));
  const world = worldOf(renderOf(model, { secretKey: new Uint8Array(32).fill(9) }));
  const [change] = makeChangeSet(renderOf(model), world, {}).pods;
  const moved = change?.files.filter((f) => f.secret).map((f) => f.action);
  assert.deepEqual(moved?.sort(), ["create", "remove"]);
  assert.ok(acts(change).some((line) => line.includes("app.service: restart (bundle changed: secret env K)")));
});

test("objects: kept for later applies, forgotten when asked", () => {
  const world = worldOf(renderOf(modelOf(configMap("c", { A: "1" }), secret("s", { B: "2" }))));
  const same = makeChangeSet(renderOf(modelOf(configMap("c", { A: "1" }))), world, {});
  assert.deepEqual([same.empty, Object.keys(same.objects).sort()], [true, ["ConfigMap/c", "Secret/s"]]);
  const gone = makeChangeSet({ pods: [], shared: [], objects: {} }, world, { pruneObjects: ["Secret/s", "Secret/nope"] });
  assert.deepEqual([gone.empty, Object.keys(gone.objects)], [false, ["ConfigMap/c"]]);
  assert.deepEqual(
    gone.shared.map((f) => [f.action, f.secret]),
    [["remove", true]],
  );
});

test("somebody else's unit is refused by name and path, the slice and the pause unit too", () => {
  const world = worldOf(rendered);
  for (const name of ["pod-web.service", "pod-web.slice", "podgen-pause.service", "unrelated.service"])
    world.foreign.set(name, `/etc/${name}`);
  const found = checkForeign(rendered, world);
  assert.deepEqual(
    found.map((d) => [d.code, d.severity]),
    Array(3).fill(["foreign-unit", "error"]),
  );
  assert.match(found[0]?.message ?? "", /podgen-pause\.service.*\/etc\/podgen-pause\.service/);
  assert.deepEqual(checkForeign(rendered, worldOf(rendered)), []);
});
