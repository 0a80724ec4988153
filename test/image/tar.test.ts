import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { indexTar, memberOf } from "../../src/host/image/tar.js";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "podgen-tar-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function index(path: string) {
  const file = await open(path);
  try {
    return await indexTar(file);
  } finally {
    await file.close();
  }
}

for (const format of ["gnu", "pax", "ustar", "oldgnu", "v7"]) {
  test(`names, links and places in a ${format} tar of GNU tar`, async (t) => {
    const folder = await folderFor(t);
    // 255 bytes are what ustar's two fields hold, 99 v7's; pax and gnu have no limit.
    const long =
      format === "v7" ? "l" : format === "ustar" ? `${"d".repeat(90)}/${"f".repeat(90)}` : `${"d".repeat(200)}/${"f".repeat(200)}`;
    await mkdir(join(folder, "x/a"), { recursive: true });
    if (long.includes("/")) await mkdir(join(folder, "x", long, ".."), { recursive: true });
    await writeFile(join(folder, "x/a/ä b"), "one");
    await writeFile(join(folder, "x", long), "x".repeat(513));
    await symlink("../a/ä b", join(folder, "x/a/soft"));
    await link(join(folder, "x/a/ä b"), join(folder, "x/a/hard"));
    await symlink("soft2", join(folder, "x/soft2"));
    execFileSync("tar", [
      "-cf",
      join(folder, "t.tar"),
      `--format=${format}`,
      "-C",
      join(folder, "x"),
      "./a",
      long.split("/")[0] ?? "",
      "soft2",
    ]);
    const members = await index(join(folder, "t.tar"));
    const bytes = await readFile(join(folder, "t.tar"));
    const content = (name: string) => {
      const found = memberOf(members, name);
      return found && bytes.toString("utf8", found.offset, found.offset + found.size);
    };
    assert.equal(content("a/ä b"), "one");
    assert.equal(content("./a/ä b"), "one");
    assert.equal(content("a/soft"), "one");
    assert.equal(content("a/hard"), "one");
    assert.equal(content(long), "x".repeat(513));
    assert.equal(content("soft2"), undefined, "a link to itself leads nowhere");
    assert.equal(content("nope"), undefined);
  });
}

test("what is no whole tar says so", async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, "f"), "x".repeat(3000));
  execFileSync("tar", ["-cf", join(folder, "t.tar"), "-C", folder, "f"]);
  const bytes = await readFile(join(folder, "t.tar"));
  const cases: [string, Buffer, RegExp][] = [
    ["text", Buffer.alloc(2048, "hello "), /no tar file/],
    ["cut", bytes.subarray(0, 1500), /ends in the middle/],
    ["damaged", Buffer.concat([bytes.subarray(0, 512 + 3072), Buffer.alloc(512, 7)]), /damaged at byte 3584/],
  ];
  for (const [name, content, words] of cases) {
    await writeFile(join(folder, name), content);
    await assert.rejects(index(join(folder, name)), words, name);
  }
});
