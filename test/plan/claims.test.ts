// Ports of installed pods: what collides with what, and what is said of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManifestPod } from "../../src/base/installed.js";
import type { Port } from "../../src/model/types.js";
import { claimedPorts } from "../../src/plan/claims.js";
import { portUnit } from "../../src/plan/names.js";
import { container, initContainer, pod, port } from "../lib/models.js";

const web = (...ports: Port[]) => pod("web", { containers: [container("app", { ports })] });

function installed(name: string, ...sockets: (readonly [string, number, "TCP" | "UDP"])[]): ManifestPod {
  const units = sockets.flatMap((s) => [`${portUnit(name, ...s)}.socket`, `${portUnit(name, ...s)}.service`]);
  return {
    name,
    source: "/s",
    files: [],
    units: [`pod-${name}.service`, ...units],
    inits: [],
    enabled: [],
    images: {},
    folders: [],
    objects: [],
  };
}

const cases: readonly (readonly [string, string, "TCP" | "UDP", string, boolean])[] = [
  ["the same", "", "TCP", "", true],
  ["another protocol", "", "UDP", "", false],
  ["one address of all", "", "TCP", "127.0.0.1", true],
  ["all of one address", "127.0.0.1", "TCP", "", true],
  ["another address", "127.0.0.1", "TCP", "127.0.0.2", false],
  ["every IPv4 address", "127.0.0.1", "TCP", "0.0.0.0", true],
  ["an IPv6 address, spelt otherwise", "fe80:0::1", "TCP", "FE80::1", true],
  ["another IPv6 address", "fe80::1", "TCP", "fe80::2", false],
  ["every IPv6 address", "::", "TCP", "fe80::2", true],
  ["another family", "::", "TCP", "127.0.0.1", false],
];
for (const [what, theirs, protocol, ours, taken] of cases)
  test(`${what}: ${taken ? "taken" : "free"}`, () => {
    const found = claimedPorts([web(port(80, 8080, { hostIP: ours }))], [installed("old.one", [theirs, 8080, protocol])]);
    assert.deepEqual(
      found.map((d) => d.code),
      taken ? ["claimed-host-port"] : [],
    );
  });

test("the pod and the way out are named, at the port's place; other ports are free", () => {
  const ports = [port(80, 8080), port(81, 8081), port(82, undefined)];
  const [found, ...more] = claimedPorts([web(...ports)], [installed("old", ["", 8080, "TCP"], ["", 8082, "TCP"])]);
  assert.deepEqual(more, []);
  assert.match(found?.message ?? "", /8080\/TCP.*"old"/);
  assert.match(found?.hint ?? "", /podgen delete old/);
  assert.deepEqual(found?.at, ports[0]?.at);
});

test("init containers count, pods in the host's network do not", () => {
  const ports = [port(80, 8080)];
  const others = [installed("old", ["", 8080, "TCP"])];
  assert.equal(claimedPorts([pod("web", { initContainers: [initContainer("prep", { ports })] })], others).length, 1);
  assert.equal(claimedPorts([{ ...web(...ports), hostNetwork: true }], others).length, 0);
});
