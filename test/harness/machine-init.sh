#!/bin/sh
# PID 1 of the small machine of level 4: cgroup2 with all controllers (or those of cgroup v1), swap, and nothing else around the agent.
export PATH=/bin

# The first root file system cannot be left by pivot_root(2), which containers do.
if [ ! -e /moved ]; then
  /bin/busybox mkdir /new
  /bin/busybox mount -t tmpfs -o mode=755 tmpfs /new
  /bin/busybox cp -a /bin /etc /init /overlay.ko /rootfs /tests /new
  /bin/busybox mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp /new/root
  /bin/busybox touch /new/moved
  exec /bin/busybox switch_root /new /init
fi
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
if grep -qw podgen.cgroups=v1 /proc/cmdline; then
  mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
  sed '/^#/d; s/\t.*//' /proc/cgroups | while read -r controller; do
    mkdir "/sys/fs/cgroup/$controller"
    # What this kernel has for cgroup2 alone (memory, cpuset) is not there.
    mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller" 2> /dev/null || rmdir "/sys/fs/cgroup/$controller"
  done
else
  mount -t cgroup2 cgroup /sys/fs/cgroup
fi
chmod 1777 /tmp
insmod /overlay.ko
mount --make-rshared /
hostname machine
ip link set lo up
# A module in other kernels than the one for clouds.
[ ! -b /dev/nvme0n1 ] || { mkswap /dev/nvme0n1 > /dev/null && swapon /dev/nvme0n1; }
if grep -qw podgen.shell /proc/cmdline; then setsid cttyhack sh; else sh /bin/machine-agent.sh; fi
poweroff -f
