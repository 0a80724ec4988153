// Pods come with the machine: after a reboot and after a power cut they answer with nobody logged in. And linger, which
// is what makes that so, against a real logind and polkit.
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { Host } from "../lib/host.js";
import { pagePod } from "../lib/page-pod.js";
import { eventually } from "../lib/session.js";

const POD = { name: "boot", port: 18080 };
const INSIDE = `http://127.0.0.1:${POD.port}/`;
const OUTSIDE = `http://10.99.0.2:${POD.port}/`;
const ANSWER_DEADLINE = 30_000;

let host: Host;
before(async () => {
  host = await Host.start("t-boot");
  await host.apply("boot", pagePod(POD));
});
after(() => host.stop());

/** Reboots, waits for the first answer that comes from outside after the pod went away, and prints how long it all took. */
async function rebootAndMeasure(t: TestContext, how: "soft" | "hard"): Promise<void> {
  assert.equal(await host.fetch(OUTSIDE, "outside"), "page of boot\n");
  const rebooted = host.reboot(how);
  // Awaited below; should the measuring fail first, its own failure must not be unhandled.
  rebooted.catch(() => undefined);
  await eventually("nobody answers while it reboots", async () => (await host.fetch(OUTSIDE, "outside")) === undefined, ANSWER_DEADLINE);
  await host.answers(OUTSIDE, "page of boot\n", ANSWER_DEADLINE, "outside");
  const answered = Date.now();
  await rebooted;

  const started = await managerProperty("UserspaceTimestamp");
  t.diagnostic(`${how} reboot: the pod answers ${Math.round(answered - started / 1000)} ms after PID 1 began`);
  // Both on the machine's monotonic clock, in microseconds.
  const booted = await managerProperty("UserspaceTimestampMonotonic");
  const manager = Number(await host.property("init.scope", "ActiveEnterTimestampMonotonic"));
  const pod = Number(await host.property("pod-boot.service", "ActiveEnterTimestampMonotonic"));
  t.diagnostic(
    `pod-boot.service is active ${Math.round((pod - booted) / 1000)} ms after PID 1 began, ${Math.round((pod - manager) / 1000)} ms after alice's manager did`,
  );
  assert.ok(pod > booted);
}

/** A timestamp of the system's manager. */
async function managerProperty(name: string): Promise<number> {
  const words = [
    "busctl",
    "get-property",
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
    name,
  ];
  return Number((await host.root(words)).trim().split(" ")[1]);
}

async function nobodyIsLoggedIn(): Promise<void> {
  const sessions = await host.root(["loginctl", "list-sessions", "--no-legend"]);
  // alice's manager is a session of its own kind in systemd 257; it has neither a seat nor a terminal, nor a leader of hers.
  const people = sessions.split("\n").filter((line) => line.trim() !== "" && !/ manager/.test(line));
  assert.deepEqual(people, []);
}

for (const how of ["soft", "hard"] as const)
  test(`after a ${how === "soft" ? "reboot" : "power cut"} the pod answers with nobody logged in`, async (t) => {
    await rebootAndMeasure(t, how);
    await nobodyIsLoggedIn();
    assert.equal(await host.fetch(INSIDE), "page of boot\n");
    assert.match(await host.ok(["status", "boot"]), /^Status: +Running$/m);
    for (const [unit, now] of await host.units("pod-boot*.service")) assert.equal(now.active, "active", unit);
    assert.equal(await host.ok(["apply", `${host.home}/specs/boot.yaml`]), "pod/boot unchanged\n");
  });

test("the kernel's audit finds a container under the user that it is of: loginuid, seen from outside and from inside", async () => {
  const loginuid = (pid: number) => host.root(["cat", `/proc/${pid}/loginuid`]);
  for (const unit of ["pod-boot_app.service", "pod-boot__infra.service"])
    assert.equal(await loginuid((await host.unit(unit)).mainPid), "1000", unit);
  // In the container's user namespace alice is root.
  const ask = "exec boot/app -- sh -c 'cat /proc/1/loginuid; echo; cat /proc/self/loginuid'";
  assert.equal((await host.login(`podgen ${ask}`)).stdout.trim(), "0\n0");
});

test("what a boot needs is not Node.js: no unit of the pod names it", async () => {
  // pasta's unit runs podrt as well; the pods' processes are podrt's, pasta's and the payload's.
  const lines = await host.root([
    "sh",
    "-c",
    "grep -h '^Exec' /home/alice/.config/systemd/user/pod-boot* /home/alice/.config/systemd/user/podgen-*",
  ]);
  assert.ok(lines.includes("ExecStart"));
  for (const line of lines.trim().split("\n")) assert.match(line, /^Exec\w+=\S*\/podgen\/bin\/podrt /);
});

test("a pod that was stopped by hand is back after a boot, a deleted one is not", async () => {
  await host.apply("gone", pagePod({ name: "gone", port: 18089 }));
  await host.ok(["stop", "boot"]);
  await host.ok(["delete", "gone"]);
  await host.reboot();
  await host.answers(INSIDE, "page of boot\n", ANSWER_DEADLINE);
  assert.equal(await host.fetch("http://127.0.0.1:18089/"), undefined);
});

/** All of it in one login session: with neither a login nor linger, logind would end alice's manager under the test. */
const LINGER = `
podgen linger status; echo "status exits $?"
podgen linger disable; echo "disable exits $?"
podgen linger status -o json; echo "status exits $?"
podgen apply ~/specs/boot.yaml; echo "an apply that changes nothing exits $?"
podgen apply ~/specs/more.yaml 2>&1; echo "apply exits $?"
podgen doctor | grep linger
podgen linger enable; echo "enable exits $?"
podgen linger status; echo "status exits $?"
podgen delete more
`;

test("linger is read and changed through logind; apply says when it is off", async () => {
  host.write("specs/more.yaml", pagePod({ name: "more", port: 18088 }));
  const { stdout } = await host.login(LINGER);
  const on = "lingering is on: pods start at boot\n";
  assert.ok(stdout.startsWith(`${on}status exits 0\nlingering is off: pods start at login\ndisable exits 0\n`), stdout);
  assert.match(stdout, /"enabled": false/);
  assert.match(stdout, /"source": "logind"/);
  assert.match(stdout, /^status exits 3\npod\/boot unchanged\nan apply that changes nothing exits 0\n/m);
  assert.match(stdout, /^note: lingering is off: .*podgen linger enable$/m);
  assert.match(stdout, /^warn +linger: off: /m);
  assert.ok(stdout.includes(`${on}enable exits 0\n${on}status exits 0\n`), stdout);
  assert.equal(await host.root(["ls", "/var/lib/systemd/linger"]), "alice\n");
});

test("where polkit says no, linger stays as it is, and the error says who can", async () => {
  const rules = "/etc/polkit-1/rules.d/00-test.rules";
  const no = 'polkit.addRule(function (action) { if (action.id.indexOf("linger") >= 0) return polkit.Result.NO; });';
  await host.root(["sh", "-c", `echo '${no}' > ${rules} && systemctl restart polkit`]);
  const ran = await host.podgen(["linger", "disable"]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.match(
    ran.stderr,
    /^podgen: error: polkit does not let you change linger \(.+\)\n {2}hint: .*sudo loginctl disable-linger alice$/m,
  );
  assert.equal(await host.ok(["linger", "status"]), "lingering is on: pods start at boot\n");
  await host.root(["rm", rules]);
  await host.root(["systemctl", "restart", "polkit"]);
});
