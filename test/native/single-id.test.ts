// A user without subordinate ids: images whose files and processes are all root's work, others say why not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exec, output, running, startPod, toEnd } from "./container.js";
import { infraUnit, PAUSE, systemctl } from "./pod.js";
import { editSubids, type TestUser, userStop } from "./user.js";

let user: TestUser;

before(() => {
  user = startPod("pgct6");
  systemctl(user, "stop", infraUnit("web"), PAUSE);
  editSubids(`/^${user.name}:/d`);
  systemctl(user, "start", infraUnit("web"));
});
after(() => userStop(user));

test("root's processes run, on overlay, with a terminal, and exec gets in", async () => {
  const text = await output(user, "one", "tr -s ' ' < /proc/self/uid_map; id -u; awk '$2 == \"/\" { print $3 }' /proc/mounts");
  assert.deepEqual(text.split("\n"), [` 0 ${user.uid} 1`, "0", "overlay"]);
  const tty = await toEnd(user, "one", { args: ["tty"], process: { terminal: true } });
  assert.ok(tty.lines.includes("/dev/pts/0"), tty.lines.join("\n"));
  const id = running(user, "two");
  assert.deepEqual([exec(user, "two", ["id", "-u"], ["--tty"]).stdout, exec(user, "two", ["id", "-u"]).stdout], ["0\r\n", "0\n"]);
  systemctl(user, "stop", id);
});

test("the pod's /dev/shm is a file system of its own there, too", async () => {
  assert.equal(await output(user, "shm", "stat -c %a /dev/shm; stat -f -c '%b %S' /dev/shm"), "1777\n16384 4096");
});

test("another user cannot be: the line says which ids are missing", async () => {
  const end = await toEnd(user, "one", { args: ["true"], annotations: { "io.podgen.user": "web" } });
  assert.equal(end.status, 125);
  assert.ok(
    end.lines.some((line) => line.startsWith("podrt: run: user: 33:44 is not mapped in the user namespace (/etc/subuid")),
    end.lines.join("\n"),
  );
});
