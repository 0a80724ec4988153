# nginx as the official image has it: root master, www-data workers, logs to /dev/stdout and /dev/stderr, SIGQUIT.
# shellcheck shell=bash disable=SC2034

packages=(nginx-light)
config='{
  "Entrypoint": ["/docker-entrypoint.sh"],
  "Cmd": ["nginx", "-g", "daemon off;"],
  "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_ENTRYPOINT_QUIET_LOGS=1"],
  "ExposedPorts": {"80/tcp": {}},
  "StopSignal": "SIGQUIT",
  "Labels": {"maintainer": "podgen tests"}
}'

finish() {
  local root=$1
  ln -sf /dev/stdout "$root/var/log/nginx/access.log"
  ln -sf /dev/stderr "$root/var/log/nginx/error.log"
  rm "$root/etc/nginx/sites-enabled/default"
  mkdir -p "$root/usr/share/nginx/html" "$root/docker-entrypoint.d"
  echo '<h1>Welcome to nginx!</h1>' > "$root/usr/share/nginx/html/index.html"
  cat > "$root/etc/nginx/conf.d/default.conf" << 'CONF'
server {
    listen 80;
    listen [::]:80;
    # What the client's address is here: the tests ask.
    location = /whoami { default_type text/plain; return 200 "$remote_addr $remote_port\n"; }
    location = /env { default_type text/plain; return 200 "$hostname $pid\n"; }
    location / { root /usr/share/nginx/html; index index.html; }
}
CONF
  cat > "$root/docker-entrypoint.sh" << 'SCRIPT'
#!/bin/sh
# Runs what is in /docker-entrypoint.d, then becomes the command.
set -e
for script in /docker-entrypoint.d/*.sh; do
  [ ! -x "$script" ] || "$script"
done
# Without IPv6 nginx would refuse to listen on [::].
[ -f /proc/net/if_inet6 ] || sed -i '/listen \[::\]/d' /etc/nginx/conf.d/default.conf
exec "$@"
SCRIPT
  chmod 755 "$root/docker-entrypoint.sh"
}
