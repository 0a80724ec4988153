// What confines a container: privileged, seccomp profiles of the user's, AppArmor, SELinux.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerSecurity } from "../../src/model/types.js";
import { container, type Given, goodPlan, hostFacts, modelOf, planOf, pod, renderOf } from "../lib/models.js";

const secured = (over: Partial<ContainerSecurity>) => {
  const plain = container("app");
  return modelOf(pod("web", { containers: [{ ...plain, security: { ...plain.security, ...over } }] }));
};
const path = "/home/alice/.config/podgen/seccomp/team/p.json";
const profiles = (text: string): Given => ({ profiles: new Map([[path, new TextEncoder().encode(text)]]) });
const found = (over: Partial<ContainerSecurity>, given: Given = {}) =>
  planOf(secured(over), given).diagnostics.map((d) => `${d.severity} ${d.message}`);

test("privileged: all capabilities, nothing masked or filtered, a cgroup to divide", () => {
  const [app] = goodPlan(secured({ privileged: true, unconfined: true, capabilitiesDrop: ["ALL"] })).pods[0]?.containers ?? [];
  assert.equal(app?.capabilities.length, 41);
  assert.deepEqual([app?.maskedPaths, app?.unconfined, app?.writableCgroup, app?.privileged], [false, true, true, true]);
});

test("a seccomp profile is part of the bundle, on one line, its large numbers as they were written", () => {
  const text =
    '{ "defaultAction": "SCMP_ACT_ALLOW",\n "syscalls": [{"names": ["a b"], "action": "SCMP_ACT_KILL", "args": [{"value": 18446744073709551615}]}] }';
  const [app] = goodPlan(secured({ seccompFile: "./team/p.json" }), profiles(text)).pods[0]?.containers ?? [];
  assert.equal(
    app?.seccomp,
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a b"],"action":"SCMP_ACT_KILL","args":[{"value":18446744073709551615}]}]}',
  );
  const digests = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"].map(
    (action) =>
      renderOf(secured({ seccompFile: "team/p.json" }), profiles(`{"defaultAction":"${action}"}`)).pods[0]?.units.find(
        (u) => u.role === "container",
      )?.digest,
  );
  assert.notEqual(digests[0], digests[1]);
});

for (const [what, text, problem] of [
  ["none", undefined, "there is no such file"],
  ["no JSON", "{", "is no JSON"],
  ["a list", "[]", "is no object"],
  ["no default", "{}", "defaultAction: expected one of SCMP_ACT_KILL,"],
  ["an agent's", '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_NOTIFY"}]}', "there is no agent to ask"],
  [
    "no names",
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":"a","action":"SCMP_ACT_ALLOW"}]}',
    "syscalls[0].names: expected a list",
  ],
  ["too large", `{"defaultAction":"SCMP_ACT_ALLOW","x":"${"x".repeat(1024 * 1024)}"}`, "1048576 is the most"],
] as const)
  test(`a bad seccomp profile: ${what}`, () => {
    const [first = ""] = found({ seccompFile: "team/p.json" }, text === undefined ? {} : profiles(text));
    assert.ok(first.startsWith(`error container "app": seccomp profile ${path}: `) && first.includes(problem), first);
  });

test("AppArmor: a loaded profile where the kernel has it, else an error; the runtime's own is none", () => {
  const loaded = { apparmor: { kind: "loaded", name: "mine" } } as const;
  const facts = hostFacts({ lsm: { apparmor: true, selinux: false } });
  assert.equal(goodPlan(secured(loaded), { facts }).pods[0]?.containers[0]?.apparmor, "mine");
  assert.match(found(loaded)[0] ?? "", /^error container "app" of pod "web": the kernel of this machine has no AppArmor/);
  assert.match(
    found({ apparmor: { kind: "default" } }, { facts })[0] ?? "",
    /^warning container "app" of pod "web": appArmorProfile RuntimeDefault confines nothing/,
  );
});

test("SELinux: a warning where it is off, as it says nothing in Kubernetes; refused where it is on", () => {
  assert.match(found({ selinux: true })[0] ?? "", /^warning .*SELinux is not enabled on this machine$/);
  const facts = hostFacts({ lsm: { apparmor: false, selinux: true } });
  assert.match(found({ selinux: true }, { facts })[0] ?? "", /^error .*podgen sets no SELinux labels yet$/);
});
