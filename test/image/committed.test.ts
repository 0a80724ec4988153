// Configuration and manifest of a committed image: what stays of the base, what is added, what each instruction does.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageChange } from "../../src/base/image-change.js";
import { committedConfig, committedManifest } from "../../src/host/image/committed.js";
import { ImageError } from "../../src/ports/images.js";

const [A, B] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
const bytes = (value: object) => Buffer.from(JSON.stringify(value));
const parse = (value: Uint8Array) => JSON.parse(Buffer.from(value).toString());
const LAYER = { diffId: B, size: 10240 };
const note = (changes: readonly ImageChange[] = []) => ({ created: "2001-09-09T01:46:40Z", createdBy: "c", changes });

const BASE = {
  architecture: "amd64",
  os: "linux",
  created: "1999-01-01T00:00:00Z",
  container: "x",
  container_config: {},
  docker_version: "20",
  config: {
    Cmd: ["old"],
    Entrypoint: ["/e"],
    Env: ["PATH=/bin", "A=0"],
    Labels: { a: "1" },
    WorkingDir: "/srv",
    Healthcheck: { Test: ["CMD"] },
  },
  rootfs: { type: "layers", diff_ids: [A] },
};
const committed = (...changes: ImageChange[]) => parse(committedConfig(bytes(BASE), LAYER, note(changes)));

test("the base's configuration stays, but what is true of another container alone; layer, date and history are new", () => {
  const made = parse(committedConfig(bytes(BASE), LAYER, { ...note(), author: "Ada", message: "why" }));
  assert.deepEqual(made.config, BASE.config);
  assert.deepEqual(made.rootfs, { type: "layers", diff_ids: [A, B] });
  assert.equal(made.created, "2001-09-09T01:46:40Z");
  for (const gone of ["container", "container_config", "docker_version"]) assert.equal(gone in made, false, gone);
  // The base has a layer and tells of none.
  assert.deepEqual(made.history, [{}, { created: "2001-09-09T01:46:40Z", created_by: "c", author: "Ada", comment: "why" }]);
  const told = { ...BASE, history: [{ created_by: "x" }, { created_by: "y", empty_layer: true }] };
  assert.equal(parse(committedConfig(bytes(told), LAYER, note())).history.length, 3);
});

test("instructions", () => {
  const sh = (line: string) => ["/bin/sh", "-c", line];
  assert.deepEqual(committed({ kind: "CMD", words: ["a b"], shell: true }).config.Cmd, sh("a b"));
  const both = committed({ kind: "CMD", words: ["x"], shell: false }, { kind: "ENTRYPOINT", words: ["/n"], shell: false });
  assert.deepEqual([both.config.Entrypoint, both.config.Cmd], [["/n"], ["x"]]);
  // Arguments of another entry point make no sense to this one.
  assert.equal("Cmd" in committed({ kind: "ENTRYPOINT", words: ["/n"], shell: false }).config, false);
  assert.deepEqual(
    committed({
      kind: "ENV",
      pairs: [
        ["A", "1"],
        ["B", "2"],
      ],
    }).config.Env,
    ["PATH=/bin", "A=1", "B=2"],
  ); // prettier-ignore
  assert.deepEqual(committed({ kind: "LABEL", pairs: [["b", "2"]] }).config.Labels, { a: "1", b: "2" }); // prettier-ignore
  assert.deepEqual(committed({ kind: "EXPOSE", names: ["80/tcp"] }).config.ExposedPorts, { "80/tcp": {} });
  assert.deepEqual(committed({ kind: "VOLUME", names: ["/v"] }).config.Volumes, { "/v": {} });
  const dirs = committed({ kind: "WORKDIR", value: "a/../b" }, { kind: "WORKDIR", value: "c" }).config.WorkingDir;
  assert.equal(dirs, "/srv/b/c");
  assert.deepEqual(committed({ kind: "ONBUILD", value: "RUN x" }).config.OnBuild, ["RUN x"]);
  const other = committed({ kind: "USER", value: "33" }, { kind: "STOPSIGNAL", value: "SIGHUP" }).config;
  assert.deepEqual([other.User, other.StopSignal], ["33", "SIGHUP"]);
});

test("the manifest in either family: layers of the base as they were, the new one plain; no annotation of the base", () => {
  const config = bytes(BASE);
  const base = (layer: string, type: string) =>
    bytes({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: type.replace("distribution.manifest.v2", "container.image.v1").replace("manifest", "config"),
        digest: A,
        size: 2,
      },
      layers: [{ mediaType: layer, digest: A, size: 1 }],
      annotations: { "org.opencontainers.image.base.name": "x" },
    }); // prettier-ignore
  const oci = base("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.manifest.v1+json");
  const made = parse(committedManifest(oci, config, LAYER, "docker", "x"));
  assert.deepEqual(made.layers, [
    { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest: A, size: 1 },
    { mediaType: "application/vnd.docker.image.rootfs.diff.tar", digest: B, size: 10240 },
  ]);
  assert.equal("annotations" in made, false);
  assert.equal(made.config.size, config.length);
  assert.equal(parse(committedManifest(oci, config, LAYER, "oci", "x")).layers[0].mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
  const zstd = base("application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.manifest.v1+json");
  assert.throws(
    () => committedManifest(zstd, config, LAYER, "docker", "x"),
    (error) => error instanceof ImageError && error.code === "image-bad",
  ); // prettier-ignore
});
