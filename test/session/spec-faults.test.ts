// What is refused before anything is touched: bad specs, names and ports that are taken, the wrong user.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { DIST, PodHost } from "../lib/pods.js";
import { eventually, execute } from "../lib/session.js";
import { installedFiles, ownFolders, smallPod, unitsOf } from "../lib/small-pod.js";

let host: PodHost;
let units: string;
before(async () => {
  host = await PodHost.start("pgspecfaults");
  units = ownFolders(host.session.home).units;
});
after(() => host.stop());

async function refused(files: readonly string[], ...options: string[]): Promise<string> {
  const ran = await host.podgen(["apply", ...options, ...files]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.equal(ran.stdout, "");
  return ran.stderr;
}

test("unknown fields and wrong types: each with its place and a caret, all at once, and nothing is written", async () => {
  const text = smallPod({ name: "bad", command: '"not a list"', more: "      imagee: x\n      ports: [{ containerPort: http }]\n" });
  const lines = text.split("\n");
  const place = (word: string): string => {
    const line = lines.findIndex((l) => l.includes(word));
    return `${line + 1}:${(lines[line] ?? "").indexOf(word) + 1}`;
  };
  const path = host.spec("bad.yaml", text);
  const said = await refused([path]);
  const starts = (where: string, what: string) => assert.ok(said.includes(`${path}:${where}: error: spec.containers[0].${what}`), said);
  starts(place('"not a list"'), 'command: expected a list, got text "not a list"');
  starts(place("imagee"), 'imagee: unknown field, did you mean "image"?');
  starts(place("http }"), "ports[0].containerPort: expected an integer");
  assert.match(said, / \| {7}imagee: x\n +\| {7}\^~+\n/);
  assert.equal(existsSync(units), false);
  assert.equal(existsSync(ownFolders(host.session.home).data), false);
});

test("two pods of one name, in one file and in two", async () => {
  const text = smallPod({ name: "twin" });
  const both = host.spec("both.yaml", `${text}---\n${text}`);
  assert.match(await refused([both]), /both\.yaml:\d+:19: error: .*there is a Pod "twin" already, at .*both\.yaml:3:19/);
  const [one, two] = [host.spec("one.yaml", text), host.spec("two.yaml", text)];
  assert.match(await refused([one, two]), /two\.yaml:3:19: error: .*there is a Pod "twin" already, at .*one\.yaml:3:19/);
  assert.equal(existsSync(units), false);
});

test("root is told whom to be", async () => {
  const ran = await execute([`${DIST}/podgen`, "apply", host.spec("root.yaml", smallPod({ name: "root" }))], {});
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /refuses to be root\n {2}hint: .*USER/);
  assert.equal((await execute([`${DIST}/podgen`, "delete", "root"], {})).code, 1);
});

test("a host port that another pod has: named with the pod, nothing is touched", async () => {
  await host.ok(["apply", host.spec("first.yaml", smallPod({ name: "first", port: 18211 }))]);
  const before = installedFiles(host.session.home);
  const path = host.spec("second.yaml", smallPod({ name: "second", port: 18211 }));
  const said = await refused([path]);
  assert.match(said, /second\.yaml:11:\d+: error: .*18211\/TCP.* pod "first"/);
  assert.match(said, /hint: choose another port, or podgen delete first/);
  assert.deepEqual(installedFiles(host.session.home), before);
  assert.equal(await host.fetch("http://127.0.0.1:18211/"), "first\n");
  // UDP is another port, and so is another address of the host.
  await host.ok([
    "apply",
    host.spec("udp.yaml", smallPod({ name: "udp", port: 18211 }).replace("hostPort: 18211", "hostPort: 18211, protocol: UDP")),
  ]);
  await host.ok(["delete", "udp"]);
});

test("a host port goes from one pod to another in one apply", async () => {
  const files = [
    host.spec("first.yaml", smallPod({ name: "first", port: 18212 })),
    host.spec("second.yaml", smallPod({ name: "second", port: 18211 })),
  ];
  await host.ok(["apply", ...files]);
  assert.equal(await host.fetch("http://127.0.0.1:18211/"), "second\n");
  assert.equal(await host.fetch("http://127.0.0.1:18212/"), "first\n");
  await host.ok(["delete", "second"]);
});

test("a host port that another program listens on: a new pod goes again, a running one is put back", async () => {
  const server = createServer().listen(18213, "127.0.0.1");
  try {
    const before = installedFiles(host.session.home);
    const known = await unitsOf(host);
    const taken = await host.podgen(["apply", host.spec("third.yaml", smallPod({ name: "third", port: 18213 }))]);
    assert.equal(taken.code, 1, taken.stdout + taken.stderr);
    assert.equal(taken.stdout, "pod/third failed\n");
    assert.match(taken.stderr, /^error: pod third: host port 18213\/TCP cannot be opened/m);
    assert.match(taken.stderr, /^ {2}next: .*ss -Hltnp.*18213/m);
    assert.deepEqual(installedFiles(host.session.home), before);
    assert.deepEqual(await unitsOf(host), known);

    const moved = await host.podgen(["apply", host.spec("first.yaml", smallPod({ name: "first", port: 18213 }))]);
    assert.equal(moved.code, 3, moved.stdout + moved.stderr);
    assert.equal(moved.stdout, "pod/first rolled back\n");
    assert.match(moved.stderr, /^error: pod first: host port 18213\/TCP cannot be opened/m);
    assert.deepEqual(installedFiles(host.session.home), before);
    assert.equal(await host.fetch("http://127.0.0.1:18212/"), "first\n");
  } finally {
    server.close();
  }
  await host.ok(["apply", host.spec("first.yaml", smallPod({ name: "first", port: 18213 }))]);
  assert.equal(await host.fetch("http://127.0.0.1:18213/"), "first\n");
});

test("a unit name that somebody else has: refused with its path; --adopt saves the file and takes the name", async () => {
  const name = "pod-mine.service";
  const path = `${units}/${name}`;
  const text = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=default.target\n";
  writeFileSync(path, text);
  await host.run(["systemctl", "--user", "daemon-reload"]);
  await host.run(["systemctl", "--user", "start", name]);
  const spec = host.spec("mine.yaml", smallPod({ name: "mine" }));
  const said = await refused([spec]);
  assert.ok(said.includes(name) && said.includes(path), said);
  assert.match(said, /--adopt/);
  assert.equal(readFileSync(path, "utf8"), text);
  assert.equal(await host.property(name, "ActiveState"), "active");

  const bad = host.spec("mine.yaml", smallPod({ name: "mine", command: "[/no/such/program]" }));
  const failed = await host.podgen(["apply", "--adopt", bad]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.equal(readFileSync(path, "utf8"), text);
  assert.equal(await host.property(name, "SubState"), "running", "what ran before a failed adoption runs again");

  host.spec("mine.yaml", smallPod({ name: "mine" }));
  const ran = await host.podgen(["apply", "--adopt", spec]);
  assert.equal(ran.code, 0, ran.stderr);
  const saved = /is saved as (\S+)/.exec(ran.stderr)?.[1] ?? "";
  assert.equal(readFileSync(saved, "utf8"), text);
  assert.match(readFileSync(path, "utf8"), /podrt/);
  assert.equal(await host.property("pod-mine_app.service", "ActiveState"), "active");
  assert.deepEqual([await host.property(name, "Type"), await host.property(name, "SubState")], ["oneshot", "exited"]);
  assert.equal(await host.property(name, "MainPID"), "0", "what the old unit ran is gone");
  assert.equal(await host.ok(["apply", spec]), "pod/mine unchanged\n");
  await host.ok(["delete", "mine"]);
});

test("a unit of our name from a folder of the machine is refused too", async () => {
  const folder = `${host.session.home}/.local/share/systemd/user`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/pod-theirs_app.service`, "[Service]\nExecStart=/bin/true\n");
  const said = await refused([host.spec("theirs.yaml", smallPod({ name: "theirs" }))]);
  assert.ok(said.includes(`${folder}/pod-theirs_app.service`), said);
  await eventually("nothing of it", () => readdirSync(units).every((file) => !file.includes("theirs")));
});

test("a manifest that cannot be read: nothing is guessed, and the way out is named", async () => {
  const path = `${ownFolders(host.session.home).state}/manifest.json`;
  const before = readFileSync(path);
  writeFileSync(path, before.subarray(0, before.length / 2));
  const files = installedFiles(host.session.home);
  for (const args of [["apply", `${host.session.home}/specs/first.yaml`], ["delete", "first"], ["status"]]) {
    const ran = await host.podgen(args);
    assert.equal(ran.code, 1, args.join(" "));
    assert.ok(ran.stderr.includes(`${path}: not a manifest this podgen can read`), ran.stderr);
    assert.match(ran.stderr, /^ {2}hint: move it away/m);
  }
  assert.deepEqual(installedFiles(host.session.home), files);
  assert.equal(await host.fetch("http://127.0.0.1:18213/"), "first\n");
  writeFileSync(path, before);
  await host.ok(["delete", "first"]);
});
