// podgen at a terminal: exec -it on a real pty, and logs -f until Ctrl-C.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { OddRegistry, refuse } from "../lib/odd-registry.js";
import { DIST, PodHost } from "../lib/pods.js";
import { CHECKOUT, eventually } from "../lib/session.js";
import { smallPod } from "../lib/small-pod.js";
import { image, layer } from "../lib/tiny-image.js";

const CTRL_C = "\u0003";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pgterm");
  const tick = (name: string) => `[sh, -c, "trap 'exit 0' TERM; while :; do echo tick ${name}; sleep 1 & wait $!; done"]`;
  const second = `    - name: side\n      image: IMAGE\n      command: ${tick("side")}\n`;
  const two = smallPod({ name: "two", command: tick("app"), more: second });
  const reference = /image: (\S+)/.exec(two)?.[1] ?? "";
  await host.ok(["apply", host.spec("web.yaml", smallPod({ name: "web" })), host.spec("two.yaml", two.replace("IMAGE", reference))]);
});
after(() => host.stop());

/** A shell line of the user's under script(1), which gives it a terminal of 40 rows and 123 columns. */
class Terminal {
  readonly #child: ChildProcess;
  #text = "";

  constructor(line: string) {
    // The shell hears Ctrl-C too, and goes on to say how the line ended.
    const inner = `trap : INT; stty rows 40 cols 123; tty; ${line}; echo code $?; stty -a | grep -owE -- '-?(icanon|echo)'`;
    const words = ["run", host.user, "script", "-qec", inner, "/dev/null"];
    this.#child = spawn(`${CHECKOUT}/test/harness/session.sh`, words, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text.replaceAll("\r", "");
    });
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  shows(wanted: RegExp): Promise<RegExpExecArray> {
    return eventually(`the terminal shows ${wanted}`, () => wanted.exec(this.#text), 20_000).catch((error) => {
      throw new Error(`${error.message}; it shows: ${this.#text}`);
    });
  }

  /** What `stty` outside says it is from now on. */
  async resize(rows: number, columns: number): Promise<void> {
    const [, name = ""] = await this.shows(/^(\/dev\/pts\/\d+)$/m);
    execFileSync("stty", ["-F", name, "rows", String(rows), "cols", String(columns)]);
  }

  /** The line's exit status; its terminal is as it was. All text. */
  async end(): Promise<{ code: number; text: string }> {
    const [, code] = await this.shows(/code (\d+)\nicanon\necho$/m);
    this.#child.stdin?.end();
    return { code: Number(code), text: this.#text };
  }
}

const podgen = `${DIST}/podgen`;
const at = (line: string) => new Terminal(`${podgen} exec -it web/app -- sh -c '${line}'`);

test("exec -it is a terminal of our size, which follows ours; the exit status is the command's", async () => {
  const terminal = at('stty size; echo up; while read -r word; do [ "$word" = end ] && exit 5; stty size; done; exit 6');
  await terminal.shows(/^40 123\nup$/m);
  await terminal.resize(20, 50);
  await eventually("the new size", async () => {
    terminal.type("size\n");
    return /^20 50$/m.test((await terminal.shows(/up\n/)).input);
  });
  terminal.type("end\n");
  assert.equal((await terminal.end()).code, 5);
});

test("exec -it: Ctrl-C is the command's, and we say how it ended", async () => {
  const terminal = at("echo up; sleep 60");
  await terminal.shows(/^up$/m);
  terminal.type(CTRL_C);
  assert.equal((await terminal.end()).code, 130);
  const caught = at('trap "echo caught; exit 9" INT; echo up; while :; do sleep 0.1; done');
  await caught.shows(/^up$/m);
  caught.type(CTRL_C);
  await caught.shows(/caught\n/);
  assert.equal((await caught.end()).code, 9);
});

test("exec -t without a terminal is wrong usage", async () => {
  const ran = await host.podgen(["exec", "-t", "web/app", "--", "true"]);
  assert.deepEqual([ran.code, ran.stdout], [64, ""]);
  assert.match(ran.stderr, /^podgen: error: -t needs a terminal$/m);
});

test("the first Ctrl-C ends what does not follow, also where a file or a pod is called logs or watch", async () => {
  const terminal = new Terminal(`${podgen} validate - logs watch`);
  await terminal.shows(/reading a spec from the terminal/);
  terminal.type(CTRL_C);
  assert.equal((await terminal.end()).code, 130);
});

test("logs -f shows what comes, of all containers and of one, until Ctrl-C", async () => {
  const all = new Terminal(`${podgen} logs -f --tail 1 two`);
  await all.shows(/(\[app\] tick app\n[\s\S]*){3}/);
  await all.shows(/(\[side\] tick side\n[\s\S]*){3}/);
  all.type(CTRL_C);
  assert.equal((await all.end()).code, 0);

  const one = new Terminal(`${podgen} logs --follow two/side`);
  await one.shows(/(tick side\n[\s\S]*){3}/);
  one.type(CTRL_C);
  const { code, text } = await one.end();
  assert.equal(code, 0);
  assert.doesNotMatch(text, /tick app|\[side\]/);
  assert.equal((await host.run(["pgrep", "-u", host.user, "-x", "journalctl"])).stdout, "");
});

test("login asks for name and password; what is typed of a password is never shown, and Ctrl-C or a signal leave the terminal as it was", async () => {
  const registry = await new OddRegistry().start();
  const wanted = `Basic ${Buffer.from("me:s3cret").toString("base64")}`;
  registry.answer = (request, response) => {
    if (request.headers.authorization === wanted) response.end("{}");
    else refuse(response, 401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="x"' });
    return true;
  };
  const kept = `/run/user/${host.session.uid}/containers/auth.json`;
  const login = async () => {
    const terminal = new Terminal(`sh -c 'echo pid $$; exec ${podgen} image login ${registry.host}'`);
    await terminal.shows(/user name for 127\.0\.0\.1:\d+: $/);
    terminal.type("me\r");
    await terminal.shows(/me\npassword of me: $/);
    return terminal;
  };
  try {
    for (const end of [CTRL_C, "\u0004", "signal"]) {
      const terminal = await login();
      // Ctrl-D ends an empty line only; and what a signal overtakes would be the shell's to show.
      if (end === CTRL_C) terminal.type("s3c");
      if (end === "signal") process.kill(Number((await terminal.shows(/^pid (\d+)$/m))[1]), "SIGTERM");
      else terminal.type(end);
      const { code, text } = await terminal.end();
      assert.equal(code, end === "signal" ? 143 : 1, text);
      if (end !== "signal") assert.match(text, /no login was given/);
      assert.doesNotMatch(text, /s3c/);
      assert.equal(existsSync(kept), false);
    }
    const terminal = await login();
    // A slip, and its correction.
    terminal.type("s3x\u007fcret\r");
    const { code, text } = await terminal.end();
    assert.equal(code, 0, text);
    assert.match(text, /password of me: \nlogged in to /);
    assert.doesNotMatch(text, /s3|cret/);
    assert.equal(JSON.parse(readFileSync(kept, "utf8")).auths[registry.host].auth, wanted.slice("Basic ".length));
  } finally {
    await registry.stop();
  }
});

test("a short name that may be several images is asked about; the choice is kept, none or Ctrl-C is a refusal", async () => {
  const registry = await new OddRegistry().start();
  const tiny = image([layer([{ name: "x", content: "x" }])]);
  registry.add("team/tiny", tiny);
  await host.run(["mkdir", "-p", `${host.session.home}/.config/containers`]);
  const settings = `unqualified-search-registries = ["127.0.0.1:1", "${registry.host}"]\n`;
  await host.run(["tee", `${host.session.home}/.config/containers/registries.conf`], { input: settings });
  const pull = () => new Terminal(`${podgen} image pull -q team/tiny`);
  try {
    for (const end of ["\r", CTRL_C]) {
      const terminal = pull();
      await terminal.shows(
        /team\/tiny:latest may be any of these:\n {2}1\. 127\.0\.0\.1:1\/team\/tiny:latest\n {2}2\. [^\n]*\nWhich one \(1 to 2, nothing for none\)\? $/,
      );
      terminal.type(end);
      const { code, text } = await terminal.end();
      assert.equal(code, 1, text);
      assert.match(text, /"team\/tiny:latest" may be any of/);
    }
    const terminal = pull();
    await terminal.shows(/none\)\? $/);
    terminal.type("3\r");
    await terminal.shows(/3\nWhich one[^\n]*\? $/);
    terminal.type("2\r");
    const { code, text } = await terminal.end();
    assert.equal(code, 0, text);
    assert.ok(text.includes(tiny.digest));
    assert.equal(await host.ok(["image", "pull", "-q", "team/tiny"]), `${tiny.digest}\n`, "not asked again");
  } finally {
    await registry.stop();
  }
});
