// Same input, same bytes; a change reaches its own files and no other (invariant 1, and the header's promise).
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMapModel, Container, PodModel } from "../../src/model/types.js";
import type { Rendered } from "../../src/render/types.js";
import { at, configMap, container, type Given, initContainer, modelOf, pod, port, renderOf, secret, volumeMount } from "../lib/models.js";

const env = (name: string, value: string) => ({ name, source: { kind: "value", value } as const, at: at() });

function web(over: { app?: Partial<Container>; pod?: Partial<PodModel> } = {}): PodModel {
  return pod("web", {
    initContainers: [initContainer("prep")],
    containers: [
      container("app", {
        envFrom: [
          { kind: "configMap", name: "c", prefix: "", optional: false, at: at() },
          { kind: "secret", name: "s", prefix: "", optional: false, at: at() },
        ],
        volumeMounts: [volumeMount("conf", "/etc/c"), volumeMount("keys", "/etc/s")],
        ports: [port(80, 8080)],
        ...over.app,
      }),
      container("log", { env: [env("A", "1"), env("B", "2")] }),
    ],
    volumes: [
      { name: "conf", source: { kind: "configMap", name: "c", defaultMode: 0o644, optional: false }, at: at() },
      { name: "keys", source: { kind: "secret", name: "s", defaultMode: 0o400, optional: false }, at: at() },
    ],
    ...over.pod,
  });
}

const c = configMap("c", { A: "a", B: "b", C: "c" });
const s = secret("s", { X: "x", Y: "y" });

function bytes(rendered: Rendered): Map<string, string> {
  return new Map(
    [...rendered.shared, ...rendered.pods.flatMap((p) => p.files)].map((f) => [f.path, Buffer.from(f.bytes).toString("base64")]),
  );
}
const render = (p: PodModel, map: ConfigMapModel = c, given: Given = {}) => bytes(renderOf(modelOf(p, map, s), given));

/** Base names of the files that differ, `config.json` with its container. */
function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter((p) => before.get(p) !== after.get(p));
  return paths
    .map((p) =>
      p
        .split("/")
        .slice(p.endsWith("config.json") ? -2 : -1)
        .join("/"),
    )
    .sort();
}

/** The directives of a unit that only one of the two has. */
function added(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>, name: string): (string | undefined)[] {
  const lines = (files: ReadonlyMap<string, string>): string[] =>
    [...files].filter(([path]) => path.endsWith(`/${name}`)).flatMap(([, text]) => Buffer.from(text, "base64").toString().split("\n"));
  const [a, b] = [lines(before), lines(after)].map((l) => l.filter((line) => !line.startsWith("#")));
  const one = [...(a ?? []).filter((line) => b?.includes(line) !== true), ...(b ?? []).filter((line) => a?.includes(line) !== true)];
  return one.map((line) => line.split("=")[0]);
}

const reversed = <T extends { data: ReadonlyMap<string, Uint8Array> }>(o: T): T => ({ ...o, data: new Map([...o.data].reverse()) });

test("same input, same bytes", () => assert.deepEqual(render(web()), render(web())));

test("the order of keys in maps does not matter", () => {
  assert.deepEqual(bytes(renderOf(modelOf(web(), reversed(c), reversed(s)))), bytes(renderOf(modelOf(web(), c, s))));
});

test("places in the source do not matter", () => {
  const moved = web({ app: { at: at(99), imageAt: at(98) }, pod: { at: at(97, 3) } });
  assert.deepEqual(changed(render(web()), render(moved)), []);
});

test("a container's change is in its own files", () => {
  assert.deepEqual(changed(render(web()), render(web({ app: { tty: true } }))), ["app/config.json"]);
  assert.deepEqual(changed(render(web()), render(web({ app: { limits: { memoryBytes: 9 } } }))), ["pod-web_app.service"]);
});

test("a volume of one container is no matter of the other's", () => {
  const more = web({ app: { volumeMounts: [volumeMount("conf", "/etc/c")] } });
  assert.deepEqual(changed(render(web()), render(more)), ["app/config.json"]);
});

test("a ConfigMap's change is in its object, its files and the bundles that use it", () => {
  const files = changed(render(web()), render(web(), configMap("c", { A: "a", B: "b", C: "new" })));
  assert.deepEqual([...new Set(files)], ["A", "B", "C", "ConfigMap-c.json", "app/config.json"]);
});

test("a port is the business of its units and the pod; of its first one the containers' stop is, too, and nothing else of theirs", () => {
  const before = render(web());
  const after = render(web({ app: { ports: [] } }));
  const ports = ["pod-web.service", "pod-web__8080-tcp.service", "pod-web__8080-tcp.socket"];
  const containers = ["pod-web_app.service", "pod-web_log.service"];
  assert.deepEqual(changed(before, after), [...ports, ...containers]);
  for (const name of containers) assert.deepEqual(added(before, after, name), ["ExecStop"]);
});

test("another pod in the same file changes nothing of this one", () => {
  const both = bytes(renderOf(modelOf(pod("other"), web(), c, s)));
  for (const [path, content] of render(web())) assert.equal(both.get(path), content, path);
});
