// podgen image login and logout: where name and password come from, and what is said; never the password.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Credentials } from "../../src/base/registry-login.js";
import { runCli } from "../../src/cli/cli.js";
import type { Context } from "../../src/cli/context.js";
import { ImageError } from "../../src/ports/images.js";
import type { LoggedIn, LoginOptions, Logins } from "../../src/ports/logins.js";

const RIGHT = "r1ght";

/** Runs one command line; `answers` are what a person types, undefined: there is no terminal. */
async function run(words: readonly string[], given: { stdin?: string; answers?: string[]; who?: Credentials; elsewhere?: string[] } = {}) {
  const calls: string[] = [];
  const questions: [string, boolean][] = [];
  const said = { out: "", err: "" };
  const logins: Logins = {
    registry: async (name) => name ?? "first.example",
    who: async () => given.who,
    login: async (registry, { username, password }, options: LoginOptions, keep = true): Promise<LoggedIn> => {
      calls.push(`${keep ? "keep" : "try"} ${registry} ${username}:${password} ${options.authFile ?? "-"} ${options.tlsVerify}`);
      if (password !== RIGHT) throw new ImageError("image-unauthorized", registry, `${registry}: no`);
      return { registry, username, verified: true, ...(keep ? { place: "/run/auth.json" } : {}) };
    },
    logout: async (registry) => (registry === undefined ? ["a.example", "b.example"] : given.who === undefined ? [] : [registry]),
    elsewhere: async () => given.elsewhere ?? [],
  };
  const { answers } = given;
  const context = {
    host: { logins: async () => logins },
    out: { write: (t: string) => (said.out += t), isTTY: false, columns: 80 },
    err: { write: (t: string) => (said.err += t), isTTY: false, columns: 80 },
    stdin: { isTTY: answers !== undefined, text: async () => given.stdin ?? "" },
    ...(answers === undefined
      ? {}
      : {
          ask: async (question: string, hidden: boolean) => {
            questions.push([question, hidden]);
            return answers.shift();
          },
        }),
    env: {},
    cwd: "/work",
    uid: 1000,
    // Of the context only this much is used.
  } as unknown as Context;
  const code = await runCli(["image", ...words], "0", context);
  assert.ok(!`${said.out}${said.err}`.includes(RIGHT), "the password is shown");
  return { code, calls, questions, ...said };
}

test("from standard input, without its newline, for the registry that is named or the first to search", async () => {
  const one = await run(["login", "-u", "me", "--password-stdin", "a.example"], { stdin: `${RIGHT}\n` });
  assert.deepEqual([one.code, one.calls, one.out, one.err], [0, [`keep a.example me:${RIGHT} - true`], "logged in to a.example\n", ""]);
  const other = await run(["login", "-u", "me", "--password-stdin", "-v", "--no-tls-verify", "--authfile", "x.json"], { stdin: RIGHT });
  assert.deepEqual(other.calls, [`keep first.example me:${RIGHT} /work/x.json false`]);
  assert.match(other.err, /kept in \/run\/auth\.json/);
});

test("on the command line: with a warning", async () => {
  const { code, err } = await run(["login", "-u", "me", "-p", RIGHT, "a.example"]);
  assert.equal(code, 0);
  assert.match(err, /can be seen by others/);
});

test("asked in the terminal, the password unseen", async () => {
  const { code, calls, questions } = await run(["login", "a.example"], { answers: ["me", RIGHT] });
  assert.deepEqual([code, calls], [0, [`keep a.example me:${RIGHT} - true`]]);
  assert.deepEqual(
    questions.map(([, hidden]) => hidden),
    [false, true],
  ); // prettier-ignore
  assert.equal((await run(["login", "a.example"], { answers: ["me"] })).code, 1);
});

test("a stored login that still does is enough; one that does not is asked for anew", async () => {
  const good = await run(["login", "a.example"], { who: { username: "me", password: RIGHT } });
  assert.deepEqual([good.code, good.out, good.calls], [0, "already logged in to a.example as me\n", [`try a.example me:${RIGHT} - true`]]);
  const old = await run(["login", "a.example"], { who: { username: "me", password: "0ld" }, answers: [RIGHT] });
  assert.deepEqual(old.calls, ["try a.example me:0ld - true", `keep a.example me:${RIGHT} - true`]);
  assert.ok(!old.err.includes("0ld"));
});

test("--get-login", async () => {
  assert.equal((await run(["login", "--get-login", "a.example"], { who: { username: "me", password: RIGHT } })).out, "me\n");
  assert.equal((await run(["login", "--get-login", "a.example"])).code, 1);
});

test("what does not go together, or is missing", async () => {
  for (const words of [
    ["login", "a.example"],
    ["login", "--password-stdin", "a.example"],
    ["login", "-u", "me", "-p", "x", "--password-stdin", "a.example"],
    ["login", "-u", "m:e", "-p", "x", "a.example"],
    ["login", "-u", "me", "--password-stdin", "a.example"],
    ["logout", "--all", "a.example"],
  ])
    assert.equal((await run(words)).code, 64, words.join(" ")); // prettier-ignore
  assert.equal((await run(["login", "-u", "me", "-p", "wrong", "a.example"])).code, 1);
});

test("logout: what was there, what was not, and what lies elsewhere", async () => {
  const who = { username: "me", password: RIGHT };
  assert.deepEqual(await run(["logout", "a.example"], { who }).then((r) => [r.code, r.out]), [0, "logged out of a.example\n"]);
  const none = await run(["logout", "a.example"], { elsewhere: ["/home/me/.docker/config.json"] });
  assert.equal(none.code, 1);
  assert.match(none.err, /nobody was logged in to a\.example\n {2}hint: there is a login in \/home\/me\/\.docker\/config\.json/);
  assert.equal((await run(["logout", "--all"])).out, "logged out of a.example\nlogged out of b.example\n");
});
