// What was asked for, by object, as texts that may be kept and shown: a Secret's values are digests that only this machine can make.
import { recordOf } from "../base/record.js";
import type { Plain, Written } from "../model/written.js";
import { keyedDigestOf } from "./digest.js";

/** `Pod/web` -> its spec as JSON, the same text for the same content. */
export type SpecTexts = Readonly<Record<string, string>>;

/** `key`: of the secret store; without it nothing of a value is told, not even that it is another one. */
export function specTexts(objects: readonly Written[], key: Uint8Array | undefined): SpecTexts {
  return recordOf(
    objects.map((written) => {
      const { kind, name, object } = written;
      return [`${kind}/${name}`, JSON.stringify(kind === "Secret" ? concealed(written, key) : object)];
    }),
  );
}

/** `stringData` goes into `data`, before which it comes in Kubernetes. */
function concealed({ name, object }: Written, key: Uint8Array | undefined): Readonly<Record<string, Plain>> {
  const { data, stringData, ...rest } = object;
  const values = new Map<string, Uint8Array>();
  for (const [field, value] of Object.entries(data ?? {})) values.set(field, Buffer.from(String(value), "base64"));
  for (const [field, value] of Object.entries(stringData ?? {})) values.set(field, Buffer.from(String(value)));
  const shown = [...values].map(([field, bytes]) => [
    field,
    key === undefined ? "(secret)" : `(secret ${keyedDigestOf(key, "spec", name, field, bytes).slice(0, 12)})`,
  ]);
  return { ...rest, data: Object.fromEntries(shown) as Record<string, string> };
}
