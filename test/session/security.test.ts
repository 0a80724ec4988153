// Who a pod's processes are and what they may: groups, namespaces, rights, seen from inside running containers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";

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
      command: [sleep, "1000"]
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
