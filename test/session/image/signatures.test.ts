// A policy that wants signatures: made by gpg, skopeo and openssl, kept by a real registry. Where skopeo can judge, too, it has to agree.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createCopies } from "../../../src/host/image/copy/index.js";
import type { CopyWishes } from "../../../src/ports/image-copy.js";
import { ImageError } from "../../../src/ports/images.js";
import { type Registry, startRegistry } from "../../lib/registry.js";
import { imageError, makeStore, needPodrt, podrt, type TestStore } from "../../lib/store.js";
import { image, layer, sha256, type TinyImage, writeLayout } from "../../lib/tiny-image.js";

const run = promisify(execFile);
let folder: string;
let store: TestStore;
let registry: Registry;
let web: TinyImage;
let other: TinyImage;

const here = (name: string) => join(folder, name);
const config = (name: string) => join(store.folder, ".config/containers", name);
const lookaside = () => here("lookaside");

/** gpg with a home of its own. */
async function gpg(...words: string[]): Promise<void> {
  await run("gpg", ["--homedir", here("gpg"), "--batch", "--quiet", "--yes", "--passphrase", "", ...words]);
}

async function push(name: string, tag: string, ...more: string[]): Promise<void> {
  const words = ["copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "--registries.d", config("registries.d"), ...more];
  const env = { ...process.env, GNUPGHOME: here("gpg") };
  await run("skopeo", [...words, `oci:${here("layout")}:${name}`, `docker://${registry.host}/${tag}`], { env });
}

const claim = (type: string, digest: string, reference: string) =>
  JSON.stringify({
    critical: { type, image: { "docker-manifest-digest": digest }, identity: { "docker-reference": reference } },
    optional: {},
  });
const simple = (digest: string, reference: string) => claim("atomic container signature", digest, reference);

/** A signature of gpg's in the lookaside. */
async function put(repository: string, digest: string, index: number, bytes: Uint8Array): Promise<void> {
  const to = join(lookaside(), `${repository}@${digest.replace(":", "=")}`);
  await mkdir(to, { recursive: true });
  await writeFile(join(to, `signature-${index}`), bytes);
}

async function gpgSigned(text: string, key: string, ...more: string[]): Promise<Buffer> {
  await writeFile(here("text"), text);
  await gpg(...more, "--local-user", key, "--output", here("text.sig"), "--sign", here("text"));
  return readFile(here("text.sig"));
}

before(async () => {
  await needPodrt();
  await run("sh", ["-c", "type gpg gpgv skopeo > /dev/null 2>&1 || exec test/harness/packages.sh host"], { timeout: 600_000 });
  store = await makeStore();
  // A short path: gpg's agent has its socket in its home.
  folder = await mkdtemp("/tmp/podgen-sig-");
  registry = await startRegistry();
  await mkdir(config("registries.d"), { recursive: true });
  await mkdir(here("gpg"), { mode: 0o700 });
  await writeFile(config("registries.d/here.yaml"), `docker:\n  ${registry.host}:\n    lookaside: file://${lookaside()}\n`);
  web = image([layer([{ name: "web", content: "1" }])]);
  other = image([layer([{ name: "other", content: "2" }])]);
  await writeLayout(here("layout"), { web, other });
  for (const key of ["good", "stranger", "gone"]) await gpg("--quick-generate-key", `${key}@podgen.test`, "ed25519", "sign", "never");
  await gpg("--faked-system-time", "20200101T000000", "--quick-generate-key", "old@podgen.test", "ed25519", "sign", "2020-02-01");
  await gpg("--armor", "--output", here("good.asc"), "--export", "good@podgen.test");
  for (const key of ["good", "stranger", "old"]) await gpg("--output", here(`${key}.gpg`), "--export", `${key}@podgen.test`);
});
after(async () => {
  await run("gpgconf", ["--homedir", here("gpg"), "--kill", "all"]).catch(() => undefined);
  await registry.stop();
  await store.remove();
  await rm(folder, { recursive: true, force: true });
});

type Fields = Record<string, unknown>;

async function policy(requirement: Fields | Fields[], transport = "docker", scope = ""): Promise<void> {
  const transports = { [transport]: { [scope]: [requirement].flat() } };
  await writeFile(config("policy.json"), JSON.stringify({ default: [{ type: "reject" }], transports }));
}

/** "" where podgen lets an image in, else why not. `judge`: skopeo must say the same, yes or no. */
async function verdict(tag: string, judge = true): Promise<string> {
  const facts = store.again().inspect(`${registry.host}/${tag}`, "Always");
  const told = await facts.then(
    () => "",
    (error: unknown) => {
      if (!(error instanceof ImageError)) throw error;
      assert.equal(error.code, "image-refused", error.message);
      return error.message;
    },
  );
  if (judge) {
    const words = ["--policy", config("policy.json"), "--registries.d", config("registries.d"), "copy", "-q", "--src-tls-verify=false"];
    const target = `dir:${here("judged")}`;
    const skopeo = await run("skopeo", [...words, "--remove-signatures", `docker://${registry.host}/${tag}`, target]).then(
      () => "",
      (error: { stderr: string }) => error.stderr,
    );
    assert.equal(told === "", skopeo === "", `podgen: ${told || "lets it in"}; skopeo: ${skopeo || "lets it in"}`);
  }
  return told;
}

const signedBy = (more: Fields = {}): Fields => ({ type: "signedBy", keyType: "GPGKeys", keyPath: here("good.gpg"), ...more });

test("signedBy: skopeo's signature, every way to name a key, every kind of identity", async () => {
  await push("web", "app/web:1", "--sign-by", "good@podgen.test");
  await push("web", "app/web:2");
  const tag = `${registry.host}/app/web:1`;
  const armored = (await readFile(here("good.asc"))).toString("base64");
  const identity = (type: string, more: Fields = {}) => signedBy({ signedIdentity: { type, ...more } });
  const cases: [requirement: Fields, tag: string, wanted: RegExp | "", judge?: false][] = [
    [signedBy(), "app/web:1", ""],
    [signedBy({ keyPath: here("good.asc") }), "app/web:1", ""],
    [signedBy({ keyPath: undefined, keyData: armored }), "app/web:1", ""],
    // Debian 12's skopeo does not know keyPaths yet.
    [signedBy({ keyPath: undefined, keyPaths: [here("stranger.gpg"), here("good.asc")] }), "app/web:1", "", false],
    [
      signedBy({ keyPath: here("stranger.gpg") }),
      "app/web:1",
      /signedBy.*does not count: none of the policy's keys made it \(.*policy\.json, ""\)/,
    ],
    [signedBy(), "app/web:2", /it is for the name localhost:\d+\/app\/web:1, which matchRepoDigestOrExact does not let pass/],
    [signedBy(), `app/web@${web.digest}`, ""],
    [identity("matchExact"), "app/web:1", ""],
    [identity("matchExact"), `app/web@${web.digest}`, /matchExact/],
    [identity("matchRepository"), "app/web:2", ""],
    [identity("exactReference", { dockerReference: tag }), "app/web:2", ""],
    [identity("exactReference", { dockerReference: `${registry.host}/app/web:2` }), "app/web:2", /exactReference/],
    [identity("exactRepository", { dockerRepository: `${registry.host}/app/web` }), "app/web:2", ""],
    [identity("exactRepository", { dockerRepository: "app/web" }), "app/web:1", /exactRepository/],
  ];
  for (const [requirement, name, wanted, judge] of cases) {
    await policy(requirement);
    const told = await verdict(name, judge);
    if (wanted === "") assert.equal(told, "", JSON.stringify(requirement));
    else assert.match(told, wanted);
  }
  // A mirror of a namespace under another name.
  await put("mirror/web", web.digest, 1, await gpgSigned(simple(web.digest, "vendor.example/web:1"), "good@podgen.test"));
  await push("web", "mirror/web:1");
  await policy(identity("remapIdentity", { prefix: `${registry.host}/mirror`, signedPrefix: "vendor.example" }));
  assert.equal(await verdict("mirror/web:1"), "");
  assert.match(await verdict("app/web:2"), /remapIdentity/);
  // Nothing of the verification lies about.
  assert.deepEqual(
    (await readdir(store.folder)).filter((name) => name.startsWith("podgen-gpgv-")),
    [],
  );
});

test("signedBy: signatures that are none of this image, of this name, of a key that counts, or of nobody", async () => {
  const name = `${registry.host}/bad/web:1`;
  await push("web", "bad/web:1");
  await push("other", "bad/other:1");
  await push("web", "bad/none:1");
  const good = await gpgSigned(simple(web.digest, name), "good@podgen.test");
  const stranger = await gpgSigned(simple(web.digest, name), "stranger@podgen.test");
  const flipped = Buffer.from(good);
  flipped[flipped.length - 20] = (flipped.at(-20) ?? 0) ^ 1;
  const gone = await gpgSigned(simple(web.digest, name), "gone@podgen.test");
  await revoke("gone@podgen.test");
  const both = await gpgSigned(simple(web.digest, name), "good@podgen.test", "--local-user", "stranger@podgen.test");
  const unsigned = await stored(simple(web.digest, name));
  const cases: [what: string, signatures: Buffer[], keyPath: string, wanted: RegExp | "", judge?: false][] = [
    ["good", [good], "good.gpg", ""],
    ["the second of two", [stranger, good], "good.gpg", ""],
    ["two, both bad", [stranger, flipped], "good.gpg", /none of its 2 signatures counts: 1: none of the policy's keys made it; 2: /],
    ["changed on the way", [flipped], "good.gpg", /does not count: /],
    [
      "an expired key",
      [await gpgSigned(simple(web.digest, name), "old@podgen.test", "--faked-system-time", "20200105T000000")],
      "old.gpg",
      /its key has expired/,
    ],
    ["a revoked key", [gone], "gone.gpg", /its key is revoked/],
    ["of two keys at once", [both], "good.gpg", /does not count: /],
    ["nobody's", [unsigned], "good.gpg", /it is no OpenPGP signature/],
    [
      "for another image",
      [await gpgSigned(simple(other.digest, name), "good@podgen.test")],
      "good.gpg",
      /it is for another image, sha256:/,
    ],
    [
      "for another repository",
      [await gpgSigned(simple(web.digest, `${registry.host}/app/web:1`), "good@podgen.test")],
      "good.gpg",
      /it is for the name/,
    ],
    [
      "of another type",
      [await gpgSigned(claim("cosign container image signature", web.digest, name), "good@podgen.test")],
      "good.gpg",
      /of the type "cosign/,
    ],
    [
      "with more in it",
      [await gpgSigned(simple(web.digest, name).replace("{", '{"x":1,'), "good@podgen.test")],
      "good.gpg",
      /exactly the members critical, optional/,
    ],
    ["of text", [await gpgSigned("not JSON", "good@podgen.test")], "good.gpg", /not JSON/],
    ["none", [], "good.gpg", /wants a signature \(signedBy\), and it has none/],
  ];
  for (const [what, signatures, key, wanted, judge] of cases) {
    await rm(join(lookaside(), "bad"), { recursive: true, force: true });
    for (const [i, bytes] of signatures.entries()) await put("bad/web", web.digest, i + 1, bytes);
    await policy(signedBy({ keyPath: here(key) }));
    const told = await verdict("bad/web:1", judge);
    if (wanted === "") assert.equal(told, "", what);
    else assert.match(told, wanted, what);
  }
  const none = await imageError(store.again().inspect(`${registry.host}/bad/none:1`, "Always"));
  assert.match(
    none.hint ?? "",
    new RegExp(`^Looked for: file://${lookaside()}/bad/none@sha256=${web.digest.slice(7)}/signature-1; .*use-sigstore-attachments`),
  );
});

async function revoke(key: string): Promise<void> {
  const { stdout } = await run("gpg", ["--homedir", here("gpg"), "--list-keys", "--with-colons", key]);
  const print = /^fpr:+([0-9A-F]+):/m.exec(stdout)?.[1] ?? "";
  const certificate = await readFile(join(here("gpg"), "openpgp-revocs.d", `${print}.rev`), "utf8");
  await writeFile(here("gone.rev"), certificate.replace(/^:---/m, "---"));
  await gpg("--import", here("gone.rev"));
  await gpg("--output", here("gone.gpg"), "--export", key);
}

/** An OpenPGP message without a signature. */
async function stored(text: string): Promise<Buffer> {
  await writeFile(here("text"), text);
  await gpg("--output", here("text.gpg"), "--store", here("text"));
  return readFile(here("text.gpg"));
}

test("every requirement of a list has to be met; a policy that wants them is asked again, and the store's own is left", async () => {
  await push("web", "all/web:1");
  const name = `${registry.host}/all/web:1`;
  await put("all/web", web.digest, 1, await gpgSigned(simple(web.digest, name), "good@podgen.test"));
  const two = [signedBy(), signedBy({ keyPath: here("stranger.gpg") })];
  await policy(two);
  assert.match(await verdict("all/web:1"), /none of the policy's keys made it/);
  await put("all/web", web.digest, 2, await gpgSigned(simple(web.digest, name), "stranger@podgen.test"));
  assert.equal(await verdict("all/web:1"), "");
  await store.pull(name, "Always");
  assert.equal((await store.again().inspect(name, "Never")).digest, web.digest);
  await rm(join(lookaside(), "all"), { recursive: true });
  assert.equal((await imageError(store.again().inspect(name, "Always"))).code, "image-refused");
  assert.equal((await store.again().inspect(name, "IfNotPresent")).digest, web.digest);
  // A layer that has gone is fetched anew: by a manifest that the store has, but for the signatures.
  const facts = await store.again().inspect(name, "IfNotPresent");
  await run(podrt, ["rmtree", store.layerPath(web.layers[0]?.diffId ?? "")]);
  assert.equal((await imageError(store.again().ensure(facts, () => undefined))).code, "image-refused");
});

test("of an index the image of the platform has to be signed; the index's own signature is none of it", async () => {
  const { architecture, os } = JSON.parse(web.config.toString()) as { architecture: string; os: string };
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: web.digest, size: web.manifest.length };
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ ...entry, platform: { architecture, os } }],
    }),
  );
  await push("web", "list/web:one");
  const headers = { "content-type": "application/vnd.oci.image.index.v1+json" };
  const answer = await fetch(`http://${registry.host}/v2/list/web/manifests/1`, { method: "PUT", headers, body: index });
  assert.equal(answer.status, 201);
  await policy(signedBy());
  const name = `${registry.host}/list/web:1`;
  await put("list/web", sha256(index), 1, await gpgSigned(simple(sha256(index), name), "good@podgen.test"));
  assert.match(await verdict("list/web:1"), /it has none/);
  await put("list/web", web.digest, 1, await gpgSigned(simple(web.digest, name), "good@podgen.test"));
  assert.equal(await verdict("list/web:1"), "");
});

test("a lookaside over HTTP; one that fails is no lookaside without signatures", async () => {
  let status = 200;
  const server: Server = createServer((request, response) => {
    if (status !== 200) return void response.writeHead(status).end();
    readFile(join(lookaside(), decodeURIComponent(request.url ?? "").replace(/^\/sigs/, ""))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const file = config("registries.d/http.yaml");
  try {
    await writeFile(file, `docker:\n  ${registry.host}/http:\n    lookaside: http://127.0.0.1:${port}/sigs\n`);
    await push("web", "http/web:1");
    await put("http/web", web.digest, 1, await gpgSigned(simple(web.digest, `${registry.host}/http/web:1`), "good@podgen.test"));
    await policy(signedBy());
    assert.equal(await verdict("http/web:1"), "");
    status = 403;
    const refused = await imageError(store.again().inspect(`${registry.host}/http/web:1`, "Always"));
    assert.match(refused.message, /the signature http:\/\/127.*signature-1: HTTP 403/);
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(file, { force: true });
  }
});

test("what cannot be verified is refused by name: no gpgv, keys that are none, other types of keys, authorities, places without signatures", async () => {
  const name = `${registry.host}/app/web:1`;
  await policy(signedBy());
  const empty = { ...store.options.env, PATH: here("nothing") };
  const bare = await imageError(store.again({ env: empty }).inspect(name, "Always"));
  assert.match(`${bare.message} ${bare.hint}`, /cannot be verified: there is no gpgv .*Install gpgv/);
  const fulcio = { caPath: "/x", oidcIssuer: "https://x.example", subjectEmail: "a@x.example" };
  const cases: [Fields, string, RegExp][] = [
    [signedBy({ keyPath: "/nonexistent/key" }), "image-config", /\/nonexistent\/key, a key of the policy .* cannot be read \(ENOENT\)/],
    [signedBy({ keyPath: here("text") }), "image-config", /is no OpenPGP public key/],
    [signedBy({ keyPath: "relative.gpg" }), "image-config", /is not an absolute path/],
    [signedBy({ keyType: "X509Certificates" }), "image-refused", /podgen verifies none of the keyType X509Certificates/],
    [{ type: "sigstoreSigned", fulcio, rekorPublicKeyPath: "/x" }, "image-refused", /podgen verifies none by fulcio/],
    [{ type: "sigstoreSigned", pki: { caRootsPath: "/x", subjectEmail: "a@x.example" } }, "image-refused", /podgen verifies none by pki/],
    [{ type: "sigstoreSigned", keyPath: here("good.gpg") }, "image-config", /is no public key in PEM/],
  ];
  for (const [requirement, code, message] of cases) {
    await policy(requirement);
    const error = await imageError(store.again().inspect(name, "Always"));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
  }
  await policy(signedBy(), "oci");
  const layout = await imageError(store.again().inspect(`oci:${here("layout")}:web`, "Always"));
  assert.match(layout.message, /wants a signature \(signedBy\), and oci: has none to show/);
});

/** A pair of keys of openssl's: the private one to sign with, the public one as PEM. */
async function sigstoreKeys(name: string, ...kind: string[]): Promise<{ key: KeyObject; path: string }> {
  await run("openssl", ["genpkey", ...kind, "-out", here(`${name}.key`)]);
  await run("openssl", ["pkey", "-in", here(`${name}.key`), "-pubout", "-out", here(`${name}.pub`)]);
  return { key: createPrivateKey(await readFile(here(`${name}.key`))), path: here(`${name}.pub`) };
}

/** What cosign attaches: a layer of the payload, the signature in its annotations. */
async function attach(
  repository: string,
  digest: string,
  layers: { payload: string; annotations: Record<string, string>; type?: string }[],
): Promise<void> {
  const url = `http://${registry.host}/v2/${repository}`;
  const blob = async (bytes: string): Promise<string> => {
    const begun = await fetch(`${url}/blobs/uploads/`, { method: "POST" });
    const place = new URL(begun.headers.get("location") ?? "", url);
    place.searchParams.set("digest", sha256(bytes));
    const { status } = await fetch(place, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } });
    assert.equal(status, 201);
    return sha256(bytes);
  };
  const descriptors = [];
  for (const { payload, annotations, type = "application/vnd.dev.cosign.simplesigning.v1+json" } of layers)
    descriptors.push({ mediaType: type, digest: await blob(payload), size: payload.length, annotations });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const empty = JSON.stringify({ architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } });
  const configuration = { mediaType: "application/vnd.oci.image.config.v1+json", digest: await blob(empty), size: empty.length };
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: configuration, layers: descriptors });
  const { status } = await fetch(`${url}/manifests/${digest.replace(":", "-")}.sig`, {
    method: "PUT",
    body,
    headers: { "content-type": mediaType },
  });
  assert.equal(status, 201);
}

const cosign = (digest: string, reference: string) =>
  claim("cosign container image signature", digest, reference).replace('"optional":{}', '"optional":null');

function attachment(payload: string, key: KeyObject): { payload: string; annotations: Record<string, string> } {
  const value = sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", Buffer.from(payload), key).toString("base64");
  return { payload, annotations: { "dev.cosignproject.cosign/signature": value } };
}

test("sigstoreSigned: attachments of the registry, by keys of every kind, where registries.d allows them", async () => {
  const ec = await sigstoreKeys("ec", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
  const rsa = await sigstoreKeys("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048");
  const ed = await sigstoreKeys("ed", "-algorithm", "ed25519");
  const wrong = await sigstoreKeys("wrong", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
  const name = `${registry.host}/sig/web:1`;
  const by = (path: string, more: Fields = {}): Fields => ({ type: "sigstoreSigned", keyPath: path, ...more });
  const good = cosign(web.digest, name);
  const attested = { payload: "{}", annotations: {}, type: "application/vnd.dsse.envelope.v1+json" };
  const bent = attachment(good, ec.key);
  bent.annotations["dev.cosignproject.cosign/signature"] =
    attachment(`${good} `, ec.key).annotations["dev.cosignproject.cosign/signature"] ?? "";
  await push("web", "sig/web:1");
  await policy(by(ec.path));
  await attach("sig/web", web.digest, [attachment(good, ec.key)]);
  assert.match(await verdict("sig/web:1", false), /it has none/);
  await writeFile(config("registries.d/sig.yaml"), `docker:\n  ${registry.host}/sig:\n    use-sigstore-attachments: true\n`);
  const anyTag = { signedIdentity: { type: "matchRepository" } };
  // Debian builds skopeo without sigstore: nobody to judge here.
  const cases: [what: string, layers: Parameters<typeof attach>[2], requirement: Fields, wanted: RegExp | ""][] = [
    ["ECDSA", [attachment(good, ec.key)], by(ec.path), ""],
    ["keyData", [attachment(good, ec.key)], by(ec.path, { keyPath: undefined, keyData: (await readFile(ec.path)).toString("base64") }), ""],
    ["RSA", [attachment(good, rsa.key)], by(rsa.path), ""],
    ["Ed25519", [attachment(good, ed.key)], by(ed.path), ""],
    ["one of several", [attachment(good, ed.key)], by(ec.path, { keyPath: undefined, keyPaths: [ec.path, rsa.path, ed.path] }), ""],
    ["the third, beside an attestation", [attested, attachment(good, wrong.key), attachment(good, ec.key)], by(ec.path), ""],
    ["cosign's own name", [attachment(cosign(web.digest, `${registry.host}/sig/web`), ec.key)], by(ec.path), /it is for the name/],
    ["any tag", [attachment(cosign(web.digest, `${registry.host}/sig/web`), ec.key)], by(ec.path, anyTag), ""],
    ["another key", [attachment(good, wrong.key)], by(ec.path), /another key than the policy's made it/],
    ["of something else", [bent], by(ec.path), /another key than the policy's made it/],
    ["another image", [attachment(cosign(other.digest, name), ec.key)], by(ec.path), /it is for another image/],
    [
      "another repository",
      [attachment(cosign(web.digest, `${registry.host}/app/web:1`), ec.key)],
      by(ec.path, anyTag),
      /matchRepository does not let/,
    ],
    ["another type", [attachment(simple(web.digest, name), ec.key)], by(ec.path), /of the type "atomic/],
    [
      "without a signature",
      [{ payload: good, annotations: {} }],
      by(ec.path),
      /it lacks the annotation dev\.cosignproject\.cosign\/signature/,
    ],
    ["an attestation alone", [attested], by(ec.path), /it has none of that kind, but 1 of another/],
    [
      "not in a log",
      [attachment(good, ec.key)],
      by(ec.path, { rekorPublicKeyPath: ec.path }),
      /lacks the annotation dev\.sigstore\.cosign\/bundle/,
    ],
    ["signedBy", [attachment(good, ec.key)], signedBy(), /it has none of that kind, but 1 of another/],
  ];
  for (const [what, layers, requirement, wanted] of cases) {
    await attach("sig/web", web.digest, layers);
    await policy(requirement);
    const told = await verdict("sig/web:1", false);
    if (wanted === "") assert.equal(told, "", what);
    else assert.match(told, wanted, what);
  }
});

test("a copy takes signatures along, into a dir: and back into registries, or says why it cannot", async () => {
  await writeFile(config("registries.d/sig.yaml"), `docker:\n  ${registry.host}/sig:\n    use-sigstore-attachments: true\n`);
  const copies = createCopies({ data: here("data"), podrt, env: store.options.env, settings: here("settings") });
  const copy = (from: string, to: string, more: Partial<CopyWishes> = {}) =>
    copies.copy(from, to, { all: false, preserve: false, ...more }, () => undefined);
  const remote = (name: string) => `docker://${registry.host}/${name}`;
  const files = async (name: string) => (await readdir(here(name))).filter((file) => file.includes("signature-")).sort();
  const beside = (repository: string) => readdir(join(lookaside(), `${repository}@${web.digest.replace(":", "=")}`));
  await rm(config("policy.json"), { force: true });
  await push("web", "sig/take:1");
  await put("sig/take", web.digest, 1, await gpgSigned(simple(web.digest, `${registry.host}/sig/take:1`), "good@podgen.test"));
  const { key, path } = await sigstoreKeys("take", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
  await attach("sig/take", web.digest, [attachment(cosign(web.digest, `${registry.host}/sig/take:1`), key)]);

  await copy(remote("sig/take:1"), `dir:${here("take.dir")}`);
  await writeFile(
    config("registries.d/nowhere.yaml"),
    `docker:\n  ${registry.host}/nowhere:\n    lookaside-staging: nowhere\n    use-sigstore-attachments: true\n`,
  );
  const nowhere = await imageError(copy(`dir:${here("take.dir")}`, remote("nowhere/take:1")));
  assert.equal(nowhere.code, "image-config", nowhere.message);
  await rm(config("registries.d/nowhere.yaml"));
  assert.deepEqual(await files("take.dir"), ["signature-1", "signature-2"]);
  const [first] = [await readFile(here("take.dir/signature-1"))];
  assert.ok(first.equals(await readFile(join(lookaside(), `sig/take@${web.digest.replace(":", "=")}`, "signature-1"))));
  assert.match(await readFile(here("take.dir/signature-2"), "latin1"), /^\0sigstore-json\n\{/);

  // Twice: what is there is not put once more, and another's stays.
  await push("web", "sig/taken:1");
  await put("sig/taken", web.digest, 1, await gpgSigned(simple(web.digest, `${registry.host}/sig/taken:1`), "stranger@podgen.test"));
  for (const _ of [1, 2]) await copy(`dir:${here("take.dir")}`, remote("sig/taken:1"));
  assert.deepEqual((await beside("sig/taken")).sort(), ["signature-1", "signature-2"]);
  const manifest = await fetch(`http://${registry.host}/v2/sig/taken/manifests/${web.digest.replace(":", "-")}.sig`, {
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  assert.equal(((await manifest.json()) as { layers: unknown[] }).layers.length, 1);
  const signedIdentity = { type: "exactReference", dockerReference: `${registry.host}/sig/take:1` };
  await policy(signedBy({ signedIdentity }));
  assert.equal(await verdict("sig/taken:1"), "");
  await policy({ type: "sigstoreSigned", keyPath: path, signedIdentity });
  assert.equal(await verdict("sig/taken:1", false), "");
  await rm(config("policy.json"));

  // Signatures that have come since are copied though the image is there; without any it is left alone.
  await rm(join(lookaside(), "sig"), { recursive: true });
  await put("sig/take", web.digest, 1, first);
  assert.equal((await copy(remote("sig/take:1"), remote("sig/taken:1"), { unlessSame: true })).same, undefined);
  assert.deepEqual(await beside("sig/taken"), ["signature-1"]);
  assert.equal((await copy(remote("sig/take:1"), remote("sig/taken:1"), { unlessSame: true, removeSignatures: true })).same, true);

  const source = `dir:${here("take.dir")}`;
  const refused: [to: string, more: Partial<CopyWishes>, why: RegExp][] = [
    [`oci:${here("take.oci")}`, {}, /it is signed, and oci:.* can hold no signatures/],
    [`docker-archive:${here("take.tar")}`, {}, /can hold no signatures/],
    [remote("sig/other:1"), { format: "docker" }, /another one, which would break its signatures/],
    [remote("sig/other:1"), { compression: "zstd" }, /compressed anew, which would break its signatures/],
    [remote("plain/other:1"), {}, /its signatures have no place there: .* sets no use-sigstore-attachments/],
  ];
  for (const [to, more, why] of refused) {
    assert.match((await imageError(copy(source, to, more))).message, why);
    await copy(source, to, { ...more, removeSignatures: true });
  }
  assert.deepEqual(await readdir(join(lookaside(), "sig")), [
    `take@${web.digest.replace(":", "=")}`,
    `taken@${web.digest.replace(":", "=")}`,
  ]);
});

test("of an index each image's signatures are copied, and its own", async () => {
  const copies = createCopies({ data: here("data"), podrt, env: store.options.env, settings: here("settings") });
  await rm(config("policy.json"), { force: true });
  const all = { all: true, preserve: false };
  await copies.copy(`docker://${registry.host}/list/web:1`, `dir:${here("list.dir")}`, all, () => undefined);
  const names = (await readdir(here("list.dir"))).filter((name) => name.includes("signature-")).sort();
  assert.deepEqual(names, [`${web.digest.slice(7)}.signature-1`, "signature-1"].sort());
  await copies.copy(`dir:${here("list.dir")}`, `dir:${here("one.dir")}`, { ...all, all: false }, () => undefined);
  assert.deepEqual(await readFile(here("one.dir/signature-1")), await readFile(here(`list.dir/${web.digest.slice(7)}.signature-1`)));
});

test("a dir: has its signatures in files, and no name: only an exact identity counts", async () => {
  const copies = createCopies({ data: here("data"), podrt, env: store.options.env, settings: here("settings") });
  const name = `${registry.host}/app/web:1`;
  await policy(signedBy(), "docker");
  const dir = `dir:${here("web.dir")}`;
  const env = { ...process.env, GNUPGHOME: here("gpg") };
  await run("skopeo", ["copy", "-q", "--insecure-policy", `oci:${here("layout")}:web`, dir], { env });
  await run("skopeo", ["standalone-sign", here("web.dir/manifest.json"), name, "good@podgen.test", "-o", here("web.dir/signature-1")], {
    env,
  });
  const wishes = { all: false, preserve: false, removeSignatures: true };
  const copied = () => copies.copy(dir, `oci:${here("copied")}:x`, wishes, () => undefined);
  await policy(signedBy({ signedIdentity: { type: "exactReference", dockerReference: name } }), "dir");
  assert.equal((await copied()).digest, web.digest);
  await policy(signedBy(), "dir");
  assert.match((await imageError(copied())).message, /matchRepoDigestOrExact does not let pass/);
  await rm(here("web.dir/signature-1"));
  assert.match((await imageError(copied())).message, /it has none/);
});
