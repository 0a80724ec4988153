// podrt uplink: pasta is the unit's main process, comes back when it dies or infra does, and is never a reason to fail.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { infra, infraDir, infraUnit, mainPid, messages, pauseUnit, sh, show, systemctl, unit } from "./pod.js";
import { runAs, type TestUser, until, userStart, userStop } from "./user.js";

const UPLINK = "pod-web__uplink.service";
let user: TestUser;

/** What the machine itself has: without a default route there is nothing for pasta to copy. */
const hostHasRoute = execFileSync("ip", ["route", "show", "default"], { encoding: "utf8" }) !== "";
const addresses = (): string =>
  execFileSync("nsenter", ["-t", String(mainPid(user, infraUnit("web"))), "-n", "ip", "-br", "addr"], { encoding: "utf8" });
const connected = (): boolean =>
  addresses()
    .split("\n")
    .filter((line) => line !== "").length > 1;

/** Containers wait while it is so. */
const connecting = (): boolean => existsSync(`${infraDir(user, "web")}/connecting`);

before(() => {
  user = userStart("pgn1");
  pauseUnit(user);
  infra(user, "web", { annotations: { "io.podgen.uplink": "pasta" } });
  unit(user, UPLINK, [
    "[Unit]",
    `Wants=${infraUnit("web")}`,
    `After=${infraUnit("web")}`,
    "StartLimitIntervalSec=0",
    "[Service]",
    "Type=simple",
    "NotifyAccess=main",
    `ExecStart=${user.podrt} uplink --join pods/web/_infra`,
    "Restart=always",
    "RestartSec=100ms",
    "SuccessExitStatus=77",
    "RestartPreventExitStatus=77",
  ]);
});

after(() => userStop(user));

/** A machine of its own without a route, in which uplink runs as the user; `script` may change it, as root. */
function elsewhere(script: string): ReturnType<typeof spawn> {
  const words = ["setpriv", `--reuid=${user.uid}`, `--regid=${user.uid}`, "--init-groups", "env", `XDG_RUNTIME_DIR=${user.runtimeDir}`];
  const uplink = [...words, user.podrt, "uplink", "--join", "pods/web/_infra"].join(" ");
  return spawn("unshare", ["-n", "bash", "-c", `${uplink} & ${script} wait`], { stdio: ["pipe", "inherit", "pipe"] });
}

describe("with pasta", () => {
  test("the mark goes when the pod is connected; systemd supervises pasta itself", async () => {
    systemctl(user, "start", infraUnit("web"));
    assert.equal(connecting(), true);
    systemctl(user, "start", UPLINK);
    await until("the mark is gone", () => !connecting());
    assert.equal(connected(), hostHasRoute);
    await until("pasta is the main process", () => show(user, UPLINK, "StatusText") === "Connected by pasta");
    assert.equal(show(user, UPLINK, "ActiveState"), "active");
    assert.match(readFileSync(`/proc/${mainPid(user, UPLINK)}/cmdline`, "utf8"), /^pasta\0/);
    assert.equal(connected(), hostHasRoute);
    const status = readFileSync(`/proc/${mainPid(user, UPLINK)}/status`, "utf8");
    const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1];
    assert.match(readFileSync(`/proc/${parent}/cmdline`, "utf8"), /systemd/);
  });

  for (const signal of ["SIGKILL", "SIGTERM"] as const)
    test(`pasta is back after ${signal}`, async () => {
      const pid = mainPid(user, UPLINK);
      process.kill(pid, signal);
      await until("another pasta", () => ![0, pid].includes(mainPid(user, UPLINK)) && show(user, UPLINK, "ActiveState") === "active", 5000);
      assert.equal(connected(), true);
    });

  test("when infra is killed, pasta goes on, and the mark is not set anew", async () => {
    const [pod, pasta] = [mainPid(user, infraUnit("web")), mainPid(user, UPLINK)];
    process.kill(pod, "SIGKILL");
    await until("infra is back", () => ![0, pod].includes(mainPid(user, infraUnit("web"))), 5000);
    await until("it is ready", () => show(user, infraUnit("web"), "ActiveState") === "active");
    assert.deepEqual([mainPid(user, UPLINK), connected(), connecting()], [pasta, true, false]);
  });

  test("a stop ends it without a failure", () => {
    const pasta = mainPid(user, UPLINK);
    systemctl(user, "stop", UPLINK);
    assert.deepEqual([show(user, UPLINK, "ActiveState"), show(user, UPLINK, "Result")], ["inactive", "success"]);
    assert.equal(existsSync(`/proc/${pasta}`), false);
    systemctl(user, "stop", infraUnit("web"));
  });
});

describe("without", () => {
  test("pasta: said once, no failure, no restart", async () => {
    unit(user, `${UPLINK}.d/path.conf`, ["[Service]", "Environment=PATH=/nowhere"]);
    systemctl(user, "start", infraUnit("web"));
    assert.equal(connecting(), true);
    systemctl(user, "start", UPLINK);
    await until("containers need not wait", () => !connecting());
    const state = () => ["ActiveState", "Result", "NRestarts"].map((name) => show(user, UPLINK, name));
    await until("it is over", () => state().join() === "inactive,success,0");
    sh(user, "sleep 0.5");
    assert.deepEqual(state(), ["inactive", "success", "0"]);
    assert.equal(messages(user, UPLINK).filter((m) => /no uplink: pasta is not installed/.test(String(m))).length, 1);
    sh(user, `rm -r ~/.config/systemd/user/${UPLINK}.d && systemctl --user daemon-reload`);
  });

  test("a default route: it waits for one, and then connects", async () => {
    systemctl(user, "restart", infraUnit("web"));
    assert.equal(connecting(), true);
    const machine = elsewhere(
      "read -r x; ip link add near type veth peer name far; ip addr add 10.9.9.2/24 dev near; ip link set far up; ip link set near up; ip route add default via 10.9.9.1; ",
    );
    let said = "";
    machine.stderr?.on("data", (chunk) => {
      said += String(chunk);
    });
    await until("it says so", () => said.includes("podrt: uplink: no uplink: the host has no default route yet\n"));
    assert.deepEqual([connected(), connecting()], [false, false]);
    machine.stdin?.write("\n");
    await until("it is done", () => machine.exitCode === 0);
    assert.match(addresses(), /10\.9\.9\.2\/24/);
    process.kill(Number(readFileSync(`${infraDir(user, "web")}/pasta.pid`, "utf8")), "SIGKILL");
  });

  test("a route, and then infra goes: it ends", async () => {
    systemctl(user, "restart", infraUnit("web"));
    const machine = elsewhere("");
    let said = "";
    machine.stderr?.on("data", (chunk) => {
      said += String(chunk);
    });
    await until("it waits", () => said.includes("no default route yet"));
    systemctl(user, "stop", infraUnit("web"));
    await until("it is done", () => machine.exitCode === 0);
    assert.match(said, /podrt: uplink: infra: pid \d+: No such process/);
  });

  test("infra, or words: refused", () => {
    const gone = runAs(user, [user.podrt, "uplink", "--join", "pods/web/_infra"]);
    assert.equal(gone.code, 125);
    assert.match(gone.stderr, /^podrt: uplink: infra: pid \d+: No such process\n$/);
    assert.equal(runAs(user, [user.podrt, "uplink", "--join", "pods/none/_infra"]).code, 125);
    assert.equal(runAs(user, [user.podrt, "uplink"]).code, 64);
  });
});
