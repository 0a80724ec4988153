// policy.json: what counts for an image, what is refused, and that nothing of it is skipped.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { demandFor, requirementsFor } from "../../../src/host/image/policy/check.js";
import { parsePolicy } from "../../../src/host/image/policy/parse.js";
import { parseReference } from "../../../src/host/image/reference.js";
import { ImageError } from "../../../src/ports/images.js";

const GOOD = "fixtures/policy/good/scopes.json";
const DIGEST = `sha256:${"a".repeat(64)}`;

test("the most specific scope counts, then the transport's own default, then the policy's", async () => {
  const policy = parsePolicy(await readFile(GOOD), GOOD);
  const of = (text: string) => {
    const { scope, requirements } = requirementsFor(policy, parseReference(text));
    return { scope, requirements: requirements.map(({ type }) => type) };
  };
  assert.deepEqual(of("reg.example/team/app:bad"), {
    scope: "reg.example/team/app:bad",
    requirements: ["insecureAcceptAnything", "reject"],
  });
  assert.deepEqual(of(`reg.example/team/app@${DIGEST}`).scope, "reg.example/team/app");
  assert.deepEqual(of("reg.example/team/other:1"), { scope: "reg.example/team", requirements: ["signedBy"] });
  assert.deepEqual(of("reg.example/x:1").scope, "reg.example");
  assert.deepEqual(of("reg.example:5000/x:1").scope, "");
  assert.deepEqual(of("deep.sub.wild.example:5000/x:1"), { scope: "*.wild.example", requirements: ["sigstoreSigned"] });
  assert.deepEqual(of("wild.example/x:1").scope, "");
  assert.deepEqual(of("oci:/srv/images/web:1").scope, "/srv/images");
  assert.deepEqual(of("oci:/srv/images/bad:1").scope, "/srv/images/bad:1");
  assert.deepEqual(of("oci:/srv/imagesx/web:1"), { scope: undefined, requirements: ["reject"] });
  assert.deepEqual(of("docker-archive:/srv/a.tar"), { scope: undefined, requirements: ["reject"] });
});

test("reject and signatures are refused, each naming file and scope; all requirements of a list count", async (t) => {
  const home = await mkdtemp(join(tmpdir(), "podgen-policy-"));
  t.after(() => rm(home, { recursive: true }));
  await mkdir(join(home, ".config/containers"), { recursive: true });
  await writeFile(join(home, ".config/containers/policy.json"), await readFile(GOOD));
  const refused = async (text: string) => {
    try {
      await demandFor(parseReference(text), { HOME: home }, home);
    } catch (error) {
      if (error instanceof ImageError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "";
  };
  assert.equal(await refused("reg.example/team/app:1"), "");
  assert.match(await refused("reg.example/team/app:bad"), /^image-refused: .*rejects it \(.*policy\.json, "reg\.example\/team\/app:bad"\)/);
  const demand = await demandFor(parseReference("a.wild.example/q:1"), { HOME: home }, home);
  assert.deepEqual(
    demand?.requirements.map(({ type, identity }) => [type, identity.type]),
    [["sigstoreSigned", "matchRepository"]],
  );
  assert.match(demand?.at ?? "", /policy\.json, "\*\.wild\.example"/);
  assert.match(await refused("docker-archive:/x.tar"), /"default"/);
});

test("the user's file before the system's; no file at all accepts anything", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "podgen-policy-"));
  t.after(() => rm(root, { recursive: true }));
  const reference = parseReference("a.example/q:1");
  await demandFor(reference, { HOME: root }, root);
  await mkdir(join(root, "etc/containers"), { recursive: true });
  await writeFile(join(root, "etc/containers/policy.json"), '{"default":[{"type":"reject"}]}');
  await assert.rejects(demandFor(reference, { HOME: root }, root), ImageError);
  await mkdir(join(root, ".config/containers"), { recursive: true });
  await writeFile(join(root, ".config/containers/policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  await demandFor(reference, { HOME: root }, root);
});

test("what is not understood whole is refused, never skipped", async () => {
  const folder = "fixtures/policy/bad";
  for (const name of await readdir(folder)) {
    const file = `${folder}/${name}`;
    const bytes = await readFile(file);
    assert.throws(
      () => parsePolicy(bytes, file),
      (e) => e instanceof ImageError && e.code === "image-config" && e.message.startsWith(`${file}: `),
      name,
    ); // prettier-ignore
  }
});
