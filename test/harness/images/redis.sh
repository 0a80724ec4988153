# redis as a user of its own (not root), working in the volume /data.
# shellcheck shell=bash disable=SC2034

packages=(redis-server)
config='{
  "User": "redis",
  "WorkingDir": "/data",
  "Entrypoint": ["redis-server"],
  "Cmd": ["--dir", "/data", "--bind", "*", "-::*", "--protected-mode", "no"],
  "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  "ExposedPorts": {"6379/tcp": {}},
  "Volumes": {"/data": {}}
}'

finish() {
  install -d -m 755 "$1/data"
  chroot "$1" chown redis:redis /data
}
