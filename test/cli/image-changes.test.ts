// --change: a Dockerfile's instructions, in both spellings; what cannot be honoured is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/cli/exit.js";
import { parseChange } from "../../src/cli/image-changes.js";

const GOOD: readonly [text: string, change: object][] = [
  ['CMD ["nginx", "-g"]', { kind: "CMD", words: ["nginx", "-g"], shell: false }],
  ["cmd nginx -g $X", { kind: "CMD", words: ["nginx -g $X"], shell: true }],
  ["CMD=/bin/sh", { kind: "CMD", words: ["/bin/sh"], shell: true }],
  ['ENTRYPOINT=["/e"]', { kind: "ENTRYPOINT", words: ["/e"], shell: false }],
  [
    'ENV A=1 B=\'2 3\' C="4 \\"5\\$"',
    {
      kind: "ENV",
      pairs: [
        ["A", "1"],
        ["B", "2 3"],
        ["C", '4 "5$'],
      ],
    },
  ],
  ["ENV PATH /a:/b", { kind: "ENV", pairs: [["PATH", "/a:/b"]] }],
  [
    "LABEL a= b.c=x=y",
    {
      kind: "LABEL",
      pairs: [
        ["a", ""],
        ["b.c", "x=y"],
      ],
    },
  ],
  ["EXPOSE 80 53/udp 8000-8002", { kind: "EXPOSE", names: ["80/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp"] }],
  ["ONBUILD RUN x $Y", { kind: "ONBUILD", value: "RUN x $Y" }],
  ["STOPSIGNAL SIGQUIT", { kind: "STOPSIGNAL", value: "SIGQUIT" }],
  ["USER 33:44", { kind: "USER", value: "33:44" }],
  ['VOLUME ["/a b", "/c"]', { kind: "VOLUME", names: ["/a b", "/c"] }],
  ["VOLUME /a /b", { kind: "VOLUME", names: ["/a", "/b"] }],
  ["WORKDIR sub", { kind: "WORKDIR", value: "sub" }],
]; // prettier-ignore

const BAD: readonly [text: string, why: RegExp][] = [
  ["RUN true", /no such instruction/],
  ["constructor x", /no such instruction/],
  ["", /no such instruction/],
  ["CMD ", /it says nothing|no such/],
  ["ENV A=$B", /variables are not expanded/],
  ["ENV A", /not NAME=VALUE/],
  ["ENV =1", /not NAME=VALUE/],
  ["ENV A='1", /is not closed/],
  ["EXPOSE 0", /is no port/],
  ["EXPOSE 90-80", /is no port/],
  ["EXPOSE 70000", /is no port/],
  ["EXPOSE 80/icmp", /is no port/],
  ["USER a b", /one word/],
  ["VOLUME a", /no absolute path/],
];

for (const [text, change] of GOOD) test(text, () => assert.deepEqual(parseChange(text), change));
for (const [text, why] of BAD)
  test(`refused: ${text}`, () =>
    assert.throws(
      () => parseChange(text),
      (error) => error instanceof UserError && error.exitCode === 64 && why.test(error.message),
    )); // prettier-ignore
