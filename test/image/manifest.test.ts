import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePlatform, type IndexEntry, parseConfiguration, parseManifest } from "../../src/host/image/manifest.js";
import { hostPlatform } from "../../src/host/image/platform.js";
import { ImageError } from "../../src/ports/images.js";

const digest = `sha256:${"a".repeat(64)}`;
const diffId = `sha256:${"b".repeat(64)}`;
const amd64 = hostPlatform("x64", "x86_64");
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 10 };
const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: 20 };
const whole = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers: [layer] };

const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const parse = (value: unknown, type?: string) => parseManifest(bytes(value), type, "x/y:1");
const entry = (platform: string): IndexEntry => {
  const [os = "", architecture = "", variant = ""] = platform.split("/");
  return {
    mediaType: whole.mediaType,
    digest: `sha256:${Buffer.from(platform).toString("hex").padEnd(64, "0")}`,
    size: 1,
    annotations: {},
    platform: { os, architecture, variant },
  }; // prettier-ignore
};

function refused(work: () => unknown, code: string, words: RegExp): void {
  assert.throws(work, (e) => {
    assert.ok(e instanceof ImageError);
    assert.equal(e.code, code);
    assert.match(`${e.message} ${e.hint ?? ""}`, words);
    return true;
  });
}

test("OCI and docker manifests and indexes are read", () => {
  assert.deepEqual(parse(whole), { kind: "image", config, layers: [layer] });
  const docker = {
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
    layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
  };
  assert.equal(parse(docker).kind, "image");
  const list = {
    schemaVersion: 2,
    manifests: [{ mediaType: whole.mediaType, digest, size: 1, platform: { os: "linux", architecture: "amd64" } }],
  };
  assert.equal(parse(list).kind, "index", "by its shape, as the media type is optional in OCI");
  assert.equal(parse(list, "application/vnd.docker.distribution.manifest.list.v2+json").kind, "index");
});

test("a manifest that cannot be trusted or run is refused, and why", () => {
  const change = (part: Record<string, unknown>) => () => parse({ ...whole, ...part });
  refused(() => parse("<html>login</html>", "text/html"), "image-bad", /not JSON but text\/html.*name/);
  refused(change({ schemaVersion: 1 }), "image-bad", /schema 1/);
  refused(() => parse(whole.schemaVersion, "application/vnd.docker.distribution.manifest.v1+prettyjws"), "image-bad", /not JSON|schema 1/);
  refused(change({ mediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws" }), "image-bad", /schema 1/);
  refused(
    change({ config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" } }),
    "image-bad",
    /not a container image.*helm/,
  );
  refused(change({ layers: [{ ...layer, digest: `sha512:${"a".repeat(128)}` }] }), "image-bad", /not sha256/);
  refused(change({ layers: [{ ...layer, digest: "sha256:../../../etc" }] }), "image-bad", /not sha256/);
  refused(change({ layers: [{ ...layer, size: -1 }] }), "image-bad", /size/);
  refused(change({ layers: [{ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" }] }), "image-bad", /encrypted/);
  refused(change({ layers: {} }), "image-bad", /list of layers/);
  refused(() => parseManifest(Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), undefined, "x/y:1"), "image-bad", /over 4 MiB/);
  refused(change({ config: { ...config, mediaType: "a\u001b[31mb\nc" } }), "image-bad", /is a \[31mb c/);
});

test("the platform that runs here is chosen, or those that are there are listed", () => {
  const pick = (host: ReturnType<typeof hostPlatform>, ...names: string[]) => {
    const found = choosePlatform(names.map(entry), host, "x/y:1").platform;
    return `${found?.os}/${found?.architecture}/${found?.variant}`;
  };
  assert.equal(pick(amd64, "linux/arm64/v8", "linux/amd64", "windows/amd64"), "linux/amd64/");
  assert.equal(pick(amd64, "linux/amd64/v3", "linux/amd64/v1"), "linux/amd64/v1", "v3 needs a newer processor than every amd64 is");
  assert.equal(pick(hostPlatform("arm64", "aarch64"), "linux/arm/v7", "linux/arm64", "linux/arm64/v8"), "linux/arm64/v8");
  const arms = ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8"];
  assert.equal(pick(hostPlatform("arm", "armv7l"), ...arms), "linux/arm/v7");
  assert.equal(pick(hostPlatform("arm", "armv6l"), ...arms), "linux/arm/v6", "v7 would die of an illegal instruction");
  assert.equal(pick(hostPlatform("ppc64", "ppc64le"), "linux/ppc64le", "linux/amd64"), "linux/ppc64le/");
  refused(
    () => pick(amd64, "linux/arm64/v8", "windows/amd64", "unknown/unknown"),
    "image-no-platform",
    /linux\/arm64\/v8, windows\/amd64\.$/,
  );
  refused(() => pick(amd64), "image-no-platform", /no platform/);
});

test("a configuration gives what units need, with nothing for what is absent", () => {
  const full = {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [diffId] },
    config: {
      Entrypoint: ["/e"],
      Cmd: null,
      Env: ["A=1"],
      User: "1:2",
      WorkingDir: "/w",
      StopSignal: "SIGQUIT",
      ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
      Volumes: { "/v": {} },
    }, // prettier-ignore
  };
  assert.deepEqual(parseConfiguration(bytes(full), 1, amd64, "x").config, {
    entrypoint: ["/e"],
    cmd: [],
    env: ["A=1"],
    user: "1:2",
    workingDir: "/w",
    stopSignal: "SIGQUIT",
  });
  const bare = parseConfiguration(bytes({ rootfs: { diff_ids: [diffId] } }), 1, amd64, "x");
  assert.deepEqual(bare.config, {
    entrypoint: [],
    cmd: [],
    env: [],
    user: "",
    workingDir: "",
    stopSignal: "",
  });
  refused(() => parseConfiguration(bytes(full), 2, amd64, "x"), "image-bad", /1 layers, its manifest of 2/);
  refused(() => parseConfiguration(bytes({ ...full, rootfs: { diff_ids: ["sha256:.."] } }), 1, amd64, "x"), "image-bad", /diff_ids/);
  refused(() => parseConfiguration(bytes({ ...full, config: { Cmd: "sh" } }), 1, amd64, "x"), "image-bad", /config\.Cmd/);
  refused(() => parseConfiguration(bytes({ ...full, architecture: "arm64" }), 1, amd64, "x"), "image-no-platform", /linux\/arm64 only/);
});
