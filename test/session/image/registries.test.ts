// registries.conf and policy.json at work: mirrors, other locations, blocked and insecure registries, a policy that says no.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, test } from "node:test";
import { OddRegistry, refuse } from "../../lib/odd-registry.js";
import { cutAfter, done, oddSetUp } from "../../lib/odd-set-up.js";
import { imageError } from "../../lib/store.js";

const odd = oddSetUp();

/** Writes a file of the user's containers folder. */
async function configure(name: string, text: string): Promise<void> {
  const path = join(odd.store.folder, ".config/containers", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
// The machine's own files shall not matter.
beforeEach(() => configure("registries.conf", ""));

const mirrored = (prefix: string, location: string, ...mirrors: string[]) =>
  `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n${mirrors.map((m) => `[[registry.mirror]]\nlocation = "${m}"\n`).join("")}`;

test("a location stands for a name that nobody serves; the store knows the name people wrote", async () => {
  await configure("registries.conf", mirrored("example.invalid/team", odd.registry.host));
  await odd.store.pull("example.invalid/team/tiny:latest");
  assert.equal((await odd.store.again().inspect("example.invalid/team/tiny:latest", "Never")).digest, odd.tiny.digest);
});

test("mirrors first: one that is down, one without the image, then the primary; all trouble is told when none has it", async () => {
  const [empty, down] = [await new OddRegistry().start(), await new OddRegistry().start()];
  await down.stop();
  try {
    await configure("registries.conf", mirrored(odd.registry.host, odd.registry.host, `${down.host}/x`, empty.host));
    await odd.store.pull(odd.reference);
    assert.ok(empty.seen.some((s) => s.path === "/v2/tiny/manifests/latest"));
    const absent = await imageError(odd.store.pull(`${odd.registry.host}/absent:latest`));
    assert.equal(absent.code, "image-not-found");
    assert.ok(
      absent.message.includes(`mirrors before it: ${down.host}: `) && absent.message.includes(`; ${empty.host}: is not in its registry`),
      absent.message,
    );
  } finally {
    await empty.stop();
  }
});

test("a mirror serves all of it, and where it breaks in a layer the primary goes on from there", async () => {
  const mirror = await new OddRegistry().start();
  try {
    mirror.add("copy/tiny", odd.tiny);
    await configure("registries.conf", mirrored(odd.registry.host, odd.registry.host, `${mirror.host}/copy`));
    mirror.answer = (request, response) => odd.isFirst(request.url) && done(cutAfter(response, odd.first().blob, 100_000));
    await odd.store.pull(odd.reference);
    const asked = odd.registry.blobRequests();
    assert.ok(
      asked.every((s) => s.path.endsWith(odd.first().digest) && /^bytes=[1-9]/.test(s.range ?? "")) && asked.length > 0,
      JSON.stringify(asked),
    );
    assert.ok(!odd.registry.seen.some((s) => s.path.includes("/manifests/")));
  } finally {
    await mirror.stop();
  }
});

test("a mirror for digests only is not asked for a tag", async () => {
  const mirror = await new OddRegistry().start();
  try {
    mirror.add("tiny", odd.tiny);
    await configure(
      "registries.conf",
      `${mirrored(odd.registry.host, odd.registry.host)}mirror-by-digest-only = true\nmirror = [{ location = "${mirror.host}" }]\n`,
    );
    await odd.store.pull(odd.reference);
    assert.equal(mirror.seen.length, 0);
    const before = odd.registry.seen.length;
    const byDigest = `${odd.registry.host}/tiny@${odd.tiny.digest}`;
    await odd.store.images.inspect(byDigest, "Always");
    assert.ok(mirror.seen.length > 0);
    assert.equal(odd.registry.seen.length, before);
  } finally {
    await mirror.stop();
  }
});

test("blocked: refused before anything is asked", async () => {
  await configure("registries.conf", `[[registry]]\nlocation = "${odd.registry.host}/tiny"\nblocked = true\n`);
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-refused");
  assert.equal(odd.registry.seen.length, 0);
});

test("plain HTTP beyond loopback: only where the registry is called insecure, and for that one only", async () => {
  // To Linux 0.0.0.0 is this machine, and to podgen no loopback address.
  const host = odd.registry.host.replace("127.0.0.1", "0.0.0.0");
  assert.equal((await imageError(odd.store.pull(`${host}/tiny:latest`))).code, "image-unreachable");
  await configure("registries.conf", `[[registry]]\nlocation = "${host}/other"\ninsecure = true\n`);
  assert.equal((await imageError(odd.store.again().inspect(`${host}/tiny:latest`, "Always"))).code, "image-unreachable");
  await configure("registries.conf", `[[registry]]\nlocation = "${host}/tiny"\ninsecure = true\n`);
  const facts = await odd.store.again().inspect(`${host}/tiny:latest`, "Always");
  assert.equal(facts.digest, odd.tiny.digest);
  // Whether it speaks TLS is asked as nobody.
  assert.ok(odd.registry.seen.every((s) => s.authorization === undefined));
});

test("a redirect of an insecure registry leads to no other host over plain HTTP", async () => {
  const host = odd.registry.host.replace("127.0.0.1", "0.0.0.0");
  await configure("registries.conf", `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  odd.registry.answer = (request, response) =>
    odd.isFirst(request.url) && done(response.writeHead(307, { location: "http://192.0.2.1/x" }).end());
  const error = await imageError(odd.store.pull(`${host}/tiny:latest`));
  assert.match(error.message, /plain HTTP/);
});

test("a policy that rejects, wants signatures or is broken: nothing is asked, for registries, layouts and archives", async () => {
  const layout = "oci:/nonexistent/layout:x";
  const cases: [string, string, RegExp][] = [
    ['{"default":[{"type":"reject"}]}', "image-refused", /rejects it/],
    ['{"default":[{"type":"signedBy","keyType":"X509Certificates","keyPath":"/x"}]}', "image-refused", /wants a signature \(signedBy\)/],
    ['{"default":[{"type":"accept"}]}', "image-config", /unknown type "accept"/],
  ];
  for (const [policy, code, message] of cases) {
    await configure("policy.json", policy);
    for (const reference of [odd.reference, layout, "docker-archive:/nonexistent.tar"]) {
      const error = await imageError(odd.store.images.inspect(reference, "IfNotPresent"));
      assert.equal(error.code, code);
      assert.match(error.message, message);
    }
  }
  assert.equal(odd.registry.seen.length, 0);
  // The same port sees the file mended: a watcher need not be started anew.
  await configure(
    "policy.json",
    '{"default":[{"type":"reject"}],"transports":{"docker":{"127.0.0.1":[{"type":"reject"}],"":[{"type":"insecureAcceptAnything"}]}}}',
  );
  await odd.store.pull(odd.reference);
});

test("a registries.conf that is wrong stops the pull and is named", async () => {
  await configure("registries.conf.d/50-typo.conf", "[[registry]]\nlocation = 'a.example'\nblockd = true\n");
  const error = await imageError(odd.store.pull(odd.reference));
  assert.equal(error.code, "image-config");
  assert.match(error.message, /50-typo\.conf: \[\[registry\]\] number 1: unknown setting "blockd"/);
  assert.equal(odd.registry.seen.length, 0);
});

test("a mirror that wants a login nobody has is passed by, and gets no credentials of another host", async () => {
  const mirror = await new OddRegistry().start();
  try {
    mirror.answer = (_request, response) => done(refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="x"' }));
    await configure("registries.conf", mirrored(odd.registry.host, odd.registry.host, mirror.host));
    await configure("auth.json", JSON.stringify({ auths: { [odd.registry.host]: { auth: Buffer.from("me:pw").toString("base64") } } }));
    await odd.store.pull(odd.reference);
    assert.ok(mirror.seen.length > 0 && mirror.seen.every((s) => s.authorization === undefined));
  } finally {
    await mirror.stop();
  }
});
