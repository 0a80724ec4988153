// From a reference to the source behind it, if the user's policy lets that be read; each kind is loaded when it is first needed.
import type { Content } from "./copy/content.js";
import type { Platform } from "./platform.js";
import type { Reference } from "./reference.js";
import type { Access } from "./registries/open.js";
import type { ImageSource } from "./source.js";

/** Where the policy lets it: nothing is read of an image that it refuses, or before the signatures that it wants. Throws ImageError. */
export async function openSource(
  reference: Reference,
  host: Platform,
  access: Access & { readonly podrt: string },
): Promise<ImageSource & Content> {
  // Which scopes of the policy count is known when the image is found.
  if (reference.kind === "containers-storage") return (await import("./containers/source.js")).openPodman(reference, host, access);
  const { demandFor } = await import("./policy/check.js");
  const demand = await demandFor(reference, access.env);
  if (reference.kind === "docker-archive") return new (await import("./archive.js")).ArchiveSource(reference, host);
  if (reference.kind !== "registry") return new (await import("./layout.js")).LayoutSource(reference, host);
  const [{ RegistrySource }, { openSessions }, { MirroredSource }] = await Promise.all([
    import("./registry.js"),
    import("./registries/open.js"),
    import("./mirrored.js"),
  ]);
  const sessions = await openSessions(reference, access);
  const places = sessions.map((session) => ({ source: new RegistrySource(session, host, access.env), host: session.reference.host }));
  const [only] = places;
  const source = places.length === 1 && only !== undefined ? only.source : new MirroredSource(places);
  if (demand === undefined) return source;
  const [{ GuardedSource }, { nameOf }, { verifierOf }] = await Promise.all([
    import("./policy/guard.js"),
    import("./policy/name.js"),
    import("./policy/verify.js"),
  ]);
  return new GuardedSource(source, host, await verifierOf(demand, reference.text, access.env), nameOf(reference));
}
