// User namespaces of pods' own: maps, sizes, ranges that no other pod has and that stay.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IdRange, UsernsMaps } from "../../src/base/userns.js";
import type { UsernsWish } from "../../src/model/types.js";
import { container, type Given, goodPlan, hostFacts, imageFacts, modelOf, planOf, pod } from "../lib/models.js";

const ids = (count: number, over = {}): Given => ({ facts: hostFacts({ subordinateIds: { uids: count, gids: count }, ...over }) });
const wishing = (name: string, userns: UsernsWish, runAsUser?: number) =>
  pod(name, {
    userns,
    containers: [
      container("app", {
        security: {
          ...container("app").security,
          ...(runAsUser === undefined ? {} : { runAsUser }),
        },
      }),
    ],
  });
const auto = (size?: number): UsernsWish => ({ mode: "auto", ...(size === undefined ? {} : { size }) });
const uidsOf = (userns: UsernsWish, given: Given): readonly IdRange[] =>
  goodPlan(modelOf(wishing("web", userns)), given).pods[0]?.userns?.uids ?? [];
const installed = (first: number, size: number): UsernsMaps => ({ mode: "auto", uids: [[0, first, size]], gids: [[0, first, size]] });
/** First id and size of each pod of a plan. */
const ranges = (names: Readonly<Record<string, UsernsWish>>, given: Given): Record<string, readonly [number, number]> =>
  Object.fromEntries(
    goodPlan(modelOf(...Object.entries(names).map(([name, wish]) => wishing(name, wish))), given).pods.map((p) => {
      const [, first = 0, size = 0] = p.userns?.uids[0] ?? [];
      return [p.name, [first, size] as const];
    }),
  );
const messages = (userns: UsernsWish, given: Given, runAsUser?: number): string[] =>
  planOf(modelOf(wishing("web", userns, runAsUser)), given).diagnostics.map((d) => `${d.code}: ${d.message}`);

describe("keep-id", () => {
  test("the user's ids, or those asked for, are the user; all others follow in order", () => {
    assert.deepEqual(uidsOf({ mode: "keep-id" }, ids(65536)), [
      [0, 1, 1000],
      [1000, 0, 1],
      [1001, 1001, 64536],
    ]);
    assert.deepEqual(uidsOf({ mode: "keep-id", uid: 0 }, ids(100)), [
      [0, 0, 1],
      [1, 1, 100],
    ]);
    // Fewer ids than the user's own number.
    assert.deepEqual(uidsOf({ mode: "keep-id" }, ids(1000)), [
      [0, 1, 1000],
      [1000, 0, 1],
    ]);
    assert.deepEqual(uidsOf({ mode: "keep-id" }, ids(10)), [
      [0, 1, 10],
      [1000, 0, 1],
    ]);
  });

  test("containers run as the user unless spec or image say", () => {
    const run = (config: { user?: string }, runAsUser?: number) => {
      const [planned] = goodPlan(modelOf(wishing("web", { mode: "keep-id", gid: 7 }, runAsUser)), {
        ...ids(65536),
        images: [imageFacts(undefined, config)],
      }).pods;
      const { uid, gid, userName } = planned?.containers[0] ?? {};
      return [uid, gid, userName];
    };
    assert.deepEqual(run({}), [1000, 7, undefined]);
    assert.deepEqual(run({ user: "33:44" }), [33, 44, undefined]);
    assert.deepEqual(run({ user: "0" }), [0, 0, undefined]);
    assert.deepEqual(run({}, 0), [0, 0, undefined]);
  });
});

describe("auto", () => {
  test("ids that a pod gives up with this apply are nobody else's before the next one: it may still run with them", () => {
    const userns = { web: installed(61441, 4096), shy: installed(50000, 4096) };
    const got = ranges({ aaa: auto(), shy: { mode: "shared" }, web: auto(100) }, { ...ids(65536), userns });
    assert.deepEqual(got, { aaa: [57345, 4096], shy: [0, 0], web: [65437, 100] });
  });

  test("4096 ids from the top, more for a higher user, 65536 where the user has plenty, or as asked for", () => {
    assert.deepEqual(uidsOf(auto(), ids(65536)), [[0, 61441, 4096]]);
    const high = goodPlan(modelOf(wishing("web", auto(), 10001)), ids(65536)).pods[0]?.userns?.uids;
    assert.deepEqual(high, [[0, 65537 - 10240, 10240]]);
    assert.deepEqual(uidsOf(auto(), ids(1 << 20)), [[0, (1 << 20) - 65535, 65536]]);
    assert.deepEqual(uidsOf(auto(65536), ids(65536)), [[0, 1, 65536]]);
    assert.deepEqual(uidsOf(auto(1), ids(65536)), [[0, 65536, 1]]);
  });

  test("no two pods overlap, whatever the order of sizes", () => {
    const got = Object.values(ranges({ a: auto(1000), b: auto(), c: auto(30000), d: auto(7), e: auto() }, ids(65536)));
    const sorted = got.sort(([a], [b]) => a - b);
    for (const [i, [first, size]] of sorted.entries()) {
      assert.ok(first >= 1 && first + size <= 65537);
      assert.ok(i === 0 || first >= (sorted[i - 1]?.[0] ?? 0) + (sorted[i - 1]?.[1] ?? 0));
    }
  });

  test("an installed pod keeps its range, also when others come before it; a gap is filled", () => {
    const userns = { old: installed(61441, 4096), far: installed(40000, 4096), web: installed(50000, 4096) };
    assert.deepEqual(ranges({ aaa: auto(), web: auto() }, { ...ids(65536), userns }), { aaa: [57345, 4096], web: [50000, 4096] });
    // Another size, or one that is not the user's any more, is another range.
    assert.deepEqual(ranges({ web: auto(100) }, { ...ids(65536), userns }), { web: [61341, 100] });
    assert.deepEqual(ranges({ web: auto() }, { ...ids(53000), userns: { web: installed(50000, 4096) } }), { web: [48905, 4096] });
    // A damaged manifest that gives one range to two pods: one of them keeps it.
    const twice = { a: installed(1, 4096), b: installed(1, 4096) };
    assert.deepEqual(ranges({ a: auto(), b: auto() }, { ...ids(65536), userns: twice }), { a: [1, 4096], b: [61441, 4096] });
  });

  test("no room: how many there are, and who has them", () => {
    const userns = { old: installed(1, 60000) };
    assert.deepEqual(messages(auto(6000), { ...ids(65536), userns }), [
      "userns-no-room: userns auto: no room for 6000 ids: user alice has 65536, and other pods have 60000 of them",
    ]);
  });
});

test("nomap has all but the user; shared and nothing said have no maps", () => {
  assert.deepEqual(uidsOf({ mode: "nomap" }, ids(65536)), [[0, 1, 65536]]);
  assert.equal(goodPlan(modelOf(wishing("web", { mode: "shared" }))).pods[0]?.userns, undefined);
  assert.equal(goodPlan(modelOf(pod("web"))).pods[0]?.userns, undefined);
});

test("a user who is in no map, and a person without subordinate ids, are refused", () => {
  assert.match(messages(auto(100), ids(65536), 100).join(), /^userns-no-id: container "app" runs as user 100, .* \(auto\) has no such id$/);
  assert.match(messages({ mode: "nomap" }, ids(65536), 65536).join(), /^userns-no-id: /);
  assert.match(messages({ mode: "keep-id" }, ids(0)).join(), /^userns-no-ids: userns keep-id: user alice has no subordinate ids/);
});

test("the emptyDir of a pod with other ids is another folder, and its layers are copies", () => {
  const volumes = [{ name: "v", source: { kind: "emptyDir" as const, medium: "" as const }, at: { file: "web.yaml", line: 1, column: 1 } }];
  const planned = (userns: UsernsWish) => goodPlan(modelOf(pod("web", { userns, volumes })), ids(65536)).pods[0];
  const folder = (userns: UsernsWish) => planned(userns)?.folders.find((f) => f.includes("/empty/web/"));
  assert.match(folder({ mode: "nomap" }) ?? "", /\/empty\/web\/v_[0-9a-f]{16}$/);
  assert.notEqual(folder({ mode: "nomap" }), folder(auto()));
  assert.match(folder({ mode: "shared" }) ?? "", /\/empty\/web\/v$/);
});
