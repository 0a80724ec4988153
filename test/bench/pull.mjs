// Inside the host, as alice: pulls of the same images by podgen, by podman and by nothing but hash, decompressor and tar.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { median, timeOf } from "./time.mjs";

const rounds = Number(process.argv[2] ?? 8);
const SHM = "/dev/shm/bench";
const REGISTRY = "http://localhost:5000/v2";
const podgen = "/opt/podgen/dist/podgen";
const ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
mkdirSync(SHM, { recursive: true });

const env = { ...process.env, XDG_DATA_HOME: `${SHM}/podgen` };
const PODMAN = ["podman", "--root", `${SHM}/podman`, "--runroot", `${SHM}/run`, "--storage-driver", "overlay"];
const podmanPull = (ref) => [...PODMAN, "pull", "-q", "--tls-verify=false", ref];
const podgenPull = (ref) => [podgen, "image", "pull", ref];
const run = (argv) => execFileSync(argv[0], argv.slice(1), { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });

const time = (argv) => timeOf(argv, env);

const wipe = {
  podgen: () => run([podgen, "unshare", "--", "rm", "-rf", `${SHM}/podgen`]),
  podman: () => run([...PODMAN, "rmi", "--all", "--force"]),
  floor: () => run([podgen, "unshare", "--", "rm", "-rf", `${SHM}/floor`]),
};

/** Every layer at once: fetched, hashed, decompressed, hashed and unpacked by the fastest there is. */
async function floorOf(ref) {
  const [name, tag] = ref.replace("localhost:5000/", "").split(":");
  const manifest = await (await fetch(`${REGISTRY}/${name}/manifests/${tag ?? "latest"}`, { headers: { accept: ACCEPT } })).json();
  const lines = manifest.layers.map(({ digest, mediaType }, i) => {
    const unpack = mediaType.includes("zstd") ? "zstd -dcq" : "igzip -dc";
    const folder = `${SHM}/floor/${i}`;
    return `mkdir -p ${folder}; curl -s ${REGISTRY}/${name}/blobs/${digest} | tee >(sha256sum > ${folder}.a) | ${unpack} | tee >(sha256sum > ${folder}.b) | tar -x -C ${folder} &`;
  });
  return ["bash", "-c", `set -o pipefail\n${lines.join("\n")}\nfor job in $(jobs -p); do wait $job || exit 1; done`];
}

/** The most memory (PSS, MiB) of a command and all below it, looked at every 5 ms. */
async function peak(argv) {
  const child = spawn(argv[0], argv.slice(1), { env, stdio: "ignore" });
  let most = 0;
  let running = true;
  child.on("exit", () => {
    running = false;
  });
  while (running) {
    most = Math.max(most, pss(child.pid));
    await new Promise((done) => setTimeout(done, 5));
  }
  return most / 1024;
}

function pss(root) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const below = (pid) => pid === root || (parents.has(pid) && pid > 1 && below(parents.get(pid)));
  return [...parents.keys()]
    .filter(below)
    .reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0);
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

console.log(`medians of ${rounds} interleaved rounds, ms; memory: the most of all processes together, MiB`);
console.log(
  `${"image".padEnd(16)}${["podgen", "podman", "floor", "/podman", "/floor", "podgen MiB", "podman MiB"].map((w) => w.padStart(11)).join("")}`,
);
for (const ref of ["nginx", "nginx:zstd", "database", "database:zstd"].map(
  (name) => `localhost:5000/${name.includes(":") ? name : `${name}:latest`}`,
)) {
  const commands = { podgen: podgenPull(ref), podman: podmanPull(ref), floor: await floorOf(ref) };
  const times = { podgen: [], podman: [], floor: [] };
  for (let round = -1; round < rounds; round++)
    for (const who of Object.keys(commands)) {
      wipe[who]();
      const took = time(commands[who]);
      if (round >= 0) times[who].push(took);
    }
  const memory = {};
  for (const who of ["podgen", "podman"]) {
    wipe[who]();
    memory[who] = await peak(commands[who]);
  }
  const [a, b, c] = [times.podgen, times.podman, times.floor].map(median);
  const cells = [
    a.toFixed(0),
    b.toFixed(0),
    c.toFixed(0),
    (a / b).toFixed(2),
    (a / c).toFixed(2),
    memory.podgen.toFixed(0),
    memory.podman.toFixed(0),
  ];
  console.log(`${ref.slice(15).padEnd(16)}${cells.map((w) => w.padStart(11)).join("")}`);
}

const again = { podgen: [], node: [], podman: [] };
const ref = "localhost:5000/database:latest";
run(podgenPull(ref));
run(podmanPull(ref));
for (let round = -1; round < rounds * 2; round++) {
  const took = { podgen: time(podgenPull(ref)), node: time(["node", "-e", "0"]), podman: time(podmanPull(ref)) };
  if (round >= 0) for (const who of Object.keys(again)) again[who].push(took[who]);
}
const [a, n, p] = [again.podgen, again.node, again.podman].map(median);
console.log(
  `nothing to fetch: podgen ${a.toFixed(0)} ms = ${(a / n).toFixed(2)} of node -e 0 (${n.toFixed(0)}); podman ${p.toFixed(0)} ms`,
);
