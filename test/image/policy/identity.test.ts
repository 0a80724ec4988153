// Names in signatures against names of images: which identity lets which pass.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Identity, matchesIdentity } from "../../../src/host/image/policy/identity.js";
import { nameOf, nameText, parseName } from "../../../src/host/image/policy/name.js";
import { parseReference } from "../../../src/host/image/reference.js";

const D = `sha256:${"a".repeat(64)}`;

test("names are completed as docker does", () => {
  const cases: [text: string, whole: string | undefined][] = [
    ["busybox", "docker.io/library/busybox"],
    ["team/app:1", "docker.io/team/app:1"],
    ["index.docker.io/app", "docker.io/library/app"],
    ["localhost/app", "localhost/app"],
    ["host:5000/app", "host:5000/app"],
    ["Host/app", "Host/app"],
    [`reg.example/a/b:1@${D}`, `reg.example/a/b:1@${D}`],
    ["[::1]:5000/app:x", "[::1]:5000/app:x"],
    ["a".repeat(64), undefined],
    ["reg.example/App", undefined],
    ["reg.example/app:", undefined],
    ["reg.example/app@sha256:12", undefined],
    [`app@${D}@${D}`, undefined],
    ["", undefined],
    ["https://reg.example/app", undefined],
  ];
  for (const [text, whole] of cases) {
    const name = parseName(text);
    assert.equal(name === undefined ? undefined : nameText(name), whole, text);
  }
});

test("each identity", () => {
  const tagged = "reg.example/team/app:1";
  const pinned = `reg.example/team/app@${D}`;
  const exact = parseName("vendor.example/app:1") as NonNullable<ReturnType<typeof parseName>>;
  const remap = (prefix: string): Identity => ({ type: "remapIdentity", prefix, signedPrefix: "vendor.example" });
  const cases: [identity: Identity, image: string | undefined, signed: string, good: boolean][] = [
    [{ type: "matchExact" }, tagged, tagged, true],
    [{ type: "matchExact" }, tagged, "reg.example/team/app:2", false],
    [{ type: "matchExact" }, tagged, "reg.example/team/app", false],
    [{ type: "matchExact" }, pinned, tagged, false],
    [{ type: "matchExact" }, pinned, pinned, true],
    [{ type: "matchRepoDigestOrExact" }, tagged, tagged, true],
    [{ type: "matchRepoDigestOrExact" }, tagged, pinned, false],
    [{ type: "matchRepoDigestOrExact" }, pinned, "reg.example/team/app:9", true],
    [{ type: "matchRepoDigestOrExact" }, pinned, "reg.example/team/app", false],
    [{ type: "matchRepoDigestOrExact" }, pinned, "reg.example/team/other:1", false],
    // Beside a digest a tag means nothing: what is fetched is the digest.
    [{ type: "matchRepoDigestOrExact" }, `${tagged}@${D}`, "reg.example/team/app:9", true],
    [{ type: "matchRepository" }, tagged, "reg.example/team/app", true],
    [{ type: "matchRepository" }, tagged, "reg.example/team", false],
    [{ type: "matchRepository" }, tagged, "not a name", false],
    [{ type: "matchRepository" }, undefined, tagged, false],
    [{ type: "exactReference", name: exact }, undefined, "vendor.example/app:1", true],
    [{ type: "exactReference", name: exact }, tagged, "vendor.example/app:2", false],
    [{ type: "exactRepository", name: exact }, undefined, "vendor.example/app:2", true],
    [{ type: "exactRepository", name: exact }, tagged, tagged, false],
    [remap("reg.example"), tagged, "vendor.example/team/app:1", true],
    [remap("reg.example/team"), tagged, "vendor.example/app:1", true],
    [remap("reg.example/te"), tagged, "vendor.example/app:1", false],
    [remap("reg.example/te"), tagged, tagged, true],
    [remap("reg.example/team"), tagged, tagged, false],
    [remap("reg.example/team"), pinned, "vendor.example/app:7", true],
  ];
  for (const [identity, image, signed, good] of cases) {
    const reference = image === undefined ? undefined : parseReference(image);
    const name = reference?.kind === "registry" ? nameOf(reference) : undefined;
    assert.equal(matchesIdentity(identity, name, signed), good, `${identity.type} ${image} ${signed}`);
  }
});
