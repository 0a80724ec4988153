// Devices of the Container Device Interface: whose word counts, what goes into the plan, and what is refused by name.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CdiFile } from "../../src/base/cdi.js";
import { readCdiSpec } from "../../src/plan/cdi-spec.js";
import { at, codesOf, container, goodPlan, modelOf, planOf, pod } from "../lib/models.js";

const spec = (edits: object, over: object = {}) => ({
  cdiVersion: "0.8.0",
  kind: "example.com/card",
  containerEdits: { env: ["COMMON=1", "PATH=/card"] },
  devices: [{ name: "zero", containerEdits: edits }],
  ...over,
});
const file = (content: object, path = "/etc/cdi/card.json", priority = 0): CdiFile => ({ path, priority, content });
const wants = (...names: string[]) =>
  modelOf(pod("web", { containers: [container("app", { devices: names.map((name) => ({ kind: "cdi", name, at: at() })) })] }));
const NAME = "example.com/card=zero";
const planned = (cdi: readonly CdiFile[], ...names: string[]) =>
  goodPlan(wants(...(names.length === 0 ? [NAME] : names)), { cdi }).pods[0]?.containers[0];

test("nodes, mounts, variables and groups; the file's own edits once, before those of its devices", () => {
  const edits = {
    env: ["CARD=zero"],
    deviceNodes: [
      { path: "/dev/card0", hostPath: "/dev/zero", type: "c", major: 1, minor: 5, permissions: "rw" },
      { path: "/dev/disk0", type: "b" },
    ],
    mounts: [{ hostPath: "/usr/lib/card", containerPath: "/usr/lib/card/", options: ["ro", "nosuid", "nodev", "bind"] }],
    additionalGids: [44, 0, 44],
  };
  const app = planned([file(spec(edits))]);
  assert.ok(app);
  assert.deepEqual(app.mounts, [
    { destination: "/dev/card0", type: "bind", source: "/dev/zero", options: ["rbind", "rprivate", "rw", "x-podgen.type=CharDevice"] },
    { destination: "/dev/disk0", type: "bind", source: "/dev/disk0", options: ["rbind", "rprivate", "rw", "x-podgen.type=BlockDevice"] },
    { destination: "/usr/lib/card", type: "bind", source: "/usr/lib/card", options: ["ro", "nosuid", "nodev", "bind"] },
  ]);
  assert.deepEqual(app.groups, [44]);
  assert.ok(app.env.includes("COMMON=1") && app.env.includes("CARD=zero"));
  assert.deepEqual(
    app.env.filter((line) => line.startsWith("PATH=")),
    ["PATH=/card"],
    "in place of the image's",
  );
});

test("two devices of one file", () => {
  const two = spec(
    {},
    {
      devices: [
        { name: "zero", containerEdits: { env: ["A=1"] } },
        { name: "one", containerEdits: { env: ["A=2"] } },
      ],
    },
  );
  assert.deepEqual(
    planned([file(two)], NAME, "example.com/card=one")?.env.filter((l) => /^(A|COMMON)=/.test(l)),
    ["COMMON=1", "A=2"],
  );
});

test("a higher folder's device hides a lower one's; two of one folder are an error, and so is one that nobody declares", () => {
  const low = file(spec({ env: ["FROM=low"] }));
  const high = file(spec({ env: ["FROM=high"] }), "/var/run/cdi/card.yaml", 1);
  for (const cdi of [
    [low, high],
    [high, low],
  ])
    assert.ok(planned(cdi)?.env.includes("FROM=high"));
  const say = (cdi: readonly CdiFile[], name = NAME): string[] =>
    planOf(wants(name), { cdi }).diagnostics.map((d) => `${d.message} (${d.hint})`);
  assert.deepEqual(say([low, file(spec({}), "/etc/cdi/other.json")]), [
    `device ${NAME} is declared by /etc/cdi/card.json and by /etc/cdi/other.json (remove one of them)`,
  ]);
  assert.deepEqual(say([low, { path: "/etc/cdi/bad.json", priority: 0, problem: "not JSON" }], "example.com/card=zerro"), [
    "no file of the Container Device Interface declares the device example.com/card=zerro; not readable: /etc/cdi/bad.json: not JSON (did you mean example.com/card=zero?)",
  ]);
  assert.deepEqual(codesOf(wants(NAME), {}), ["unknown-device"]);
});

test("what podgen cannot do is refused where a pod asks for it; what has no effect is a warning", () => {
  const edits = {
    hooks: [{ hookName: "createContainer", path: "/usr/bin/card-hook" }],
    netDevices: [{ hostInterfaceName: "eth1", name: "net1" }],
    intelRdt: { closID: "x" },
    deviceNodes: [{ path: "/dev/card0", fileMode: 438, gid: 44, permissions: "r" }],
  };
  const found = planOf(wants(NAME), { cdi: [file(spec(edits))] }).diagnostics;
  assert.deepEqual(
    found.map((d) => d.severity),
    ["error", "error", "error", "warning", "warning"],
  );
  assert.match(found[0]?.message ?? "", /asks for a hook, createContainer: \/usr\/bin\/card-hook$/);
  assert.deepEqual(
    codesOf(wants("example.com/card=one"), { cdi: [file(spec(edits, { devices: [{ name: "one" }] }))] }),
    [],
    "nobody asks for that one",
  );
});

test("podman's way: a node by its path", () => {
  const model = modelOf(
    pod("web", { containers: [container("app", { devices: [{ kind: "path", path: "/dev/zero", destination: "/dev/null0", at: at() }] })] }),
  );
  assert.deepEqual(goodPlan(model).pods[0]?.containers[0]?.mounts, [
    { destination: "/dev/null0", type: "bind", source: "/dev/zero", options: ["rbind", "rprivate", "rw"] },
  ]);
});

for (const [what, content, problem] of [
  ["no object", [], "the document: expected an object"],
  ["another version", spec({}, { cdiVersion: "2.0.0" }), 'cdiVersion "2.0.0": known are 0.3.0 to 1.1.0'],
  ["a word that is not known", spec({ devicenodes: [] }), 'devices[0].containerEdits: "devicenodes" is not known'],
  ["a bad name", spec({}, { kind: "card" }), 'devices[0]: "card=zero" is no name of a device'],
  [
    "a path that is none",
    spec({ deviceNodes: [{ path: "card0" }] }),
    "devices[0].containerEdits.deviceNodes[0].path: expected an absolute path",
  ],
  [
    "a path that climbs",
    spec({ mounts: [{ hostPath: "/a/../b", containerPath: "/b" }] }),
    "devices[0].containerEdits.mounts[0].hostPath: expected an absolute path",
  ],
  [
    "another type of mount",
    spec({ mounts: [{ hostPath: "/a", containerPath: "/b", type: "tmpfs" }] }),
    'devices[0].containerEdits.mounts[0].type: "tmpfs": podgen mounts files and folders of the host alone',
  ],
  [
    "an option of podgen's own",
    spec({ mounts: [{ hostPath: "/a", containerPath: "/b", options: ["x-podgen.mkdir"] }] }),
    'devices[0].containerEdits.mounts[0].options: "x-podgen.mkdir" is not known',
  ],
  ["no variable", spec({ env: ["=x"] }), "devices[0].containerEdits.env[0]: expected NAME=VALUE"],
  [
    "a type of node",
    spec({ deviceNodes: [{ path: "/dev/x", type: "d" }] }),
    'devices[0].containerEdits.deviceNodes[0].type: "d" is none of b, c, u, p',
  ],
  [
    "permissions",
    spec({ deviceNodes: [{ path: "/dev/x", permissions: "rx" }] }),
    'devices[0].containerEdits.deviceNodes[0].permissions: "rx" has others than r, w and m',
  ],
  ["a group", spec({ additionalGids: [-1] }), "devices[0].containerEdits.additionalGids[0]: expected a number"],
] as const)
  test(`a file with ${what}`, () => assert.equal(readCdiSpec(file(content as object)), problem));
