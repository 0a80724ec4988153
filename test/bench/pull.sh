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
host=bench
bash test/harness/host.sh stop $host > /dev/null 2>&1 || true
trap 'bash test/harness/host.sh stop $host > /dev/null 2>&1 || true; rm -rf "$images"' EXIT
bash test/harness/host.sh start $host --bind-ro "$images:/opt/images"
inside() { bash test/harness/host.sh run $host "$@"; }
inside root /opt/podgen/test/harness/registry.sh start 5000 /var/lib/registry
inside root /opt/podgen/test/harness/registry.sh fill 5000 /opt/images nginx mariadb
for image in nginx mariadb; do
  # podgen and not skopeo, which takes the gzip layers that the registry has already.
  inside alice /opt/podgen/dist/podgen image copy --compression-format zstd \
    "docker://localhost:5000/$image" "docker://localhost:5000/$image:zstd" > /dev/null
done
inside alice node /opt/podgen/test/bench/pull.mjs "${1:-8}"
