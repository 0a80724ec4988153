import { rmSync } from "node:fs";
import { median, timeOf } from "./time.mjs";

const [, , dist, work, host, count, ...images] = process.argv;
const rounds = Number(count);
const env = { ...process.env, HOME: work, XDG_RUNTIME_DIR: work, XDG_DATA_HOME: `${work}/data` };
// Node reads such a file before anything else, which says nothing of podgen.
delete env.NODE_EXTRA_CA_CERTS;

const time = (argv) => timeOf(argv, env);

const podgen = (...words) => [`${dist}/podgen`, "image", ...words];
const skopeoCopy = ["skopeo", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
const inspect = (remote, ...words) => ({
  podgen: () => podgen("inspect", ...words, remote),
  skopeo: () => ["skopeo", "inspect", "--tls-verify=false", ...words, remote],
});
let fresh = 0;
/** `to` may name a place that is new each time: NEW is another number then. */
const copy = (from, to) => {
  const place = () => to.replace("NEW", String(fresh++));
  return { podgen: () => podgen("copy", "-q", from, place()), skopeo: () => [...skopeoCopy, from, place()] };
};

const jobs = [];
for (const name of images) {
  const remote = `docker://${host}/${name}:latest`;
  const layout = `oci:${work}/images:${name}`;
  jobs.push([`inspect ${name}`, inspect(remote)]);
  jobs.push([`inspect --no-tags --raw ${name}`, inspect(remote, "--no-tags", "--raw")]);
  jobs.push([`${name}: registry to layout`, copy(remote, `oci:${work}/out:x`)]);
  jobs.push([`${name}: registry to folder`, copy(remote, `dir:${work}/out`)]);
  jobs.push([`${name}: registry to docker-archive`, copy(remote, `docker-archive:${work}/out:x:1`)]);
  jobs.push([`${name}: layout to registry, layers there`, copy(layout, `docker://${host}/${name}:NEW`)]);
  jobs.push([`${name}: registry to registry, layers mounted`, copy(remote, `docker://${host}/new/NEW-${name}:1`)]);
}

console.log(`medians of ${rounds} interleaved rounds, ms`);
console.log(`${"".padEnd(46)}${["podgen", "skopeo", "/skopeo"].map((w) => w.padStart(9)).join("")}`);
for (const [what, commands] of jobs) {
  const times = { podgen: [], skopeo: [] };
  for (let round = -1; round < rounds; round++)
    for (const who of round % 2 === 0 ? ["podgen", "skopeo"] : ["skopeo", "podgen"]) {
      rmSync(`${work}/out`, { recursive: true, force: true });
      const took = time(commands[who]());
      if (round >= 0) times[who].push(took);
    }
  const [a, b] = [times.podgen, times.skopeo].map(median);
  console.log(`${what.padEnd(46)}${[a.toFixed(0), b.toFixed(0), (a / b).toFixed(2)].map((w) => w.padStart(9)).join("")}`);
}
