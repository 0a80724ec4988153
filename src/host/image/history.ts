// How an image was made, step by step: its configuration's history beside its layers.
import type { HistoryStep } from "../../ports/image-store.js";
import { isObject, parseJson } from "./json.js";
import type { ImageRecord, Store } from "./store.js";

/** Newest first. Steps that made no layer have none; layers that no step speaks of come last, without words. */
export async function historyOf(store: Store, { facts, configDigest }: ImageRecord): Promise<HistoryStep[]> {
  const config = parseJson((await store.readBlob(configDigest)) ?? new Uint8Array());
  const said = isObject(config) && Array.isArray(config["history"]) ? config["history"] : [];
  const left = [...facts.layers];
  const steps: HistoryStep[] = [];
  for (const step of said) {
    if (!isObject(step)) continue;
    const text = (name: string) =>
      typeof step[name] === "string" && step[name] !== "" ? { [name === "created_by" ? "createdBy" : name]: step[name] } : {};
    const layer = step["empty_layer"] === true ? undefined : left.shift();
    steps.push({ ...text("created"), ...text("created_by"), ...text("comment"), ...(await layerOf(store, layer)) });
  }
  for (const layer of left) steps.push(await layerOf(store, layer));
  return steps.reverse();
}

async function layerOf(store: Store, layer: string | undefined): Promise<HistoryStep> {
  if (layer === undefined) return {};
  const size = (await store.note(layer))?.size;
  return { layer, ...(size === undefined ? {} : { size }) };
}
