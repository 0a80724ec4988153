// Every honoured field, seen from inside a running container or in the unit.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";

let host: PodHost;
const busybox = image("busybox");
before(async () => {
  host = await PodHost.start("pgfields");
});
after(() => host.stop());

/** Applies a pod of one container `c` that idles, given further container and pod fields as YAML. */
async function pod(name: string, container: string, podFields = "", documents = ""): Promise<string> {
  const indent = (text: string, by: number): string =>
    text
      .split("\n")
      .filter(Boolean)
      .map((l) => " ".repeat(by) + l)
      .join("\n"); // prettier-ignore
  const text = `${documents}
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: lab, labels: { tier: front, app: web }, annotations: { note: 'a "b"' } }
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

const OBJECTS = `
apiVersion: v1
kind: ConfigMap
metadata: { name: conf }
data: { COLOR: blue, "app.conf": "a=1\\n", bad-name: x }
binaryData: { raw: /wD+ }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
data: { TOKEN: czNjcmV0 }
---`;

test("env, envFrom, $(VAR), workingDir, args", async () => {
  const fields = `
env:
  - { name: A, value: one }
  - { name: B, value: "$(A) and $(A), $$(A), $(UNKNOWN)" }
  - { name: C, valueFrom: { configMapKeyRef: { name: conf, key: COLOR } } }
  - { name: T, valueFrom: { secretKeyRef: { name: keys, key: TOKEN } } }
  - { name: NONE, valueFrom: { secretKeyRef: { name: keys, key: NOPE, optional: true } } }
envFrom:
  - { configMapRef: { name: conf }, prefix: X_ }
  - { secretRef: { name: keys } }
workingDir: /tmp
`;
  await pod("env", fields, "", OBJECTS);
  // The payload's own environment and folder, and what exec gives: the same.
  for (const get of ["tr '\\0' '\\n' < /proc/1/environ", "env"]) {
    const lines = (await sh("env", get)).split("\n");
    for (const wanted of ["A=one", "B=one and one, $(A), $(UNKNOWN)", "C=blue", "T=s3cret", "X_COLOR=blue", "TOKEN=s3cret", "HOSTNAME=env"])
      assert.ok(lines.includes(wanted), `${get}: ${wanted}\n${lines.join("\n")}`);
    assert.ok(!lines.some((l) => l.startsWith("NONE=")));
  }
  assert.equal(await sh("env", "readlink /proc/1/cwd; pwd"), "/tmp\n/tmp\n");
});

test("fileKeyRef: variables out of a file that an init container has written", async () => {
  const write =
    "printf \"# made\\nURL='http://db:1'\\nTEXT='two\\nlines'\\n\" > /w/sub/app.env; chmod 600 /w/sub/app.env; ln -s /etc/passwd /w/out";
  const ref = (name: string, path: string, key: string, more = "") =>
    `{ name: ${name}, valueFrom: { fileKeyRef: { volumeName: work, path: ${path}, key: ${key}${more} } } }`;
  const podFields = `
initContainers:
  - { name: prep, image: "${busybox}", command: [sh, -c, ${JSON.stringify(`mkdir /w/sub; ${write}`)}], securityContext: { runAsUser: 1234 }, volumeMounts: [{ name: work, mountPath: /w }] }
volumes: [{ name: work, emptyDir: {} }]
`;
  const env = [ref("A", "sub/app.env", "URL"), ref("B", "sub/app.env", "TEXT"), ref("C", "sub/app.env", "NOPE", ", optional: true")];
  await pod("fenv", `env: [${[...env, ref("D", "out", "X", ", optional: true")].join(", ")}]`, podFields);
  for (const get of ["tr '\\0' '|' < /proc/1/environ", "env -0 | tr '\\0' '|'"])
    assert.match(await sh("fenv", get), /(^|\|)A=http:\/\/db:1\|(.*\|)?B=two\nlines\|/, get);
  assert.equal(await sh("fenv", "echo ${C-none} ${D-none}; test -e /w; echo $?"), "none none\n1\n");
  // A restart reads it anew, and what is missing fails the start by name.
  const folder = `${host.session.home}/.local/share/podgen/empty/fenv/work`;
  execFileSync("sed", ["-i", "s/db:1/db:2/", `${folder}/sub/app.env`]);
  await host.ok(["restart", "fenv/c"]);
  assert.equal(await sh("fenv", "echo $A"), "http://db:2\n");
  const spec = readFileSync(`${host.session.home}/specs/fenv.yaml`, "utf8").replace("key: URL", "key: GONE");
  const missing = await host.podgen(["apply", "--timeout", "5s", "-"], { input: spec });
  assert.ok([1, 3].includes(missing.code), missing.stderr);
  assert.match(missing.stderr, /variable A: sub\/app\.env has no GONE/);
  await host.ok(["delete", "fenv"]);
});

test("securityContext: user, group, capabilities, read-only root", async () => {
  const security =
    "securityContext: { runAsUser: 1234, runAsGroup: 5678, readOnlyRootFilesystem: true, capabilities: { drop: [ALL], add: [NET_BIND_SERVICE] } }";
  await pod("sec", security);
  assert.equal(await sh("sec", "id -u; id -g"), "1234\n5678\n");
  assert.match(await sh("sec", "grep CapBnd /proc/1/status"), /CapBnd:\s+0000000000000400/);
  assert.match(await sh("sec", "grep CapEff /proc/1/status"), /CapEff:\s+0{16}/);
  assert.match(await sh("sec", "grep Seccomp: /proc/1/status"), /Seccomp:\s+2/);
  assert.match(await sh("sec", "touch /x 2>&1 || true"), /Read-only file system/);
  await pod("root", "");
  assert.match(await sh("root", "grep CapEff /proc/1/status"), /CapEff:\s+00000000800405fb/);
});

test("securityContext: no new privileges, system calls, further groups, not root; hostname and kernel settings", async () => {
  const security = "securityContext: { allowPrivilegeEscalation: false, seccompProfile: { type: Unconfined }, runAsNonRoot: true }";
  const podFields = `
hostname: www
hostAliases: [{ ip: 192.0.2.7, hostnames: [db, db.test] }]
dnsPolicy: None
dnsConfig: { nameservers: [192.0.2.53], searches: [a.test, b.test], options: [{ name: ndots, value: "2" }, { name: rotate }] }
securityContext:
  runAsUser: 1000
  supplementalGroups: [3000, 4000]
  sysctls: [{ name: net.ipv4.ip_local_port_range, value: "40000 50000" }, { name: net.core.somaxconn, value: "321" }]
`;
  await pod("priv", security, podFields);
  for (const of of ["1", "self"]) {
    const status = await sh("priv", `cat /proc/${of}/status`);
    assert.match(status, /^NoNewPrivs:\s+1$/m, of);
    assert.match(status, /^Seccomp:\s+0$/m, of);
    assert.match(status, /^Groups:\s+3000 4000 *$/m, of);
  }
  assert.equal(await sh("priv", "hostname; cat /etc/hostname; echo $HOSTNAME; grep -c www /etc/hosts"), "www\nwww\nwww\n1\n");
  assert.match(await sh("priv", "cat /etc/hosts"), /^127\.0\.0\.1\tlocalhost\n[\s\S]*\n192\.0\.2\.7\tdb\tdb\.test\n$/);
  assert.equal(await sh("priv", "cat /etc/resolv.conf"), "nameserver 192.0.2.53\nsearch a.test b.test\noptions ndots:2 rotate\n");
  assert.equal(await sh("priv", "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/core/somaxconn"), "40000\t50000\n321\n");
  await pod("over", "", "hostname: www\nhostnameOverride: db.example.test");
  assert.equal(await sh("over", "hostname; cat /etc/hostname"), "db.example.test\ndb.example.test\n");
  const root = `{apiVersion: v1, kind: Pod, metadata: {name: asroot}, spec: {containers: [{name: c, image: "${busybox}", securityContext: {runAsNonRoot: true}}]}}`;
  const refused = await host.podgen(["apply", "-"], { input: root });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /runAsNonRoot is true, and it would run as root/);
});

test("the downward API: variables, files, projected with a ConfigMap and a Secret", async () => {
  const fields = `
resources: { limits: { cpu: 1500m, memory: 64Mi } }
env:
  - { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
  - { name: SPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
  - { name: ID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
  - { name: APP, valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }
  - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
  - { name: CPUS, valueFrom: { resourceFieldRef: { resource: limits.cpu } } }
  - { name: MILLIS, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 1m } } }
  - { name: MIB, valueFrom: { resourceFieldRef: { resource: requests.memory, divisor: 1Mi } } }
  - { name: BOTH, value: "$(POD)-$(CPUS)" }
volumeMounts: [{ name: down, mountPath: /down }, { name: all, mountPath: /all }, { name: work, mountPath: /work, subPathExpr: $(POD)/$(APP) }]
`;
  const volumes = `
volumes:
  - name: down
    downwardAPI:
      defaultMode: 0640
      items:
        - { path: labels, fieldRef: { fieldPath: metadata.labels } }
        - { path: sub/note, mode: 0600, fieldRef: { fieldPath: metadata.annotations } }
        - { path: memory, resourceFieldRef: { containerName: c, resource: limits.memory, divisor: 1Ki } }
  - name: all
    projected:
      sources:
        - configMap: { name: conf, items: [{ key: COLOR, path: color }] }
        - secret: { name: keys, optional: true }
        - downwardAPI: { items: [{ path: name, fieldRef: { fieldPath: metadata.name } }] }
  - { name: work, emptyDir: }
`;
  await pod("down", fields, volumes, OBJECTS);
  const lines = (await sh("down", "env")).split("\n");
  const hostName = execFileSync("hostname", { encoding: "utf8" }).trim();
  for (const wanted of ["POD=down", "SPACE=lab", "APP=web", `NODE=${hostName}`, "CPUS=2", "MILLIS=1500", "MIB=64", "BOTH=down-2"])
    assert.ok(lines.includes(wanted), `${wanted}\n${lines.join("\n")}`);
  assert.match(lines.join("\n"), /^ID=[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/m);
  assert.equal(
    await sh("down", "cat /down/labels; echo; cat /down/sub/note; echo; cat /down/memory"),
    'app="web"\ntier="front"\nnote="a \\"b\\""\n65536',
  );
  assert.equal(await sh("down", "stat -c %a /down/labels /down/sub/note"), "640\n600\n");
  assert.equal(await sh("down", "cat /all/color /all/TOKEN /all/name; ls /all | wc -l"), "blues3cretdown3\n");
  // The volume names no source: an emptyDir; its subPath is made of variables.
  await sh("down", "echo x > /work/f");
  assert.ok(existsSync(`${host.session.home}/.local/share/podgen/empty/down/work/down/web/f`));
});

test("tty gives a terminal; without it stdin is empty and output is lines", async () => {
  await pod(
    "term",
    `command: [sh, -c, "tty; test -t 1 && echo terminal; read line"]\ntty: true\nstdin: true\nlifecycle: { stopSignal: SIGUSR1 }`,
  );
  // It reads from the terminal, and nobody types: it waits.
  assert.equal(await host.property("pod-term_c.service", "ActiveState"), "active");
  assert.match(await host.log("pod-term_c.service"), /^\/dev\/(pts\/0|console)\nterminal$/m);
});

test("resources are in the unit", async () => {
  await pod(
    "res",
    `resources: { limits: { cpu: 250m, memory: 64Mi }, requests: { cpu: 100m, memory: 16Mi } }`,
    "resources: { limits: { cpu: 500m, memory: 128Mi }, requests: { memory: 32Mi } }",
  );
  const unit = readFileSync(`${host.session.home}/.config/systemd/user/pod-res_c.service`, "utf8");
  assert.match(unit, /^CPUQuota=25%$/m);
  assert.match(unit, /^MemoryMax=67108864$/m);
  assert.match(unit, /^MemoryMin=16777216$/m);
  const slice = readFileSync(`${host.session.home}/.config/systemd/user/pod-res.slice`, "utf8");
  assert.match(slice, /^CPUQuota=50%$/m);
  assert.match(slice, /^MemoryMax=134217728$/m);
  assert.match(slice, /^MemoryMin=33554432$/m);
});

test("limits of processes, and how many there may be, on which processors; podgen's own and podman's words for them", async () => {
  const annotated = (more: string): string =>
    host.spec(
      "bounds.yaml",
      `apiVersion: v1\nkind: Pod\nmetadata: { name: bounds, annotations: { ${more} } }\nspec:\n  terminationGracePeriodSeconds: 0\n  containers: [{ name: c, image: "${busybox}", command: [sleep, "1000"] }, { name: d, image: "${busybox}", command: [sleep, "1000"] }]\n`,
    );
  await host.ok([
    "apply",
    annotated(
      'podgen.io/ulimit: "nofile=512:600,core=0", io.podman.annotations.pids-limit/c: "30", pids-limit.podgen.io/d: "-1", podgen.io/cpuset: "0", podgen.io/memory-nodes: "0"',
    ),
  ]);
  assert.equal(await sh("bounds", "ulimit -Sn; ulimit -Hn; ulimit -c"), "512\n600\n0\n");
  assert.equal(await host.property("pod-bounds_c.service", "TasksMax"), "30");
  assert.equal(await host.property("pod-bounds_d.service", "TasksMax"), "infinity");
  assert.equal(await host.property("pod-bounds_c.service", "AllowedCPUs"), "0");
  assert.equal(await host.property("pod-bounds_c.service", "AllowedMemoryNodes"), "0");
  const pid = await host.mainPid("pod-bounds_d.service");
  const shown = await host.podgen(["diff", annotated('podgen.io/ulimit: "nofile=512:600,core=0"')]);
  assert.match(shown.stdout, /pod-bounds_c\.service: reload \(unit file: AllowedCPUs, AllowedMemoryNodes, TasksMax\)/);
  await host.ok(["apply", annotated('podgen.io/ulimit: "nofile=512:600,core=0"')]);
  assert.equal(await host.property("pod-bounds_c.service", "TasksMax"), "2048", "as podman has it");
  assert.equal(await host.mainPid("pod-bounds_d.service"), pid, "nothing restarts for it");
});

test("devices: by their names of the Container Device Interface, with what their files say, and by a path, as podman takes them", async () => {
  const folder = `${host.session.home}/.config/podgen/cdi`;
  const declare = (color: string): void => {
    mkdirSync(folder, { recursive: true });
    const edits = {
      env: [`CARD=${color}`],
      deviceNodes: [{ path: "/dev/card0", hostPath: "/dev/zero", type: "c" }],
      mounts: [{ hostPath: "/etc/os-release", containerPath: "/usr/lib/card/release", options: ["ro", "nosuid", "nodev", "bind"] }],
    };
    writeFileSync(
      `${folder}/card.yaml`,
      JSON.stringify({ cdiVersion: "0.6.0", kind: "example.com/card", devices: [{ name: "one", containerEdits: edits }] }),
    );
    execFileSync("chown", ["-R", `${host.user}:`, `${host.session.home}/.config/podgen`]);
  };
  declare("red");
  const wishes =
    'resources: { limits: { example.com/card=one: 1, "podman.io/device=/dev/full:/dev/never": "1" }, requests: { example.com/card=one: 1 } }';
  const use =
    "echo $CARD; head -c 3 /dev/card0 | od -An -tx1; test -c /dev/never && (echo x > /dev/never) 2> /dev/null || echo full; test -s /usr/lib/card/release && echo there";
  await pod("card", wishes);
  assert.equal(await sh("card", use), "red\n 00 00 00\nfull\nthere\n");
  declare("blue");
  const spec = `${host.session.home}/specs/card.yaml`;
  assert.match((await host.podgen(["diff", spec])).stdout, /pod-card_c\.service: restart \(bundle changed: env CARD\)/);
  await host.ok(["apply", spec]);
  assert.equal(await sh("card", "echo $CARD"), "blue\n");
  const refused = await host.podgen(["apply", host.spec("none.yaml", readFileSync(spec, "utf8").replaceAll("card=one", "card=two"))]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /declares the device example\.com\/card=two.*\[unknown-device\]/);
  assert.match(refused.stderr, /did you mean example\.com\/card=one/);
});

test("hostNetwork: the host's interfaces; otherwise the pod's own", async () => {
  await pod("hostnet", "", 'hostNetwork: true\ndnsConfig: { options: [{ name: ndots, value: "3" }] }');
  assert.match(await sh("hostnet", "cat /etc/resolv.conf"), /^options ndots:3$/m);
  await pod("ownnet", "");
  const mine = execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" });
  assert.equal(await sh("hostnet", "readlink /proc/self/ns/net"), mine);
  assert.notEqual(await sh("ownnet", "readlink /proc/self/ns/net"), mine);
  assert.equal(await sh("ownnet", "hostname; cat /etc/hostname"), "ownnet\nownnet\n");
  assert.match(await sh("ownnet", "cat /etc/hosts"), /^127\.0\.0\.1\s.*localhost/m);
});

test("emptyDir on disk and in memory: shared by containers, new with the pod", async () => {
  const fields = `volumeMounts: [{ name: disk, mountPath: /disk }, { name: mem, mountPath: /mem }, { name: disk, mountPath: /sub, subPath: a/b }]`;
  const volumes = `volumes: [{ name: disk, emptyDir: {} }, { name: mem, emptyDir: { medium: Memory, sizeLimit: 3Mi } }]`;
  await pod("empty", fields, volumes);
  await sh("empty", "echo x > /disk/f; echo y > /mem/f; echo z > /sub/f");
  assert.equal(await sh("empty", "cat /disk/a/b/f"), "z\n");
  await host.ok(["restart", "empty/c"]);
  assert.equal(await sh("empty", "cat /disk/f /mem/f"), "x\ny\n");
  // Not of the file system that the user's manager needs, too, which infra's files are on.
  assert.equal(
    await sh("empty", "grep -c ' /mem tmpfs ' /proc/mounts; test $(stat -c %d /mem) != $(stat -c %d /etc/hosts); echo $?"),
    "1\n0\n",
  );
  const full =
    "dd if=/dev/zero of=/mem/big bs=1M count=4 2>&1; stat -c %s /mem/big; df -k /mem | tail -1 | awk '{ print $2 }'; rm /mem/big";
  assert.match(await sh("empty", full), /No space left on device[\s\S]*\n31\d{5}\n3072\n$/);
  await host.ok(["delete", "empty"]);
  await pod("empty", fields, volumes);
  assert.equal(await sh("empty", "ls /disk/f /mem/f 2>/dev/null | wc -l"), "0\n");
});

test("configMap and secret volumes: items, modes, subPath, read-only", async () => {
  const fields = `
volumeMounts:
  - { name: conf, mountPath: /conf }
  - { name: conf, mountPath: /etc/one.conf, subPath: sub/app.conf }
  - { name: keys, mountPath: /keys }
`;
  const volumes = `
volumes:
  - { name: conf, configMap: { name: conf, defaultMode: 0640, items: [{ key: app.conf, path: sub/app.conf, mode: 0755 }, { key: COLOR, path: color }, { key: raw, path: raw }] } }
  - { name: keys, secret: { secretName: keys, defaultMode: 0400 } }
`;
  await pod("files", fields, volumes, OBJECTS);
  assert.equal(await sh("files", "cat /conf/sub/app.conf /etc/one.conf /conf/color; echo; cat /keys/TOKEN"), "a=1\na=1\nblue\ns3cret");
  assert.equal(await sh("files", "od -An -tx1 /conf/raw"), " ff 00 fe\n");
  assert.equal(await sh("files", "stat -c %a /conf/sub/app.conf /conf/color /keys/TOKEN"), "755\n640\n400\n");
  assert.notEqual((await host.podgen(["exec", "files/c", "--", "sh", "-c", "echo x > /conf/new"])).code, 0);
});

test("ephemeral: a folder that goes with the pod; recursiveReadOnly: all below a mount is read-only", async () => {
  const base = `${host.session.home}/rro`;
  mkdirSync(`${base}/below`, { recursive: true });
  execFileSync("chown", ["-R", `${host.user}:`, base]);
  // A mount of the host's below the one that the container gets.
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=0777", "none", `${base}/below`]);
  try {
    const fields = `volumeMounts:
  - { name: own, mountPath: /own }
  - { name: host, mountPath: /some, readOnly: true }
  - { name: host, mountPath: /all, readOnly: true, recursiveReadOnly: Enabled }`;
    const volumes = `volumes:
  - { name: own, ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } } } }
  - { name: host, hostPath: { path: ${base} } }`;
    await pod("eph", fields, volumes);
    await sh("eph", "echo x > /own/f; echo y > /some/below/f");
    assert.match(await sh("eph", "echo z > /all/below/f || true; cat /all/below/f"), /^y$/m);
    await host.ok(["delete", "eph"]);
    assert.ok(!existsSync(`${host.session.home}/.local/share/podgen/empty/eph`));
  } finally {
    await host.podgen(["delete", "eph", "--ignore-not-found"]);
    execFileSync("umount", ["-l", `${base}/below`]);
  }
});

test("mountPropagation: what the host mounts later is seen with HostToContainer alone", async () => {
  const base = `${host.session.home}/shared`;
  mkdirSync(base);
  execFileSync("mount", ["-t", "tmpfs", "none", base]);
  try {
    execFileSync("mount", ["--make-shared", base]);
    mkdirSync(`${base}/later`);
    const mounts = "{ name: v, mountPath: /none }, { name: v, mountPath: /seen, mountPropagation: HostToContainer }";
    await pod("prop", `volumeMounts: [${mounts}]`, `volumes: [{ name: v, hostPath: { path: ${base} } }]`);
    execFileSync("mount", ["-t", "tmpfs", "none", `${base}/later`]);
    writeFileSync(`${base}/later/f`, "mounted");
    assert.equal(await sh("prop", "cat /seen/later/f; ls /none/later | wc -l"), "mounted0\n");
    execFileSync("umount", [`${base}/later`]);
    assert.equal(await sh("prop", "ls /seen/later | wc -l"), "0\n");
    // Nothing of the container's goes the other way.
    assert.match(await sh("prop", "grep ' /seen ' /proc/self/mountinfo"), / master:/);
  } finally {
    await host.podgen(["delete", "prop", "--ignore-not-found"]);
    execFileSync("umount", ["-R", "-l", base]);
  }
});

test("persistentVolumeClaim: data outlive the pod", async () => {
  const fields = "volumeMounts: [{ name: data, mountPath: /data }]";
  const volumes = "volumes: [{ name: data, persistentVolumeClaim: { claimName: precious } }]";
  await pod("pvc", fields, volumes);
  await sh("pvc", "echo kept > /data/f");
  await host.ok(["delete", "pvc"]);
  assert.ok(existsSync(`${host.session.home}/.local/share/podgen/volumes/precious/f`));
  await pod("pvc", fields, volumes);
  assert.equal(await sh("pvc", "cat /data/f"), "kept\n");
});

test("PersistentVolumeClaim: its owner, one pod alone, kept by delete, removed by name", async () => {
  const owned = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: owned, annotations: { volume.podman.io/uid: "999", volume.podman.io/gid: "7" } }
spec: { accessModes: [ReadWriteOncePod], resources: { requests: { storage: 1Gi } } }
---`;
  const fields = "volumeMounts: [{ name: v, mountPath: /v }]";
  const volumes = "volumes: [{ name: v, persistentVolumeClaim: { claimName: owned } }]";
  const folder = `${host.session.home}/.local/share/podgen/volumes/owned`;
  await pod("owned", fields, volumes, owned);
  assert.equal(await sh("owned", "stat -c '%u %g %a' /v; echo x > /v/f"), "999 7 755\n");
  assert.match(await host.ok(["volume", "ls"]), /^owned +1\.1 GB +ReadWriteOncePod +owned$/m);
  const second = await host.podgen(["apply", "-"], {
    input: `{apiVersion: v1, kind: Pod, metadata: {name: second}, spec: {containers: [{name: c, image: "${busybox}"}], ${volumes}}}`,
  });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /the claim "owned" is for one pod \(ReadWriteOncePod\), and "owned", "second" use it/);
  const used = await host.podgen(["volume", "rm", "owned"]);
  assert.deepEqual([used.code, /used by owned/.test(used.stderr)], [1, true]);
  const spec = `${host.session.home}/specs/owned.yaml`;
  assert.match(await host.ok(["delete", "-f", spec]), /persistentvolumeclaim\/owned kept, with its files: podgen volume rm owned/);
  assert.ok(existsSync(`${folder}/f`));
  assert.equal(await host.ok(["volume", "rm", "owned"]), "removed owned\n");
  assert.ok(!existsSync(folder));
  assert.ok(!(await host.ok(["volume", "ls", "-o", "name"])).includes("owned"));
});

test("image volumes: the layers of an image, read-only, a folder of it, pulled and kept with the pod", async () => {
  const web = image("nginx");
  const volumes = `volumes: [{ name: web, image: { reference: "${web}" } }, { name: box, image: { reference: "${busybox}", pullPolicy: IfNotPresent } }]`;
  const mounts = "{ name: web, mountPath: /web }, { name: web, mountPath: /conf, subPath: etc/nginx }, { name: box, mountPath: /box }";
  await pod("img", `volumeMounts: [${mounts}]`, volumes);
  assert.equal(
    await sh("img", "ls -d /box/bin /conf/nginx.conf /web/usr/sbin/nginx; stat -c %u /web/etc"),
    "/box/bin\n/conf/nginx.conf\n/web/usr/sbin/nginx\n0\n",
  );
  assert.match(await sh("img", "touch /web/x /conf/x /box/x 2>&1 || true"), /^(.*Read-only file system\n){3}$/);
  assert.match(await sh("img", "/box/bin/busybox 2>&1 || true"), /Permission denied/);
  const kept = await host.podgen(["image", "rm", web]);
  assert.deepEqual([kept.code, /needed by the pod img/.test(kept.stderr)], [1, true]);
  assert.match(await host.ok(["image", "ls"]), /nginx .* img\n/);
  // In a user namespace of the pod's own the files belong to its root.
  await pod("img", `volumeMounts: [${mounts}]`, `hostUsers: false\n${volumes}`);
  assert.equal(await sh("img", "stat -c '%u %g' /web/etc /box/bin /conf/nginx.conf"), "0 0\n0 0\n0 0\n");
  const missing = await host.podgen(["apply", "--timeout", "5s", "-"], {
    input: `{apiVersion: v1, kind: Pod, metadata: {name: noimg}, spec: {restartPolicy: Never, containers: [{name: c, image: "${busybox}", command: [sleep, "9"], volumeMounts: [{name: web, mountPath: /w, subPath: no/such}]}], ${volumes}}}`,
  });
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /subPath no\/such is not in the image/);
});

test("hostPath: every type, held at start", async () => {
  const base = `${host.session.home}/hp`;
  mkdirSync(`${base}/dir`, { recursive: true });
  writeFileSync(`${base}/file`, "content\n");
  execFileSync("chown", ["-R", `${host.user}:`, base]);
  const mount = (path: string, type: string, readOnly = false): Promise<string> =>
    pod(
      "hp",
      `volumeMounts: [{ name: v, mountPath: /v, readOnly: ${readOnly} }]`,
      `volumes: [{ name: v, hostPath: { path: ${base}/${path}, type: "${type}" } }]`,
    ); // prettier-ignore
  await mount("dir", "Directory");
  await sh("hp", "echo from-inside > /v/f");
  assert.equal(readFileSync(`${base}/dir/f`, "utf8"), "from-inside\n");
  await mount("file", "File");
  assert.equal(await sh("hp", "cat /v"), "content\n");
  await mount("dir", "", true);
  assert.notEqual((await host.podgen(["exec", "hp/c", "--", "touch", "/v/no"])).code, 0);
  await mount("made", "DirectoryOrCreate");
  assert.ok(existsSync(`${base}/made`));
  await mount("made-file", "FileOrCreate");
  assert.ok(existsSync(`${base}/made-file`));
  for (const [path, type] of [
    ["dir", "File"],
    ["file", "Directory"],
    ["missing", "Directory"],
    ["file", "Socket"],
    ["file", "CharDevice"],
    ["file", "BlockDevice"],
  ] as const) {
    // prettier-ignore
    const before = await host.incarnation("pod-hp_c.service");
    const ran = await host.podgen(["apply", "--timeout", "5", "-"], {
      input: readFileSync(`${host.session.home}/specs/hp.yaml`, "utf8").replace(
        /path: [^,]+, type: "[^"]*"/,
        `path: ${base}/${path}, type: "${type}"`,
      ),
    });
    assert.ok(ran.code === 3 || ran.code === 1, `${type} on ${path}: ${ran.code}\n${ran.stdout}${ran.stderr}`);
    assert.match(ran.stderr, new RegExp(`${base}/${path}`), type);
    assert.equal(await host.property("pod-hp_c.service", "ActiveState"), "active", "the old one is back");
    assert.notEqual(await host.incarnation("pod-hp_c.service"), before);
  }
});
