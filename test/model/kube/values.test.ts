// Quantities, base64, capabilities, addresses, formats: values with exact rules.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressesOverlap, parseAddress } from "../../../src/model/kube/address.js";
import { decodeBase64 } from "../../../src/model/kube/base64.js";
import { CAPABILITIES, capabilityName, normaliseCapabilities } from "../../../src/model/kube/capabilities.js";
import * as formats from "../../../src/model/kube/formats.js";
import { cpuMillis, cpuQuantity, memoryBytes, memoryQuantity, parseQuantity } from "../../../src/model/kube/quantity.js";

describe("quantities", () => {
  test("every suffix, exactly", () => {
    const bytes: [string, bigint][] = [
      ["1", 1n], ["+1", 1n], ["1k", 10n ** 3n], ["1M", 10n ** 6n], ["1G", 10n ** 9n], ["1T", 10n ** 12n], ["1P", 10n ** 15n], ["1E", 10n ** 18n],
      ["1Ki", 1n << 10n], ["1Mi", 1n << 20n], ["1Gi", 1n << 30n], ["1Ti", 1n << 40n], ["1Pi", 1n << 50n], ["1Ei", 1n << 60n],
      ["1e3", 1000n], ["1E3", 1000n], ["1e+3", 1000n], ["1.5Ki", 1536n], ["1500m", 1n], ["1.", 1n], ["12345678901234567890123", 12345678901234567890123n],
    ]; // biome-ignore format: a table
    for (const [text, value] of bytes) {
      const q = parseQuantity(text);
      assert.ok(q !== undefined, text);
      assert.equal(q.numerator / q.denominator, value, text);
    }
    for (const [text, n, d] of [
      ["1n", 1n, 10n ** 9n],
      ["1u", 1n, 10n ** 6n],
      ["1m", 1n, 1000n],
      [".5", 5n, 10n],
      ["1e-3", 1n, 1000n],
      ["0.1", 1n, 10n],
    ] as const)
      assert.deepEqual(parseQuantity(text), { numerator: n, denominator: d }, text);
  });

  test("what is none", () => {
    for (const text of [
      "",
      ".",
      "m",
      "1K",
      "1ki",
      "1MB",
      "1 Mi",
      "1e",
      "1e1000",
      "0x10",
      "1,5",
      "--1",
      "1i",
      "1Mim",
      "१",
      "constructor",
      "1constructor",
      "9".repeat(65),
    ])
      assert.equal(parseQuantity(text), undefined, text);
  });

  test("CPU in thousandths, memory in bytes, both rounded up; 0 is no limit", () => {
    for (const [text, millis] of [
      ["1", 1000],
      ["0.1", 100],
      ["100m", 100],
      ["1.0005", 1001],
      ["1n", 1],
      ["2.5e0", 2500],
      ["0", undefined],
    ] as const)
      assert.equal(cpuMillis(text), millis, text);
    for (const [text, bytes] of [
      ["1.1Gi", 1181116007],
      ["128974848", 128974848],
      ["129e6", 129e6],
      ["0", undefined],
      ["0.1Ki", 103],
    ] as const)
      assert.equal(memoryBytes(text), bytes, text);
    assert.equal(memoryBytes("8Pi"), undefined);
    assert.equal(memoryBytes(String(Number.MAX_SAFE_INTEGER)), Number.MAX_SAFE_INTEGER);
  });

  test("checks", () => {
    for (const text of ["-1", "x", "9e99"]) assert.ok(cpuQuantity(text) !== undefined, text);
    assert.match(memoryQuantity("512MB")?.hint ?? "", /512Mi .* 512M /);
    assert.match(memoryQuantity("1gb")?.hint ?? "", /1Gi .* 1G /);
    assert.match(memoryQuantity("1kB")?.hint ?? "", /1Ki .* 1k /);
    assert.match(memoryQuantity("400m")?.hint ?? "", /400Mi/);
    assert.equal(memoryQuantity("1000m"), undefined);
    assert.equal(memoryQuantity("9007199254740992")?.problem, "is too large");
    for (const text of ["0", "64Mi", "1.1Gi", "1e3"]) assert.equal(memoryQuantity(text), undefined, text);
  });
});

describe("base64", () => {
  test("all bytes, all lengths", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 11) & 255);
      assert.deepEqual(decodeBase64(Buffer.from(bytes).toString("base64")), { bytes });
    }
  });

  test("line breaks are skipped, as in YAML blocks", () =>
    assert.deepEqual(decodeBase64("aG\nVs\r\nbG8=\n"), { bytes: new TextEncoder().encode("hello") }));

  test("everything else is refused, without the text", () => {
    for (const text of ["aGVsbG8", "aGVsbG8==", "aGV sbG8=", "aGVs-G8=", "aGVs_G8=", "a", "=", "====", "aGVsbG9=", "aGVsbG8=aGVs", "é"]) {
      const decoded = decodeBase64(text);
      assert.ok("problem" in decoded, text);
      assert.ok(!decoded.problem.includes(text) || text.length === 1, text);
    }
  });
});

describe("capabilities", () => {
  test("all 41, with and without CAP_, in any case", () => {
    assert.equal(CAPABILITIES.length, 41);
    for (const name of [...CAPABILITIES, "ALL"]) assert.equal(capabilityName(name), undefined);
    assert.deepEqual(normaliseCapabilities(["CAP_SYS_TIME", "net_admin", "NET_ADMIN", "all", "nonsense"]), [
      "ALL",
      "CAP_NET_ADMIN",
      "CAP_SYS_TIME",
    ]);
  });

  test("unknown ones", () => {
    for (const name of ["", "CAP_", "CAP_ALL", "NETADMIN2X", "NET ADMIN", "*"]) assert.ok(capabilityName(name) !== undefined, name);
    assert.match(capabilityName("NET_ADMN")?.problem ?? "", /"NET_ADMIN"/);
  });
});

describe("addresses", () => {
  test("parsed to numbers", () => {
    for (const [text, value] of [
      ["0.0.0.0", 0n],
      ["127.0.0.1", 0x7f000001n],
      ["::", 0n],
      ["::1", 1n],
      ["1::", 1n << 112n],
      ["::ffff:1.2.3.4", 0xffff01020304n],
      ["1:2:3:4:5:6:7:8", 0x00010002000300040005000600070008n],
    ] as const)
      assert.equal(parseAddress(text)?.value, value, text);
    for (const text of [
      "",
      "localhost",
      "1.2.3",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4.5",
      ":",
      ":::",
      "1:2",
      "::1::",
      "1:2:3:4:5:6:7:8:9",
      "12345::",
      "::g",
      "fe80::1%eth0",
      "1.2.3.4:80",
      "::1.2.3",
      "1:2:3:4:5:6:7::8",
    ])
      assert.equal(parseAddress(text), undefined, text);
  });

  test("overlap", () => {
    for (const [a, b, wanted] of [
      ["", "127.0.0.1", true],
      ["", "::1", true],
      ["", "", true],
      ["0.0.0.0", "10.0.0.1", true],
      ["::", "::1", true],
      ["::1", "0:0:0:0:0:0:0:1", true],
      ["127.0.0.1", "127.0.0.2", false],
      ["0.0.0.0", "::", false],
      ["0.0.0.0", "::1", false],
      ["::1", "127.0.0.1", false],
    ] as const) {
      // biome-ignore format: a table
      assert.equal(addressesOverlap(a, b), wanted, `${a} ${b}`);
      assert.equal(addressesOverlap(b, a), wanted, `${b} ${a}`);
    }
  });
});

describe("formats", () => {
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: a table of all of them
  const check = (name: keyof typeof formats, text: string): unknown => formats[name](text);
  const cases: [keyof typeof formats, string[], string[]][] = [
    ["dnsLabel", ["a", "0", "a-b", "a".repeat(63)], ["", "A", "-a", "a-", "a.b", "a_b", "a".repeat(64), "ä", "a\n"]],
    ["dnsSubdomain", ["a", "a.b", "a-b.0", "a".repeat(253)], ["", ".a", "a.", "a..b", "a-.b", "A", "a".repeat(254)]],
    ["portName", ["http", "a", "8a", "a-b"], ["", "80", "-a", "a-", "a--b", "A", "a".repeat(16), "a_b"]],
    ["labelKey", ["a", "A_b.c-d", "example.com/a", "a".repeat(63)], ["", "/a", "a/", "a/b/c", "-a", "A/b", "a".repeat(64), "a b"]],
    ["labelValue", ["", "a", "A_b.c"], ["-a", "a ", "a/b", "a".repeat(64)]],
    ["envName", ["A", "a.b", "1", "A B", "~"], ["", "A=B", "é", "A\tB"]],
    ["dataKey", ["a", ".a", "a..b", "A_b-c.d"], ["", ".", "..", "..a", "a/b", "a b", "a".repeat(254)]],
    ["absolutePath", ["/", "/a", "/a..b", "/..a"], ["", "a", "./a", "~/a", "/a/..", "/../a", "/a\0"]],
    ["mountPath", ["/a", "/a/"], ["/", "//", "a", "/a:b", "/a/../b"]],
    ["relativePath", ["", "a", "a/b", "a..b", "..."], ["/a", "..", "a/..", "../a"]],
    ["filePath", ["a", "a/b", ".a"], ["", "..a", "../a", "/a", "a/../b"]],
    ["hostAddress", ["", "::", "10.0.0.1"], ["localhost", "10.0.0.1:80", "[::1]"]],
  ];
  for (const [name, good, bad] of cases)
    test(name, () => {
      for (const text of good) assert.equal(check(name, text), undefined, text);
      for (const text of bad) assert.ok(check(name, text) !== undefined, JSON.stringify(text));
    });
});
