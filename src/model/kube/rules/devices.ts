// Devices are promised and used, never one without the other, as all of Kubernetes' extended resources.
import { isDevice } from "../devices.js";
import type { PodView } from "../view.js";

export function devices({ containers, report, spec }: PodView): void {
  for (const { reader } of containers) {
    const limits = reader.object("resources")?.object("limits");
    const requests = reader.object("resources")?.object("requests");
    for (const [key, entry] of requests?.node.entries ?? [])
      if (isDevice(key) && requests !== undefined && limits?.node.entries.has(key) !== true)
        report.error(
          "bad-value",
          entry.key,
          requests.pathOf(key),
          "is no limit too: a device is asked for by limits",
          "write it below limits",
        );
  }
  const resources = spec?.object("resources");
  for (const list of [resources?.object("limits"), resources?.object("requests")])
    for (const [key, entry] of list?.node.entries ?? [])
      if (isDevice(key) && list !== undefined)
        report.error("bad-value", entry.key, list.pathOf(key), "a device is a container's", "write it into the resources of a container");
}
