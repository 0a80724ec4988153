// registries.conf: each good fixture reads as its JSON says (UPDATE=1 writes it), each bad one is refused as its first line says.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { parseRegistries } from "../../../src/host/image/registries/parse.js";
import { parseToml } from "../../../src/host/image/registries/toml.js";
import { ImageError } from "../../../src/ports/images.js";

const FOLDER = "fixtures/registries";
const read = async (folder: string, name: string) => {
  const file = `${FOLDER}/${folder}/${name}`;
  return parseRegistries(await parseToml(readFileSync(file, "utf8"), file), file);
};

for (const name of readdirSync(`${FOLDER}/good`).filter((n) => n.endsWith(".conf")))
  test(`good/${name}`, async () => {
    const found = await read("good", name);
    const text = `${JSON.stringify({ ...found, aliases: [...found.aliases] }, null, 2)}\n`;
    const wanted = `${FOLDER}/good/${name.replace(/conf$/, "json")}`;
    if (process.env["UPDATE"]) writeFileSync(wanted, text);
    assert.equal(text, readFileSync(wanted, "utf8"));
  });

for (const name of readdirSync(`${FOLDER}/bad`))
  test(`bad/${name}`, async () => {
    const [first = ""] = readFileSync(`${FOLDER}/bad/${name}`, "utf8").split("\n");
    await assert.rejects(read("bad", name), (e) => {
      assert.ok(e instanceof ImageError, String(e));
      assert.equal(e.code, "image-config");
      assert.ok(e.message.startsWith(`${FOLDER}/bad/${name}`), e.message);
      assert.match(`${e.message} ${e.hint}`, new RegExp(first.replace(/^#@ /, ""), "s"));
      return true;
    });
  });
