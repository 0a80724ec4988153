// Places of images: transports, relative paths, names; and what is refused, with what to write instead.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/cli/exit.js";
import { placeOf } from "../../src/cli/image-places.js";

const context = { cwd: "/work" };

const good: readonly [string, string][] = [
  ["docker://docker.io/library/nginx", "docker://docker.io/library/nginx:latest"],
  ["docker://docker.io/nginx:1", "docker://docker.io/library/nginx:1"],
  ["docker://localhost:5000/a/b:1", "docker://localhost:5000/a/b:1"],
  ["oci:x", "oci:/work/x"],
  ["oci:/abs/x:tag:more", "oci:/abs/x:tag:more"],
  ["oci-archive:../x.tar:n", "oci-archive:/x.tar:n"],
  ["docker-archive:x.tar", "docker-archive:/work/x.tar"],
  ["docker-archive:x.tar:localhost:5000/a/b:1", "docker-archive:/work/x.tar:localhost:5000/a/b:1"],
  ["docker-archive:x.tar:@2", "docker-archive:/work/x.tar:@2"],
  ["dir:some:where", "dir:/work/some:where"],
];
for (const [word, place] of good) test(`${word} is ${place}`, () => assert.equal(placeOf(word, context), place));

const bad: readonly [string, RegExp][] = [
  ["nginx", /does not say where it is.*docker:\/\//s],
  ["/some/path", /does not say where it is/],
  ["docker://nginx", /which registry.*docker\.io\/library\/nginx/s],
  ["docker://oci:/x", /no name in a registry|is not/],
  ["docker-daemon:nginx", /docker save/],
  ["sif:x", /Singularity/],
  ["oci:", /names no file/],
  ["docker-archive:x.tar:untagged", /NAME:TAG/],
];
for (const [word, what] of bad)
  test(`${word || "nothing"} is refused`, () => {
    const refused = (error: unknown) => error instanceof UserError && error.exitCode === 64 && what.test(`${error.message} ${error.hint}`);
    assert.throws(() => placeOf(word, context), refused);
  });
