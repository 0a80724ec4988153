// maxSurge and maxUnavailable: a number of pods, or a percentage of them (util/intstr IntOrString).
import type { Reader } from "../../../spec/reader.js";
import type { Problem } from "../../../spec/report.js";

const SHARE = /^(?:\d{1,10}|\d{1,3}%)$/;

/** For the field tables. */
export function share(text: string): Problem | undefined {
  return SHARE.test(text) ? undefined : { problem: "is neither a number of pods nor a percentage", hint: 'write 1, or "25%"' };
}

/** As it stands: `25%` is 25 per cent. */
export interface Share {
  readonly amount: number;
  readonly percent: boolean;
}

/** The field's value, or what counts where it is absent. */
export function readShare(reader: Reader | undefined, field: string, otherwise: string): Share {
  const node = reader?.scalar(field);
  const text = node === undefined ? otherwise : typeof node.value === "bigint" ? node.value.toString() : node.text;
  return { amount: Number.parseInt(text, 10) || 0, percent: text.endsWith("%") };
}

/** As pods, of `replicas`. */
export function pods({ amount, percent }: Share, replicas: number, round: "up" | "down"): number {
  if (!percent) return amount;
  return round === "up" ? Math.ceil((amount * replicas) / 100) : Math.floor((amount * replicas) / 100);
}
