// What the model promises beyond the fixtures: defaults, places, rules between objects, secrets, speed, and that nothing throws.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Diagnostic } from "../../src/base/diagnostic.js";
import { formatDiagnostics } from "../../src/base/format.js";
import { buildModel } from "../../src/model/index.js";
import type { Model, PodModel } from "../../src/model/types.js";
import { parseYaml } from "../../src/spec/yaml.js";
import { check, findings } from "../lib/spec.js";

function pod(spec: string, metadata = "name: web"): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec:\n${spec.replace(/^/gm, "  ")}\n`;
}

function container(fields: string, rest = ""): string {
  return pod(`containers:\n- name: app\n  image: localhost/app:1\n${fields.replace(/^/gm, "  ")}\n${rest}`);
}

function model(text: string): Model {
  const { model, diagnostics } = check(text);
  assert.ok(model !== undefined, formatDiagnostics(diagnostics, new Map([["pod.yaml", text]]), { color: false }));
  return model;
}

function onlyPod(text: string): PodModel {
  const found = model(text).pods[0];
  assert.ok(found !== undefined);
  return found;
}

describe("places in the model are places in the file", () => {
  const text = container(
    "env:\n- {name: A, value: x}\n- name: B\n  valueFrom:\n    secretKeyRef:\n      key: k\n      name: s\nenvFrom:\n- configMapRef: {name: c}\nports:\n- {containerPort: 1, hostPort: 2}\n- containerPort: 3\nvolumeMounts:\n- {name: v, mountPath: /v}",
    "volumes:\n- {name: v, hostPath: {path: /p}}\n- {name: w, secret: {secretName: s}}\n- {name: e, emptyDir: {}}",
  );
  /** What is written where the model says. */
  const at = ({ line, column }: { line: number; column: number }): string =>
    /^[^,}\s]*/.exec((text.split("\n")[line - 1] ?? "").slice(column - 1))?.[0] ?? "";
  const web = onlyPod(text);
  const app = web.containers[0];
  test("pod, container, image", () =>
    assert.deepEqual([at(web.at), app && at(app.at), app && at(app.imageAt)], ["web", "app", "localhost/app:1"]));
  test("variables: the reference's name, else their own", () =>
    assert.deepEqual(
      [...(app?.env ?? []), ...(app?.envFrom ?? [])].map((e) => at(e.at)),
      ["A", "s", "c"],
    ));
  test("ports: the host's, else the container's", () =>
    assert.deepEqual(
      app?.ports.map((p) => at(p.at)),
      ["2", "3"],
    ));
  test("mounts and volumes: the path or the object's name", () =>
    assert.deepEqual(
      [...(app?.volumeMounts ?? []), ...web.volumes].map((v) => at(v.at)),
      ["/v", "/p", "s", "e"],
    ));
});

describe("defaults", () => {
  test("of a pod", () => {
    const web = onlyPod(pod("containers: [{name: a, image: localhost/a}]"));
    assert.equal(web.restartPolicy, "Always");
    assert.equal(web.terminationGracePeriodSeconds, 30);
    assert.equal(web.hostNetwork, false);
    assert.equal(web.namespace, "default");
    assert.equal(web.containers[0]?.imagePullPolicy, "Always");
    assert.equal(web.containers[0]?.image, "localhost/a:latest");
  });

  test("an empty command is the image's; the pod's user holds unless the container has one", () => {
    const web = onlyPod(
      pod(
        "securityContext: {runAsUser: 5, runAsGroup: 6}\ncontainers:\n- {name: a, image: localhost/a, command: [], args: []}\n- {name: b, image: localhost/a, securityContext: {runAsUser: 0}}",
      ),
    );
    assert.ok(web.containers[0] !== undefined && !("command" in web.containers[0]) && !("args" in web.containers[0]));
    assert.deepEqual(
      web.containers.map((c) => [c.security.runAsUser, c.security.runAsGroup]),
      [
        [5, 6],
        [0, 6],
      ],
    );
  });

  test("$(VAR) stays as it is", () => assert.deepEqual(onlyPod(container("args: [$(A), $$(B)]")).containers[0]?.args, ["$(A)", "$$(B)"]));
});

describe("rules", () => {
  test("the same port of an init container and of a container after it is one port", () => {
    const both = (port: string): string =>
      pod(
        `initContainers: [{name: i, image: localhost/a:1, ports: [{containerPort: 80, hostPort: 8080}]}]\ncontainers: [{name: a, image: localhost/a:1, ports: [${port}]}]`,
      );
    assert.deepEqual(
      findings(both("{containerPort: 80, hostPort: 8080}")).filter((f) => !f.startsWith("init-port")),
      [],
    );
    assert.deepEqual(
      findings(both("{containerPort: 81, hostPort: 8080}")).map((f) => f.split(" ")[0]),
      ["init-port", "duplicate-host-port"],
    );
  });

  test("host ports and names clash between files too, and each says where the other is", () => {
    const text = container("ports: [{containerPort: 80, hostPort: 8080}]");
    const documents = ["a.yaml", "b.yaml"].flatMap((file) => parseYaml(file, text).value ?? []);
    const found = buildModel(documents).diagnostics;
    assert.deepEqual(found.map((d) => `${d.code} ${d.at?.file}`).sort(), ["duplicate-host-port b.yaml", "duplicate-object b.yaml"]);
    for (const d of found) assert.match(d.message, /a\.yaml:\d+:\d+/);
  });

  test("a pod and a ConfigMap may share a name", () => {
    assert.equal(
      model(`${pod("containers: [{name: a, image: localhost/a}]")}---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}\n`)
        .configMaps.length,
      1,
    );
  });

  test("unit names of 255 characters are taken, of 256 not", () => {
    // pod-NAME_CONTAINER.service: 4 + 1 + 8 characters besides the two names.
    const sized = (n: number): string => pod(`containers: [{name: ${"c".repeat(n)}, image: localhost/a}]`, `name: ${"p".repeat(200)}`);
    assert.deepEqual(findings(sized(42)), []);
    assert.deepEqual(findings(sized(43)), ["name-too-long 5:23"]);
  });

  test("an unmounted volume is fine, a mounted one must exist", () => {
    assert.deepEqual(findings(container("volumeMounts: []", "volumes: [{name: v, emptyDir: {}}]")), []);
    assert.deepEqual(findings(container("volumeMounts: [{name: w, mountPath: /w}]", "volumes: [{name: v, emptyDir: {}}]")), [
      "unknown-volume 8:27",
    ]);
  });

  test("ConfigMaps and Secrets of 1 MiB are taken, of one byte more not", () => {
    const sized = (kind: string, field: string, n: number): string =>
      `{apiVersion: v1, kind: ${kind}, metadata: {name: a}, ${field}: {k: ${"x".repeat(n)}}}`;
    for (const [kind, field] of [
      ["ConfigMap", "data"],
      ["Secret", "stringData"],
    ] as const) {
      assert.deepEqual(findings(sized(kind, field, 1024 * 1024)), []);
      assert.deepEqual(
        findings(sized(kind, field, 1024 * 1024 + 1)).map((f) => f.split(" ")[0]),
        ["too-large"],
      );
    }
  });

  test("types of Secrets need their keys", () => {
    const secret = (type: string, keys: string): string[] =>
      findings(`{apiVersion: v1, kind: Secret, metadata: {name: a}, type: ${type}, stringData: {${keys}}}`);
    assert.deepEqual(secret("kubernetes.io/tls", "tls.crt: a, tls.key: b"), []);
    assert.equal(secret("kubernetes.io/tls", "").length, 2);
    assert.equal(secret("kubernetes.io/basic-auth", "").length, 1);
    assert.deepEqual(secret("kubernetes.io/basic-auth", "username: a"), []);
    assert.equal(secret("kubernetes.io/service-account-token", "").length, 1);
    assert.deepEqual(secret("example.com/own", ""), []);
  });
});

test("no value of a Secret is in what is printed, whatever is wrong with it", () => {
  const value = "hunter2secret";
  for (const text of [
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: "${value}"}}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: A}, stringData: {k: ${value}}}`,
    `{apiVersion: v2, kind: Secret, metadata: {name: a}, stringdata: {k: ${value}}}`,
    `{apiVersion: v1, kind: Secrets, metadata: {name: a}, stringData: {k: ${value}}}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: ${value}}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: [${value}]}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: ${value}, k: b}}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: '${value}}}`,
    `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: !x ${value}}}`,
    `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: A}, stringData: {k: ${value}}}]}`,
  ]) {
    const { diagnostics } = check(text);
    assert.ok(diagnostics.length > 0, text);
    const printed = formatDiagnostics(diagnostics, new Map([["pod.yaml", text]]), { color: false });
    assert.ok(!printed.includes(value), `${text}\n${printed}`);
  }
});

/** A small linear congruential generator: the same mutations in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("mutated specs never throw, every finding has a place in the file, and what is accepted holds together", () => {
  const next = random(20260101);
  const snippets = [
    "{}",
    "[]",
    "~",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!int ",
    "\t",
    "\n",
    "---\n",
    "...\n",
    '"',
    "'",
    "|",
    ": ",
    "- ",
    "0644",
    "yes",
    "9".repeat(30),
    "é𝄞",
    "\u0000",
    "\r",
    "#",
    "%",
    "kind: Secret\n",
    "name: ",
    "image: x\n",
  ];
  for (const name of readdirSync("fixtures/good"))
    for (let round = 0; round < 120; round++) {
      let text = readFileSync(join("fixtures/good", name, "pod.yaml"), "utf8");
      for (let edits = next(4) + 1; edits > 0; edits--) {
        const at = next(text.length);
        const cut = next(3) === 0 ? next(40) : next(2);
        const put = next(2) === 0 ? (snippets[next(snippets.length)] ?? "") : String.fromCharCode(next(128));
        text = text.slice(0, at) + put + text.slice(at + cut);
      }
      const { diagnostics, model } = check(text);
      const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
      for (const d of diagnostics) {
        assert.ok(d.at !== undefined && d.at.line >= 1 && d.at.line <= lines.length, `${JSON.stringify(d)}\n${text}`);
        assert.ok(d.at.column >= 1 && d.at.column <= (lines[d.at.line - 1] ?? "").length + 1, `${JSON.stringify(d)}\n${text}`);
      }
      formatDiagnostics(diagnostics, new Map([["pod.yaml", text]]), { color: true });
      for (const one of model?.pods ?? []) {
        assert.ok(one.name !== "" && one.containers.length > 0);
        for (const c of [...one.initContainers, ...one.containers]) {
          assert.ok(c.name !== "" && c.image !== "");
          for (const mount of c.volumeMounts)
            assert.ok(
              one.volumes.some((v) => v.name === mount.name),
              text,
            );
        }
      }
    }
});

test("reading and judging is linear: ten times the pods take nothing like a hundred times as long", () => {
  const one = (i: number): string =>
    `${container(`env:\n- {name: A, value: "1"}\n- name: B\n  valueFrom:\n    secretKeyRef: {name: s, key: k}\nports:\n- containerPort: 80\n  hostPort: ${10000 + i}\nresources:\n  limits: {cpu: 500m, memory: 256Mi}\nvolumeMounts:\n- name: data\n  mountPath: /data`, "- name: log\n  image: ghcr.io/example/log:2\n  args: [--follow, /data/log]\nvolumes:\n- name: data\n  emptyDir: {}").replace("name: web", `name: web-${i}`)}`;
  // CPU time, and the best of some: the machine is shared.
  const best = (count: number): number => {
    const text = Array.from({ length: count }, (_, i) => one(i)).join("---\n");
    const times = [0, 1, 2, 3].map(() => {
      const start = process.cpuUsage();
      assert.equal(model(text).pods.length, count);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    });
    return Math.min(...times);
  };
  best(100);
  const [few, many] = [best(100), best(1000)];
  assert.ok(many < few * 40, `${few} and ${many} microseconds`);
});

test("a List on one line shows no Secret in it, whatever the finding is about and whoever has it", () => {
  const pods = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}}';
  const list = `{"apiVersion":"v1","kind":"List","more":1,"items":[${pods},{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"p":"hunter2"}}]}`;
  const { diagnostics } = check(list);
  assert.ok(diagnostics.length >= 2);
  assert.doesNotMatch(formatDiagnostics(diagnostics, new Map([["pod.yaml", list]]), { color: false }), /hunter2/);
  // A finding of planning knows of no Secret beside it.
  const later: Diagnostic = { code: "missing-object", severity: "error", message: "m", at: { file: "pod.yaml", line: 1, column: 60 } };
  assert.doesNotMatch(formatDiagnostics([later], new Map([["pod.yaml", list]]), { color: false }), /hunter2/);
  assert.match(formatDiagnostics([later], new Map([["pod.yaml", pods]]), { color: false }), /"kind":"Pod"/);
});
