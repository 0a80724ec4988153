// Makes the OCI layout of the bundled image out of the built program: node layout.mjs PROGRAM DIR. The same program gives the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [program, dir] = process.argv.slice(2);
if (program === undefined || dir === undefined) {
  console.error("usage: node layout.mjs PROGRAM DIR");
  process.exit(64);
}

const USER = 65532; // "nonroot", as in distroless images
const bytes = readFileSync(program);
// e_machine of ELF(5): the machine the program is for, not the one this script runs on.
const architecture = { 62: "amd64", 183: "arm64", 243: "riscv64", 22: "s390x", 21: "ppc64le" }[bytes.readUInt16LE(18)];
if (architecture === undefined) throw new Error(`${program}: of an unknown machine`);

/** One ustar entry; folders end with a slash. */
function entry(name, mode, data = Buffer.alloc(0)) {
  const block = Buffer.alloc(512);
  const octal = (value, at, width) => block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at);
  block.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(data.length, 124, 12);
  octal(0, 136, 12);
  block.fill(" ", 148, 156);
  block.write(name.endsWith("/") ? "5" : "0", 156);
  block.write("ustar\x0000", 257);
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

const layer = Buffer.concat([
  entry("./", 0o755),
  entry("./etc/", 0o755),
  entry("./etc/group", 0o644, Buffer.from(`root:x:0:\nnonroot:x:${USER}:\n`)),
  entry(
    "./etc/passwd",
    0o644,
    Buffer.from(`root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${USER}:${USER}:nonroot:/:/sbin/nologin\n`),
  ),
  entry("./httpd", 0o755, bytes),
  entry("./tmp/", 0o1777),
  entry("./www/", 0o755),
  Buffer.alloc(1024),
]);

const made = `${dir}.new`;
rmSync(made, { recursive: true, force: true });
mkdirSync(join(made, "blobs/sha256"), { recursive: true });

/** Writes a blob and describes it. */
function blob(mediaType, data) {
  const hex = createHash("sha256").update(data).digest("hex");
  writeFileSync(join(made, "blobs/sha256", hex), data);
  return { mediaType, digest: `sha256:${hex}`, size: data.length };
}
const json = (value) => Buffer.from(`${JSON.stringify(value)}\n`);

const layers = [blob("application/vnd.oci.image.layer.v1.tar", layer)];
const config = blob(
  "application/vnd.oci.image.config.v1+json",
  json({
    created: "1970-01-01T00:00:00Z",
    architecture,
    os: "linux",
    config: {
      User: `${USER}:${USER}`,
      ExposedPorts: { "8080/tcp": {} },
      Env: ["PATH=/"],
      Entrypoint: ["/httpd"],
      WorkingDir: "/",
      StopSignal: "SIGTERM",
      Labels: { "org.opencontainers.image.title": "podgen-httpd", "org.opencontainers.image.licenses": "Apache-2.0" },
    },
    rootfs: { type: "layers", diff_ids: layers.map((one) => one.digest) },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "podgen native/httpd/layout.mjs" }],
  }),
);
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const manifest = blob(mediaType, json({ schemaVersion: 2, mediaType, config, layers }));
const annotations = { "org.opencontainers.image.ref.name": "latest" };
const index = { ...manifest, platform: { architecture, os: "linux" }, annotations };
writeFileSync(
  join(made, "index.json"),
  json({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [index] }),
);
writeFileSync(join(made, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));

mkdirSync(dirname(dir), { recursive: true });
rmSync(dir, { recursive: true, force: true });
renameSync(made, dir);
