// One pod's files and units.
import type { HostFacts, ImageFacts } from "../base/facts.js";
import { isDriven } from "../base/job.js";
import { recordOf } from "../base/record.js";
import { deadlineUnit, gateUnit, INFRA, infraUnit, podSlice, podUnit, probeUnit, uplinkUnit } from "../plan/names.js";
import { bundleFolder, shiftedName } from "../plan/paths.js";
import { passedSockets } from "../plan/ports.js";
import { patience } from "../plan/probes.js";
import { before, mains } from "../plan/sequence.js";
import type { PlannedContainer, PodPlan } from "../plan/types.js";
import type { Bundle } from "./oci/bundle.js";
import { containerBundle } from "./oci/container.js";
import { infraBundle } from "./oci/infra.js";
import { objectOf } from "./origin.js";
import type { RenderedFile, RenderedPod, RenderedUnit } from "./types.js";
import { containerBody, initBody } from "./units/container.js";
import { deadlineBody, deadlineTimerBody } from "./units/deadline.js";
import { gateBody } from "./units/gate.js";
import { withHeader } from "./units/header.js";
import { infraBody, podBody, sliceBody, uplinkBody } from "./units/pod.js";
import { forwardBody, socketBody, spreadBody } from "./units/port.js";
import { probeBody, probeFile } from "./units/probe.js";

/** Everything of a pod, units in the order in which they come up. */
export function renderPod(pod: PodPlan, facts: HostFacts): RenderedPod {
  const files: RenderedFile[] = [];
  const units: RenderedUnit[] = [];
  const origin = `from ${pod.source}, object ${objectOf(pod)}`;

  type Of = { readonly container?: string; readonly bundle?: Bundle; readonly requires?: readonly string[]; readonly sidecar?: true };
  const add = (role: RenderedUnit["role"], name: string, body: string, of: Of = {}): void => {
    const { container, bundle, requires = [], sidecar } = of;
    const path = `${facts.paths.units}/${name}`;
    const own: RenderedFile[] = [{ path, bytes: withHeader(name, origin, body), mode: 0o644, kind: "unit", secret: false }];
    if (container !== undefined && bundle !== undefined)
      own.push({
        path: `${bundleFolder(facts.paths, pod.name, container)}/config.json`,
        bytes: new TextEncoder().encode(bundle.text),
        mode: 0o600,
        kind: "bundle",
        secret: false,
      });
    files.push(...own);
    units.push({
      name,
      role,
      ...(container === undefined ? {} : { container }),
      ...(bundle === undefined ? {} : { digest: bundle.digest }),
      ...(bundle?.liveFiles === undefined ? {} : { liveFiles: bundle.liveFiles }),
      ...(requires.length === 0 ? {} : { requires }),
      ...(sidecar === undefined ? {} : { sidecar }),
      files: own.map((f) => f.path),
    });
  };

  const addProbe = (c: PlannedContainer): void => {
    const bytes = new TextEncoder().encode(probeFile(pod, c));
    files.push({ path: `${c.bundle}/probe.json`, bytes, mode: 0o600, kind: "bundle", secret: false });
    add("probe", probeUnit(pod.name, c.name), probeBody(pod, c, facts), { requires: [c.unit] });
  };

  add("pod", podUnit(pod.name), podBody(pod, facts));
  add("slice", podSlice(pod.name), sliceBody(pod));
  add("infra", infraUnit(pod.name), infraBody(pod, facts), { container: INFRA, bundle: infraBundle(pod) });
  if (pod.after !== undefined) add("gate", gateUnit(pod.name), gateBody(pod, pod.after, facts));
  if (pod.deadlineSeconds !== undefined) {
    add("timer", `${deadlineUnit(pod.name)}.timer`, deadlineTimerBody(pod, pod.deadlineSeconds));
    add("deadline", `${deadlineUnit(pod.name)}.service`, deadlineBody(pod, pod.deadlineSeconds, facts));
  }
  if (pod.uplink) add("uplink", uplinkUnit(pod.name), uplinkBody(pod, facts));
  const inits = (c: PlannedContainer): string[] => before(pod, c).all.flatMap((b) => (b.init ? [b.unit] : []));
  const addContainer = (c: PlannedContainer): void => {
    const of = { container: c.name, bundle: containerBundle(pod, c, facts), requires: passedSockets(pod, c) };
    if (c.init) add("init", c.unit, initBody(pod, c, facts), of);
    else add("container", c.unit, containerBody(pod, c, facts), c.sidecar ? { ...of, sidecar: true } : of);
    if (c.probes !== undefined) addProbe(c);
  };
  const addSockets = (c: PlannedContainer): void => {
    for (const port of pod.ports.filter((p) => p.passed?.container === c.name))
      add("socket", `${port.unit}.socket`, socketBody(pod, port), { requires: inits(c) });
  };
  for (const c of pod.containers.filter((c) => c.init || c.sidecar)) {
    addSockets(c);
    addContainer(c);
  }
  for (const port of pod.ports)
    for (const c of mains(pod).filter((m) => m.name === port.passed?.container))
      add("socket", `${port.unit}.socket`, socketBody(pod, port), { requires: inits(c) });
  for (const c of mains(pod)) addContainer(c);
  for (const port of pod.ports.filter((p) => p.passed === undefined)) {
    add("socket", `${port.unit}.socket`, socketBody(pod, port));
    const requires = [`${port.unit}.socket`];
    if (port.spread === undefined) add("forward", `${port.unit}.service`, forwardBody(pod, port, facts), { requires });
    else {
      add("balance", `${port.unit}.service`, spreadBody(pod, port, facts), { requires });
      files.push({ path: port.spread.list, bytes: lines(port.spread.backends), mode: 0o600, kind: "data", secret: false });
    }
  }
  files.push(...pod.data.map((d): RenderedFile => ({ path: d.path, bytes: d.bytes, mode: d.mode, kind: "data", secret: d.secret })));
  return {
    name: pod.name,
    source: pod.source,
    ...(pod.owner === undefined ? {} : { owner: pod.owner }),
    files,
    units,
    enable: isDriven(pod.owner) ? [] : [podUnit(pod.name)],
    images: recordOf(pod.containers.map((c) => [c.name, pinOf(c.image)])),
    ...(pod.imageVolumes.length === 0 ? {} : { volumeImages: recordOf(pod.imageVolumes.map((v) => [v.name, pinOf(v.image)])) }),
    ...patienceOf(pod),
    objects: pod.objects,
    folders: pod.folders,
    ...(pod.serve === undefined ? {} : { serve: pod.serve }),
    ...(pod.after === undefined ? {} : { after: pod.after.map(({ units: _, ...edge }) => edge) }),
    ...usernsOf(pod),
  };
}

function lines(list: readonly string[]): Uint8Array {
  return new TextEncoder().encode(list.map((line) => `${line}\n`).join(""));
}

function pinOf({ reference, digest }: ImageFacts): { reference: string; digest: string } {
  return { reference, digest };
}

function patienceOf({ containers }: PodPlan): Pick<RenderedPod, "patience"> {
  const seconds = Math.max(0, ...containers.map(patience));
  return seconds === 0 ? {} : { patience: seconds };
}

function usernsOf({ userns, containers, imageVolumes }: PodPlan): Pick<RenderedPod, "userns" | "shifted"> {
  if (userns === undefined) return { shifted: new Map() };
  const { mode, uids, gids, digest } = userns;
  const layers = [...containers, ...imageVolumes].flatMap((c) => c.image.layers);
  return { userns: { mode, uids, gids }, shifted: new Map(layers.map((layer) => [layer, shiftedName(layer, digest)])) };
}
