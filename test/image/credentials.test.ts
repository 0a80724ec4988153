import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { credentialsFor } from "../../src/host/image/credentials.js";
import { ImageError } from "../../src/ports/images.js";

const auth = (name: string, password: string) => ({ auth: Buffer.from(`${name}:${password}`).toString("base64") });

/** A home with these files; returns the environment and a question to it. */
async function home(t: TestContext, files: Record<string, unknown>) {
  const folder = await mkdtemp(join(tmpdir(), "podgen-auth-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  const env: Record<string, string> = { HOME: folder, XDG_RUNTIME_DIR: join(folder, "run") };
  const ask = async (host: string, repository: string) => {
    const found = await credentialsFor(host, repository, "ref", env);
    return found && `${found.username}:${found.password}`;
  };
  return { folder, env, ask };
}

test("the most specific entry of the first file that has one", async (t) => {
  const { ask } = await home(t, {
    "run/containers/auth.json": {
      auths: { "reg.example": auth("host", "p:w"), "reg.example/team/app": auth("app", "1"), "reg.example/team": auth("team", "2") },
    },
    ".config/containers/auth.json": { auths: { "reg.example": auth("later", "3"), "second.example": auth("second", "4") } },
    ".docker/config.json": {
      auths: { "https://index.docker.io/v1/": auth("hub", "5"), "https://third.example": auth("third", "6"), "empty.example": {} },
      credsStore: "x",
    },
  }); // prettier-ignore
  assert.equal(await ask("reg.example", "team/app"), "app:1");
  assert.equal(await ask("reg.example", "team/app/sub"), "app:1");
  assert.equal(await ask("reg.example", "team/application"), "team:2");
  assert.equal(await ask("reg.example", "other"), "host:p:w");
  assert.equal(await ask("second.example", "x"), "second:4");
  assert.equal(await ask("docker.io", "library/nginx"), "hub:5");
  assert.equal(await ask("third.example", "x"), "third:6");
  assert.equal(await ask("empty.example", "x"), undefined);
  assert.equal(await ask("nowhere.example", "x"), undefined);
});

test("$REGISTRY_AUTH_FILE stands alone, and must be there", async (t) => {
  const { folder, env, ask } = await home(t, {
    "mine.json": { auths: { a: auth("mine", "1") } },
    "run/containers/auth.json": { auths: { b: auth("other", "2") } },
  });
  env["REGISTRY_AUTH_FILE"] = join(folder, "mine.json");
  assert.equal(await ask("a", "x"), "mine:1");
  assert.equal(await ask("b", "x"), undefined);
  env["REGISTRY_AUTH_FILE"] = join(folder, "absent.json");
  await assert.rejects(ask("a", "x"), (e) => e instanceof ImageError && e.code === "image-unauthorized" && /absent\.json/.test(e.message));
});

test("a broken file is named, its content is not", async (t) => {
  for (const content of ["{ c2VjcmV0", { auths: { a: { auth: "c2VjcmV0" } } }]) {
    const { ask } = await home(t, { "run/containers/auth.json": content });
    await assert.rejects(ask("a", "x"), (e) => {
      assert.ok(e instanceof ImageError);
      assert.match(e.message, /run\/containers\/auth\.json/);
      assert.doesNotMatch(`${e.message} ${e.hint} ${e.stack}`, /c2VjcmV0|secret/);
      return true;
    });
  }
});
