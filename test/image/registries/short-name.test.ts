// Short names: choices, aliases, one candidate, several, none; and the file where choices are kept.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readChoices, writeChoice } from "../../../src/host/image/registries/aliases.js";
import { resolveShortName } from "../../../src/host/image/registries/short-name.js";
import { NO_REGISTRIES, type Registries } from "../../../src/host/image/registries/types.js";

const DIGEST = `@sha256:${"a".repeat(64)}`;
const resolve = (short: string, more: Partial<Registries> = {}, choices: [string, string][] = []) =>
  resolveShortName(short, { ...NO_REGISTRIES, ...more }, new Map(choices));

test("an alias settles it, with the tag or digest of the short name; a choice that was made comes before", () => {
  const aliases = new Map([
    ["web", "quay.example/team/web"],
    ["hub", "docker.io/hub"],
  ]); // prettier-ignore
  const more = { aliases, search: ["a.example", "b.example"] };
  assert.deepEqual(resolve("web:1.2", more), { kind: "settled", reference: "quay.example/team/web:1.2" });
  assert.deepEqual(resolve(`web${DIGEST}`, more), { kind: "settled", reference: `quay.example/team/web${DIGEST}` });
  assert.deepEqual(resolve("hub:latest", more), { kind: "settled", reference: "docker.io/library/hub:latest" });
  assert.deepEqual(resolve("web:1", more, [["web", "b.example/web"]]), { kind: "settled", reference: "b.example/web:1" });
});

test("one registry to search settles it; several are a question; none is no answer", () => {
  assert.deepEqual(resolve("team/app:1", { search: ["a.example:5000"] }), { kind: "settled", reference: "a.example:5000/team/app:1" });
  assert.deepEqual(resolve("app:1", { search: ["docker.io"] }), { kind: "settled", reference: "docker.io/library/app:1" });
  assert.deepEqual(resolve("app:1"), { kind: "unknown" });
  const several = { kind: "several", candidates: ["docker.io/library/app:1", "a.example/app:1"] };
  const search = ["docker.io", "a.example"];
  assert.deepEqual(resolve("app:1", { search }), { ...several, ask: true, tryAll: false });
  assert.deepEqual(resolve("app:1", { search, mode: "enforcing" }), { ...several, ask: true, tryAll: false });
  assert.deepEqual(resolve("app:1", { search, mode: "permissive" }), { ...several, ask: true, tryAll: true });
  assert.deepEqual(resolve("app:1", { search, mode: "disabled" }), { ...several, ask: false, tryAll: true });
});

test("choices are kept beside those of podman, by podgens that write at the same time, and nothing else is left", async (t) => {
  const cache = await mkdtemp(join(tmpdir(), "podgen-choices-"));
  t.after(() => rm(cache, { recursive: true }));
  const env = { XDG_CACHE_HOME: cache, HOME: "/nonexistent" };
  const folder = join(cache, "containers");
  assert.equal((await readChoices(env)).size, 0);
  await mkdir(folder);
  await writeFile(join(folder, "short-name-aliases.conf"), '[aliases]\n  "before" = "quay.example/before"\n');
  await Promise.all(["one", "two", "three"].map((name) => writeChoice(env, name, `a.example/${name}`)));
  assert.deepEqual([...(await readChoices(env)).keys()].sort(), ["before", "one", "three", "two"]);
  assert.deepEqual(await readdir(folder), ["short-name-aliases.conf"]);
  assert.equal((await stat(join(folder, "short-name-aliases.conf"))).mode & 0o777, 0o600);
  assert.match(
    await readFile(join(folder, "short-name-aliases.conf"), "utf8"),
    /^\[aliases\]\n {2}"before" = "quay.example\/before"\n {2}"one" = /,
  );
});
