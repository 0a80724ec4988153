// A container cannot be promised more than it may use.
import { quote } from "../../../spec/quote.js";
import type { PodView } from "../view.js";

const NAMES = [
  ["cpu", "cpuMillis"],
  ["memory", "memoryBytes"],
] as const;

export function resourceRequests({ containers, report }: PodView): void {
  for (const { model, reader } of containers) {
    const requests = reader.object("resources")?.object("requests");
    const limits = reader.object("resources")?.object("limits");
    if (requests === undefined || limits === undefined) continue;
    for (const [name, field] of NAMES) {
      const request = model.requests[field];
      const limit = model.limits[field];
      if (request === undefined || limit === undefined || request <= limit) continue;
      const text = quote(limits.quantity(name) ?? "");
      report.error(
        "bad-value",
        requests.place(name),
        requests.pathOf(name),
        `${quote(requests.quantity(name) ?? "")} is more than the limit ${text}`,
      );
    }
  }
}
