// npm run bench:plan [-- PODS ROUNDS]: parsing, validation and planning of many pods (1,000), medians, and the peak of memory.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../tools/esbuild.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);
const [pods = 1000, rounds = 7] = process.argv.slice(2).map(Number);

/** What people run: a server with settings, a Secret, volumes and limits, a helper beside it, and something that comes first. */
const pod = (n) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: web-${n}-settings }
data:
  app.conf: |
    listen = 8080
    name = web-${n}
---
apiVersion: v1
kind: Secret
metadata: { name: web-${n}-keys }
stringData: { token: token-of-${n} }
---
apiVersion: v1
kind: Pod
metadata:
  name: web-${n}
  labels: { app: web, number: "${n}" }
spec:
  restartPolicy: Always
  initContainers:
    - name: prepare
      image: registry.test/tool:1
      command: [sh, -c, "cp -r /seed/. /data"]
      volumeMounts: [{ name: data, mountPath: /data }]
  containers:
    - name: app
      image: registry.test/app:1
      args: [--listen, "$(HOST):8080"]
      env:
        - { name: HOST, value: 0.0.0.0 }
        - { name: TOKEN, valueFrom: { secretKeyRef: { name: web-${n}-keys, key: token } } }
      envFrom: [{ configMapRef: { name: web-${n}-settings }, prefix: CONF_ }]
      ports: [{ containerPort: 8080, hostPort: ${20000 + n} }]
      resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { cpu: 500m, memory: 256Mi } }
      securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: settings, mountPath: /etc/app }
        - { name: keys, mountPath: /keys }
    - name: log
      image: registry.test/log:1
      command: [tail, -F, /data/log]
      volumeMounts: [{ name: data, mountPath: /data, readOnly: true }]
  volumes:
    - { name: data, emptyDir: {} }
    - { name: settings, configMap: { name: web-${n}-settings } }
    - { name: keys, secret: { secretName: web-${n}-keys, defaultMode: 0400 } }
`;

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const folder = mkdtempSync(join(tmpdir(), "podgen-bench-"));
try {
  const spec = join(folder, "pods.yaml");
  writeFileSync(spec, Array.from({ length: pods }, (_, n) => pod(n)).join(""));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}\n');
  await bundle(["test/bench/plan-stages.ts"], folder);
  const runs = Array.from({ length: rounds }, () =>
    JSON.parse(execFileSync("node", [join(folder, "plan-stages.js"), spec], { encoding: "utf8" })),
  );
  const of = (clock, ...stages) => median(runs.map((run) => stages.reduce((sum, stage) => sum + run[clock][stage], 0)));
  const best = (...stages) => Math.min(...runs.map((run) => stages.reduce((sum, stage) => sum + run.wall[stage], 0)));
  const ms = (value) => `${value.toFixed(0).padStart(6)} ms`;
  const line = (name, stages, peak) => {
    const memory = peak === undefined ? "" : `, peak ${Math.round(median(runs.map((run) => run[peak])) / 1024)} MiB`;
    console.log(`${name.padEnd(10)}${ms(of("wall", ...stages))}, best${ms(best(...stages))}, CPU${ms(of("cpu", ...stages))}${memory}`);
  };
  console.log(`${pods} pods, ${Math.round(statSync(spec).size / 1024)} KiB of YAML, medians of ${rounds}`);
  const stages = ["parse", "validate", "plan"];
  for (const stage of stages) line(stage, [stage]);
  line("together", stages, "peakKiB");
  line("render", ["render"], "peakWithRenderKiB");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
