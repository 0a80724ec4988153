// Side by side with podman 5.4: pods of both run together, and no unit of somebody else's is taken without a word.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, must } from "../lib/host.js";
import { pagePod } from "../lib/page-pod.js";

const IMAGE = "localhost/busybox:latest";
const OURS = "http://127.0.0.1:18081/";
const THEIRS = "http://127.0.0.1:18082/";

/** podman's own pod, which names its image and port in its own way. */
const theirs = `apiVersion: v1
kind: Pod
metadata: { name: theirs }
spec:
  containers:
    - name: app
      image: ${IMAGE}
      imagePullPolicy: Never
      command: [sh, -c, "mkdir /page && echo of podman > /page/index.html && exec httpd -f -p 8080 -h /page"]
      ports: [{ containerPort: 8080, hostPort: 18082 }]
`;

let host: Host;
before(async () => {
  host = await Host.start("t-podman");
  const id = must(await host.run(["podman", "pull", "--quiet", "oci:/opt/images:busybox"]), "podman pull").trim();
  must(await host.run(["podman", "tag", id, IMAGE]), "podman tag");
});
after(() => host.stop());

test("a pod of podgen and one of podman coexist, and each goes without the other", async () => {
  await host.apply("ours", pagePod({ name: "ours", port: 18081 }));
  must(await host.run(["podman", "kube", "play", host.write("theirs.yaml", theirs)]), "podman kube play");
  await host.answers(THEIRS, "of podman\n", 10_000);
  assert.equal(await host.fetch(OURS), "page of ours\n");
  assert.match(await host.ok(["ps", "-o", "name"]), /^ours\/app\nours\/log\n$/);
  assert.match((await host.run(["podman", "pod", "ps", "--format", "{{.Name}}"])).stdout, /^theirs$/m);

  const before = await host.invocations("ours");
  must(await host.run(["podman", "kube", "down", "/home/alice/theirs.yaml"]), "podman kube down");
  assert.deepEqual(await host.invocations("ours"), before);
  assert.equal(await host.fetch(OURS), "page of ours\n");

  must(await host.run(["podman", "kube", "play", "/home/alice/theirs.yaml"]), "podman kube play");
  await host.answers(THEIRS, "of podman\n", 10_000);
  await host.ok(["delete", "ours"]);
  assert.equal(await host.fetch(THEIRS), "of podman\n");
});

test("what podman has built a pod runs straight from podman's store", async () => {
  const made =
    "podman run --name made --network none localhost/busybox sh -c 'rm /bin/true; echo of podman > /made' && podman commit -q made localhost/made:dev";
  must(await host.run(["sh", "-c", made]), "podman commit");
  const spec = pagePod({ name: "made", port: 18084 }).replaceAll(/image: .*/g, "image: made:dev");
  await host.apply("made", spec);
  assert.equal(await host.ok(["exec", "made/app", "--", "sh", "-c", "cat /made; test -e /bin/true || echo hidden"]), "of podman\nhidden\n");
  assert.match(await host.ok(["image", "ls", "-o", "wide"]), /localhost\/made:dev.* podman$/m);
  const links = must(
    await host.run(["sh", "-c", "readlink ~/.local/share/podgen/storage/layers/* | grep -c containers/storage/overlay/"]),
    "links",
  );
  assert.equal(links, "1\n", "the new layer is not copied, and busybox's podgen had already");
  await host.ok(["image", "copy", "-q", "containers-storage:made:dev", "oci-archive:/home/alice/made.tar"]);
  must(await host.run(["podman", "load", "-q", "-i", "/home/alice/made.tar"]), "podman load");
  await host.ok(["delete", "made"]);
  await host.ok(["image", "rm", "localhost/made:dev"]);
  must(
    await host.run([
      "sh",
      "-c",
      "podman rm made && podman run --rm --network none localhost/made:dev cat /made && podman rmi localhost/made:dev",
    ]),
    "podman run",
  );
});

/** Applies the pod `web` and demands the refusal, with the place of the unit that stands in the way. */
async function refused(path: string, units: readonly string[] = []): Promise<void> {
  const before = units.map((unit) => host.read(`.config/systemd/user/${unit}`));
  const ran = await host.podgen(["apply", host.write("specs/web.yaml", pagePod({ name: "web", port: 18083 }))]);
  assert.equal(ran.code, 1, ran.stdout + ran.stderr);
  assert.equal(ran.stdout, "");
  assert.ok(ran.stderr.includes(`there is a unit pod-web.service already, and it is not podgen's: ${path} [foreign-unit]\n`), ran.stderr);
  assert.match(ran.stderr, /rename the pod, or take the name over with apply --adopt/);
  assert.deepEqual(
    units.map((unit) => host.read(`.config/systemd/user/${unit}`)),
    before,
  );
  assert.equal(host.read(".local/share/podgen/pods/web/app/config.json"), undefined);
}

const UNIT = "pod-web.service";

test("pod-web.service of podman generate systemd is refused with its path; --adopt takes the name and saves the file", async () => {
  must(await host.run(["podman", "pod", "create", "--name", "web"]), "podman pod create");
  const generated = must(await host.run(["podman", "generate", "systemd", "--new", "--name", "web"]), "podman generate systemd");
  assert.match(generated, /^# pod-web\.service$/m);
  host.write(`.config/systemd/user/${UNIT}`, generated);
  must(await host.run(["systemctl", "--user", "daemon-reload"]), "daemon-reload");
  await refused(`/home/alice/.config/systemd/user/${UNIT}`, [UNIT]);

  const ran = await host.podgen(["apply", "--adopt", "/home/alice/specs/web.yaml"]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout, "pod/web created\n");
  const [, saved] = /^adopted pod-web\.service: .* is saved as (\S+)$/m.exec(ran.stderr) ?? [];
  assert.ok(saved !== undefined, ran.stderr);
  assert.equal((await host.run(["cat", saved])).stdout, generated);
  assert.match(host.read(`.config/systemd/user/${UNIT}`) ?? "", /podgen/);
  await host.answers("http://127.0.0.1:18083/", "page of web\n", 5000);

  assert.equal(await host.ok(["apply", "/home/alice/specs/web.yaml"]), "pod/web unchanged\n");
  assert.equal(await host.ok(["delete", "web"]), "pod/web deleted\n");
  assert.equal(host.read(`.config/systemd/user/${UNIT}`), undefined);
  assert.equal((await host.run(["cat", saved])).stdout, generated);
});

test("so is one of the administrator's", async () => {
  const path = `/etc/systemd/user/${UNIT}`;
  await host.root(["sh", "-c", `mkdir -p /etc/systemd/user && printf '[Service]\\nExecStart=true\\n' > ${path}`]);
  must(await host.run(["systemctl", "--user", "daemon-reload"]), "daemon-reload");
  await refused(path);
  await host.root(["rm", path]);
  must(await host.run(["systemctl", "--user", "daemon-reload"]), "daemon-reload");
});

test("so is one that Quadlet generates", async () => {
  host.write(".config/containers/systemd/pod-web.container", `[Container]\nImage=${IMAGE}\n[Quadlet]\nDefaultDependencies=false\n`);
  must(await host.run(["systemctl", "--user", "daemon-reload"]), "daemon-reload");
  await refused(`/run/user/1000/systemd/generator/${UNIT}`);
  host.remove(".config/containers/systemd/pod-web.container");
  must(await host.run(["systemctl", "--user", "daemon-reload"]), "daemon-reload");
});
