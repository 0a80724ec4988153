// podman 5.4 with `--runtime podrt`, for test/host/podman-{rootless,root}.test.ts, which run at hosts of their own: what people do with it every day holds with our runtime as with crun.
// PODGEN_TEST_RUNTIME=/usr/bin/crun runs the same with another one, to tell a fault of ours from one of podman's or the machine's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, must } from "./host.js";
import { eventually, type Ran } from "./session.js";

const RUNTIME = process.env.PODGEN_TEST_RUNTIME ?? "/opt/podgen/dist/podrt";
const IMAGE = "localhost/busybox:latest";

/** No pids controller here; the second file is what an administrator writes for a runtime that podman has not heard of. */
const CONF = `[containers]
pids_limit = 0
[engine]
runtime_supports_json = ["crun", "podrt"]
runtime_supports_nocgroup = ["crun", "podrt"]
`;

let host: Host;

class Engine {
  readonly who: "alice" | "root";
  /** Of its own, for volumes. */
  readonly folder: string;

  constructor(who: "alice" | "root", folder: string) {
    this.who = who;
    this.folder = folder;
  }

  raw(argv: readonly string[], input = ""): Promise<Ran> {
    return this.who === "alice" ? host.run(argv, { input }) : host.runAsRoot(argv, { input });
  }

  podman(args: readonly string[], input = ""): Promise<Ran> {
    return this.raw(["podman", "--runtime", RUNTIME, ...args], input);
  }

  async ok(...args: string[]): Promise<string> {
    return must(await this.podman(args), `podman ${args.join(" ")}`);
  }

  /** `podman run --rm` of a shell script; its output, without the last newline. */
  async sh(script: string, ...options: string[]): Promise<string> {
    return (await this.ok("run", "--rm", "--network=none", ...options, IMAGE, "sh", "-c", script)).replace(/\n$/, "");
  }

  async fails(code: number, words: RegExp, ...args: string[]): Promise<void> {
    const ran = await this.podman(args);
    assert.equal(ran.code, code, ran.stdout + ran.stderr);
    assert.match(ran.stderr, words);
  }

  inspect(name: string, format: string): Promise<string> {
    return this.ok("inspect", "--format", format, name).then((text) => text.trim());
  }
}

/** One option (or a few), the question asked in the container, and its answer; `who` where only one of them can have it. */
interface Case {
  readonly options: readonly string[];
  readonly script: string;
  readonly answer: string | RegExp;
  readonly who?: "alice" | "root";
}

const cases: readonly Case[] = [
  { options: ["--user", "1000:2000"], script: "id -u; id -g", answer: "1000\n2000" },
  { options: ["--user", "1000", "--group-add", "3000"], script: "id -G", answer: /\b3000\b/ },
  { options: ["--group-add", "keep-groups"], script: "id -G", answer: /\b65534\b/, who: "alice" },
  { options: ["--workdir", "/tmp"], script: "pwd", answer: "/tmp" },
  { options: ["--hostname", "elsewhere"], script: "hostname", answer: "elsewhere" },
  { options: ["--env", "A=b c"], script: "echo $A", answer: "b c" },
  { options: ["--umask", "077"], script: "umask", answer: "0077" },
  { options: ["--cap-drop", "all"], script: "grep CapEff /proc/self/status", answer: /\t0{16}$/ },
  { options: ["--cap-add", "SYS_ADMIN"], script: "mount -t tmpfs t /tmp && echo mounted", answer: "mounted" },
  { options: ["--security-opt", "no-new-privileges"], script: "grep NoNewPrivs /proc/self/status", answer: /1$/ },
  { options: [], script: "grep Seccomp: /proc/self/status", answer: /2$/ },
  { options: ["--security-opt", "seccomp=unconfined"], script: "grep Seccomp: /proc/self/status", answer: /0$/ },
  { options: ["--privileged"], script: "test -w /proc/sys/kernel/hostname && echo yes", answer: "yes" },
  { options: ["--read-only"], script: "touch /x 2>/dev/null || touch /tmp/x && echo only /tmp", answer: "only /tmp" },
  { options: ["--read-only", "--read-only-tmpfs=false"], script: "touch /tmp/x 2>/dev/null || echo nowhere", answer: "nowhere" },
  { options: ["--tmpfs", "/etc:size=4m"], script: "test -f /etc/passwd && df -P /etc | tail -1", answer: /^tmpfs +4096 / },
  { options: ["--tmpfs", "/scratch:notmpcopyup,mode=1700"], script: "stat -c %a /scratch", answer: "1700" },
  { options: ["-v", "FOLDER:/v:ro"], script: "touch /v/x 2>/dev/null || echo refused", answer: "refused" },
  { options: ["-v", "FOLDER:/v:O"], script: "touch /v/overlaid && ls /v", answer: "overlaid", who: "alice" },
  { options: ["-v", "FOLDER:/v:U", "--user", "1000:1000"], script: "stat -c %u:%g /v", answer: "1000:1000" },
  { options: ["-v", "FOLDER:/v:U"], script: "stat -c %u:%g /v", answer: "0:0" },
  { options: ["-v", "FOLDER:/v:rshared"], script: "grep ' /v ' /proc/self/mountinfo", answer: /shared:/, who: "root" },
  { options: ["--mount", "type=tmpfs,dst=/m,tmpfs-size=1m"], script: "df -P /m | tail -1", answer: /^tmpfs +1024 / },
  { options: ["--shm-size", "8m"], script: "df -P /dev/shm | tail -1", answer: / 8192 / },
  { options: ["--device", "/dev/fuse"], script: "stat -c %F /dev/fuse", answer: "character special file" },
  { options: ["--device", "/dev/fuse:/dev/other"], script: "ls /dev/other", answer: "/dev/other" },
  { options: ["--sysctl", "net.ipv4.ip_forward=1"], script: "cat /proc/sys/net/ipv4/ip_forward", answer: "1" },
  { options: ["--ulimit", "nofile=512:600"], script: "ulimit -Sn; ulimit -Hn", answer: "512\n600" },
  { options: ["--oom-score-adj", "500"], script: "cat /proc/self/oom_score_adj", answer: "500" },
  { options: ["--init"], script: "cat /proc/1/comm", answer: /catatonit|podman-init/ },
  { options: ["--pid", "host"], script: "cat /proc/1/comm", answer: "systemd" },
  { options: ["--ipc", "host"], script: "echo fine", answer: "fine" },
  { options: ["--uts", "host"], script: "echo fine", answer: "fine" },
  { options: ["--cgroupns", "host"], script: "echo fine", answer: "fine" },
  { options: ["--cgroups", "disabled"], script: "echo fine", answer: "fine" },
  { options: ["--cgroups", "no-conmon"], script: "echo fine", answer: "fine" },
  { options: ["--systemd", "always"], script: "mkdir /sys/fs/cgroup/mine && df -P /run | tail -1", answer: /^tmpfs / },
  { options: ["--userns", "keep-id"], script: "id -u", answer: "1000", who: "alice" },
  { options: ["--userns", "keep-id:uid=200,gid=210"], script: "id -u; id -g", answer: "200\n210", who: "alice" },
  { options: ["--userns", "nomap"], script: "cat /proc/self/uid_map", answer: /^ +0 +1 +\d+$/, who: "alice" },
  { options: ["--userns", "auto:size=1024"], script: "cat /proc/self/uid_map", answer: / 1024$/, who: "alice" },
  { options: ["--uidmap", "0:2000:500", "--gidmap", "0:2000:500"], script: "cat /proc/self/uid_map", answer: /^ +0 +2000 +500$/ },
  { options: ["--network", "host"], script: "ls /sys/class/net", answer: /\blo\b/ },
  { options: ["--network", "pasta"], script: "ip -o addr | grep -c inet", answer: /^[2-9]/, who: "alice" },
  { options: ["--network", "bridge"], script: "ip -o link | grep -c eth0", answer: "1" },
];

/** A terminal of its own around podman, as a person at one has. script(1) writes a NUL when its standard input ends, which is echoed. */
function terminal(words: string): string[] {
  return ["script", "--quiet", "--return", "--command", `stty cols 97 rows 31; podman --runtime ${RUNTIME} ${words}`, "/dev/null"];
}

export function podmanTests(who: "alice" | "root"): void {
  const engine = new Engine(who, who === "alice" ? "/home/alice/vol" : "/var/tmp/vol");

  before(async () => {
    host = await Host.start(`t-runtime-${who}`);
    await host.root(["sh", "-c", "mkdir -p /etc/containers && cat > /etc/containers/containers.conf"], { input: CONF });
    const id = must(await engine.raw(["podman", "pull", "--quiet", "oci:/opt/images:busybox"]), "podman pull").trim();
    must(await engine.raw(["podman", "tag", id, IMAGE]), "podman tag");
    await engine.raw(["mkdir", "-p", engine.folder]);
  });
  after(() => host.stop());

  for (const { options, script, answer, who: only } of cases) {
    if (only !== undefined && only !== who) continue;
    test(`run ${options.join(" ")}: ${script}`, async () => {
      const words = options.map((word) => word.replace("FOLDER", engine.folder));
      const network = words.includes("--network") ? ["run", "--rm"] : ["run", "--rm", "--network=none"];
      const said = (await engine.ok(...network, ...words, IMAGE, "sh", "-c", script)).replace(/\n$/, "");
      if (typeof answer === "string") assert.equal(said, answer);
      else assert.match(said, answer);
    });
  }

  test("exit codes: the command's own, 126 and 127, a signal's", async () => {
    assert.equal((await engine.podman(["run", "--rm", IMAGE, "sh", "-c", "exit 7"])).code, 7);
    assert.equal((await engine.podman(["run", "--rm", "--init", IMAGE, "sh", "-c", "kill -9 $$"])).code, 137);
    await engine.fails(127, /not found|no such file/i, "run", "--rm", IMAGE, "nosuch");
    await engine.fails(127, /no such file/i, "run", "--rm", IMAGE, "/no/such");
    await engine.fails(126, /permission denied/i, "run", "--rm", IMAGE, "/etc/passwd");
    assert.deepEqual((await engine.ok("ps", "-aq")).trim(), "");
  });

  test("standard input, output and error are the command's", async () => {
    const ran = await engine.podman(["run", "--rm", "-i", IMAGE, "sh", "-c", "cat; echo oops >&2"], "from outside\n");
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, "from outside\n", "oops\n"]);
  });

  test("run -it: a terminal of the person's size, and exec -it another", async () => {
    const run = await engine.raw(terminal(`run --rm -it ${IMAGE} sh -c "tty; stty size; exit 3"`));
    assert.equal(run.code, 3, run.stdout);
    assert.match(run.stdout.replaceAll("\0", "").replaceAll("^@", ""), /\/dev\/pts\/0\r?\n31 97\r?\n/);
    await engine.ok("run", "-d", "--name", "tty", "-t", IMAGE, "sleep", "1000");
    const exec = await engine.raw(terminal('exec -it tty sh -c "tty; stty size; exit 4"'));
    assert.equal(exec.code, 4, exec.stdout);
    assert.match(exec.stdout.replaceAll("\0", "").replaceAll("^@", ""), /\/dev\/pts\/\d\r?\n31 97\r?\n/);
    await engine.ok("rm", "-f", "-t", "0", "tty");
  });

  test("a container's life: create, start, exec, logs, inspect, top, stats, pause, restart, kill, stop, rm", async () => {
    await engine.ok(
      "create",
      "--name",
      "life",
      "--network=none",
      IMAGE,
      "sh",
      "-c",
      "echo hello; trap 'exit 5' TERM; while :; do sleep 0.1; done",
    );
    await engine.ok("start", "life");
    await eventually("its log", async () => (await engine.ok("logs", "life")) === "hello\n");
    assert.equal(await engine.inspect("life", "{{.State.Status}} {{.OCIRuntime}}"), `running ${RUNTIME}`);
    assert.match(await engine.inspect("life", "{{.State.CgroupPath}}"), /libpod-[0-9a-f]{64}/);
    assert.equal(
      await engine.ok("exec", "-e", "X=y", "-w", "/tmp", "-u", "7:8", "life", "sh", "-c", "echo $X $PWD $(id -u):$(id -g)"),
      "y /tmp 7:8\n",
    );
    assert.equal((await engine.podman(["exec", "-i", "life", "cat"], "in\n")).stdout, "in\n");
    assert.equal((await engine.podman(["exec", "life", "sh", "-c", "exit 9"])).code, 9);
    await engine.fails(127, /not found|no such file/i, "exec", "life", "nosuch");
    assert.match(await engine.ok("exec", "--privileged", "life", "grep", "CapEff", "/proc/self/status"), /f{6}/);
    assert.match(await engine.ok("top", "life"), /sleep|sh -c/);
    assert.match(await engine.ok("top", "life", "-o", "pid,comm"), /\b1\s+sh\b/);
    assert.match(await engine.ok("ps", "--format", "{{.Names}} {{.Status}}"), /^life Up/m);
    assert.match(await engine.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "life"), /^life \d/);
    await engine.ok("pause", "life");
    assert.equal(await engine.inspect("life", "{{.State.Status}}"), "paused");
    await engine.ok("unpause", "life");
    await engine.ok("restart", "-t", "5", "life");
    assert.equal(await engine.inspect("life", "{{.State.Running}}"), "true");
    await eventually("its trap", async () => (await engine.ok("logs", "life")) === "hello\nhello\n");
    await engine.ok("kill", "-s", "TERM", "life");
    assert.equal((await engine.ok("wait", "life")).trim(), "5");
    await engine.ok("start", "life");
    await engine.ok("stop", "-t", "5", "life");
    await engine.ok("rm", "life");
    assert.equal((await engine.ok("ps", "-aq")).trim(), "");
  });

  test("detached exec, and attach", async () => {
    await engine.ok("run", "-d", "--name", "det", "--network=none", IMAGE, "sleep", "1000");
    await engine.ok("exec", "-d", "det", "sh", "-c", "echo done > /tmp/mark");
    await eventually("the mark", async () => (await engine.podman(["exec", "det", "cat", "/tmp/mark"])).stdout === "done\n");
    await engine.ok("cp", "det:/tmp/mark", `${engine.folder}.mark`);
    assert.match(await engine.ok("diff", "det"), /\/tmp\/mark/);
    await engine.ok("rm", "-f", "-t", "0", "det");
  });

  test("pods: shared namespaces, kill of all with a shared PID namespace", async () => {
    await engine.ok("pod", "create", "--name", "p", "--share", "net,ipc,uts,pid", "--hostname", "inpod");
    await engine.ok("run", "-d", "--pod", "p", "--name", "p1", IMAGE, "sh", "-c", "sleep 1000 & sleep 1001");
    await engine.ok("run", "-d", "--pod", "p", "--name", "p2", IMAGE, "httpd", "-f", "-p", "8080");
    assert.equal(await engine.ok("exec", "p1", "hostname"), "inpod\n");
    assert.match(await engine.ok("exec", "p2", "ps"), /sleep 1000/);
    assert.match((await engine.podman(["exec", "p1", "wget", "-qO-", "http://127.0.0.1:8080/"])).stderr, /404|403/);
    await engine.ok("pod", "pause", "p");
    await engine.ok("pod", "unpause", "p");
    await engine.ok("stop", "-t", "0", "p1");
    assert.doesNotMatch(await engine.ok("exec", "p2", "ps"), /sleep 1000/);
    await engine.ok("pod", "stop", "-t", "1", "p");
    await engine.ok("pod", "rm", "-f", "p");
  });

  test("a health check", async () => {
    await engine.ok(
      "run",
      "-d",
      "--name",
      "hc",
      "--network=none",
      "--health-cmd",
      "test -f /tmp/well",
      "--health-interval",
      "disable",
      IMAGE,
      "sleep",
      "1000",
    );
    assert.equal((await engine.podman(["healthcheck", "run", "hc"])).code, 1);
    await engine.ok("exec", "hc", "touch", "/tmp/well");
    assert.equal((await engine.podman(["healthcheck", "run", "hc"])).code, 0);
    await engine.ok("rm", "-f", "-t", "0", "hc");
  });

  test("kube play and down", async () => {
    const yaml = `apiVersion: v1
kind: Pod
metadata: { name: kube }
spec:
  initContainers: [{ name: first, image: ${IMAGE}, imagePullPolicy: Never, command: [sh, -c, "echo ready > /data/x"], volumeMounts: [{ name: d, mountPath: /data }] }]
  containers: [{ name: app, image: ${IMAGE}, imagePullPolicy: Never, command: [sleep, "1000"], volumeMounts: [{ name: d, mountPath: /data }] }]
  volumes: [{ name: d, emptyDir: {} }]
`;
    must(await engine.podman(["kube", "play", "-"], yaml), "kube play");
    assert.equal(await engine.ok("exec", "kube-app", "cat", "/data/x"), "ready\n");
    must(await engine.podman(["kube", "down", "-"], yaml), "kube down");
    assert.equal((await engine.ok("ps", "-aq")).trim(), "");
  });

  test("limits, where the machine has the controllers; update", async (t) => {
    const there = (await engine.sh("cat /sys/fs/cgroup/cgroup.controllers")).split(" ");
    if (there.includes("memory")) assert.equal(await engine.sh("cat /sys/fs/cgroup/memory.max", "--memory", "64m"), "67108864");
    if (there.includes("pids")) assert.equal(await engine.sh("cat /sys/fs/cgroup/pids.max", "--pids-limit", "50"), "50");
    if (!there.includes("memory") || !there.includes("pids")) t.diagnostic(`controllers here: ${there.join(" ") || "none"}`);
  });

  test("descriptors from outside, and sockets of systemd", async () => {
    const command = `exec 3<<< kept; podman --runtime ${RUNTIME} run --rm --network=none --preserve-fds 1 ${IMAGE} sh -c 'cat <&3; ls /proc/self/fd | wc -l'`;
    const ran = await engine.raw(["bash", "-c", command]);
    assert.match(ran.stdout, /^kept\n/, ran.stderr);
  });

  test("the runtime's name and version are in podman info", async () => {
    const said = await engine.ok("info", "--format", "{{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}");
    assert.match(said, new RegExp(`^${RUNTIME} \\w+ (version )?\\d`));
  });
}
