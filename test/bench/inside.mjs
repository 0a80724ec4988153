// Inside the host, as alice: the same two-container pod by podgen and by podman, interleaved; medians and ratios on stdout.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";

const rounds = Number(process.argv[2] ?? 10);
const podgen = "/opt/podgen/dist/podgen";
const images = "/opt/podgen/dist/images";
const home = homedir();

/** What `httpd --help` ends with: the image has no command that does nothing. */
const USAGE = 64;

/** Milliseconds of wall time; a failing command is an error with its words. */
function time(command, ...args) {
  const from = process.hrtime.bigint();
  const result = spawnSync(command, args, { encoding: "utf8" });
  const took = Number(process.hrtime.bigint() - from) / 1e6;
  if (result.status !== 0 && !(args.includes("--help") && result.status === USAGE))
    throw new Error(`${command} ${args.join(" ")}: ${result.status}\n${result.stdout}${result.stderr}`);
  return took;
}
const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8" });
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** One figure per name, rounds times, all names in turn, so that a noisy moment hits everybody. */
function interleave(cases) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const [name, measure] of Object.entries(cases)) {
      const took = measure();
      if (round >= 0) times[name].push(took);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

const spec = (image, name) => `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 5
  containers:
    - { name: app, image: "${image}", imagePullPolicy: IfNotPresent, args: ["--port", "8080"] }
    - { name: log, image: "${image}", imagePullPolicy: IfNotPresent, args: ["--log-every", "10"] }
`;

// The same image for both.
const reference = "localhost/httpd:latest";
run("podman", "pull", "-q", `oci:${images}/httpd`);
run("podman", "tag", run("podman", "images", "-q").trim().split("\n")[0], reference);
writeFileSync(`${home}/pg.yaml`, spec(`oci:${images}/httpd`, "pg"));
writeFileSync(`${home}/pm.yaml`, spec(reference, "pm"));
mkdirSync(`${home}/.config/containers/systemd`, { recursive: true });
writeFileSync(`${home}/.config/containers/systemd/pm.kube`, `[Quadlet]\nDefaultDependencies=false\n[Kube]\nYaml=${home}/pm.yaml\n`);
run("systemctl", "--user", "daemon-reload");
run(podgen, "apply", `${home}/pg.yaml`);
run(podgen, "stop", "pg");

const unit = { podgen: "pod-pg.service", podman: "pm.service" };
const starts = { podgen: [], podman: [] };
const stops = { podgen: [], podman: [] };
for (let round = -1; round < rounds; round++)
  for (const who of ["podgen", "podman"]) {
    const start = time("systemctl", "--user", "start", unit[who]);
    if (round === -1) measureMemory(who);
    const stop = time("systemctl", "--user", "stop", unit[who]);
    if (round >= 0) {
      starts[who].push(start);
      stops[who].push(stop);
    }
  }

/** Private memory (KiB) and processes beside the payload, by who owns them. */
function measureMemory(who) {
  const rows = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, 2).join(" ");
        const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
        const kib = (key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(smaps)?.[1] ?? 0);
        return [{ pid, name, words, dirty: kib("Private_Dirty"), clean: kib("Private_Clean") }];
      } catch {
        return [];
      }
    })
    .filter((p) => /podrt|pasta|conmon|catatonit|aardvark|netavark|rootlessport|podman|slirp|exe$/.test(p.name));
  console.log(`processes beside the payload, ${who}:`);
  for (const p of rows)
    console.log(
      `  ${p.name.padEnd(16)} ${String(p.dirty).padStart(7)} KiB dirty ${String(p.clean).padStart(6)} KiB clean  ${p.words.slice(0, 60)}`,
    );
}

run(podgen, "delete", "pg");
const fresh = interleave({
  "podgen apply": () => time(podgen, "apply", `${home}/pg.yaml`),
  "podgen delete": () => time(podgen, "delete", "pg"),
  "podman kube play": () => time("podman", "kube", "play", "-q", `${home}/pm.yaml`),
  "podman kube down": () => time("podman", "kube", "down", `${home}/pm.yaml`),
});
run(podgen, "apply", `${home}/pg.yaml`);
run("podman", "kube", "play", "-q", `${home}/pm.yaml`);
const idle = interleave({
  "node -e 0": () => time("node", "-e", "0"),
  "podgen apply, no change": () => time(podgen, "apply", `${home}/pg.yaml`),
  "podgen --help": () => time(podgen, "--help"),
  "podgen exec": () => time(podgen, "exec", "pg/app", "--", "/httpd", "--help"),
  "podman exec": () => time("podman", "exec", "pm-app", "/httpd", "--help"),
});

const rows = [
  ["systemctl --user start", median(starts.podgen), median(starts.podman), 1 / 6],
  ["systemctl --user stop", median(stops.podgen), median(stops.podman), undefined],
  ["apply / kube play, from nothing", fresh["podgen apply"], fresh["podman kube play"], 1 / 2],
  ["delete / kube down", fresh["podgen delete"], fresh["podman kube down"], undefined],
  ["apply, no change / node -e 0", idle["podgen apply, no change"], idle["node -e 0"], 2.5],
  ["exec", idle["podgen exec"], idle["podman exec"], undefined],
  ["--help / node -e 0", idle["podgen --help"], idle["node -e 0"], undefined],
];
console.log(`\nmedians of ${rounds} interleaved rounds, ms`);
console.log(`${"what".padEnd(34)}${"podgen".padStart(9)}${"peer".padStart(9)}${"ratio".padStart(8)}  budget`);
for (const [what, ours, theirs, budget] of rows) {
  const ratio = ours / theirs;
  const verdict = budget === undefined ? "" : `${budget.toFixed(2)} ${ratio <= budget ? "met" : "MISSED"}`;
  console.log(
    `${what.padEnd(34)}${ours.toFixed(1).padStart(9)}${theirs.toFixed(1).padStart(9)}${ratio.toFixed(2).padStart(8)}  ${verdict}`,
  );
}
