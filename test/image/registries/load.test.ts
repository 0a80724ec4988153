// Which files are read, in which order, and what stands for what.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadRegistries } from "../../../src/host/image/registries/load.js";
import { ImageError } from "../../../src/ports/images.js";

async function machine(t: TestContext, files: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), "podgen-registries-"));
  t.after(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return { root, load: (env: Record<string, string> = {}) => loadRegistries({ HOME: join(root, "home"), ...env }, root) };
}
const search = (...hosts: string[]) => `unqualified-search-registries = ${JSON.stringify(hosts)}\n`;
const block = (location: string, blocked = true) => `[[registry]]\nlocation = "${location}"\nblocked = ${blocked}\n`;
const alias = (name: string, value: string) => `[aliases]\n"${name}" = "${value}"\n`;

test("no file at all says nothing", async (t) => {
  const found = await (await machine(t, {})).load();
  assert.deepEqual(found, { search: [], mode: undefined, helpers: undefined, entries: [], aliases: new Map() });
});

test("drop-ins come after the main file, the user's after the system's, each by name; others' endings are not read", async (t) => {
  const { load } = await machine(t, {
    "etc/containers/registries.conf": search("main.example") + block("a.example"),
    "etc/containers/registries.conf.d/20.conf": alias("web", "two.example/web"),
    "etc/containers/registries.conf.d/10.conf": alias("web", "one.example/web"),
    "etc/containers/registries.conf.d/30.conf.bak": "not toml",
    "home/.config/containers/registries.conf.d/05.conf": `${search("mine.example")}${block("a.example", false)}${alias("gone", "")}`,
    "etc/containers/registries.conf.d/40.conf": alias("gone", "x.example/gone"),
  });
  const found = await load();
  assert.deepEqual(found.search, ["mine.example"]);
  assert.deepEqual([...found.aliases], [["web", "two.example/web"]]);
  assert.deepEqual(
    found.entries.map((e) => [e.prefix, e.blocked]),
    [["a.example", false]],
  ); // prettier-ignore
});

test("a user's own main file stands for all of the system's", async (t) => {
  const { load } = await machine(t, {
    "etc/containers/registries.conf": search("system.example"),
    "etc/containers/registries.conf.d/1.conf": alias("web", "system.example/web"),
    "home/.config/containers/registries.conf": "",
  });
  const found = await load();
  assert.deepEqual([found.search, found.aliases.size], [[], 0]);
});

test("the distribution's file counts where /etc has none; $XDG_CONFIG_HOME moves the user's", async (t) => {
  const { root, load } = await machine(t, {
    "usr/share/containers/registries.conf": search("vendor.example"),
    "else/containers/registries.conf": search("moved.example"),
  });
  assert.deepEqual((await load()).search, ["vendor.example"]);
  assert.deepEqual((await load({ XDG_CONFIG_HOME: join(root, "else") })).search, ["moved.example"]);
});

test("$CONTAINERS_REGISTRIES_CONF stands for the main file, and must be there", async (t) => {
  const { root, load } = await machine(t, {
    "home/.config/containers/registries.conf": search("own.example"),
    "chosen.conf": search("chosen.example"),
    "etc/containers/registries.conf.d/1.conf": alias("web", "system.example/web"),
  });
  const found = await load({ CONTAINERS_REGISTRIES_CONF: join(root, "chosen.conf") });
  assert.deepEqual([found.search, found.aliases.size], [["chosen.example"], 1]);
  await assert.rejects(
    load({ CONTAINERS_REGISTRIES_CONF: join(root, "absent.conf") }),
    (e) => e instanceof ImageError && e.code === "image-config" && /absent\.conf: is not there/.test(e.message),
  );
});

test("a file that is wrong is named, whichever it is", async (t) => {
  const { root, load } = await machine(t, { "etc/containers/registries.conf.d/bad.conf": "[[registry]]\nblockd = true\n" });
  await assert.rejects(
    load(),
    (e) => e instanceof ImageError && e.message.startsWith(`${root}/etc/containers/registries.conf.d/bad.conf: `),
  );
  if (process.getuid?.() === 0) return;
  await chmod(join(root, "etc/containers/registries.conf.d/bad.conf"), 0);
  await assert.rejects(load(), (e) => e instanceof ImageError && /cannot be read/.test(e.message));
});
