# Debian's systemd as PID 1, as images for podman's systemd mode are made: /sbin/init is the command, nothing else is said.
# shellcheck shell=bash disable=SC2034

packages=(systemd-sysv dbus)
config='{"Cmd": ["/sbin/init"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}'

finish() {
  # Each container finds out who it is.
  : > "$1/etc/machine-id"
  rm -f "$1/var/lib/dbus/machine-id"
  # A service that writes where the test looks, and that has something to do at its end.
  cat > "$1/etc/systemd/system/hello.service" << 'UNIT'
[Unit]
Description=Something that systemd in a container starts and stops
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'echo stopped > /mark/stopped'
[Install]
WantedBy=multi-user.target
UNIT
  chroot "$1" systemctl enable hello.service 2> /dev/null
}
