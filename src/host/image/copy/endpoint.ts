// The two ends of a copy by their names: transport and what follows, opened for reading or for writing.
import { stat } from "node:fs/promises";
import type { Side } from "../../../ports/image-copy.js";
import { ImageError } from "../../../ports/images.js";
import type { Deadlines } from "../deadlines.js";
import type { Platform } from "../platform.js";
import { parseReference, type RegistryReference } from "../reference.js";
import type { Content, Sink } from "./content.js";
import type { DirReference } from "./dir.js";

export interface EndpointOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlines: Deadlines;
  readonly platform: Platform;
  /** Of a manifest list the index alone is wanted. */
  readonly indexOnly?: boolean | undefined;
  /** Of the registry that is meant. */
  readonly side?: Side | undefined;
  /** podgen's store, and the podrt that makes tars of its layers again. */
  readonly data: string;
  readonly podrt: string;
}

/** `docker://HOST/REPOSITORY…`; undefined for other transports. Throws ImageError image-bad. */
export function registryOf(text: string): RegistryReference | undefined {
  if (!text.startsWith("docker://")) return undefined;
  const reference = parseReference(text.slice("docker://".length));
  if (reference.kind !== "registry") throw new ImageError("image-bad", text, `${text} names no registry`);
  return { ...reference, text };
}

function dirOf(text: string): DirReference | undefined {
  return text.startsWith("dir:/") ? { kind: "dir", text, path: text.slice("dir:".length) } : undefined;
}

/** What is read, if the policy lets it be. Throws ImageError image-bad for a name that is none, image-refused for what is refused. */
export async function openContent(text: string, options: EndpointOptions): Promise<Content> {
  const { env, deadlines, platform, data, podrt, side } = options;
  // What is in the store the policy has let in.
  if (text.startsWith("store:")) {
    const [{ StoreContent }, { Store }] = await Promise.all([import("./store-content.js"), import("../store.js")]);
    return StoreContent.open({ store: new Store(data), podrt, env }, text.slice("store:".length), platform);
  }
  if (text.startsWith("list:"))
    return (await import("../lists/index.js")).openList(text.slice("list:".length), options, options.indexOnly === true);
  const dir = dirOf(text);
  if (dir !== undefined) {
    const demand = await (await import("../policy/check.js")).demandFor(dir, env);
    const content = new (await import("./dir.js")).DirContent(dir);
    if (demand === undefined) return content;
    const [{ GuardedContent }, { verifierOf }] = await Promise.all([import("../policy/guard.js"), import("../policy/verify.js")]);
    return new GuardedContent(content, await verifierOf(demand, text, env), undefined);
  }
  const reference = registryOf(text) ?? parseReference(text);
  if (reference.kind === "registry" && !text.startsWith("docker://")) throw new ImageError("image-bad", text, `${text} names no transport`);
  // HTTP takes some 10 ms to load, which a folder need not cost.
  const access = reference.kind === "registry" ? (await import("../connect.js")).accessOf(reference, env, side) : {};
  return (await import("../open.js")).openSource(reference, platform, { env, deadlines, podrt, ...access });
}

/** What is written. `from`: where blobs may be mounted from. Throws ImageError image-bad also for an archive that is there already. */
export async function openSink(text: string, from: Content, { env, deadlines, side }: EndpointOptions): Promise<Sink> {
  const registry = registryOf(text);
  if (registry !== undefined) {
    const [{ RegistrySink }, { connect }] = await Promise.all([import("./registry-sink.js"), import("../connect.js")]);
    const scopes = [`repository:${registry.repository}:pull,push`];
    // A token for both, so that one can be mounted into the other.
    if (from.repository?.host === registry.host) scopes.push(`repository:${from.repository.name}:pull`);
    return new RegistrySink(await connect(registry, deadlines, env, scopes, side), env);
  }
  const dir = dirOf(text);
  if (dir !== undefined) return new (await import("./dir.js")).DirSink(dir);
  const reference = parseReference(text);
  if (reference.kind === "registry") throw new ImageError("image-bad", text, `${text} names no transport`);
  if (reference.kind === "containers-storage") {
    const hint = "podman pull or podman load brings an image there; podgen only reads podman's store.";
    throw new ImageError("image-bad", text, `${text}: podgen writes nothing into podman's store`, hint);
  }
  if (reference.kind === "oci") return new (await import("./layout-sink.js")).LayoutSink(reference);
  await refuseTaken(reference);
  if (reference.kind === "docker-archive") return new (await import("./docker-archive-sink.js")).DockerArchiveSink(reference);
  return new (await import("./layout-sink.js")).LayoutArchiveSink(reference);
}

/** An archive is written anew: what is there is not overwritten, unless it is empty. */
async function refuseTaken({ path, text }: { readonly path: string; readonly text: string }): Promise<void> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > 0) throw new ImageError("image-bad", text, `${text}: there is a ${path} already`, "Remove it, or give another name.");
}
