// What an apply is judged by: what it acts on, as far as the manager can use it; not what was broken before.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";
import { ownFolders, smallPod, unitsOf } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgjudge");
});
after(() => host.stop());

const app = "pod-web_app.service";

test("a sibling in a crash loop of its own does not fail a change of another container", async () => {
  const tick = `    - { name: tick, image: "${image("busybox")}", command: [sh, -c, "sleep 1; exit 0"] }\n`;
  const web = (page: string) => host.spec("web.yaml", smallPod({ name: "web", port: 18241, page, more: tick }));
  await host.ok(["apply", web("one")]);
  const restarts = async () => Number(await host.property("pod-web_tick.service", "NRestarts"));
  await eventually("tick is in its back-off", async () => (await restarts()) >= 3, 40_000);
  const from = performance.now();
  assert.equal(await host.ok(["apply", web("two")]), "pod/web configured\n");
  assert.ok(performance.now() - from < 10_000, "tick is not waited for");
  assert.equal(await host.fetch("http://127.0.0.1:18241/"), "two\n");
  await host.ok(["delete", "web"]);
});

/** A drop-in of somebody's that systemd refuses: a oneshot that is to restart always. */
async function dropIn(present: boolean): Promise<void> {
  const folder = `${ownFolders(host.session.home).units}/${app}.d`;
  if (present) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/odd.conf`, "[Service]\nType=oneshot\nRestart=always\n");
  } else rmSync(folder, { recursive: true });
  assert.equal((await host.run(["systemctl", "--user", "daemon-reload"])).code, 0);
}

for (const more of [[], ["--no-wait"]])
  test(`a unit that the manager refuses to restart fails the apply at once, with its reason${more.map((m) => `: ${m}`).join()}`, async () => {
    const web = (page: string) => host.spec("web.yaml", smallPod({ name: "web", port: 18241, page }));
    await host.ok(["apply", web("one")]);
    const running = await host.incarnation(app);
    await dropIn(true);
    const from = performance.now();
    const ran = await host.podgen(["apply", ...more, web("two")]);
    assert.ok(performance.now() - from < 15_000, "nothing was waited for");
    await dropIn(false);
    assert.deepEqual([ran.code, ran.stdout], [4, "pod/web failed\n"]);
    const told = new RegExp(
      `^error: pod web: Unit ${app} has a bad unit file setting\\.\\n {2}next: systemctl --user status ${app}$`,
      "gm",
    );
    assert.equal(ran.stderr.match(told)?.length, 1, ran.stderr);
    // What ran has not noticed, and runs by its old files.
    assert.equal(await host.incarnation(app), running);
    assert.equal(await host.ok(["apply", web("one")]), "pod/web unchanged\n");
    assert.equal(await host.ok(["apply", ...more, web("two")]), "pod/web configured\n");
    await eventually("the new page", async () => (await host.fetch("http://127.0.0.1:18241/")) === "two\n");
    await host.ok(["delete", "web"]);
  });

test("a container that the manager cannot use fails a new pod at once", async () => {
  await dropIn(true);
  const from = performance.now();
  const ran = await host.podgen(["apply", host.spec("web.yaml", smallPod({ name: "web" }))]);
  assert.ok(performance.now() - from < 15_000, "nothing was waited for");
  await dropIn(false);
  assert.deepEqual([ran.code, ran.stdout], [1, "pod/web failed\n"]);
  assert.match(ran.stderr, /^error: pod web: Unit pod-web_app\.service has a bad unit file setting\.$/m);
  assert.deepEqual(await unitsOf(host), []);
});
