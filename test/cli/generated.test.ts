// podgen generate's folder: nothing lands beside it, whatever the XDG folders are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generatedPath } from "../../src/cli/generated.js";
import { configMap, hostFacts, modelOf, pod, renderOf } from "../lib/models.js";

for (const state of ["/s/podgen", "/home/alice/.local/state/podgen", "/a/very/long/way/to/the/state/of/things/podgen"])
  test(`units side by side, bundles and objects below their own folders (state in ${state})`, () => {
    const { paths } = hostFacts();
    const facts = hostFacts({ paths: { ...paths, state } });
    const rendered = renderOf(modelOf(pod("web"), configMap("c", { A: "1" })), { facts });
    const files = [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)];
    assert.deepEqual(files.map((f) => generatedPath(f, "/out", facts.paths)).sort(), [
      "/out/objects/ConfigMap-c.json",
      "/out/pod-web.service",
      "/out/pod-web.slice",
      "/out/pod-web__infra.service",
      "/out/pod-web__uplink.service",
      "/out/pod-web_app.service",
      "/out/podgen-pause.service",
      "/out/pods/web/_infra/config.json",
      "/out/pods/web/app/config.json",
    ]);
  });

test("a file of neither folder is a bug, and not written", () => {
  assert.throws(() => generatedPath({ path: "/etc/x", kind: "data" }, "/out", hostFacts().paths));
});
