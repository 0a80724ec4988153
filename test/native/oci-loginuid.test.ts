// The kernel's audit trail: a container, and what is executed in it, has the loginuid of who asked for it, as one who forks and executes
// leaves it; a daemon's would be the daemon's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bundle, call, callAny, type Engine, engineStart, engineStop, good, newId, remove, script, stateOf } from "./oci.js";

/** Not set, or an id that the reader's user namespace has no name for. */
const NOBODY = "4294967295";
const [CREATOR, STARTER, VISITOR] = [4321, 4322, 4323];

/** Why it cannot be tried here: a kernel without audit, or one told that a loginuid stays (auditctl --loginuid-immutable). */
function obstacle(): string | undefined {
  const ran = spawnSync("sh", ["-c", `echo ${CREATOR} > /proc/self/loginuid && echo ${STARTER} > /proc/self/loginuid`], {
    encoding: "utf8",
  });
  return ran.status === 0 ? undefined : `loginuid cannot be set here: ${ran.stderr.trim()}`;
}
const skip = obstacle() ?? false;

const loginuidOf = (pid: number): string => readFileSync(`/proc/${pid}/loginuid`, "utf8");

for (const name of [undefined, "oclogin"]) {
  describe(name === undefined ? "by root" : "by a user, whose own id alone has a name inside", { skip }, () => {
    let engine: Engine;
    before(() => {
      engine = engineStart(name);
    });
    after(() => engineStop(engine));

    /** What a process of that loginuid reads in the container. */
    const inside = (loginuid: number): string => {
      if (engine.user === undefined) return String(loginuid);
      return loginuid === engine.user.uid ? "0" : NOBODY;
    };

    test("run", () => {
      const folder = bundle(engine, script("cat /proc/self/loginuid"));
      for (const loginuid of [CREATOR, engine.user?.uid ?? 0]) {
        const ran = call(engine, ["run", "--bundle", folder, newId()], { loginuid });
        assert.deepEqual([ran.code, ran.stdout], [0, inside(loginuid)], ran.stderr);
      }
    });

    test("create counts, not start; exec has its own caller's, detached or not, and changes nobody else's", () => {
      const id = newId();
      const folder = bundle(engine, script("cat /proc/self/loginuid; exec sleep 1000"));
      const create = `exec "$@" < /dev/null > '${folder}/out' 2> '${folder}/err'`;
      const words = [engine.podrt, "--root", engine.root, "create", "--bundle", folder, id];
      assert.equal(
        callAny(engine, ["sh", "-c", create, "sh", ...words], { loginuid: CREATOR }).code,
        0,
        readFileSync(`${folder}/err`, "utf8"),
      );
      assert.equal(call(engine, ["start", id], { loginuid: STARTER }).code, 0);
      const { pid } = stateOf(engine, id);
      assert.equal(loginuidOf(pid), String(CREATOR));
      const ran = call(engine, ["exec", id, "cat", "/proc/self/loginuid", "/proc/1/loginuid"], { loginuid: VISITOR });
      assert.deepEqual([ran.code, ran.stdout], [0, inside(VISITOR) + inside(CREATOR)], ran.stderr);
      const pidFile = join(engine.folder, `${id}.pid`);
      // What is detached keeps the standard output that it is given.
      const apart = [engine.podrt, "--root", engine.root, "exec", "--detach", "--pid-file", pidFile, id, "sleep", "1000"];
      const detached = callAny(engine, ["sh", "-c", 'exec "$@" > /dev/null 2>&1', "sh", ...apart], { loginuid: VISITOR });
      assert.equal(detached.code, 0);
      assert.equal(loginuidOf(Number(readFileSync(pidFile, "utf8"))), String(VISITOR));
      assert.equal(loginuidOf(pid), String(CREATOR));
      good(engine, "kill", id, "KILL");
      remove(engine, id);
    });
  });
}
