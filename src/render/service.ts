// One Service's files and units, in the shape of a pod's, so that they go the same way from here on.
import type { HostFacts } from "../base/facts.js";
import { serviceKey } from "../base/service.js";
import type { PlannedService } from "../plan/services.js";
import type { RenderedFile, RenderedPod, RenderedUnit } from "./types.js";
import { withHeader } from "./units/header.js";
import { balanceBody, listenBody } from "./units/service.js";

export function renderService(planned: PlannedService, facts: HostFacts): RenderedPod {
  const { source, along, ...service } = planned;
  const files: RenderedFile[] = [];
  const units: RenderedUnit[] = [];
  const origin = `from ${source}, object Service/${service.name}`;
  const add = (role: RenderedUnit["role"], name: string, body: string, requires: readonly string[]): void => {
    const path = `${facts.paths.units}/${name}`;
    files.push({ path, bytes: withHeader(name, origin, body), mode: 0o644, kind: "unit", secret: false });
    units.push({ name, role, ...(requires.length === 0 ? {} : { requires }), files: [path] });
  };
  for (const listener of service.listeners) {
    const socket = `${listener.unit}.socket`;
    const lines = listener.backends.map((line) => `${line}\n`).join("");
    files.push({ path: listener.list, bytes: new TextEncoder().encode(lines), mode: 0o600, kind: "data", secret: false });
    add("socket", socket, listenBody(service, listener), []);
    add("forward", `${listener.unit}.service`, balanceBody(service, listener, facts), [socket]);
  }
  return {
    name: serviceKey(service.name),
    source,
    files,
    units,
    enable: service.listeners.map((l) => `${l.unit}.socket`),
    images: {},
    folders: [],
    shifted: new Map(),
    objects: [],
    service,
    ...(along === undefined ? {} : { along }),
  };
}
