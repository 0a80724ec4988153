// Events from the manager's remarks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRemark } from "../../src/host/journal/remarks.js";
import { eventOf } from "../../src/status/events.js";

const STARTED = "39f53479d3a045ac8e11786248231fbf";
const EXITED = "98e322203f7a4ed290d09fe03c09fe15";

function event(unit: string, id: string, more: Readonly<Record<string, string>> = {}) {
  const fields = { __REALTIME_TIMESTAMP: "5", SYSLOG_IDENTIFIER: "systemd", USER_UNIT: unit, MESSAGE_ID: id, MESSAGE: "words", ...more };
  const remark = parseRemark(JSON.stringify(fields));
  assert.ok(remark);
  const found = eventOf(remark);
  if (found === undefined) return undefined;
  const { time, unit: named, message, ...rest } = found;
  assert.deepEqual([time, named, message], [5, unit, "words"]);
  return rest;
}

test("a pod's unit starts when the pod is ready; a container's is its own", () => {
  assert.deepEqual(event("pod-web-0.service", STARTED), { type: "Ready", pod: "web-0" });
  assert.deepEqual(event("pod-web-0_app.service", STARTED), { type: "Started", pod: "web-0", container: "app" });
  assert.equal(event("pod-web.service", "7ad2d189f7e94e70a38c781354912448"), undefined);
});

test("ends with their codes and signals, restarts with their number", () => {
  const app = { pod: "web", container: "app" };
  const of = (more: Readonly<Record<string, string>>) => event("pod-web_app.service", EXITED, more);
  assert.deepEqual(of({ EXIT_CODE: "exited", EXIT_STATUS: "3" }), { type: "Ended", ...app, exitCode: 3 });
  assert.deepEqual(of({ EXIT_CODE: "exited", EXIT_STATUS: "3/NOTIMPLEMENTED" }), { type: "Ended", ...app, exitCode: 3 });
  assert.deepEqual(of({ EXIT_CODE: "killed", EXIT_STATUS: "KILL" }), { type: "Ended", ...app, signal: "SIGKILL" });
  const restart = event("pod-web_app.service", "5eb03494b6584870a536b337290809b3", { N_RESTARTS: "4" });
  assert.deepEqual(restart, { type: "Restarting", ...app, restarts: 4 });
});

test("parts of a pod are told of when they fail; of others' units nothing is", () => {
  assert.equal(event("pod-web__infra.service", STARTED), undefined);
  assert.deepEqual(event("pod-web__8080-tcp.socket", "be02cf6855d2428ba40df7e9d022f03d"), { type: "Failed", pod: "web" });
  assert.deepEqual(event("podgen-job-pi.service", STARTED), { type: "Started" });
  assert.deepEqual(event("podgen-job-pi.service", "", { SYSLOG_IDENTIFIER: "podrt" }), { type: "Note" });
  assert.equal(event("mine.service", STARTED), undefined);
  assert.equal(event("pod-web_app.service", "0123"), undefined);
});

test("what is about no unit, or is torn, is no remark", () => {
  assert.equal(parseRemark('{"MESSAGE":"x"}'), undefined);
  assert.equal(parseRemark('{"USER_UNIT":"a.ser'), undefined);
});
