// Bundles: what the digest covers, layers, users, and what must not be there.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "../../src/model/types.js";
import type { RenderedPod } from "../../src/render/types.js";
import { container, type Given, hostFacts, imageFacts, modelOf, pod, renderOf } from "../lib/models.js";

function rendered(over: Partial<Container> = {}, given: Given = {}, podOver = {}): RenderedPod {
  const [first] = renderOf(modelOf(pod("web", { containers: [container("app", over)], ...podOver })), given).pods;
  assert.ok(first);
  return first;
}
interface Config {
  process: { env: string[] };
  hostname: string;
  linux: { namespaces: { type: string }[]; sysctl?: object; maskedPaths?: string[]; readonlyPaths?: string[] };
  annotations: Record<string, string>;
}
function config(result: RenderedPod, name: string): Config {
  const file = result.files.find((f) => f.path.endsWith(`/${name}/config.json`));
  return JSON.parse(new TextDecoder().decode(file?.bytes)) as Config;
}
const digest = (result: RenderedPod, name = "app") => result.units.find((u) => u.container === name)?.digest;

test("the unit knows the digest that its bundle says of itself", () => {
  const result = rendered();
  for (const name of ["app", "_infra"]) assert.equal(config(result, name).annotations["io.podgen.digest"], digest(result, name));
});

test("another path of the spec changes the annotation, not the digest", () => {
  const [here, there] = [rendered(), rendered({}, { source: "/elsewhere/web.yaml" })];
  assert.equal(config(there, "app").annotations["io.podgen.source"], "/elsewhere/web.yaml");
  assert.equal(digest(here), digest(there));
  assert.notDeepEqual(config(here, "app"), config(there, "app"));
});

test("everything else changes the digest; pulling, limits and restarts do not", () => {
  const before = digest(rendered());
  assert.notEqual(digest(rendered({ tty: true })), before);
  assert.notEqual(digest(rendered({ args: ["x"] })), before);
  assert.notEqual(digest(rendered({}, { images: [imageFacts(undefined, {}, "b")] })), before);
  assert.equal(digest(rendered({ imagePullPolicy: "Always", limits: { memoryBytes: 1 } })), before);
  assert.equal(digest(rendered({}, {}, { terminationGracePeriodSeconds: 1, restartPolicy: "Never" })), before);
});

const security = { readOnlyRootFilesystem: false, procMount: "Default", capabilitiesAdd: [], capabilitiesDrop: [] } as const;

test("procMount: Unmasked hides and write-protects nothing, Default the field's paths", () => {
  const { maskedPaths, readonlyPaths } = config(rendered({ security: { ...security, procMount: "Unmasked" } }), "app").linux;
  assert.deepEqual([maskedPaths, readonlyPaths], [[], []]);
  const usual = config(rendered(), "app").linux;
  assert.ok(usual.maskedPaths?.includes("/proc/kcore") && usual.readonlyPaths?.includes("/proc/sys"));
});

test("the cgroup is writable for who may mount one, and for no one else", () => {
  const cgroup = (add: string[], drop: string[] = []) => {
    const over = { security: { ...security, capabilitiesAdd: add, capabilitiesDrop: drop } };
    return config(rendered(over), "app").annotations["io.podgen.cgroup"];
  };
  assert.deepEqual([cgroup(["SYS_ADMIN"]), cgroup(["ALL"])], ["rw", "rw"]);
  assert.deepEqual([cgroup([]), cgroup(["NET_ADMIN"]), cgroup(["ALL"], ["SYS_ADMIN"])], [undefined, undefined, undefined]);
});

test("an image that was built anew with the same layers and settings is the same bundle", () => {
  const again = { ...imageFacts(), digest: `sha256:${"f".repeat(64)}` };
  assert.equal(digest(rendered({}, { images: [again] })), digest(rendered()));
});

test("a layer that is there twice stays on top", () => {
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  const rootfs = config(rendered({}, { images: [{ ...imageFacts(), layers: [a, b, a] }] }), "app").annotations["io.podgen.rootfs"] ?? "";
  const { layers } = JSON.parse(rootfs) as { layers: string[] };
  assert.deepEqual(
    layers.map((l) => l.slice(-64)),
    ["b".repeat(64), "a".repeat(64)],
  );
});

test("infra owns the pod's namespaces, in the host's network not that one", () => {
  const types = (result: RenderedPod) => config(result, "_infra").linux.namespaces.map((n) => n.type);
  assert.deepEqual(types(rendered()), ["network", "ipc", "uts"]);
  const host = rendered({}, {}, { hostNetwork: true });
  assert.deepEqual(types(host), ["ipc", "uts"]);
  assert.equal(config(host, "_infra").linux.sysctl, undefined);
  assert.equal(config(host, "_infra").annotations["io.podgen.uplink"], "none");
});

test("back-off is Kubernetes' for what is restarted", () => {
  const backoff = (restartPolicy: string) => config(rendered({}, {}, { restartPolicy }), "app").annotations["io.podgen.backoff"];
  assert.deepEqual(["Always", "OnFailure", "Never"].map(backoff), ["true", "true", undefined]);
});

test("RestartMode=direct only where systemd knows it, and not for infra, whose dependants must restart with it", () => {
  const unit = (systemdVersion: number, name: string) => {
    const { shared, pods } = renderOf(modelOf(pod("web")), { facts: hostFacts({ systemdVersion }) });
    const files = [...shared, ...pods.flatMap((p) => p.files)];
    return new TextDecoder().decode(files.find((f) => f.path.endsWith(name))?.bytes);
  };
  assert.ok(!unit(253, "/podgen-pause.service").includes("RestartMode"));
  assert.ok(unit(254, "/podgen-pause.service").includes("RestartMode=direct\n"));
  for (const version of [253, 254]) assert.match(unit(version, "__infra.service"), /Restart=always\nRestartSec=/);
});
