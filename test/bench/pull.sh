#!/bin/bash
# npm run bench:pull: podgen's image pull beside podman 5.4's and the physical floor, on the level-3 host, interleaved, stores on tmpfs.
#   test/bench/pull.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo "bench:pull needs root: it boots a host of its own" >&2; exit 1; }
bash test/harness/packages.sh build session
bash test/harness/packages.sh host peers
[ -d node_modules ] || npm install --no-save --silent
npm run --silent build
images=$(mktemp -d)
bash test/harness/images.sh "$images"
# mariadb is 140 MB unpacked; with a compiler on top it has the 260 MB of what people run as a database.
tar -cf "$images/gcc.tar" -C / usr/lib/gcc
umoci raw add-layer --image "$images:mariadb" --tag database "$images/gcc.tar"
rm "$images/gcc.tar"
host=bench
bash test/harness/host.sh stop $host > /dev/null 2>&1 || true
trap 'bash test/harness/host.sh stop $host > /dev/null 2>&1 || true; rm -rf "$images"' EXIT
bash test/harness/host.sh start $host --bind-ro "$images:/opt/images"
inside() { bash test/harness/host.sh run $host "$@"; }
inside root /opt/podgen/test/harness/registry.sh start 5000 /var/lib/registry
inside root /opt/podgen/test/harness/registry.sh fill 5000 /opt/images nginx database
for image in nginx database; do
  # podgen and not skopeo, which takes the gzip layers that the registry has already.
  inside alice /opt/podgen/dist/podgen image copy --compression-format zstd \
    "docker://localhost:5000/$image" "docker://localhost:5000/$image:zstd" > /dev/null
done
inside alice node /opt/podgen/test/bench/pull.mjs "${1:-8}"
