#!/bin/bash
# A registry on loopback, filled from OCI layouts:
#   registry.sh start PORT DIR [--auth USER:PASSWORD] [--tls [--clients]]    data, log, ca.crt and htpasswd are kept in DIR
#   registry.sh fill PORT LAYOUT NAME[=REPOSITORY:TAG]…          NAME is a tag of the layout; else it goes to NAME:latest
#   registry.sh stop PORT
# Without --tls plain HTTP. With it: DIR/ca.crt is the authority, names localhost, registry.test, 127.0.0.1 and ::1.
# --clients: nobody is let in without a certificate of that authority; DIR/client.cert and DIR/client.key are one.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Not only root runs registries (and a user inside a host of level 3 has no /run/podgen-test).
[ "$(id -u)" = 0 ] || HARNESS_RUN=${XDG_RUNTIME_DIR:-/tmp}/podgen-test

usage() {
  echo "usage: registry.sh start PORT DIR [--auth USER:PASSWORD] [--tls [--clients]] | fill PORT LAYOUT NAME[=REPOSITORY:TAG]… | stop PORT" >&2
  exit 64
}

make_certificates() {
  local dir=$1
  [ ! -f "$dir/ca.crt" ] || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=podgen test authority' \
    -keyout "$dir/ca.key" -out "$dir/ca.crt" 2> /dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -keyout "$dir/server.key" -out "$dir/server.csr" 2> /dev/null
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 3650 \
    -extfile <(echo subjectAltName=DNS:localhost,DNS:registry.test,IP:127.0.0.1,IP:::1) -out "$dir/server.crt" 2> /dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=client \
    -keyout "$dir/client.key" -out "$dir/client.csr" 2> /dev/null
  openssl x509 -req -in "$dir/client.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 3650 \
    -extfile <(echo extendedKeyUsage=clientAuth) -out "$dir/client.cert" 2> /dev/null
}

start() {
  local port=$1 dir=$2 auth="" tls="" clients=""
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      --auth) [[ ${2-} = ?*:?* ]] || usage; auth=$2; shift 2 ;;
      --tls) tls=yes; shift ;;
      --clients) clients=yes; shift ;;
      *) usage ;;
    esac
  done
  # Asked by name, so that it does without packages.sh where they are (inside a level-3 host).
  type docker-registry htpasswd openssl skopeo > /dev/null 2>&1 || "$HARNESS_DIR/packages.sh" host
  ! recall "$state.pid" > /dev/null || die "port $port is in use by a registry of ours"
  mkdir -p "$dir/data" "$HARNESS_RUN/registry"
  dir=$(cd "$dir" && pwd)
  [ -z "$tls" ] || make_certificates "$dir"
  # The registry takes bcrypt only.
  [ -z "$auth" ] || htpasswd -Bbn "${auth%%:*}" "${auth#*:}" > "$dir/htpasswd"
  {
    printf '%s\n' 'version: 0.1' 'log: {level: info, accesslog: {disabled: false}}'
    printf 'storage:\n  filesystem: {rootdirectory: "%s/data"}\n  delete: {enabled: true}\n' "$dir"
    printf 'http:\n  addr: localhost:%s\n' "$port"
    [ -z "$tls" ] || printf '  tls: {certificate: "%s/server.crt", key: "%s/server.key"%s}\n' "$dir" "$dir" "${clients:+, clientcas: [\"$dir/ca.crt\"]}"
    [ -z "$auth" ] || printf 'auth:\n  htpasswd: {realm: podgen-test, path: "%s/htpasswd"}\n' "$dir"
  } > "$dir/config.yml"
  (close_fds; exec setsid docker-registry serve "$dir/config.yml") > "$dir/log" 2>&1 < /dev/null &
  remember "$state.pid" $!
  printf '%s\n' "dir=${dir@Q}" "auth=${auth@Q}" "tls=$tls" > "$state.conf"
  wait_for 10 "the registry on port $port, see $dir/log" answers "$port" "$tls" "$dir"
}

# Any answer will do: with --auth it is 401.
answers() {
  recall "$state.pid" > /dev/null || die "the registry ended, see $dir/log"
  curl -s -o /dev/null ${2:+--insecure --cert "$3/client.cert" --key "$3/client.key"} --max-time 2 "http${2:+s}://localhost:$1/v2/"
}

fill() {
  local port=$1 layout=$2 name dir auth tls options=()
  shift 2
  [ -f "$state.conf" ] || die "no registry of ours on port $port"
  # shellcheck source=/dev/null
  . "$state.conf"
  # The certificates directory must hold only ours: skopeo takes every .key there for a client's.
  if [ -n "$tls" ]; then
    mkdir -p "$dir/trust"
    cp "$dir/ca.crt" "$dir/client.cert" "$dir/client.key" "$dir/trust/"
    options+=(--dest-cert-dir "$dir/trust")
  else
    options+=(--dest-tls-verify=false)
  fi
  [ -z "$auth" ] || options+=(--dest-creds "$auth")
  for name; do
    case $name in *=*) ;; *) name=$name=$name:latest ;; esac
    skopeo --insecure-policy copy -q --preserve-digests "${options[@]}" "oci:$layout:${name%%=*}" "docker://localhost:$port/${name#*=}"
  done
}

[ $# -ge 2 ] || usage
command=$1
shift
[[ $1 =~ ^[0-9]+$ ]] || usage
state=$HARNESS_RUN/registry/$1
case $command in
  start) start "$@" ;;
  fill) [ $# -ge 3 ] || usage; fill "$@" ;;
  stop) stop_process "$state.pid" 10; rm -f "$state.conf" ;;
  *) usage ;;
esac
