#!/bin/bash
# guest.sh FOLDER: a real small virtual machine on a tap of a bridge, protected by the real flinchd of that folder: it
# boots, is found, is probed and flooded, and keeps answering. Runs on this machine, as root, in namespaces of its own;
# the guest has the kernel of mkimage.sh and busybox, and no disk. One line a check; the status is what failed.
set -u
programs=$(cd "${1:?folder of flinchd and flinch}" && pwd) && [ -x "$programs/flinchd" ] || exit 2
here=$(cd "$(dirname "$0")" && pwd)
image=${FLINCH_VM:-$here/img}
[ -s "$image/kernel" ] || "$here/mkimage.sh" >&2 || exit 125
work=$(mktemp -d) && cd "$work" || exit 2
. "$here/checks.sh"

host=flinch-vm-$$ client=flinch-vc-$$ attacker=flinch-va-$$
pids=()
clean() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait
    for name in $host $client $attacker; do ip netns del $name 2>/dev/null; done
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM
on() { ip netns exec "$@"; }

# --- The guest: a kernel, busybox, and the modules of its card ---------------------------------------------------
mkdir -p root/{bin,modules,proc,sys,dev,www}
cp "$(command -v busybox)" root/bin/busybox
count=100
while read -r what file; do
    [ "$what" = insmod ] || continue
    cp -n "$file" "root/modules/$((count++))-${file##*/}"
done < <(for module in virtio_pci virtio_net; do
    modprobe -S "$(cat "$image/version")" -d "$image" --show-depends $module
done)
echo 'the guest answers' >root/www/index.html
cat >root/init <<'INIT'
#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
for module in /modules/*; do $bb insmod $module 2>/dev/null; done
$bb ip link set lo up
until [ -e /sys/class/net/eth0 ]; do $bb sleep 0.1; done
$bb ip addr add 10.88.0.10/24 dev eth0
$bb ip link set eth0 up
$bb httpd -h /www
while :; do $bb sleep 60; done
INIT
chmod 755 root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initramfs

# --- The host: a bridge, a client, somebody who attacks --------------------------------------------------------------
for name in $host $client $attacker; do ip netns add $name; done
for name in $host $client $attacker; do
    on $name sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
ip -n $host -b - <<EOF
link set lo up
link add br0 up type bridge forward_delay 0 stp_state 0 mcast_snooping 0
tuntap add tap100i0 mode tap
link set tap100i0 master br0 up
link add c0 up master br0 type veth peer name e0 netns $client
link add a0 up master br0 type veth peer name e0 netns $attacker
EOF
ip -n $client -b - <<<$'link set e0 up\naddr add 10.88.0.100/24 dev e0'
ip -n $attacker -b - <<<$'link set e0 up\naddr add 10.88.0.200/24 dev e0'

cat >sensor.yaml <<EOF
sensor: {name: vm, workers: 2, control: $work/flinchd.sock, state: $work/state}
guests: {from: [{file: guests.list}], learn: any}
policies: {shops: {for: [shop*], floods: {syn: {rate: 300, exit: 150, action: defend}, icmp: {rate: 300, action: throttle, pass: 50}}}}
events: {eve: $work/eve.json}
EOF
echo "shop id=100 owner=acme port=tap100i0 mac=52:54:00:00:00:10" >guests.list
ip netns exec $host "$programs/flinchd" --config sensor.yaml 2>sensor.log & pids+=($!)
waits "the sensor runs" '[ -S flinchd.sock ]' || { tail sensor.log; exit 1; }
flinch() { "$programs/flinch" "$@" --control "$work/flinchd.sock"; }
found() { flinch guests --json | jq -r ".guests[] | select(.name == \"shop\") | $1"; }
fetch() { on $client curl -s --max-time 3 http://10.88.0.10/ | grep -q 'the guest answers'; }
fetches() { # COUNT: how many of so many were answered
    local i answered=0
    for ((i = 0; i < $1; i++)); do fetch && answered=$((answered + 1)); done
    echo $answered
}

# --- It boots ------------------------------------------------------------------------------------------------------
acceleration=tcg,thread=multi
if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then acceleration=kvm; fi
ip netns exec $host timeout 900 qemu-system-x86_64 -M pc -accel $acceleration -smp 1 -m 192 -nodefaults -display none \
    -no-reboot -kernel "$image/kernel" -initrd initramfs -append "console=ttyS0 no_timer_check panic=-1 quiet mitigations=off" \
    -chardev file,id=log,path=console.log -serial chardev:log \
    -netdev tap,id=n0,ifname=tap100i0,script=no,downscript=no \
    -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:10 2>qemu.log & pids+=($!)
for i in {1..60}; do fetch && break; sleep 0.5; done
fetch; verdict "the guest boots and answers" || { tail console.log qemu.log; }
waits "it is found, on its bridge" '[ "$(found "[.state, .owner, .policy, .ports[0].bridge] | join(\" \")")" = "running acme shops br0" ]'
waits "its address is learned" '[ "$(found ".addresses[0].address")" = 10.88.0.10 ]'
is "it serves" "$(fetches 20)" 20

# --- It is probed, and flooded ---------------------------------------------------------------------------------------
on $attacker timeout 60 nmap -n -Pn -sS -T4 -p1-200 10.88.0.10 >nmap.log 2>&1
grep -q '^80/tcp *open' nmap.log; verdict "a scan finds its server"
waits "and is told of, under the guest's name" \
    'jq -es "any(.[]; .event_type == \"alert\" and (.alert.signature // \"\" | test(\"scan\")) and .flinch.guest == \"shop\")" eve.json >said'
on $attacker timeout -k 2 8 hping3 -q -S -p 80 -i u200 --rand-source 10.88.0.10 >/dev/null 2>&1 & flood=$!
sleep 2
answered=$(fetches 20)
test "$answered" -ge 19; verdict "it serves while it is flooded by nobody known: $answered of 20"
wait $flood
stopped=$(flinch status --json | jq '[.guests[] | select(.name == "shop") | .dropped.syn] | add')
test "$stopped" -gt 1000; verdict "most of the flood did not come to it: $stopped SYNs stopped"
waits "the flood is told of, under the guest's name" \
    'jq -es "any(.[]; .flinch.flood.class == \"syn\" and .flinch.guest == \"shop\")" eve.json >said'
is "and it serves when it is over" "$(fetches 20)" 20
is "nothing passed or was dropped uninspected" \
    "$(flinch status --json | jq '.uninspected | del(.passedUnbound, .droppedUnbound) | add')" 0

echo "$failures failed"
exit $failures
