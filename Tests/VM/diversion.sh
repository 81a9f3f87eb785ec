#!/bin/bash
# diversion.sh FOLDER: checks the bridge family's rules with the real flinchd and flinch of that folder.
# Runs inside runvm.sh's guest, on a stock kernel: it builds bridges and changes rules of the machine it is on.
# One line a check, `ok …` or `FAIL …`; the exit status is the number of failures.
set -u
programs=$(cd "${1:?folder of flinchd and flinch}" && pwd) && [ -x "$programs/flinchd" ] || exit 2
here=$(cd "$(dirname "$0")" && pwd)
[ -d /run/vm ] || { echo "diversion.sh: run it by runvm.sh: it changes the rules of its machine" >&2; exit 2; }
cd "$(mktemp -d)" || exit 2
. "$here/topology.sh"
. "$here/checks.sh"

write_rules
build_topology

# --- What is diverted, and that it is diverted once ------------------------------------------------------
start_sensor bridges=v0,v1,v2 exclude=10.9.0.9
is "the bridge family is chosen" "$(status .backend)" bridge
is "the rules say so" "$(nft list table bridge flinch | grep -c 'queue flags bypass to symhash mod 2$')" 1

counts "bridged, both directions" 10 pings web 5 10.9.0.3
# Early: the sensor writes twenty alerts of a rule in ten seconds, and counts the others.
counts "with a VLAN tag" 6 pings web 3 10.7.0.3
counts "routed from bridge to bridge" 6 pings web 3 10.9.1.2
counts "routed to an uplink" 6 pings web 3 10.9.2.2
counts "routed from an uplink" 6 pings out 3 10.9.0.2
counts "guest to host" 6 pings web 3 10.9.0.1
counts "host to guest" 6 pings host 3 10.9.0.2
counts "through two bridges" 6 pings web 3 10.9.0.4
counts "host through two bridges" 6 pings host 3 10.9.0.4
counts "host to itself" 0 pings host 3 10.9.0.1
before=$(counter excluded)
counts "an excluded address" 0 pings web 3 10.9.0.9
is "excluded packets are counted" $(($(counter excluded) - before)) 6
timeout 60 tcpdump -ni v0 -w /dev/null 2>/dev/null &
capture=$!
waits "a capture on the bridge" "ip -d link show v0 | grep -q 'promiscuity [1-9]'"
counts "while somebody captures on the bridge" 6 pings web 3 10.9.0.3
kill $capture 2>/dev/null
wait $capture 2>/dev/null
is "the sensor received all that was queued" "$(received)" "$(queued)"

ipv6 0
sleep 2 # Duplicate address detection, where the kernel insists on it.
in_guest web ip -6 neigh flush all
before=$(queued)
does "IPv6 and its neighbour discovery pass" pings web 3 fd09::3
more=$(($(queued) - before))
test $more -ge 8; verdict "neighbour discovery is inspected: $more packets"
ipv6 1

is "alerts name the port" "$(alerts '.in_iface == "p-web" and (.vlan | not)')" true
is "alerts name the VLAN" "$(alerts '.in_iface == "p-web" and .vlan == [7]')" true

# --- Bulk traffic -----------------------------------------------------------------------------------------
in_guest dns iperf3 -s -1 -p 5201 >/dev/null & server=$!
waits "iperf3 listens" 'in_guest dns ss -Hltn | grep -q :5201'
before=$(queued) bytes=$(counter diverted bytes)
does "bulk TCP arrives" in_guest web timeout 120 iperf3 -c 10.9.0.3 -p 5201 -n 8M --connect-timeout 5000
kill $server 2>/dev/null; wait $server 2>/dev/null
# Halved by acknowledgements, still above what one packet on the wire can be.
size=$((($(counter diverted bytes) - bytes) / ($(queued) - before)))
test $size -gt 1500; verdict "packets come before segmentation: $size bytes a packet"
is "nothing passed or was dropped uninspected" "$(uninspected)" 0

# --- Install again, install other rules ----------------------------------------------------------------------
rules=$(nft -a list ruleset | grep -v packets)
does "installing again changes nothing" says "already installed" flinch divert install --config sensor.yaml
is "the same rules, handles and all" "$(nft -a list ruleset | grep -v packets)" "$rules"
before=$(counter diverted)
test "$before" -gt 0; verdict "counters are kept: $before"

sed 's/v0, v1, v2/v0/' sensor.yaml >other.yaml
kill -STOP $sensor
in_guest web ping -n -c 5 -i 0.2 -W 30 10.9.0.3 >said & pinging=$!
waits "packets wait for a sensor that was stopped" '[ "$(waiting)" -ge 5 ]'
does "other rules replace them" says "replaced" flinch divert install --config other.yaml
is "what waited is still there" "$(waiting)" 5
kill -CONT $sensor
wait $pinging
is "and gets its verdict" "$(grep -o '[0-9]* received' said)" "5 received"

# --- The sensor stops -------------------------------------------------------------------------------------
kill_sensor
does "after kill -9 traffic passes" pings web 3 10.9.0.3
start_sensor bridges=v0
# The one that was killed had accounted for its packets up to a second before.
passed=$(status .uninspected.passedUnbound)
test "$passed" -ge 6 -a "$passed" -le 30; verdict "and the next sensor counts it: $passed packets"
foreign=$(nft list table bridge foreign)
stop_sensor
is "SIGTERM ends with status" $? 0
is "rules are gone, those of others are not" "$(nft list ruleset)" "$foreign"
does "traffic passes" pings web 3 10.9.0.3

start_sensor bridges=v0 stopped=drop
does "with drop, traffic passes while the sensor runs" pings web 3 10.9.0.3
kill_sensor
fails "after kill -9 it does not" pings web 3 10.9.0.3
does "flinch divert remove" flinch divert remove
does "lets it pass again" pings web 3 10.9.0.3
is "and leaves the rules of others" "$(nft list ruleset)" "$foreign"

# --- What is not looked at ----------------------------------------------------------------------------------
start_sensor bridges=v0,v1,v2 'exclude="vlan:7", "port:p-c", [web, 10.9.0.4]'
before=$(counter excluded)
counts "in an excluded VLAN" 0 pings web 3 10.7.0.3
counts "by an excluded port" 0 pings c 3 10.9.1.1
counts "an excluded pair" 0 pings web 3 10.9.0.4
test $(($(counter excluded) - before)) -ge 18; verdict "they are counted as excluded"
counts "one of the pair with another" 6 pings web 3 10.9.0.3
# A bridge that knows VLANs gives the frames of a port without a tag one, and takes it away on the way out.
ip link set v0 type bridge vlan_filtering 1
bridge vlan add dev p-web vid 7 && bridge vlan del dev p-dns vid 1 && bridge vlan add dev p-dns vid 7 pvid untagged
ip -n dns addr add 10.7.0.33/24 dev e0
counts "a VLAN that one end sees without its tag" 0 pings web 3 10.7.0.33
ip -n dns addr del 10.7.0.33/24 dev e0
bridge vlan del dev p-dns vid 7 && bridge vlan add dev p-dns vid 1 pvid untagged
ip link set v0 type bridge vlan_filtering 0
stop_sensor
start_sensor bridges=v0,v1,v2 'only=10.9.1.2, "vlan:7"'
counts "not included" 0 pings web 3 10.9.0.3
counts "an included address" 6 pings c 3 10.9.1.1
counts "an included VLAN" 6 pings web 3 10.7.0.3
stop_sensor

# --- The sensor is overloaded ------------------------------------------------------------------------------
# More than fits into the queue. What waits there counts against ping's send buffer: a larger one.
burst() { in_guest web ping -n -c 60 -i 0.02 -W 1 -S 200000 10.9.0.3; }

start_sensor bridges=v0 length=16
kill -STOP $sensor
answered=$(burst | grep -o '[0-9]* received' | cut -d' ' -f1)
test "$answered" -ge 40; verdict "overloaded, set to pass: $answered of 60 answered past a full queue"
kill -CONT $sensor
waits "they are counted as passed" '[ "$(status .uninspected.passedOverload)" -ge 40 ]'
stop_sensor

start_sensor bridges=v0 length=16 overloaded=drop
kill -STOP $sensor
fails "overloaded, set to drop: nothing is answered" burst
kill -CONT $sensor
waits "they are counted as dropped" '[ "$(status .uninspected.droppedQueueFull)" -ge 40 ]'
stop_sensor

# --- A flood is dropped by the kernel ----------------------------------------------------------------------
kernel_drops() { status '.verdicts.byReason["flood, by the kernel"] // 0'; }
flood() { # GUEST OPTION… ADDRESS: until the kernel has dropped more than 500 more, half a minute at most
    local guest=$1 more=0 before i flood
    shift
    before=$(counter flood_dropped)
    # Not by in_guest: a function's process is a shell, and what it runs would go on.
    ip netns exec "$guest" timeout -k 2 30 hping3 -q --icmp -i u1000 "$@" >/dev/null 2>&1 & flood=$!
    for i in {1..50}; do
        sleep 0.5
        more=$(($(counter flood_dropped) - before))
        [ $more -le 500 ] || break
    done
    kill $flood
    wait $flood
    [ $more -gt 500 ]
}
start_sensor bridges=v0 "floods=icmp: {rate: 100, exit: 50, action: defend, pass: 20}"
flood dns --rand-source 10.9.0.2; verdict "the kernel drops most of a flood from nobody known"
waits "the sensor counts them" '[ "$(kernel_drops)" = "$(counter flood_dropped)" ]'
is "nothing passed uninspected" "$(uninspected)" 0
# Whom the guest itself asks has proved himself when he answers.
does "the guest is answered by whom it asks" pings web 3 10.9.0.1
stop_sensor

start_sensor bridges=v0 "floods=icmp: {rate: 100, exit: 50, action: deny}"
flood dns 10.9.0.2; verdict "a deny that lasts is the kernel's"
flood out 10.9.0.2; verdict "and so is one of what this host routes"
kill_sensor
fails "after kill -9 it holds for a moment" pings dns 1 10.9.0.2
sleep 6
does "and then all passes" pings dns 3 10.9.0.2
flinch divert remove >/dev/null

# --- What is not IP ---------------------------------------------------------------------------------------
start_sensor bridges=v0 arp=drop
forget_neighbours
fails "ARP set to drop: no neighbour is found" pings web 1 10.9.0.3
test "$(counter nonip_dropped)" -gt 0; verdict "dropped frames are counted"
stop_sensor
start_sensor bridges=v0 arp=inspect
forget_neighbours
before=$(queued)
does "ARP set to inspect: it passes" pings web 3 10.9.0.3
more=$(($(queued) - before))
test $more -ge 8; verdict "and is inspected: $more packets"
stop_sensor

# --- A guest that says that it is another, where ARP comes up ------------------------------------------------
spoof() { # SENDER: five ARP answers of web to the host, for SENDER's address
    in_guest web trafgen --in - --out e0 --cpus 1 --num 5 --gap 10ms --no-sock-mem --no-cpu-stats >said 2>&1 <<EOF
{ eth(da=$(cat /sys/class/net/v0/address), sa=$web), arp(reply, smac=$web, sip=$1, tmac=$web, tip=10.9.0.1) }
EOF
}
spoofed() { status '.verdicts.byReason.spoofed // 0'; }
web=$(in_guest web cat /sys/class/net/e0/address)
start_sensor bridges=v0 arp=inspect 'guest=, port: p-web, conformance: {"guest.*": drop}'
forget_neighbours
does "its own ARP passes" pings web 3 10.9.0.3
spoof 10.9.0.2
is "its own address is not told" "$(spoofed)" 0
spoof 10.9.0.3
waits "another's is stopped" '[ "$(spoofed)" = 5 ]'
waits "and named" 'jq -es "any(.[]; .anomaly.event == \"guest.address_spoofed\" and .in_iface == \"p-web\")" eve.json >said'
test "$(ip neigh show 10.9.0.3 | grep -c "$web")" = 0; verdict "the host believes nothing of it"
stop_sensor

echo "$failures failed"
exit $failures
