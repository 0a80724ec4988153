// The cgroup as a container sees it: to look at, or with io.podgen.cgroup, for an init, to divide.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inside, output, running, startPod } from "./container.js";
import { show, systemctl } from "./pod.js";
import { type TestUser, userStop } from "./user.js";

let user: TestUser;
before(() => {
  user = startPod("pgcg1");
});
after(() => userStop(user));

const rw = { annotations: { "io.podgen.cgroup": "rw" } };
/** Whether /sys/fs/cgroup is mounted to be written to, and what a child in a group of its own says of itself. */
const divide =
  "sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* .sys.fs.cgroup \\(r[ow]\\).*/\\1/p' /proc/self/mountinfo; mkdir /sys/fs/cgroup/own 2>/dev/null && " +
  "sh -c 'echo $$ > /sys/fs/cgroup/own/cgroup.procs && cat /proc/self/cgroup' | grep ^0::; rmdir /sys/fs/cgroup/own 2>/dev/null; true";

test("with the annotation it may be divided, and processes moved", async () => {
  assert.equal(await output(user, "init", divide, rw), "rw\n0::/own");
});

test("without it, and with `ro`, it may not, whatever the container's root tries", async () => {
  assert.equal(await output(user, "plain", divide), "ro");
  assert.equal(await output(user, "plain", divide, { annotations: { "io.podgen.cgroup": "ro" } }), "ro");
});

test("what is above is not in sight", async () => {
  const id = running(user, "deep", {
    ...rw,
    args: ["sh", "-c", "mkdir /sys/fs/cgroup/in && echo 1 > /sys/fs/cgroup/in/cgroup.procs; sleep 1000"],
  });
  assert.match(inside(user, "deep", "grep ^0:: /proc/1/cgroup"), /^0::\/in$/);
  // What is mounted is the namespace's root, which is the unit's group.
  assert.equal(inside(user, "deep", "awk '$5 == \"/sys/fs/cgroup\" { print $4 }' /proc/1/mountinfo"), "/");
  assert.match(show(user, id, "ControlGroup"), /pod-web_deep\.service$/);
  // The group that it made goes with it.
  systemctl(user, "stop", id);
  assert.equal(await output(user, "deep", "ls -d /sys/fs/cgroup/*/ 2>/dev/null; true"), "");
});
