#!/bin/bash
# npm run bench:copy: podgen's image copy and inspect beside skopeo's, with a registry on loopback, interleaved, files on tmpfs.
#   test/bench/copy.sh [ROUNDS [IMAGES…]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo "bench:copy needs root: the harness makes the images so" >&2; exit 1; }
bash test/harness/packages.sh build session host
[ -d node_modules ] || npm install --no-save --silent
[ -n "${BENCH_DIST:-}" ] || npm run --silent build
work=$(mktemp -d /dev/shm/bench-copy.XXXXXX)
port=$((20000 + RANDOM % 20000))
trap 'bash test/harness/registry.sh stop $port > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
bash test/harness/images.sh "$work/images"
bash test/harness/registry.sh start "$port" "$work/registry"
rounds=${1:-8}
shift || true
[ $# -gt 0 ] || set -- busybox nginx mariadb
bash test/harness/registry.sh fill "$port" "$work/images" "$@"
node test/bench/copy.mjs "${BENCH_DIST:-dist}" "$work" "localhost:$port" "$rounds" "$@"
