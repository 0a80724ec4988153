// What stands on the command line: names, sources, formats and options, each to what it does and the exit code it gives.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { DIST, PodHost } from "../lib/pods.js";
import { installedFiles, smallPod } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgwords");
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web", port: 18261 }))]);
});
after(() => host.stop());

test("exec: 125 is podgen's own failure, 64 wrong usage, anything else the command's", async () => {
  const exec = async (...words: string[]) => {
    const ran = await host.podgen(["exec", ...words]);
    return [ran.code, /^podgen: error: (.*)/.exec(ran.stderr)?.[1]];
  };
  assert.deepEqual(await exec("web", "--", "sh", "-c", "exit 1"), [1, undefined]);
  assert.deepEqual(await exec("nopod", "--", "true"), [125, 'there is no pod "nopod"']);
  assert.deepEqual(await exec("web/none", "--", "true"), [125, 'pod web has no container "none"']);
  assert.deepEqual(await exec("web/app", "-c", "log", "--", "true"), [64, "web/app and -c log name two containers"]);
  assert.deepEqual(await exec("web/app", "-c", "app", "--", "true"), [0, undefined]);
  assert.deepEqual(await exec("web"), [64, "say what to run: podgen exec POD/CONTAINER -- COMMAND"]);
  const noBus = await host.podgen(["exec", "web", "--", "true"], { env: { XDG_RUNTIME_DIR: "", DBUS_SESSION_BUS_ADDRESS: "" } });
  assert.equal(noBus.code, 125, noBus.stderr);
  await host.ok(["stop", "web"]);
  assert.deepEqual(await exec("web", "--", "true"), [125, "web/app does not run (Stopped)"]);
  await host.ok(["start", "web"]);
});

test("status and ps of a container: that one alone, and an error where there is none", async () => {
  const spec = smallPod({ name: "pair", more: "    - name: done\n      image: IMAGE\n      command: [sleep, '3600']\n" });
  await host.ok(["apply", host.spec("pair.yaml", spec.replace("IMAGE", /image: (\S+)/.exec(spec)?.[1] ?? ""))]);
  assert.equal(await host.ok(["ps", "-o", "name", "pair/done"]), "pair/done\n");
  assert.equal(await host.ok(["ps", "-o", "name", "web", "pair/app"]), "pair/app\nweb/app\n");
  assert.equal(await host.ok(["ps", "-o", "name", "pair/app", "pair"]), "pair/app\npair/done\n");
  assert.doesNotMatch(await host.ok(["status", "pair/done"]), /^app /m);
  for (const verb of ["ps", "status"]) {
    const ran = await host.podgen([verb, "pair/nonexistent"]);
    assert.deepEqual([ran.code, ran.stdout], [1, ""], verb);
    assert.match(ran.stderr, /pod pair has no container "nonexistent"\n {2}hint: containers: app, done/);
  }
  await host.ok(["stop", "pair/done"]);
  assert.equal((await host.podgen(["status", "pair/done"])).code, 3);
  assert.equal((await host.podgen(["status", "pair/app"])).code, 0);
  await host.ok(["delete", "pair"]);
});

test("listings: text, wide, json, yaml and names", async () => {
  assert.match(await host.ok(["status"]), /^NAME +READY +STATUS +RESTARTS +AGE +PORTS\nweb +1\/1 +Running +0 +\d+s +18261\/tcp\n$/);
  assert.match(await host.ok(["status", "-o", "wide"]), /BOOT +WORKLOAD +SOURCE\nweb .* enabled +- +\/.*\/specs\/web\.yaml\n$/);
  assert.match(await host.ok(["ps", "-o", "wide"]), /UNIT +DIGEST\nweb +app +Running .* pod-web_app\.service +sha256:[0-9a-f]{12}\n$/);
  const pods = JSON.parse(await host.ok(["status", "-o", "json"]));
  assert.deepEqual([pods.apiVersion, pods.kind, pods.items.length], ["podgen.io/v1", "PodList", 1]);
  assert.deepEqual([pods.items[0].name, pods.items[0].phase, pods.items[0].containers[0].name], ["web", "Running", "app"]);
  const containers = JSON.parse(await host.ok(["ps", "-o", "json"]));
  assert.deepEqual([containers.kind, containers.items[0].pod, containers.items[0].unit], ["ContainerList", "web", "pod-web_app.service"]);
  assert.match(await host.ok(["ps", "-o", "yaml"]), /^apiVersion: podgen\.io\/v1\nkind: ContainerList\nitems:\n {2}- pod: web\n/);
  assert.equal(await host.ok(["status", "-o", "name"]), "pod/web\n");
  const lines = (await host.ok(["logs", "web", "-o", "json"])).split("\n").filter(Boolean);
  for (const line of lines) assert.equal(JSON.parse(line).container, "app");
});

test("wrong values of options change nothing and say which", async () => {
  const files = installedFiles(host.session.home);
  const spec = host.spec("other.yaml", smallPod({ name: "other" }));
  for (const [words, said] of [
    [["apply", spec, "--timeout", "soon"], /--timeout soon: expected/],
    [["apply", spec, "--timeout=-1"], /--timeout -1: expected/],
    [["logs", "web", "--tail=-5"], /--tail -5: expected/],
  ] as const) {
    const ran = await host.podgen(words);
    assert.deepEqual([ran.code, ran.stdout], [64, ""], words.join(" "));
    assert.match(ran.stderr, said);
  }
  assert.deepEqual(installedFiles(host.session.home), files);
});

test("--timeout 2s is two seconds", async () => {
  const slow = smallPod({ name: "slow", command: "[sleep, '3600']" }).replace(
    "  containers:",
    "  initContainers:\n    - { name: never, image: IMAGE, command: [sleep, '3600'] }\n  containers:",
  );
  const began = performance.now();
  const ran = await host.podgen([
    "apply",
    "--timeout",
    "2s",
    host.spec("slow.yaml", slow.replace("IMAGE", /image: (oci\S+)/.exec(slow)?.[1] ?? "")),
  ]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.match(ran.stderr, /did not become ready in time/);
  assert.ok(performance.now() - began < 20_000, "not the 60 s of the default");
});

test("--no-wait does not judge: the apply is done while the container still starts", async () => {
  const doomed = smallPod({ name: "doomed", policy: "Never", command: "[/no/such/program]" });
  const ran = await host.podgen(["apply", "--no-wait", host.spec("doomed.yaml", doomed)]);
  assert.deepEqual([ran.code, ran.stdout], [0, "pod/doomed created\n"], ran.stderr);
  assert.match(await host.ok(["status"]), /^doomed /m);
  await host.ok(["delete", "doomed"]);
});

test("a spec by URL, by standard input and by a pipe", async () => {
  const text = smallPod({ name: "far" });
  const server = createServer((request, response) => {
    if (request.url === "/far.yaml") response.end(text);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assert.equal(await host.ok(["apply", `${url}/far.yaml`]), "pod/far created\n");
    const [far] = JSON.parse(await host.ok(["status", "-o", "json"])).items;
    assert.equal(far.source, `${url}/far.yaml`);
    const missing = await host.podgen(["apply", `${url}/missing.yaml`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /missing\.yaml: HTTP 404/);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  const gone = await host.podgen(["validate", `${url}/far.yaml`]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /far\.yaml: .*ECONNREFUSED/);
  // Where it came from is remembered, and is no reason to restart it.
  const before = await host.incarnation("pod-far_app.service");
  assert.equal(await host.ok(["apply", "-"], { input: text }), "pod/far configured\n");
  assert.equal(await host.ok(["apply", "-"], { input: text }), "pod/far unchanged\n");
  assert.equal(await host.incarnation("pod-far_app.service"), before);
  const file = host.spec("far.yaml", text);
  for (const line of [
    `podgen validate <(cat ${file})`,
    `cat ${file} | podgen validate /dev/stdin`,
    `podgen validate /dev/stdin < ${file}`,
  ]) {
    const ran = await host.run(["bash", "-c", `PATH=${DIST}:$PATH; ${line}`]);
    assert.deepEqual([ran.code, ran.stdout + ran.stderr], [0, "valid: 1 pods, 0 config maps, 0 secrets\n"], line);
  }
  const prune = await host.run(["bash", "-c", `${DIST}/podgen apply --prune <(cat ${file})`]);
  assert.equal(prune.code, 64, prune.stderr);
  const device = await host.podgen(["validate", "/dev/zero"]);
  assert.equal(device.code, 1);
  assert.match(device.stderr, /\/dev\/zero: neither a file nor a folder nor a pipe/);
  await host.ok(["delete", "far"]);
});

test("--prune deletes what is no longer in the same source, diff --prune says so, and no other source loses a pod", async () => {
  const both = `${smallPod({ name: "kept" })}---\n${smallPod({ name: "gone" })}`;
  const source = host.spec("both.yaml", both);
  assert.equal(await host.ok(["apply", source]), "pod/kept created\npod/gone created\n");
  host.spec("both.yaml", smallPod({ name: "kept" }));
  assert.equal((await host.podgen(["diff", source])).code, 0);
  assert.equal(await host.ok(["apply", source]), "pod/kept unchanged\n");
  const shown = await host.podgen(["diff", "--prune", source]);
  assert.equal(shown.code, 1, shown.stderr);
  assert.match(shown.stdout, /gone/);
  assert.doesNotMatch(shown.stdout, /pod-web|pod-kept/);
  assert.match(await host.ok(["status", "-o", "name"]), /^pod\/gone$/m);
  assert.match(await host.ok(["apply", "--prune", source]), /^pod\/gone deleted$/m);
  assert.equal(await host.ok(["status", "-o", "name"]), "pod/kept\npod/web\n");
  assert.equal((await host.podgen(["diff", "--prune", source])).code, 0);
  await host.ok(["delete", "kept"]);
});
