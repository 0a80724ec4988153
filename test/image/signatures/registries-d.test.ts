// registries.d: which folder, which section, and what is refused.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseReference, type RegistryReference } from "../../../src/host/image/reference.js";
import { signatureUrl } from "../../../src/host/image/signatures/lookaside.js";
import { signaturePlaces } from "../../../src/host/image/signatures/registries-d.js";
import { ImageError } from "../../../src/ports/images.js";

const reference = (text: string) => parseReference(text) as RegistryReference;

async function places(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(tmpdir(), "podgen-regd-"));
  t.after(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return (text: string) => signaturePlaces(reference(text), { HOME: root }, root);
}

test("the most specific section that has a setting; the user's folder hides the system's", async (t) => {
  const system = "etc/containers/registries.d/a.yaml";
  const of = await places(t, {
    [system]: [
      "default-docker: {lookaside: 'https://all.example', use-sigstore-attachments: true}",
      "docker:",
      "  reg.example: {sigstore: 'file:///old', lookaside: 'https://reg.example/s/', lookaside-staging: 'file:///staging'}",
      "  reg.example/team: {use-sigstore-attachments: false}",
      "  reg.example/team/app:1: {sigstore: 'http://one.example'}",
      "  '*.wild.example': {lookaside: 'https://wild.example'}",
      "",
    ].join("\n"),
    "etc/containers/registries.d/b.yaml": "",
    "etc/containers/registries.d/notes.txt": "none of ours: [",
  });
  const { folder, ...app } = await of("reg.example/team/app:1");
  assert.deepEqual(app, { lookaside: "http://one.example", staging: "http://one.example", attachments: false });
  assert.match(folder, /\/etc\/containers\/registries\.d$/);
  assert.equal((await of("reg.example/team/app:2")).lookaside, "https://reg.example/s/");
  assert.equal((await of("reg.example/team/app:2")).staging, "file:///staging");
  assert.equal((await of("reg.example/x:1")).attachments, true);
  assert.equal((await of("a.wild.example/x:1")).lookaside, "https://wild.example");
  assert.equal((await of("reg.example:5000/x:1")).lookaside, "https://all.example");
  const own = await places(t, { [system]: "unknown: 1", ".config/containers/registries.d/x.yaml": "docker: {}" });
  assert.match((await own("reg.example/x:1")).lookaside, /^file:\/\/\/.*\/containers\/sigstore$/);
});

test("what is not understood is refused by file and place", async (t) => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "x.yaml": "dockers: {}" }, /x\.yaml: unknown member "dockers"/],
    [{ "x.yaml": "docker: {a.example: {lookasides: x}}" }, /a\.example: unknown member "lookasides"/],
    [{ "x.yaml": "docker: {a.example: {use-sigstore-attachments: 'yes'}}" }, /wrong type/],
    [{ "x.yaml": "docker: {a.example: 1}" }, /a\.example is not a mapping/],
    [{ "x.yaml": "docker: {a.example: {}, a.example: {}}" }, /is not YAML/],
    [{ "x.yaml": "a: [" }, /is not YAML/],
    [{ "x.yaml": "docker: {a.example: {}}", "y.yaml": "docker: {a.example: {}}" }, /y\.yaml: a\.example is in another file/],
    [{ "x.yaml": "default-docker: {}", "y.yaml": "default-docker: {}" }, /y\.yaml: default-docker is in another file/],
  ];
  for (const [files, why] of cases) {
    const of = await places(t, Object.fromEntries(Object.entries(files).map(([n, text]) => [`etc/containers/registries.d/${n}`, text])));
    await assert.rejects(of("a.example/x:1"), (e) => e instanceof ImageError && e.code === "image-config" && why.test(e.message));
  }
});

test("the address of a signature", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const of = (base: string) => signatureUrl(base, reference("reg.example/a/b:1"), digest, 2).href;
  assert.equal(of("https://s.example/x/"), `https://s.example/x/a/b@sha256=${"ab".repeat(32)}/signature-2`);
  assert.equal(of("file:///var/s"), `file:///var/s/a/b@sha256=${"ab".repeat(32)}/signature-2`);
  for (const bad of ["/var/s", "ftp://s.example", "file://host/s", "docker://x"]) assert.throws(() => of(bad), ImageError);
});
