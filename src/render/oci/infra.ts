// Infra's config.json: the namespaces that the pod's containers share.
import { mapsJson } from "../../base/userns.js";
import { INFRA, infraUnit, runDir } from "../../plan/names.js";
import type { PodPlan } from "../../plan/types.js";
import { objectOf } from "../origin.js";
import { type Bundle, finishBundle, OCI_VERSION } from "./bundle.js";
import type { Json } from "./json.js";

/** The bundle of infra; it has no rootfs and executes nothing. */
export function infraBundle(pod: PodPlan): Bundle {
  const own = pod.hostNetwork ? [] : [{ type: "network" }];
  // Lets root in the container ping without a capability. Other groups may not be mapped, and the kernel then refuses.
  const sysctl = { ...(pod.hostNetwork ? {} : { "net.ipv4.ping_group_range": "0 0" }), ...pod.sysctls };
  const config: Record<string, Json> = {
    ociVersion: OCI_VERSION,
    hostname: pod.hostname,
    linux: {
      namespaces: [
        ...own,
        ...(pod.hostIPC ? [] : [{ type: "ipc" }]),
        { type: "uts" },
        ...(pod.processes === "shared" ? [{ type: "pid" }] : []),
      ],
      ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    },
  };
  const annotations: Record<string, string> = {
    "io.podgen.pod": pod.name,
    "io.podgen.container": INFRA,
    "io.podgen.unit": infraUnit(pod.name),
    "io.podgen.identifier": `${pod.name}/${INFRA}`,
    "io.podgen.log-fields": JSON.stringify({ POD_NAME: pod.name, CONTAINER_NAME: INFRA }),
    "io.podgen.run-dir": runDir(pod.name, INFRA),
    ...(pod.ownNames === undefined ? {} : { "io.podgen.names": pod.ownNames.join("\t") }),
    ...(pod.hosts === undefined ? {} : { "io.podgen.hosts": pod.hosts }),
    ...(pod.resolv === undefined ? {} : { [pod.resolv.alone ? "io.podgen.resolv-conf" : "io.podgen.resolv-lines"]: pod.resolv.text }),
    "io.podgen.uplink": pod.uplink ? "pasta" : "none",
    ...(pod.userns === undefined ? {} : { "io.podgen.userns": mapsJson(pod.userns) }),
    ...(pod.memoryVolumes.length === 0 ? {} : { "io.podgen.memory-volumes": JSON.stringify(pod.memoryVolumes) }),
  };
  return finishBundle({ config, annotations }, pod.source, objectOf(pod));
}
