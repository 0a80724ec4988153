// Engines inside a pod: podman as root of a container and as a user in it, and podgen itself under a systemd of the container's own. In one
// pod of four containers of one image; what each may is said in the pod's own words, and who says nothing may nothing of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DIST, image, nestedImage, PodHost } from "../lib/pods.js";
import { eventually, type Ran } from "../lib/session.js";

const PORT = 18471;
/** What a start of podman, or the boot of a Debian, may take on a loaded machine; milliseconds. */
const SLOW = 60_000;

let host: PodHost;

before(async () => {
  host = await PodHost.start("pgnest");
  const nested = nestedImage();
  const [, images] = image("busybox").split(":");
  const spec = `apiVersion: v1
kind: Pod
metadata: { name: deep }
spec:
  # A sleep that is PID 1 does not hear of SIGTERM.
  terminationGracePeriodSeconds: 2
  containers:
    - name: root
      image: ${nested}
      command: [sleep, infinity]
      securityContext: { procMount: Unmasked, capabilities: { add: [SYS_ADMIN, NET_ADMIN, MKNOD] } }
      volumeMounts:
        - { name: store, mountPath: /var/lib/containers }
        - { name: images, mountPath: /opt/images, readOnly: true }
        - { name: dist, mountPath: /opt/podgen, readOnly: true }
        - { name: fuse, mountPath: /dev/fuse }
    - name: user
      image: ${nested}
      command: [sleep, infinity]
      securityContext: { procMount: Unmasked }
      volumeMounts:
        - { name: home, mountPath: /home/alice/store }
        - { name: images, mountPath: /opt/images, readOnly: true }
        - { name: tun, mountPath: /dev/net/tun }
    - name: init
      image: ${nested}
      securityContext: { procMount: Unmasked, capabilities: { add: [SYS_ADMIN] } }
      ports: [{ containerPort: 8080, hostPort: ${PORT} }]
      volumeMounts:
        - { name: share, mountPath: /home/alice/.local }
        - { name: tun, mountPath: /dev/net/tun }
        - { name: dist, mountPath: /opt/podgen, readOnly: true }
    - name: masked
      image: ${nested}
      command: [sleep, infinity]
  volumes:
    - { name: store, emptyDir: {} }
    - { name: home, emptyDir: {} }
    - { name: share, emptyDir: {} }
    - { name: tun, hostPath: { path: /dev/net/tun, type: CharDevice } }
    - { name: fuse, hostPath: { path: /dev/fuse, type: CharDevice } }
    - { name: images, hostPath: { path: ${images}, type: Directory } }
    - { name: dist, hostPath: { path: ${DIST}, type: Directory } }
`;
  await host.ok(["apply", host.spec("deep.yaml", spec)]);
});
after(() => host.stop());

/** A shell script in a container, by its root unless `as` says what makes it another's. */
const sh = (container: string, script: string, as: readonly string[] = []): Promise<Ran> =>
  host.podgen(["exec", "-i", `deep/${container}`, "--", ...as, "sh"], { input: script, timeout: SLOW });

/** The same with exit code 0 demanded; its output, without the last newline. */
async function ok(container: string, script: string, as: readonly string[] = []): Promise<string> {
  const ran = await sh(container, `set -e\n${script}`, as);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  return ran.stdout.trimEnd();
}

/** alice's ids are the container's 1000, 1 to 999 and 1001 to 65535. */
const ALICE =
  "setpriv --reuid 1000 --regid 1000 --init-groups env -C /home/alice HOME=/home/alice USER=alice XDG_RUNTIME_DIR=/run/user/1000";
const asAlice = ALICE.split(" ");

test("procMount: Default keeps a nested /proc out, Unmasked lets it in; nothing but the cgroup folder lies on it or on /sys", async () => {
  const nested = "unshare --user --map-root-user --mount --pid --fork mount -t proc proc /mnt";
  assert.equal((await sh("masked", nested)).code, 32);
  await ok("user", nested);
  // findmnt ends with 1 where there is nothing.
  const below = "findmnt --list --noheadings --output TARGET | grep -E '^/(proc|sys)/' || true";
  assert.equal(await ok("user", below), "/sys/fs/cgroup");
  assert.match(await ok("masked", below), /^\/proc\/keys$/m);
  // Nobody may read it, but it is the kernel's own: the mask is a device.
  assert.equal(await ok("user", "stat -c %F /proc/keys"), "regular empty file");
});

test("the cgroup is writable with SYS_ADMIN, and for an init; devices of the host are as there", async () => {
  const cgroup = "mkdir /sys/fs/cgroup/mine && rmdir /sys/fs/cgroup/mine";
  await ok("root", cgroup);
  assert.equal((await sh("user", cgroup)).code, 1);
  assert.equal(await ok("root", "stat -c %t:%T /dev/fuse && exec 3<> /dev/fuse"), "a:e5");
  assert.equal(await ok("user", "stat -c %t:%T /dev/net/tun && exec 3<> /dev/net/tun"), "a:c8");
});

test("podman as root of its container: overlay, its own network, crun and podrt; exit code and output", async () => {
  const id = await ok("root", "podman pull --quiet oci:/opt/images:busybox");
  assert.equal(await ok("root", "podman info --format '{{.Store.GraphDriverName}} {{.Host.Security.Rootless}}'"), "overlay false");
  for (const options of ["--network none", "--network host", "", "--network none --runtime /opt/podgen/podrt"]) {
    const ran = await sh(
      "root",
      `podman run --rm --hostname inmost ${options} ${id} sh -c 'hostname; mount | grep -c "^proc on /proc "; exit 7'`,
    );
    assert.deepEqual([ran.code, ran.stdout], [7, "inmost\n1\n"], `${options}: ${ran.stderr}`);
  }
  // What is published by it is answered in the pod, whose network the other containers share.
  await ok("root", `podman run --detach --name web --publish 8081:80 ${id} sh -c 'echo inmost > /tmp/index.html; exec httpd -f -h /tmp'`);
  await eventually("its page", async () => (await sh("user", "curl --silent --max-time 3 127.0.0.1:8081")).stdout === "inmost\n", SLOW);
  await ok("root", "podman rm --force --time 0 web");
});

test("the other stores: fuse-overlayfs by the host's /dev/fuse, and vfs", async () => {
  for (const options of ["overlay --storage-opt overlay.mount_program=/usr/bin/fuse-overlayfs", "vfs"]) {
    const podman = `podman --root /var/lib/containers/other-$$ --runroot /run/other-$$ --storage-driver ${options}`;
    const script = `id=$(${podman} pull --quiet oci:/opt/images:busybox); ${podman} run --rm --network none $id awk '$2 == "/" { print $3 }' /proc/mounts`;
    const kind = await ok("root", script);
    if (options === "vfs") assert.doesNotMatch(kind, /^$|overlay/);
    else assert.equal(kind, "fuse.fuse-overlayfs");
  }
});

test("podman as a user of a container without one capability more: newuidmap by file capabilities, pasta by /dev/net/tun", async () => {
  assert.equal(await ok("user", "getcap /usr/bin/newuidmap"), "/usr/bin/newuidmap cap_setuid=ep");
  await ok("user", "install -d -o alice -g alice -m 700 /run/user/1000; chown alice: /home/alice/store");
  const podman = "podman --root /home/alice/store/c --runroot /run/user/1000/c";
  const id = await ok("user", `${podman} pull --quiet oci:/opt/images:busybox`, asAlice);
  for (const network of ["none", "host", "pasta"]) {
    // The filter of the container around it lets nobody name a host without SYS_ADMIN; podman's own recipe for this is the same.
    const command = `${podman} run --rm --uts host --network ${network} ${id} sh -c 'wc -l < /proc/self/uid_map; exit 7'`;
    const ran = await sh("user", command, asAlice);
    assert.deepEqual([ran.code, ran.stdout], [7, "3\n"], `${network}: ${ran.stderr}`);
  }
});

test("podgen under a systemd of the container's own: the quickstart's pod runs, its page is served, and by the host's port too", async () => {
  // Before its bus is there it says "offline".
  const ask = ["exec", "deep/init", "--", "systemctl", "is-system-running", "--wait"];
  const booted = async () => /^(running|degraded|maintenance)$/m.exec((await host.podgen(ask, { timeout: SLOW })).stdout)?.[0];
  assert.equal(await eventually("systemd is up", booted, SLOW), "running", await ok("init", "systemctl --failed --no-pager"));
  await ok("init", "chown alice: /home/alice/.local");
  const spec = readFileSync("fixtures/quickstart/web.yaml", "utf8").replaceAll("IMAGES", "/opt/podgen/images");
  // A login, by PAM and logind, as a person's.
  const alice = (words: string, input?: string): Promise<Ran> => {
    const argv = ["exec", "-i", "deep/init", "--", "runuser", "--login", "alice", "--command", `/opt/podgen/podgen ${words}`];
    return host.podgen(argv, { timeout: SLOW, ...(input === undefined ? {} : { input }) });
  };
  const applied = await alice("apply -", spec);
  assert.deepEqual([applied.code, applied.stdout], [0, "pod/web created\n"], applied.stderr);
  assert.match((await alice("status web")).stdout, /^Ready: +2\/2$/m);
  assert.match(await ok("init", "curl --silent --fail --max-time 5 127.0.0.1:8080"), /<h1>It runs\.<\/h1>/);
  // The host's socket, this pod's forwarder, the inner one's socket and forwarder.
  await eventually("the page on the host", async () => (await host.fetch(`http://127.0.0.1:${PORT}/`))?.includes("It runs."), SLOW);
  const command = await alice("exec web/app -- /httpd --nonsense");
  assert.equal(command.code, 64, command.stderr);
  const deleted = await alice("delete web");
  assert.deepEqual([deleted.code, deleted.stdout], [0, "pod/web deleted\nconfigmap/page deleted\n"], deleted.stderr);
});
