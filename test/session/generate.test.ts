// podgen generate on a real session: all below its folder, the same every time, and nothing of a secret.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { filesBelow } from "../lib/small-pod.js";

let host: PodHost;
before(async () => {
  host = await PodHost.start("pggen");
});
after(() => host.stop());

const spec = (pin: string) => `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { pin: "${pin}" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: hello }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${image("busybox")}
      command: [sleep, "3600"]
      env: [{ name: PIN, valueFrom: { secretKeyRef: { name: login, key: pin } } }]
      volumeMounts: [{ name: page, mountPath: /page }]
  volumes: [{ name: page, configMap: { name: page } }]
`;

/** Relative paths of what was written into a folder of the home, with mode and digest. */
function below(folder: string): Record<string, string> {
  const root = `${host.session.home}/${folder}/`;
  return Object.fromEntries(Object.entries(filesBelow(root.slice(0, -1))).map(([path, is]) => [path.slice(root.length), is]));
}

test("everything lands below the folder, whatever the lengths of the XDG folders", async () => {
  const { home } = host.session;
  const env = { XDG_STATE_HOME: `${home}/s`, XDG_DATA_HOME: `${home}/a/long/way/to/data` };
  const ran = await host.podgen(["generate", host.spec("web.yaml", spec("1234")), "-d", "odd"], { env, cwd: home });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /^left out \(secret\): pin$/m);
  for (const line of ran.stdout.trim().split("\n")) assert.ok(line.startsWith(`${home}/odd/`), line);
  const names = Object.keys(below("odd"));
  for (const name of ["objects/ConfigMap-page.json", "pods/web/app/config.json", "pod-web_app.service"])
    assert.ok(names.includes(name), name);
  assert.equal(names.length, ran.stdout.trim().split("\n").length);
  assert.deepEqual((await host.run(["sh", "-c", "ls -d ~/odd?* ~/s ~/a 2>/dev/null"])).stdout, "");
});

test("the same spec gives the same bytes, before and after an apply, and also with another secret", async () => {
  const generate = async (folder: string, pin = "1234") => {
    await host.ok(["generate", host.spec("web.yaml", spec(pin)), "-d", folder], { cwd: host.session.home });
    return below(folder);
  };
  const first = await generate("one");
  assert.deepEqual(await generate("two"), first);
  await host.ok(["apply", host.spec("web.yaml", spec("1234"))]);
  assert.deepEqual(await generate("three"), first);
  assert.deepEqual(await generate("four", "9999"), first);
  const key = await host.run(["stat", "-c", "%a %s", `${host.session.home}/.local/share/podgen/secrets/.key`]);
  assert.equal(key.stdout, "600 32\n");
  await host.ok(["delete", "web"]);
});

test("variables: from a file and by word, in the text of a shell too; undefined ones are refused with their place", async () => {
  const command = "[sh, -c, 'echo $${HOME} ${WORD:-none} \"$PIN\"; sleep ${SECONDS}']";
  const text = spec("${PIN}").replace('[sleep, "3600"]', () => command);
  const path = host.spec("variables.yaml", text);
  const env = host.spec("prod.env", "PIN='73 # 31'\nSECONDS=3600\n");
  const refused = await host.podgen(["validate", path, "--set", "PIN=1"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /variables\.yaml:19:\d+: .*the variable SECONDS is not set/);
  const ran = await host.podgen(["apply", path, "--env-file", env, "--set", "WORD=set", "--set", "TYPO=hunter2"]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /--set TYPO: no spec has a variable of that name/);
  assert.doesNotMatch(ran.stderr + ran.stdout, /hunter2|73 # 31/);
  const log = await host.ok(["logs", "web"]);
  assert.match(log, / set 73 # 31$/m);
  assert.equal((await host.podgen(["diff", path, "--env-file", env, "--set", "WORD=set"])).code, 0);
  assert.equal((await host.podgen(["diff", path, "--env-file", env, "--set", "WORD=other"])).code, 1);
  await host.ok(["delete", "-f", path, "--env-file", env]);
});
