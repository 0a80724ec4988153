# The uplink of a level-3 host: a veth pair between two network namespaces of ours. Sourced by host.sh; uses $name.
# shellcheck shell=bash disable=SC2154

in_up() { ip netns exec "podgen-$name-up" "$@"; }
in_host() { ip netns exec "podgen-$name" "$@"; }

# Both ends in namespaces of ours; they outlive the container, so a reboot finds its uplink again.
make_uplink() {
  ip netns add "podgen-$name"
  ip netns add "podgen-$name-up"
  ip -n "podgen-$name" link add host0 type veth peer name up0 netns "podgen-$name-up"
  in_up sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.up0.accept_dad=0
  # A refusal is to come at once, always.
  in_up sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
  in_host sysctl -qw net.ipv6.conf.host0.accept_dad=0
  ip -n "podgen-$name-up" address add 10.99.0.1/24 dev up0
  ip -n "podgen-$name-up" address add fd99::1/64 dev up0
  ip -n "podgen-$name-up" link set lo up
  ip -n "podgen-$name-up" link set up0 up
  ip -n "podgen-$name" address add 10.99.0.2/24 dev host0
  ip -n "podgen-$name" address add fd99::2/64 dev host0
  ip -n "podgen-$name" link set lo up
  ip -n "podgen-$name" link set host0 up
  ip -n "podgen-$name" route add default via 10.99.0.1
  ip -n "podgen-$name" route add default via fd99::1
}

drop_uplink() {
  ip netns delete "podgen-$name" 2> /dev/null || true
  ip netns delete "podgen-$name-up" 2> /dev/null || true
}
