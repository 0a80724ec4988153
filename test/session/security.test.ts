// Who a pod's processes are and what they may: groups, namespaces, rights, seen from inside running containers.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

let host: PodHost;
const busybox = image("busybox");
before(async () => {
  host = await PodHost.start("pgsecu");
});
after(() => host.stop());

const indent = (text: string, by: number): string => text.trim().replace(/^/gm, " ".repeat(by));

/** Applies a pod of one container `c` that idles, given further container and pod fields as YAML. */
async function pod(name: string, container: string, podFields = "", documents = ""): Promise<string> {
  const text = `${documents}
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: ${busybox}
${container.includes("command:") ? "" : '      command: [sleep, "1000"]'}
${indent(container, 6)}
${indent(podFields, 2)}
`;
  return host.ok(["apply", host.spec(`${name}.yaml`, text)]);
}

const sh = (name: string, script: string): Promise<string> => host.ok(["exec", `${name}/c`, "--", "sh", "-c", script]);

/** Runs a script as the user, on the host. */
async function made(script: string): Promise<void> {
  const r = await host.run(["sh", "-c", script]);
  assert.equal(r.code, 0, r.stderr);
}

const OBJECTS = `
apiVersion: v1
kind: ConfigMap
metadata: { name: conf }
data: { COLOR: blue }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
data: { TOKEN: czNjcmV0 }
---`;

test("fsGroup and its policy, supplementalGroupsPolicy; the pod's full name", async () => {
  const claim = `${host.session.home}/.local/share/podgen/volumes/grouped`;
  // Made by somebody else before; the link leads out of the claim.
  await made(
    `touch ${host.session.home}/outside && mkdir -p ${claim}/d && echo x > ${claim}/d/f && chmod 600 ${claim}/d/f && ln -s ${host.session.home}/outside ${claim}/link`,
  );
  const volumeMounts =
    "volumeMounts: [{name: e, mountPath: /e}, {name: m, mountPath: /m}, {name: p, mountPath: /p}, {name: c, mountPath: /c}, {name: s, mountPath: /s}, {name: h, mountPath: /h}]";
  const fields = (policy: string, groups: string): string => `
hostname: db
subdomain: sub
setHostnameAsFQDN: true
securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000, fsGroupChangePolicy: ${policy}, supplementalGroups: [3000], supplementalGroupsPolicy: ${groups} }
volumes:
  - { name: e, emptyDir: {} }
  - { name: m, emptyDir: { medium: Memory } }
  - { name: p, persistentVolumeClaim: { claimName: grouped } }
  - { name: c, configMap: { name: conf } }
  - { name: s, secret: { secretName: keys, defaultMode: 0400 } }
  - { name: h, hostPath: { path: ${host.session.home}/outside } }
`;
  await pod("group", volumeMounts, fields("Always", "Merge"), OBJECTS);
  assert.equal(await sh("group", "hostname; hostname -f; echo $HOSTNAME"), `${"db.sub.default.svc.cluster.local\n".repeat(3)}`);
  assert.match(await sh("group", "cat /etc/hosts"), /^127\.0\.0\.1\tdb\.sub\.default\.svc\.cluster\.local\tdb$/m);
  const modes = (paths: string) => sh("group", `stat -c '%n %g %a' ${paths}`);
  assert.equal(
    await modes("/e /m /p /p/d /p/d/f /c /c/COLOR /s/TOKEN"),
    "/e 2000 2777\n/m 2000 2777\n/p 2000 2775\n/p/d 2000 2775\n/p/d/f 2000 660\n/c 2000 2755\n/c/COLOR 2000 644\n/s/TOKEN 2000 440\n",
  );
  // Nothing but the link itself is the group's, and the host's file not at all.
  assert.equal(await modes("/p/link /h"), "/p/link 2000 777\n/h 0 644\n");
  assert.equal(
    await sh("group", "cat /s/TOKEN; for f in /e/f /m/f /p/d/g; do echo x > $f; stat -c ' %u %g' $f; done"),
    `s3cret${" 1000 2000\n".repeat(3)}`,
  );
  assert.match(await sh("group", "grep Groups: /proc/1/status"), /^Groups:\s+2000 3000 *$/m);
  // At each start of the pod, not at each of a container; with OnRootMismatch not even then.
  await sh("group", "chmod 600 /p/d/g");
  await host.ok(["restart", "group/c"]);
  assert.equal(await modes("/p/d/g"), "/p/d/g 2000 600\n");
  await host.ok(["restart", "group"]);
  assert.equal(await modes("/p/d/g"), "/p/d/g 2000 660\n");
  await sh("group", "chmod 600 /p/d/g");
  await pod("group", volumeMounts, fields("OnRootMismatch", "Strict"), OBJECTS);
  assert.equal(await modes("/p/d/g"), "/p/d/g 2000 600\n");
});

test("shareProcessNamespace: containers see each other, systemd the payload's own process and its end", async () => {
  const spec = (extra: string) => `apiVersion: v1
kind: Pod
metadata: { name: share }
spec:
  shareProcessNamespace: true
  terminationGracePeriodSeconds: 0
${indent(extra, 2)}
  containers:
    - { name: c, image: "${busybox}", command: [sleep, "1000"], securityContext: { capabilities: { add: [SYS_PTRACE] } } }
    - { name: other, image: "${busybox}", command: [sh, -c, "sleep 2000; exit 7"] }
`;
  const ends = (log: string): number => log.match(/status=7/g)?.length ?? 0;
  const kinds = [
    ["the user's namespace", "restartPolicy: Always"],
    ["one of the pod's own", "hostUsers: false"],
  ] as const;
  for (const [i, [kind, extra]] of kinds.entries()) {
    await host.ok(["apply", host.spec("share.yaml", spec(extra))]);
    assert.equal(await sh("share", "cat /proc/1/comm; ps -o comm,args | grep -c '[s]leep [12]000'"), "podrt-init\n3\n", kind);
    // What is PID 1 there has nothing, also for one that may trace it.
    assert.equal(
      await sh("share", "ls -A /proc/1/root/ /proc/1/root/.. /proc/1/fd | grep -v :; readlink /proc/1/exe"),
      "\n\n/memfd:podrt-init (deleted)\n",
      kind,
    );
    // Without infra there is no PID 1: all are started anew, and see each other again.
    process.kill(await host.mainPid("pod-share__infra.service"), "SIGKILL");
    const look = ["exec", "share/c", "--", "sh", "-c", "cat /proc/1/comm; ps -o args | grep -c '[s]leep [12]000'"];
    await eventually(`both are back: ${kind}`, async () => (await host.podgen(look)).stdout === "podrt-init\n3\n", 30_000);
    // The unit's main process is the payload itself, and its status is known.
    await sh("share", `kill $(ps -o pid,args | awk '$2 == "sleep" && $3 == 2000 { print $1 }')`);
    await eventually(`its end is known: ${kind}`, async () => ends(await host.log("pod-share_other.service")) > i, 30_000);
    await host.ok(["delete", "share"]);
  }
});

test("hostPID, hostIPC: the host's namespaces, its processes, its shared memory", async () => {
  await pod("hostns", "", "hostPID: true\nhostIPC: true");
  const own = (kind: string) => readlinkSync(`/proc/self/ns/${kind}`);
  assert.equal(await sh("hostns", "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc"), `${own("pid")}\n${own("ipc")}\n`);
  const main = await host.mainPid("pod-hostns_c.service");
  assert.equal(await sh("hostns", `cat /proc/${main}/comm; stat -c %d /dev/shm`), `sleep\n${statSync("/dev/shm").dev}\n`);
  await host.ok(["stop", "hostns"]);
  assert.equal(await host.property("pod-hostns_c.service", "Result"), "success");
});

test("privileged: all capabilities, no filter, nothing masked, devices, a cgroup and /sys that can be written", async () => {
  await pod("priv", "securityContext: { privileged: true }", "securityContext: { seccompProfile: { type: RuntimeDefault } }");
  const all = await sh("priv", "cat /proc/1/status");
  const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
  assert.match(all, new RegExp(`^CapEff:\\s+${((1n << BigInt(last + 1)) - 1n).toString(16).padStart(16, "0")}$`, "m"));
  assert.match(all, /^Seccomp:\s+0$/m);
  assert.equal(await sh("priv", "grep -c ' /proc/' /proc/mounts; grep -o ' /sys sysfs r[ow]' /proc/mounts"), "0\n /sys sysfs rw\n");
  // What every user may open is there, terminals are not.
  const devices = readdirSync("/dev").filter(
    (n) => statSync(`/dev/${n}`, { throwIfNoEntry: false })?.isCharacterDevice() && !/^(tty|vcs|console|ptmx)/.test(n),
  );
  const open = devices.filter((name) => (statSync(`/dev/${name}`).mode & 0o6) !== 0);
  const inside = (await sh("priv", "ls /dev")).split("\n");
  assert.deepEqual(
    open.filter((name) => !inside.includes(name)),
    [],
  );
  assert.ok(!inside.some((name) => /^tty./.test(name)));
  assert.equal(await sh("priv", "test -w /sys/fs/cgroup && mount -t tmpfs none /tmp && echo mounted"), "mounted\n");
  await host.ok(["delete", "hostns", "priv"]);
});

test("seccompProfile Localhost: a file of the user's; a change of it restarts what has it, and nothing else", async () => {
  const folder = `${host.session.home}/.config/podgen/seccomp/team`;
  const profile = (call: string): string =>
    JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [call], action: "SCMP_ACT_ERRNO", errnoRet: 38 }] }, null, 2);
  const write = (text: string) => made(`mkdir -p ${folder} && printf %s '${text}' > ${folder}/p.json`);
  const spec = `apiVersion: v1
kind: Pod
metadata: { name: filter }
spec:
  terminationGracePeriodSeconds: 0
  securityContext: { seccompProfile: { type: Localhost, localhostProfile: team/p.json } }
  containers:
    - { name: c, image: "${busybox}", command: [sleep, "1000"] }
    - { name: free, image: "${busybox}", command: [sleep, "1000"], securityContext: { seccompProfile: { type: RuntimeDefault } } }
`;
  const path = host.spec("filter.yaml", spec);
  const missing = await host.podgen(["apply", path]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /seccomp profile .*\/podgen\/seccomp\/team\/p\.json: there is no such file/);
  await write(profile("mkdirat").replace("mkdirat", 'mkdirat", "mkdir'));
  await host.ok(["apply", path]);
  assert.match(await sh("filter", "grep Seccomp: /proc/1/status; mkdir /tmp/x 2>&1; true"), /^Seccomp:\s+2\n.*Function not implemented/);
  const free = await host.incarnation("pod-filter_free.service");
  const before = await host.incarnation("pod-filter_c.service");
  assert.equal((await host.podgen(["diff", path])).code, 0);
  await write(profile("unlinkat").replace("unlinkat", 'unlinkat", "unlink", "rmdir'));
  await host.ok(["apply", path]);
  assert.match(await sh("filter", "mkdir /tmp/x && rmdir /tmp/x 2>&1; true"), /rmdir.*Function not implemented/);
  assert.equal(await host.incarnation("pod-filter_free.service"), free);
  assert.notEqual(await host.incarnation("pod-filter_c.service"), before);
});

test("status.podIP and its like: found at the start, in variables and what is made of them, and by exec; the host's own in its network", async () => {
  const fields = `
env:
${["podIP", "podIPs", "hostIP", "hostIPs"].map((f) => `  - { name: ${f}, valueFrom: { fieldRef: { fieldPath: status.${f} } } }`).join("\n")}
  - { name: URL, value: "http://$(podIP):80/$(hostIP)" }
command: [sh, -c, "sleep 1000; :", "at $(podIP)"]
`;
  for (const network of [false, true]) {
    await pod("addr", fields, `hostNetwork: ${network}`);
    const lines = (await sh("addr", "tr '\\0' '\\n' < /proc/1/environ | sort; ip -o addr 2>/dev/null || true")).split("\n");
    const of = (name: string): string => lines.find((l) => l.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
    assert.match(of("podIP"), /^\d+\.\d+\.\d+\.\d+$|:/);
    assert.equal(of("podIPs").split(",")[0], of("podIP"));
    assert.equal(of("URL"), `http://${of("podIP")}:80/${of("hostIP")}`);
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((a) => a.address));
    assert.ok(own.includes(of("hostIP")), of("hostIP"));
    if (network) assert.equal(of("podIP"), of("hostIP"));
    assert.ok((await sh("addr", "tr '\\0' '\\n' < /proc/1/cmdline")).includes(`\nat ${of("podIP")}\n`));
    assert.equal(await sh("addr", "echo $URL $podIPs"), `${of("URL")} ${of("podIPs")}\n`);
    // Nothing of it is in a file: another address is no change.
    assert.ok(!readFileSync(`${host.session.home}/.local/share/podgen/pods/addr/c/config.json`, "utf8").includes(of("hostIP")));
  }
});

test("log-driver none: nobody can read what is written, and the program can open its output anew", async () => {
  const text = `apiVersion: v1
kind: Pod
metadata: { name: quiet, annotations: { log-driver.podgen.io/c: none, io.containers.autoupdate: disabled } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: c, image: "${busybox}", command: [sh, -c, "echo hidden; echo again > /dev/stdout && touch /wrote; sleep 1000"] }
    - { name: loud, image: "${busybox}", command: [sh, -c, "echo heard; sleep 1000"] }
`;
  await host.ok(["apply", host.spec("quiet.yaml", text)]);
  await eventually("it has written", async () => (await host.podgen(["exec", "quiet/c", "--", "test", "-e", "/wrote"])).code === 0);
  await eventually("the other is heard", async () => /^heard$/m.test(await host.log("pod-quiet_loud.service")));
  assert.doesNotMatch(await host.log("pod-quiet_c.service"), /hidden|again/);
  assert.equal(await sh("quiet", "readlink /proc/1/fd/1"), "/dev/null\n");
});
