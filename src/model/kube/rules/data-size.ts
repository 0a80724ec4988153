// ConfigMaps and Secrets hold 1 MiB at most, as in Kubernetes.
import type { Reader } from "../../../spec/reader.js";
import type { Report } from "../../../spec/report.js";

const MAX_BYTES = 1024 * 1024;

/** Values count, keys do not (core/v1 MaxSecretSize; ConfigMaps the same). */
export function dataSize(document: Reader, fields: readonly string[], data: ReadonlyMap<string, Uint8Array>, report: Report): void {
  let total = 0;
  for (const bytes of data.values()) total += bytes.length;
  const field = fields.find((f) => document.get(f) !== undefined);
  if (total <= MAX_BYTES || field === undefined) return;
  report.error(
    "too-large",
    document.keyPlace(field),
    document.pathOf(field),
    `holds ${total} bytes; ${MAX_BYTES} is the most`,
    "use a volume for large files",
  );
}
