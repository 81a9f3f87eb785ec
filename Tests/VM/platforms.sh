#!/bin/bash
# platforms.sh FOLDER: guests that are found, and bridges as platforms build them, with the bridge family's rules and the
# real flinchd and flinch of that folder. Runs inside runvm.sh's guest, as diversion.sh does.
set -u
programs=$(cd "${1:?folder of flinchd and flinch}" && pwd) && [ -x "$programs/flinchd" ] || exit 2
here=$(cd "$(dirname "$0")" && pwd)
[ -d /run/vm ] || { echo "platforms.sh: run it by runvm.sh: it changes the rules of its machine" >&2; exit 2; }
cd "$(mktemp -d)" || exit 2
. "$here/topology.sh"
. "$here/checks.sh"

write_rules
build_topology

found() { # NAME FIELD: of flinch guests --json
    flinch guests --json | jq -r ".guests[] | select(.name == \"$1\") | $2"
}
addresses() { found "$1" '[.addresses[] | "\(.address) \(.known)"] | sort | join(", ")'; }
mac() { in_guest "$1" cat /sys/class/net/e0/address; }

# --- What ARP and neighbour discovery tell ---------------------------------------------------------------------
cat >guests.list <<EOF
web port=p-web mac=$(mac web) address=10.9.0.2
dns port=p-dns mac=$(mac dns)
EOF
start_sensor bridges= arp=inspect 'guests={from: [{file: guests.list}]}'
is "the bridge family is chosen" "$(status .backend)" bridge
is "what is pinned is known" "$(addresses web)" "10.9.0.2 pinned"
is "what is not is not" "$(addresses dns)" ""
forget_neighbours
does "dns asks for web" pings dns 3 10.9.0.2
waits "its address is learned from ARP" '[[ $(addresses dns) == "10.9.0.3 claimed"* ]]'
waits "and it is counted for" 'status ".guests[] | select(.name == \"dns\") | .address" | grep -q 10.9.0.3'
ipv6 0
sleep 2
does "dns asks for web by IPv6" pings dns 3 fd09::2
waits "its address is learned from neighbour discovery" '[[ $(addresses dns) == *"fd09::3 claimed"* ]]'
ipv6 1
before=$(addresses dns)
in_guest dns trafgen --in - --out e0 --cpus 1 --num 5 --gap 10ms --no-sock-mem --no-cpu-stats >said 2>&1 <<EOF
{ eth(da=$(cat /sys/class/net/v0/address), sa=$(mac dns)), arp(reply, smac=$(mac dns), sip=10.9.0.2, tmac=$(mac dns), tip=10.9.0.1) }
EOF
waits "who claims a pinned address is told" \
    'jq -es "any(.[]; .anomaly.event == \"guest.address_spoofed\" and .in_iface == \"p-dns\")" eve.json >said'
is "and does not get it" "$(addresses dns)" "$before"
is "its owner keeps it" "$(addresses web)" "10.9.0.2 pinned, fd09::2 claimed"
stop_sensor

# From here on ARP passes beside the queues: who asks for whom, and when, is the kernel's affair, and packets are counted.
start_sensor bridges= 'guests={from: [{file: guests.list}]}'

# --- br_netfilter, as Docker turns it on ------------------------------------------------------------------------
if modprobe br_netfilter 2>/dev/null || [ -d /proc/sys/net/bridge ]; then
    sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
    nft add table ip docker
    nft 'add chain ip docker forward { type filter hook forward priority 0; policy accept; }'
    nft 'add rule ip docker forward counter ct state established,related accept'
    counts "with br_netfilter, once" 6 pings web 3 10.9.0.3
    nft delete table ip docker
    sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
else
    echo "FAIL this kernel has no br_netfilter to try"; failures=$((failures + 1))
fi

# --- A bridge that knows VLANs ----------------------------------------------------------------------------------
ip link set v0 type bridge vlan_filtering 1
for port in p-web p-dns; do bridge vlan del dev $port vid 1 && bridge vlan add dev $port vid 30 pvid untagged; done
counts "in a VLAN of the bridge, once" 6 pings web 3 10.9.0.3
fails "and out of it nothing" pings web 1 10.9.0.1
for port in p-web p-dns; do bridge vlan del dev $port vid 30 && bridge vlan add dev $port vid 1 pvid untagged; done
ip link set v0 type bridge vlan_filtering 0

# --- A bond is a port like any other ----------------------------------------------------------------------------
modprobe bonding max_bonds=0
ip netns add up
# What comes up there would ask for routers, and be counted.
in_guest up sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -b - <<EOF
link add s0 type veth peer name u0 netns up
link add s1 type veth peer name u1 netns up
link add bond0 type bond mode active-backup miimon 100
link set s0 master bond0
link set s1 master bond0
link set bond0 master v0 up
EOF
ip -n up -b - <<EOF
link add ub up type bridge forward_delay 0 stp_state 0 mcast_snooping 0
link set u0 master ub up
link set u1 master ub up
addr add 10.9.0.8/24 dev ub
EOF
waits "a bond carries" "pings web 1 10.9.0.8 >said"
counts "by a bond, once" 6 pings web 3 10.9.0.8
active=$(cat /sys/class/net/bond0/bonding/active_slave)
ip link set "$active" down
waits "its other member takes over" '[ "$(cat /sys/class/net/bond0/bonding/active_slave)" != "$active" ]'
waits "and carries" "pings web 1 10.9.0.8 >said"
counts "by its other member, once" 6 pings web 3 10.9.0.8
ip link del bond0
ip netns del up

# --- Proxmox VE: a bridge of the card's own ---------------------------------------------------------------------
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip -b - <<EOF
link set p-web down
link set p-web name tap100i0
link add fwbr100i0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
link add fwpr100p0 type veth peer name fwln100i0
link set fwpr100p0 master v0 up
link set fwln100i0 master fwbr100i0 up
link set tap100i0 master fwbr100i0 up
link set fwbr100i0 up
EOF
echo "web id=100 port=tap100i0 port=fwpr100p0 mac=$(mac web) address=10.9.0.2" >guests.list
echo "dns port=p-dns mac=$(mac dns)" >>guests.list
waits "the guest is found there" '[ "$(found web ".ports[0].bridge")" = fwbr100i0 ]'
forget_neighbours
pings web 1 10.9.0.3 >/dev/null
counts "through the firewall's bridge and vmbr0, once" 6 pings web 3 10.9.0.3
counts "and back" 6 pings dns 3 10.9.0.2
# proxmox-firewall loads its tables anew each few seconds (proxmox-firewall: config/firewall, nftables).
cat >proxmox.nft <<EOF
add table inet proxmox-firewall
add table bridge proxmox-firewall-guests
delete table inet proxmox-firewall
delete table bridge proxmox-firewall-guests
table inet proxmox-firewall {
    chain forward { type filter hook forward priority filter; policy accept; ct state established,related accept; }
}
table bridge proxmox-firewall-guests {
    chain vm-out { type filter hook prerouting priority 0; policy accept; iifname "tap100i0" ether type arp accept; }
    chain vm-in { type filter hook postrouting priority 0; policy accept; oifname "tap100i0" accept; }
}
EOF
for round in 1 2; do
    does "its nftables firewall is loaded, $round" nft -f proxmox.nft
    counts "with it, once" 6 pings web 3 10.9.0.3
done
is "nothing passed or was dropped uninspected" "$(uninspected)" 0
stop_sensor

# --- flinch setup -------------------------------------------------------------------------------------------------
does "setup says what is there" says "v0 " flinch setup --dry-run --no-start --config setup/flinch.yaml
fails "and wrote nothing" test -e setup
does "setup does it" flinch setup --yes --no-start --config setup/flinch.yaml
does "and the configuration is right" flinch config check setup/flinch.yaml
does "it has nothing more to do" says "all is as proposed" flinch setup --yes --no-start --config setup/flinch.yaml

# --- Open vSwitch ------------------------------------------------------------------------------------------------
# Its packets pass no bridge of the kernel: its ports are known as such, and it is said what to do.
ovs=${FLINCH_VM:-$here/img}/ovs
export OVS_RUNDIR=$PWD OVS_LOGDIR=$PWD LD_LIBRARY_PATH=$ovs/usr/lib/x86_64-linux-gnu
"$ovs/usr/bin/ovsdb-tool" create conf.db "$ovs/usr/share/openvswitch/vswitch.ovsschema"
"$ovs/usr/sbin/ovsdb-server" --detach --remote="punix:$PWD/db.sock" --pidfile conf.db 2>>ovs.log
vsctl() { "$ovs/usr/bin/ovs-vsctl" --db="unix:$PWD/db.sock" --timeout=20 "$@"; }
modprobe openvswitch
vsctl --no-wait init
"$ovs/usr/lib/openvswitch-switch/ovs-vswitchd" --detach --pidfile "unix:$PWD/db.sock" 2>>ovs.log
ip netns add cloud
ip link add tap9 up type veth peer name e0 netns cloud
does "Open vSwitch has a bridge and a port" vsctl add-br ovs0 -- add-port ovs0 tap9
unset LD_LIBRARY_PATH
does "setup says that the port is its" says "Open vSwitch has tap9" flinch setup --dry-run --no-start --config ovs/flinch.yaml
does "and what to do" says "by a mirror (flinch mirror)" flinch setup --dry-run --no-start --config ovs/flinch.yaml
echo "cloud port=tap9" >guests.list
start_sensor bridges=v0 'guests={from: [{file: guests.list}]}'
is "a guest there is known as one that cannot be filtered" "$(found cloud .state)" openvswitch
stop_sensor

echo "$failures failed"
exit $failures
