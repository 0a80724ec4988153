// Limits of a spec are systemd's: always on the unit, and in the kernel where the user's manager has the controllers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Host, hostImage, must } from "../lib/host.js";

const spec = `apiVersion: v1
kind: Pod
metadata: { name: lim, annotations: { podgen.io/pids-limit: "40" } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${hostImage("busybox")}
      command: [sleep, "3600"]
      resources:
        limits: { memory: 64Mi, cpu: 500m }
        requests: { memory: 16Mi, cpu: 250m }
`;
const UNIT = "pod-lim_app.service";

let host: Host;
let applied: string;
before(async () => {
  host = await Host.start("t-limits");
  const ran = await host.podgen(["apply", host.write("specs/lim.yaml", spec)]);
  must(ran, "podgen apply");
  applied = ran.stderr;
});
after(() => host.stop());

async function controllers(): Promise<string[]> {
  const file = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers";
  return must(await host.run(["cat", file]), file)
    .trim()
    .split(/\s+/)
    .filter(Boolean);
}

test("the unit has the limits", async () => {
  assert.equal(await host.property(UNIT, "MemoryMax"), String(64 * 1024 * 1024));
  assert.equal(await host.property(UNIT, "MemoryMin"), String(16 * 1024 * 1024));
  assert.equal(await host.property(UNIT, "CPUQuotaPerSecUSec"), "500ms");
  assert.equal(await host.property(UNIT, "TasksMax"), "40");
});

test("the kernel has them where there are controllers; where there are none, doctor says so", async (t) => {
  const delegated = await controllers();
  const group = `/sys/fs/cgroup${await host.property(UNIT, "ControlGroup")}`;
  const has = async (file: string) => (await host.run(["cat", `${group}/${file}`])).stdout.trim();
  const doctor: { checks: { id: string; status: string; detail: string }[] } = JSON.parse(
    (await host.podgen(["doctor", "-o", "json"])).stdout,
  );
  const said = doctor.checks.find((check) => check.id === "cgroups");
  for (const [controller, file, wanted] of [
    ["memory", "memory.max", String(64 * 1024 * 1024)],
    ["cpu", "cpu.max", "50000 100000"],
    ["pids", "pids.max", "40"],
  ] as const) {
    if (delegated.includes(controller)) {
      assert.equal(await has(file), wanted);
    } else {
      t.diagnostic(`no ${controller} controller on this machine: that it holds is for level 4 to show`);
      assert.equal(said?.status, "warn");
      assert.match(said?.detail ?? "", new RegExp(controller));
    }
  }
  if (delegated.length === 0) assert.match(applied, /resources are not enforced: the cpu, memory and pids controllers are not delegated/);
});

test("containers of a pod are in one tree, below the pod's slice", async () => {
  assert.match(
    await host.property(UNIT, "ControlGroup"),
    /\/pod-lim\.slice\/pod-lim_app\.service$|\/pod\.slice\/pod-lim\.slice\/pod-lim_app\.service$/,
  );
});
