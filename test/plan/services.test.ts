// Services: ports of the host that are given, chosen and kept, the pods behind them, of this apply and installed, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManifestPod } from "../../src/base/installed.js";
import { serviceKey } from "../../src/base/service.js";
import type { PodModel, ServiceModel, ServicePortModel } from "../../src/model/types.js";
import { type InstalledEntries, planServices, servedPod } from "../../src/plan/services.js";
import { at, container, hostFacts, pod, port } from "../lib/models.js";

const servicePort = (number: number, over: Partial<ServicePortModel> = {}): ServicePortModel => ({
  port: number,
  target: number,
  protocol: "TCP",
  at: at(3),
  ...over,
});

const service = (name: string, over: Partial<ServiceModel> = {}): ServiceModel => ({
  kind: "Service",
  name,
  namespace: "default",
  labels: {},
  annotations: {},
  at: at(2),
  type: "NodePort",
  selector: { app: "web" },
  ports: [servicePort(80)],
  affinity: false,
  notReady: false,
  externalIPs: [],
  address: "",
  allow: [],
  ...over,
});

const web = (name: string, over: Partial<PodModel> = {}): PodModel =>
  pod(name, {
    labels: { app: "web" },
    containers: [container("app", { ports: [port(8080, undefined, { name: "http" })] })],
    ...over,
  });

const plan = (services: readonly ServiceModel[], pods: readonly PodModel[], installed: InstalledEntries = {}) =>
  planServices({ services, pods, installed, facts: hostFacts(), sourceOf: () => "/home/alice/web.yaml" });
const codes = (...args: Parameters<typeof plan>): string[] => plan(...args).diagnostics.map((d) => d.code);

/** What the manifest has once these are applied. */
function installedOf(services: readonly ServiceModel[], pods: readonly PodModel[], before: InstalledEntries = {}): InstalledEntries {
  const entry = (name: string): ManifestPod => ({
    name,
    source: "/home/alice/web.yaml",
    files: [],
    units: [],
    inits: [],
    enabled: [],
    images: {},
    folders: [],
    objects: [],
  });
  const planned = plan(services, pods, before).services.map(({ source: _, along: __, ...record }) => {
    const units = record.listeners.map((l) => `${l.unit}.socket`);
    return [serviceKey(record.name), { ...entry(serviceKey(record.name)), units, service: record }] as const;
  });
  const applied = pods.map((p) => {
    const serve = servedPod(p);
    return [p.name, { ...entry(p.name), ...(serve === undefined ? {} : { serve }) }] as const;
  });
  return Object.fromEntries([...Object.entries(before), ...applied, ...planned]);
}

test("a node port is the given one, or follows from the names and stays, also when another Service comes", () => {
  const first = service("web");
  const [planned] = plan([first], [web("a")]).services;
  const chosen = planned?.listeners[0]?.hostPort ?? 0;
  assert.ok(chosen >= 30000 && chosen <= 32767);
  assert.equal(planned?.listeners[0]?.unit, `podgen-svc-web__${chosen}-tcp`);
  assert.deepEqual(plan([first], [web("a")]).services, [planned]);
  // The same number is written down elsewhere: whoever was there keeps it, and who comes anew gets another one.
  const taken = service("other", { ports: [servicePort(80, { nodePort: chosen })] });
  const both = plan([first, taken], [web("a")]).services.map((s) => s.listeners[0]?.hostPort);
  assert.deepEqual([both[0] !== chosen, both[1]], [true, chosen]);
  const kept = plan([service("web", { ports: [servicePort(80, { target: 81 })] })], [], installedOf([first], [web("a")]));
  assert.equal(kept.services[0]?.listeners[0]?.hostPort, chosen);
  assert.equal(
    plan([service("web", { ports: [servicePort(80, { nodePort: 30001 })] })], [web("a")]).services[0]?.listeners[0]?.hostPort,
    30001,
  );
});

test("a load balancer has its own port, at one address where that is said; external addresses have it too", () => {
  const places = (over: Partial<ServiceModel>): (string | number)[][] =>
    plan([service("web", { ports: [servicePort(8080)], ...over })], [web("a")]).services[0]?.listeners.map((l) => [l.hostIP, l.hostPort]) ??
    [];
  assert.deepEqual(places({ type: "LoadBalancer" }), [["", 8080]]);
  assert.deepEqual(places({ type: "LoadBalancer", address: "10.0.0.1", externalIPs: ["10.0.0.1", "fd00::1"] }), [
    ["10.0.0.1", 8080],
    ["fd00::1", 8080],
  ]);
  assert.deepEqual(places({ type: "LoadBalancer", externalIPs: ["10.0.0.1"] }), [["", 8080]]);
  assert.deepEqual(places({ type: "LoadBalancer", ports: [servicePort(8080, { nodePort: 30001 })] }), [
    ["", 8080],
    ["", 30001],
  ]);
  assert.deepEqual(places({ externalIPs: ["10.0.0.1"], ports: [servicePort(8080, { nodePort: 30001 })] }), [
    ["", 30001],
    ["10.0.0.1", 8080],
  ]);
});

test("behind it are pods with all its labels in its namespace, with the port of that name, installed ones too", () => {
  const named = service("web", { ports: [servicePort(80, { target: "http", nodePort: 30001 })] });
  const pods = [
    web("b"),
    web("a", { containers: [container("app", { ports: [port(81, undefined, { name: "http" })] })] }),
    web("other", { namespace: "elsewhere" }),
    web("unlike", { labels: { app: "webb" } }),
    web("bare", { containers: [container("app")] }),
  ];
  const { services, diagnostics } = plan([named], pods, installedOf([], [web("old")]));
  assert.deepEqual(services[0]?.listeners[0]?.backends, ["a 81", "b 8080", "old 8080"]);
  assert.deepEqual(diagnostics, []);
});

test("an installed Service is planned again only when its pods are others", () => {
  const before = installedOf([service("web")], [web("a")]);
  assert.deepEqual(plan([], [web("a")], before).services, []);
  const [moved] = plan([], [web("a"), web("b")], before).services;
  assert.deepEqual([moved?.along, moved?.listeners[0]?.backends], [true, ["a 80", "b 80"]]);
  // Without its labels a pod leaves.
  assert.deepEqual(plan([], [web("a", { labels: {} })], before).services[0]?.listeners[0]?.backends, []);
});

test("what cannot be is refused: ports twice, of root, of no pod; pods of the host's network; nobody behind it is a warning", () => {
  const fixed = (name: string, nodePort: number): ServiceModel => service(name, { ports: [servicePort(80, { nodePort })] });
  assert.deepEqual(codes([fixed("a", 30001), fixed("b", 30001)], [web("x")]), ["duplicate-host-port"]);
  assert.deepEqual(codes([fixed("a", 30001)], [web("x", { containers: [container("app", { ports: [port(80, 30001)] })] })]), [
    "duplicate-host-port",
  ]);
  assert.deepEqual(codes([service("a", { type: "LoadBalancer" })], [web("x")]), ["privileged-port"]);
  assert.deepEqual(codes([service("a", { ports: [servicePort(80, { target: "page" })] })], [web("x")]), ["unknown-port"]);
  assert.deepEqual(codes([service("a")], [web("x", { hostNetwork: true })]), ["host-network-backend"]);
  assert.deepEqual(codes([service("a")], []), ["no-backends"]);
});
