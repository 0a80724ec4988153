// systemd as the first process of a container: Debian's own, from /sbin/init, boots, divides its cgroup, is looked into and is shut down.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

const UNIT = "pod-os_init.service";

let host: PodHost;

before(async () => {
  host = await PodHost.start("pgsysd");
  const spec = `apiVersion: v1
kind: Pod
metadata: { name: os }
spec:
  terminationGracePeriodSeconds: 30
  restartPolicy: Never
  containers:
    - name: init
      image: ${image("systemd")}
      volumeMounts: [{ name: mark, mountPath: /mark }]
  volumes: [{ name: mark, emptyDir: {} }]
`;
  await host.ok(["apply", host.spec("os.yaml", spec)]);
});
after(() => host.stop());

/** What a shell line says in the container. */
const inside = (line: string): Promise<string> => host.ok(["exec", "os/init", "--", "sh", "-c", line]).then((text) => text.trim());

/** The unit's folder in the hierarchy that a container sees: cgroup2, also where the machine has controllers elsewhere. */
async function cgroup(): Promise<string> {
  const path = await host.property(UNIT, "ControlGroup");
  return `/sys/fs/cgroup${existsSync("/sys/fs/cgroup/unified") ? "/unified" : ""}${path}`;
}

test("it boots to its default target, with nothing failed", async () => {
  // Before its bus is there it says "offline".
  const state = await eventually(
    "systemd is up",
    async () => {
      const ran = await host.podgen(["exec", "os/init", "--", "systemctl", "is-system-running", "--wait"]);
      return /^(running|degraded|maintenance)$/m.exec(ran.stdout)?.[0];
    },
    60_000,
  );
  assert.equal(state, "running", await inside("systemctl --failed --no-pager"));
  assert.equal(
    await inside("systemctl is-active multi-user.target hello.service systemd-journald.service dbus.service | sort -u"),
    "active",
  );
  assert.equal(await inside("systemd-detect-virt --container"), "container-other");
  assert.equal(await inside("tr '\\0' '\\n' < /proc/1/environ | grep ^container="), "container=podgen");
});

test("its cgroup is its own: each service has one, in the unit's; a command by exec is where systemd is", async () => {
  const folder = await cgroup();
  assert.ok(existsSync(`${folder}/system.slice/hello.service/cgroup.procs`), folder);
  const main = await host.mainPid(UNIT);
  assert.deepEqual(readFileSync(`${folder}/init.scope/cgroup.procs`, "utf8").trim().split("\n"), [String(main)]);
  assert.match(await inside("cat /proc/self/cgroup"), /^0::\/init\.scope$/m);
  // By itself it goes on: what exec leaves behind is a process like others.
  assert.equal(
    await inside("systemd-run --quiet --pipe --wait -- cat /proc/self/cgroup | sed -n 's/^0::.*run-u.*/a service/p'"),
    "a service",
  );
});

test("what is mounted where: /run and the like in memory, /sys and /proc/sys to be read", async () => {
  const kinds = "for p in /run /run/lock /tmp /var/log/journal /sys/fs/cgroup /sys /proc/sys; do findmnt -no FSTYPE,VFS-OPTIONS $p; done";
  const got = (await inside(kinds)).split("\n").map((line) => line.replace(/\s+/, " ").replace(/^(\S+ r[ow]).*/, "$1"));
  assert.deepEqual(got, ["tmpfs rw", "tmpfs rw", "tmpfs rw", "tmpfs rw", "cgroup2 rw", "sysfs ro", "proc ro"]);
});

test("podgen stop shuts it down, its services first, well before the grace is over", async () => {
  const [main, folder] = [await host.mainPid(UNIT), await cgroup()];
  const begin = Date.now();
  await host.ok(["stop", "os"]);
  const took = Date.now() - begin;
  assert.ok(took < 20_000, `${took} ms`);
  assert.deepEqual(
    [await host.property(UNIT, "Result"), await host.property(UNIT, "ExecMainCode"), await host.property(UNIT, "ExecMainStatus")],
    ["success", "1", "0"],
  );
  assert.equal(await host.property(UNIT, "ExecMainPID"), String(main));
  const mark = `${host.session.home}/.local/share/podgen/empty/os/mark/stopped`;
  assert.equal(readFileSync(mark, "utf8"), "stopped\n");
  assert.ok(!existsSync(folder), folder);
});
