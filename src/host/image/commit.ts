// A container's changes into the store, as an image: podrt packs them, podrt unpacks them as it does any layer, and so there is a recipe.
import { spawn } from "node:child_process";
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Committed, CommitWish } from "../../ports/image-commit.js";
import { ImageError } from "../../ports/images.js";
import { freezable } from "../systemd/cgroup.js";
import { committedConfig, committedManifest } from "./committed.js";
import { DEADLINES } from "./deadlines.js";
import { HelperError } from "./failure.js";
import { isObject, parseJson, printable, strings } from "./json.js";
import { haveLayer, placeLayer } from "./layers.js";
import { acquire, type Lock } from "./lock.js";
import { type Descriptor, parseConfiguration, parseManifest } from "./manifest.js";
import type { Platform } from "./platform.js";
import type { Repacker } from "./repack.js";
import { digestOf } from "./resolve.js";
import { factsOf } from "./source.js";
import { unstalled, within } from "./stall.js";
import { exists, type LayerNote } from "./store.js";
import { plainLayer, StoredSource } from "./stored.js";
import { type LayerLimits, recipeBeside, removeTrees, Unpacker } from "./unpack.js";

export interface Committer extends Repacker {
  /** What configurations are checked against. */
  readonly host: Platform;
  readonly limits: LayerLimits;
  /** The store's, held by the caller; podrt goes on holding it should we be killed. */
  readonly lock: Lock;
}

const OUTPUT_MAX = 64 * 1024;
/** Milliseconds. */
const KILL_AFTER = 5_000;

/** Throws ImageError; then nothing of it is in the store. */
export async function commitContainer(committer: Committer, wish: CommitWish): Promise<Committed> {
  const { store, host } = committer;
  const base = await baseOf(committer, wish);
  await checkBundle(wish, base.configuration.diffIds);
  await ownLayers(committer, wish, base);
  const { layer, warnings } = await makeLayer(committer, wish);
  const created = new Date(wish.time * 1000).toISOString().replace(".000Z", "Z");
  const createdBy = [`podgen image commit ${wish.container}`, ...wish.words].join("; ");
  const { author, message } = wish;
  const note = {
    created,
    createdBy,
    changes: wish.changes,
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { message }),
  };
  const configBytes = committedConfig(base.config, layer, note);
  const manifest = committedManifest(base.manifest, configBytes, layer, wish.format, wish.name);
  const [digest, configDigest] = [digestOf(manifest), digestOf(configBytes)];
  const parsed = parseManifest(manifest, undefined, wish.name);
  const layers = parsed.kind === "image" ? parsed.layers : [];
  const configuration = parseConfiguration(configBytes, layers.length, host, wish.name);
  await store.writeBlob(configDigest, configBytes);
  await store.writeBlob(digest, manifest);
  const resolved = { named: digest, digest, manifest, configDigest, configBytes, layers, configuration };
  await store.writeRecord({ version: 1, named: digest, configDigest, facts: factsOf(wish.name, resolved) });
  return { digest, configDigest, layer: layer.diffId, size: layer.size, warnings };
}

/** What the container's image says of itself. */
async function baseOf({ store, host }: Committer, { image, container }: CommitWish) {
  const gone = () =>
    new ImageError("image-store", image, `${container}: its image ${image} is not in the store, or damaged`, "podgen image fsck --repair");
  const manifest = await store.readBlob(image);
  const parsed = manifest === undefined ? undefined : parseManifest(manifest, undefined, image);
  if (manifest === undefined || parsed?.kind !== "image") throw gone();
  const config = await store.readBlob(parsed.config.digest);
  if (config === undefined) throw gone();
  const configuration = parseConfiguration(config, parsed.layers.length, host, image);
  return { manifest, config, configDigest: parsed.config.digest, layers: parsed.layers, configuration };
}

/** What is committed is nobody else's: layers that are only linked to where podman has them become the store's own, checked by their diff_ids. */
async function ownLayers(committer: Committer, { image }: CommitWish, base: Awaited<ReturnType<typeof baseOf>>): Promise<void> {
  const { store, podrt, env, limits, host } = committer;
  const { diffIds, config } = base.configuration;
  const facts = { reference: image, digest: image, layers: diffIds, config };
  const source = new StoredSource(committer, { version: 1, named: image, configDigest: base.configDigest, facts }, host);
  const { signal } = new AbortController();
  const shared = { reference: image, inPlace: false, keepBlobs: false, deadlines: DEADLINES, report: () => undefined };
  for (const [i, diffId] of diffIds.entries()) {
    const size = (await store.owns(diffId)) ? undefined : (await store.note(diffId))?.size;
    if (size === undefined) continue;
    const tar = plainLayer(base.layers[i] as Descriptor, diffId, size);
    await haveLayer({ store, source, podrt, env, limits, signal, ...shared }, diffId, tar);
  }
}

/** The bundle must be the one that the writable layer was made for, and of this image. Throws ImageError image-refused. */
async function checkBundle({ bundle, container, started }: CommitWish, diffIds: readonly string[]): Promise<void> {
  const refuse = (why: string) =>
    new ImageError("image-refused", container, `${container}: ${why}`, `podgen restart ${container.split("/")[0]}`);
  const path = join(bundle, "config.json");
  const json = parseJson(await readFile(path));
  const annotations = isObject(json) && isObject(json["annotations"]) ? json["annotations"] : {};
  const rootfs = parseJson(Buffer.from(String(annotations["io.podgen.rootfs"])));
  const layers = isObject(rootfs) ? strings(rootfs["layers"]) : undefined;
  const upper = isObject(rootfs) ? rootfs["upper"] : undefined;
  if (layers === undefined || typeof upper !== "string") throw refuse(`${path} names no layers`);
  const made = await stat(join(upper, "upper")).catch(() => undefined);
  if (made === undefined) throw new ImageError("image-refused", container, `${container} was never started`);
  // state.json goes with a reboot, the layer does not: then the times must tell.
  const changed = started === undefined ? (await stat(path)).mtimeMs > made.birthtimeMs : started !== annotations["io.podgen.digest"];
  if (changed) throw refuse("its definition was changed after it was started: what it has written belongs to another image, perhaps");
  const known = new Set(diffIds.map((diffId) => diffId.slice(7)));
  const strange = layers.find((folder) => !known.has(/\/([0-9a-f]{64})(?:-[0-9a-f]{16})?$/.exec(folder)?.[1] ?? ""));
  if (strange !== undefined) throw refuse(`its image has no layer ${strange}`);
}

/** The layer in the store, under the diff_id it turns out to have. */
async function makeLayer(committer: Committer, wish: CommitWish) {
  const { store, podrt, env, limits, lock } = committer;
  const words = ["changes", "--bundle", wish.bundle, ...(wish.exact ? ["--latest", String(wish.time)] : []), ...runningWords(wish)];
  const temporary = store.temporary();
  await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
  const packer = spawn(podrt, words, { stdio: ["ignore", "pipe", "pipe", lock.fd], env: { ...env } });
  const said = outcomeOf(packer);
  const unpacker = new Unpacker(podrt, temporary, limits, env, DEADLINES.unpack, lock.fd);
  try {
    for await (const piece of unstalled(packer.stdout as AsyncIterable<Buffer>, DEADLINES.unpack, () => packer.kill()))
      if (!(await unpacker.write(piece))) break;
    // It stands still for us no longer than it must.
    packer.stdout?.destroy();
    const { failure, warnings } = await within(said, DEADLINES.unpack, () => packer.kill());
    const result = failure === undefined ? await unpacker.end() : undefined;
    if (failure !== undefined && !/Broken pipe/.test(failure)) throw explain(wish, failure);
    const made = result ?? (await unpacker.end());
    if (!made.ok) throw new ImageError("image-store", wish.name, `${wish.container}: the layer cannot be kept: ${made.message}`);
    await keepLayer(committer, made.diffId, temporary, made.note);
    return { layer: { diffId: made.diffId, size: made.note.size }, warnings };
  } finally {
    packer.kill("SIGTERM");
    await unpacker.kill();
    // Only what does not listen: it may have to let the container go on first.
    await within(said, KILL_AFTER, () => packer.kill("SIGKILL"));
    // Nothing, once it has its name.
    await removeTrees(podrt, [temporary, recipeBeside(temporary)], env, DEADLINES.unpack).catch(() => undefined);
  }
}

function runningWords({ running, freeze, container }: CommitWish): string[] {
  if (running === undefined) return [];
  const words = ["--pid", String(running.pid)];
  if (!freeze) return words;
  const group = freezable(running.unit, running.pid);
  if (group !== undefined) return [...words, "--freeze", group];
  throw new ImageError(
    "image-refused",
    container,
    `${container} cannot be paused: this machine has no cgroup2 for it`,
    "leave --pause out, or stop the pod first",
  );
}

/** podrt's words: the last line of a failure, and its warnings. */
function outcomeOf(child: ReturnType<typeof spawn>): Promise<{ readonly failure?: string; readonly warnings: readonly string[] }> {
  let err = "";
  child.stderr?.on("data", (piece: Buffer) => {
    if (err.length < OUTPUT_MAX) err += piece.toString();
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ failure: `podrt cannot be run: ${error.message}`, warnings: [] }));
    child.on("close", (code, signal) => {
      const lines = err.split("\n").filter(Boolean);
      const warnings = lines.flatMap((line) => /^podrt: changes: warning: (.*)/.exec(line)?.[1] ?? []).map(printable);
      if (code === 0) resolve({ warnings });
      else resolve({ failure: printable(lines.at(-1) ?? "") || `podrt changes ended with ${code ?? signal}`, warnings });
    });
  });
}

function explain({ container, running, freeze }: CommitWish, failure: string): Error {
  const why = failure.replace(/^podrt: changes: /, "");
  if (/^changed while it was read/.test(why) && running !== undefined && !freeze)
    return new ImageError("image-refused", container, `${container}: ${why}`, "--pause has it stand still meanwhile");
  if (/^(?:owner|a name that no layer can have): /.test(why)) return new ImageError("image-refused", container, `${container}: ${why}`);
  return new HelperError(failure);
}

/** What a pull does with a layer that is whole (layers.ts), under the layer's own lock. */
async function keepLayer(committer: Committer, diffId: string, temporary: string, note: LayerNote): Promise<void> {
  const { store } = committer;
  const end = Date.now() + DEADLINES.lock;
  const lock = await acquire(store.layerLock(diffId), "exclusive", 1, () => Date.now() < end);
  if (lock === undefined) throw new ImageError("image-store", diffId, `another podgen works on the layer ${diffId} and does not get on`);
  try {
    if (!(await exists(store.layer(diffId)))) await placeLayer(committer, diffId, temporary, note);
  } finally {
    await lock.release(true);
  }
}
