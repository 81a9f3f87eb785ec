# topology.sh: (sourced) what diversion.sh tests on. The guest's first network namespace is the VM host.
#
#   web  10.9.0.2 ── p-web ┐
#   dns  10.9.0.3 ── p-dns ┤ v0 10.9.0.1 ── w0═w2 ── v2 ── p-far ── far 10.9.0.4
#   c    10.9.1.2 ── p-c ─── v1 10.9.1.1
#   out  10.9.2.2 ── p-out 10.9.2.1, not on a bridge
#
# web and dns also have 10.7.0.x in VLAN 7, and dns has 10.9.0.9. IPv6 (fd09::x) is off until `ipv6 0`, so that
# nothing talks unasked and packets can be counted.

in_guest() { ip netns exec "$@"; }
pings() { # GUEST|host COUNT ADDRESS
    local place=(in_guest "$1")
    [ "$1" != host ] || place=()
    "${place[@]}" ping -n -q -c "$2" -i 0.1 -W 5 "$3"
}
ipv6() { # 0 on, 1 off
    local name
    for name in web dns; do in_guest $name sysctl -qw net.ipv6.conf.e0.disable_ipv6="$1"; done
    [ "$1" = 1 ] && return
    ip -n web addr add fd09::2/64 dev e0 nodad
    ip -n dns addr add fd09::3/64 dev e0 nodad
}
forget_neighbours() { ip -n web neigh flush all; ip -n dns neigh flush all; }

guest() { # NAME BRIDGE ADDRESS GATEWAY
    ip netns add "$1"
    ip link add "p-$1" up ${2:+master $2} type veth peer name e0 netns "$1"
    ip -n "$1" -b - <<EOF
link set lo up
link set e0 up
addr add $3/24 dev e0
route add default via $4
EOF
}

build_topology() {
    # New namespaces are to have what this one has.
    sysctl -qw net.core.devconf_inherit_init_net=1 \
        net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    local options='type bridge forward_delay 0 stp_state 0 mcast_snooping 0'
    ip -b - <<EOF
link add v0 up $options
link add v1 up $options
link add v2 up $options
addr add 10.9.0.1/24 dev v0
addr add 10.9.1.1/24 dev v1
link add w0 up master v0 type veth peer name w2
link set w2 up master v2
EOF
    guest web v0 10.9.0.2 10.9.0.1
    guest dns v0 10.9.0.3 10.9.0.1
    guest c v1 10.9.1.2 10.9.1.1
    guest far v2 10.9.0.4 10.9.0.1
    guest out "" 10.9.2.2 10.9.2.1
    ip addr add 10.9.2.1/24 dev p-out
    sysctl -qw net.ipv4.ip_forward=1
    ip -n dns addr add 10.9.0.9/24 dev e0
    local name
    for name in web:2 dns:3; do
        ip -n ${name%:*} -b - <<EOF
link add link e0 name e0.7 up type vlan id 7
addr add 10.7.0.${name#*:}/24 dev e0.7
EOF
    done
    nft 'add table bridge foreign
        add chain bridge foreign c { type filter hook forward priority 0; }
        add rule bridge foreign c meta mark 0x7 drop'
    in_guest out true || { echo "FAIL the topology cannot be built"; exit 1; }
    # Interfaces that were made before keep their own switch. Router solicitations would count.
    local name
    for name in web dns c out far; do
        in_guest $name sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    done
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1
}
