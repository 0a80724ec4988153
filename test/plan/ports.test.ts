// Published ports: names, claims that collide, ports that only root may bind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Port } from "../../src/model/types.js";
import { codesOf, container, goodPlan, hostFacts, initContainer, modelOf, planOf, pod, port } from "../lib/models.js";

const web = (...ports: Port[]) => pod("web", { containers: [container("app", { ports })] });
const unitsOf = (...ports: Port[]) => goodPlan(modelOf(web(...ports))).pods[0]?.ports.map((p) => p.unit);

test("names of units", () => {
  assert.deepEqual(
    unitsOf(
      port(80, 8080),
      port(53, 5353, { protocol: "UDP" }),
      port(80, 8081, { hostIP: "127.0.0.1" }),
      port(80, 8082, { hostIP: "FE80::1" }),
      port(80, 8083, { hostIP: "::" }),
      port(80, undefined),
    ),
    ["pod-web__8080-tcp", "pod-web__5353-udp", "pod-web__127.0.0.1-8081-tcp", "pod-web__fe80--1-8082-tcp", "pod-web__---8083-tcp"],
  );
});

test("in the host's network nothing is published", () => {
  const plan = goodPlan(modelOf({ ...web(port(8080, 8080)), hostNetwork: true }));
  assert.deepEqual(plan.pods[0]?.ports, []);
});

test("a port below the machine's first is an error that says how to allow it", () => {
  const { diagnostics, value } = planOf(modelOf(web(port(80, 80))));
  assert.equal(value, undefined);
  assert.deepEqual(
    diagnostics.map((d) => d.code),
    ["privileged-port"],
  );
  assert.match(diagnostics[0]?.hint ?? "", /sysctl net\.ipv4\.ip_unprivileged_port_start=80/);
  assert.deepEqual(codesOf(modelOf(web(port(80, 80))), { facts: hostFacts({ unprivilegedPortStart: 80 }) }), []);
});

test("an init container and a container may share a port that leads to one place", () => {
  const shared = pod("web", {
    initContainers: [initContainer("prep", { ports: [port(80, 8080)] })],
    containers: [container("app", { ports: [port(80, 8080)] })],
  });
  assert.equal(goodPlan(modelOf(shared)).pods[0]?.ports.length, 1);
});
