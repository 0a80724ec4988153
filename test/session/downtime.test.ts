// Published ports while what is behind them stops and starts: no connection is refused, broken off or lost, also by a server that ends at once.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { image, PodHost } from "../lib/pods.js";
import { eventually } from "../lib/session.js";

const PATIENCE = 60_000;
const PORT = 31290;

let host: PodHost;

before(async () => {
  host = await PodHost.start("downtime");
});
after(() => host.stop());

interface Wish {
  readonly page?: string;
  readonly annotations?: string;
  readonly grace?: number;
  readonly probe?: string;
}

/** A web server of a process for each connection, all of which end with PID 1; cgi-bin/slow answers after two seconds. */
const template = ({ page = "one", annotations = "{}", grace = 20, probe = "" }: Wish) => `
    metadata: { labels: { app: web }, annotations: ${annotations} }
    spec:
      terminationGracePeriodSeconds: ${grace}
      containers:
        - name: app
          image: ${image("busybox")}
          command:
            - sh
            - -c
            - |
              mkdir -p /page/cgi-bin; echo '${page}' > /page/index.html
              printf '#!/bin/sh\\ntouch /asked; sleep 2\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n${page}\\\\n"\\n' > /page/cgi-bin/slow
              chmod +x /page/cgi-bin/slow
              trap 'exit 0' TERM; httpd -p 8080 -h /page; while :; do sleep 3600 & wait $!; done
          ports: [{ containerPort: 8080, hostPort: ${PORT} }]
${probe}        - name: beside
          image: ${image("busybox")}
          command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"]
`;

const pod = (wish: Wish = {}): string =>
  host.spec(
    "pod.yaml",
    `apiVersion: v1\nkind: Pod\n${template(wish).replace("metadata: {", "metadata: { name: web,").replace(/^ {4}/gm, "")}`,
  );

const deployment = (wish: Wish = {}, more = ""): string =>
  host.spec(
    "web.yaml",
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  selector: { matchLabels: { app: web } }\n${more}  template:${template(wish)}`,
  );

/** One request on a connection of its own: what was answered, or how it failed. */
function ask(path = "/"): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port: PORT, path, agent: false, timeout: 30_000 }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? text.trim() : `status ${response.statusCode}`));
      response.on("error", (error) => resolve(`lost: ${error.message}`));
    });
    request.on("error", (error) => resolve(`lost: ${error.message}`));
    request.on("timeout", () => request.destroy(new Error("nothing for 30 s")));
  });
}

/** Asks all the time, four at once, while something is done; all answers in the order in which they came. */
async function asking(work: () => Promise<unknown>): Promise<string[]> {
  const answers: string[] = [];
  let busy = true;
  const client = async (): Promise<void> => {
    while (busy) answers.push(await ask());
  };
  const clients = [client(), client(), client(), client()];
  try {
    await eventually("the first answers", async () => answers.length > 8, PATIENCE);
    await work();
    const so = answers.length;
    await eventually("answers after it", async () => answers.length > so + 8, PATIENCE);
  } finally {
    busy = false;
  }
  await Promise.all(clients);
  return answers;
}

const lost = (answers: readonly string[]): string[] => answers.filter((a) => a !== "one" && a !== "two");

test("restarts of a container and of the whole pod lose no connection, and the port is never closed", async () => {
  await host.ok(["apply", pod()]);
  await eventually("it answers", async () => (await ask()) === "one", PATIENCE);
  const app = await host.incarnation("pod-web_app.service");
  const socket = await host.property(`pod-web__${PORT}-tcp.socket`, "InvocationID");
  const answers = await asking(async () => {
    await host.ok(["restart", "web/app"]);
    await host.ok(["restart", "web/app"]);
    await host.ok(["restart", "web"]);
    await host.ok(["restart", "web"]);
  });
  assert.deepEqual(lost(answers), []);
  assert.notEqual(await host.incarnation("pod-web_app.service"), app);
  assert.equal(await host.property(`pod-web__${PORT}-tcp.socket`, "InvocationID"), socket, "systemd held it all the time");
});

test("a request that is being answered is answered to its end before the container is asked to end; the others of the pod wait with it", async () => {
  const slow = ask("/cgi-bin/slow");
  await eventually("it is on its way", async () => (await host.podgen(["exec", "web/app", "--", "rm", "/asked"])).code === 0, PATIENCE);
  const beside = await host.mainPid("pod-web_beside.service");
  const restarted = host.ok(["restart", "web"]);
  await eventually(
    "the stop begins",
    async () => (await host.property("pod-web_beside.service", "ActiveState")) === "deactivating",
    PATIENCE,
  );
  assert.ok(existsSync(`/proc/${beside}`), "the server may need it for its answer");
  assert.equal(await slow, "one");
  await restarted;
  assert.deepEqual(await ask(), "one");
});

test("a connection at rest holds nobody up; drain-seconds: 0 waits for none; a stop ends all, and closes the port", async () => {
  const idle = connect(PORT, "127.0.0.1");
  await new Promise((resolve) => idle.once("connect", resolve));
  idle.on("error", () => {});
  await new Promise((resolve) => setTimeout(resolve, 400));
  const from = Date.now();
  await host.ok(["restart", "web/app"]);
  assert.ok(Date.now() - from < 9_000, "ten seconds are what a request would have");
  idle.destroy();
  await host.ok(["apply", pod({ annotations: '{ podgen.io/drain-seconds: "0" }' })]);
  assert.equal(await host.property("pod-web_app.service", "ExecStop"), "");
  await host.ok(["delete", "web"]);
  assert.match(await ask(), /ECONNREFUSED/);
});

test("a Deployment of one replica: the new pod comes up beside the old one, the port moves, what was asked is answered, the old pod goes", async () => {
  await host.ok(["apply", deployment()]);
  await eventually("it answers", async () => (await ask()) === "one", PATIENCE);
  const shown = await host.podgen(["diff", deployment({ page: "two" })]);
  assert.match(shown.stdout, /^deployment\/web in 3 steps\n {2}1\. web-1 up and ready, meanwhile\n {2}2\. web-0 up/m);
  let slow = "";
  const answers = await asking(async () => {
    const asked = ask("/cgi-bin/slow");
    await eventually("it is on its way", async () => (await host.podgen(["exec", "web-0/app", "--", "rm", "/asked"])).code === 0, PATIENCE);
    await host.ok(["apply", deployment({ page: "two" })]);
    slow = await asked;
  });
  assert.deepEqual(lost(answers), []);
  assert.equal(slow, "one", "by the pod that it had reached");
  assert.deepEqual([answers[0], answers.at(-1)], ["one", "two"]);
  assert.equal(await host.property("pod-web-1.service", "LoadState"), "not-found");
  assert.equal((await host.podgen(["diff", deployment({ page: "two" })])).code, 0);
});

test("one that never gets ready takes nothing from the old pod, whose connections go on", async () => {
  const probe = "          readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 }\n";
  const before = await host.incarnation("pod-web-0_app.service");
  const answers = await asking(async () => {
    const ran = await host.podgen(["apply", "--timeout", "3", deployment({ probe })]);
    assert.equal(ran.code, 3, ran.stdout + ran.stderr);
  });
  assert.deepEqual([...new Set(answers)], ["two"]);
  assert.equal(await host.incarnation("pod-web-0_app.service"), before);
});

test("in place where a stand-in may not be: a claim of one pod's says so, and connections wait", async () => {
  const claim =
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: own }\nspec: { accessModes: [ReadWriteOncePod], resources: { requests: { storage: 1Mi } } }\n---\n";
  const volume = "      volumes: [{ name: own, persistentVolumeClaim: { claimName: own } }]\n";
  const claimed = (page: string): string => host.spec("claimed.yaml", claim + readFileSync(deployment({ page }), "utf8") + volume);
  await host.ok(["apply", claimed("two")]);
  const shown = await host.podgen(["diff", claimed("one")]);
  assert.match(
    shown.stdout + shown.stderr,
    /deployment\/web: the claim "own" is for one pod \(ReadWriteOncePod\): its pods are replaced in place, 1 at a time/,
  );
  const answers = await asking(() => host.ok(["apply", claimed("one")]));
  assert.deepEqual(lost(answers), []);
  assert.equal(answers.at(-1), "one");
});

test("a Service over a Deployment that is rolled out: one pod after the other is drained, and none of the requests is lost", async () => {
  await host.ok(["delete", "deployment/web"]);
  const service = `apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080, nodePort: ${PORT} }] }\n---\n`;
  const more = "  replicas: 2\n  strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }\n";
  const served = (page: string): string =>
    host.spec("served.yaml", service + readFileSync(deployment({ page }, more), "utf8").replace(/, hostPort: \d+/, ""));
  await host.ok(["apply", served("one")]);
  await eventually("it answers", async () => (await ask()) === "one", PATIENCE);
  const answers = await asking(() => host.ok(["apply", served("two")]));
  assert.deepEqual(lost(answers), []);
  assert.deepEqual([answers[0], answers.at(-1)], ["one", "two"]);
});
