// From a spec to a pod that runs under a real systemd --user, and back: apply, change, delete.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

let host: PodHost;
const busybox = image("busybox");
before(async () => {
  host = await PodHost.start("pgapply");
});
after(() => host.stop());

/** A pod with an init container, a web server behind a host port, and a second container. */
function web(page = "It runs", heartbeat = "beat", extra = ""): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: "${page}\\n" }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: hunter2 }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 3
  initContainers:
    - name: prep
      image: ${busybox}
      command: [sh, -c, "echo prepared > /work/done; echo init says done"]
      volumeMounts: [{ name: work, mountPath: /work }]
  containers:
    - name: app
      image: ${busybox}
      command: [sh, -c, "cat /work/done; echo password is $PW; exec httpd -f -p 8080 -h /page"]
      env: [{ name: PW, valueFrom: { secretKeyRef: { name: login, key: password } } }]
      ports: [{ containerPort: 8080, hostPort: 18080 }]
      volumeMounts:
        - { name: page, mountPath: /page }
        - { name: work, mountPath: /work }
        - { name: login, mountPath: /login }
    - name: log
      image: ${busybox}
      command: [sh, -c, "while :; do echo ${heartbeat}; sleep 1; done"]
  volumes:
    - { name: page, configMap: { name: page } }
    - { name: work, emptyDir: {} }
    - { name: login, secret: { secretName: login, defaultMode: 0400 } }
${extra}`;
}

const app = "pod-web_app.service";
const log = "pod-web_log.service";

test("apply starts the pod: it runs, is enabled, answers on its port, and its output is in the journal", async () => {
  const shown = await host.ok(["apply", host.spec("web.yaml", web())]);
  assert.equal(shown, "pod/web created\n");
  assert.equal(await host.property("pod-web.service", "ActiveState"), "active");
  assert.equal(await host.property("pod-web.service", "UnitFileState"), "enabled");
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), "It runs\n");
  assert.equal(await host.fetch("http://[::1]:18080/"), "It runs\n");
  assert.match(await host.log("pod-web_prep.service"), /^init says done$/m);
  assert.match(await host.log(app), /^prepared\npassword is hunter2$/m);
});

test("the container's first process is the unit's main process", async () => {
  const pid = await host.mainPid(app);
  assert.match(await host.ok(["exec", "web/app", "--", "cat", "/proc/1/cmdline"]), /httpd/);
  const status = (await host.run(["cat", `/proc/${pid}/status`])).stdout;
  assert.match(status, /^NSpid:\s+\d+\s+1$/m);
});

test("a second apply changes nothing and restarts nothing", async () => {
  const before = [await host.incarnation(app), await host.incarnation(log), await host.incarnation("pod-web__infra.service")];
  assert.equal(await host.ok(["apply", host.spec("web.yaml", web())]), "pod/web unchanged\n");
  assert.equal((await host.podgen(["apply", "--detailed-exitcode", host.spec("web.yaml", web())])).code, 0);
  assert.equal((await host.podgen(["diff", host.spec("web.yaml", web())])).code, 0);
  const now = [await host.incarnation(app), await host.incarnation(log), await host.incarnation("pod-web__infra.service")];
  assert.deepEqual(now, before);
});

test("a comment and the order of keys change nothing", async () => {
  const text = `# a comment\n${web().replace("name: app\n      image", "# another\n      name: app\n      image")}`;
  assert.equal(await host.ok(["apply", host.spec("web.yaml", text)]), "pod/web unchanged\n");
});

test("diff says which container restarts and why, and changes nothing", async () => {
  const ran = await host.podgen(["diff", host.spec("web.yaml", web("It runs", "tick"))]);
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(ran.stdout, /^ {2}pod-web_log\.service: restart \(.+\)$/m);
  assert.doesNotMatch(ran.stdout, /pod-web_app\.service: restart/);
  assert.doesNotMatch(ran.stdout, /hunter2/);
});

test("a changed container restarts alone", async () => {
  const [appBefore, logBefore] = [await host.incarnation(app), await host.incarnation(log)];
  assert.equal(await host.ok(["apply", host.spec("web.yaml", web("It runs", "tick"))]), "pod/web configured\n");
  assert.equal(await host.incarnation(app), appBefore);
  assert.notEqual(await host.incarnation(log), logBefore);
  await eventually("the new heartbeat", async () => /^tick$/m.test(await host.log(log)));
});

test("a changed ConfigMap restarts the containers that use it, and only those", async () => {
  const [appBefore, logBefore] = [await host.incarnation(app), await host.incarnation(log)];
  await host.ok(["apply", host.spec("web.yaml", web("New page", "tick"))]);
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), "New page\n");
  assert.notEqual(await host.incarnation(app), appBefore);
  assert.equal(await host.incarnation(log), logBefore);
});

test("systemd restarts a killed container; the port stays open meanwhile", async () => {
  const pid = await host.mainPid(app);
  process.kill(pid, "SIGKILL");
  // A connection that the dying process still took would be reset with it.
  await eventually("its end", async () => !existsSync(`/proc/${pid}`));
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), "New page\n");
  await eventually("a new main process", async () => {
    const now = await host.mainPid(app);
    return now !== 0 && now !== pid;
  });
  assert.equal(await host.property(app, "NRestarts"), "1");
});

test("no secret is in a unit, a bundle, the manifest or the generated files", async () => {
  const found = await host.run(["grep", "-rl", "hunter2", `${host.session.home}/.config`, `${host.session.home}/.local`]);
  const files = found.stdout.split("\n").filter(Boolean);
  for (const file of files) {
    assert.match(file, /\/(secrets|objects)\//);
    assert.equal((await host.run(["stat", "-c", "%a", file])).stdout.trim(), "600");
  }
  assert.match(await host.ok(["exec", "web/app", "--", "ls", "-ln", "/login/"]), /-r-------- +1 0 +0 .* password/);
});

test("status, ps and logs show it, as text and as JSON", async () => {
  const status = JSON.parse(await host.ok(["status", "-o", "json"]));
  assert.equal(status.items[0].phase, "Running");
  assert.deepEqual(status.items[0].ports, ["18080/tcp"]);
  assert.match(await host.ok(["status", "web"]), /Status: +Running/);
  assert.equal(await host.ok(["ps", "-o", "name"]), "web/prep\nweb/app\nweb/log\n");
  assert.match(await host.ok(["logs", "web/log", "--tail", "1"]), /^tick\n$/);
  assert.match(await host.ok(["logs", "web"]), /^\[app\] /m);
});

test("exec passes the exit code on", async () => {
  assert.equal((await host.podgen(["exec", "web/app", "--", "sh", "-c", "exit 7"])).code, 7);
  assert.equal((await host.podgen(["exec", "web/app", "--", "/nonexistent"])).code, 127);
  assert.equal((await host.podgen(["exec", "web/app", "--", "sh", "-c", "kill -9 $$"])).code, 137);
});

test("stop stops until a start; restart restarts", async () => {
  assert.equal(await host.ok(["stop", "web"]), "pod/web stopped\n");
  assert.equal(await host.property(app, "ActiveState"), "inactive");
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), undefined);
  assert.equal((await host.podgen(["status", "web"])).code, 3);
  assert.equal(await host.ok(["start", "web"]), "pod/web started\n");
  assert.equal(await host.fetch("http://127.0.0.1:18080/"), "New page\n");
  const before = await host.incarnation(log);
  assert.equal(await host.ok(["restart", "web/log"]), "pod/web/log restarted\n");
  assert.notEqual(await host.incarnation(log), before);
});

test("a container that is taken out of the spec is stopped and its unit goes", async () => {
  const text = web("New page", "tick").replace(/ {4}- name: log[\s\S]*?(?= {2}volumes:)/, "");
  const before = await host.incarnation(app);
  assert.equal(await host.ok(["apply", host.spec("web.yaml", text)]), "pod/web configured\n");
  assert.equal(await host.property(log, "LoadState"), "not-found");
  assert.equal(await host.incarnation(app), before);
});

test("delete leaves nothing behind but volumes", async () => {
  const { home, runtime } = host.session;
  assert.equal(await host.ok(["delete", "web"]), "pod/web deleted\nconfigmap/page deleted\nsecret/login deleted\n");
  const units = (await host.run(["systemctl", "--user", "list-units", "--all", "--no-legend", "--plain", "pod*"])).stdout;
  assert.equal(units, "");
  assert.deepEqual(
    readdirSync(`${home}/.config/systemd/user`).filter((f) => f.startsWith("pod")),
    [],
  ); // prettier-ignore
  for (const folder of ["pods", "containers", "empty"])
    assert.equal(existsSync(`${home}/.local/share/podgen/${folder}/web`), false, folder);
  assert.equal(existsSync(`${runtime}/podgen/pods/web`), false);
  assert.equal((await host.run(["pgrep", "-u", host.user, "-x", "podrt"])).stdout, "");
  assert.equal((await host.podgen(["delete", "web"])).code, 1);
  assert.equal((await host.podgen(["delete", "--ignore-not-found", "web"])).code, 0);
});

test("a pod may be stopped and started as often as one likes", async () => {
  await host.ok(["apply", host.spec("web.yaml", web())]);
  for (let i = 0; i < 7; i++) {
    assert.equal((await host.run(["systemctl", "--user", "stop", "pod-web.service"], { timeout: 60_000 })).code, 0);
    assert.equal((await host.run(["systemctl", "--user", "start", "pod-web.service"], { timeout: 60_000 })).stderr, "");
  }
  await host.ok(["delete", "web"]);
});
