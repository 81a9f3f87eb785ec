# checks.sh: (sourced) the checks of diversion.sh, and the sensor they are made on.
. "$here/stuck.sh"
failures=0
sensor=

verdict() { # WHAT, after a test. What WHAT itself runs must not be between: it is the test's status that counts
    if [ $? = 0 ]; then echo "ok   $1"; else echo "FAIL $1"; failures=$((failures + 1)); fi
}
is() { # WHAT VALUE WANTED
    local what=$1
    [ "$2" = "$3" ] || what="$1: $2 instead of $3"
    [ "$2" = "$3" ]
    verdict "$what"
    [ "$2" = "$3" ]
}
does() { local what=$1; shift; "$@" >said 2>&1; verdict "$what"; }
fails() { local what=$1; shift; ! "$@" >said 2>&1; verdict "$what"; }
says() { local text=$1; shift; "$@" 2>&1 | tee said | grep -q "$text"; }
waits() { # WHAT CONDITION: five seconds for it to become true
    local i
    for i in {1..20}; do eval "$2" && break; sleep 0.25; done
    eval "$2"
    verdict "$1"
}
counts() { # WHAT PACKETS COMMAND…: the command succeeds, and that many packets were queued
    local what=$1 wanted=$2 before
    shift 2
    before=$(queued)
    if ! "$@" >said 2>&1; then
        is "$what" "$(tail -n 2 said)" "an answer to each"
        return
    fi
    what="$what: $wanted packets"
    is "$what" $(($(queued) - before)) "$wanted" || cat said
}

flinch() { "$programs/flinch" "$@"; }
status() { flinch status --json | jq -r "$1"; }
uninspected() { status '.uninspected | del(.passedUnbound, .droppedUnbound) | add'; }
received() { sleep 0.3; status '[.queues[].packets] | add'; } # Published ten times a second.
counter() { # NAME [bytes]
    nft -j list counter bridge flinch "$1" | jq ".nftables[] | .counter // empty | .${2:-packets}"
}
# From the kernel's queues, summed: packets that wait for a verdict, and packets that were ever queued.
waiting() { column 3; }
queued() { column 8; }
column() {
    local fields sum=0
    while read -ra fields; do sum=$((sum + fields[$1 - 1])); done </proc/net/netfilter/nfnetlink_queue
    echo $sum
}
alerts() { # CONDITION: whether an alert of a ping meets it; events are written a little later
    local i
    for i in {1..20}; do
        jq -es "any(.[]; .event_type == \"alert\" and .alert.signature_id == 1 and ($1))" eve.json >found && break
        sleep 0.25
    done
    cat found
}

write_rules() {
    echo 'alert icmp any any -> any any (msg:"ping"; itype:8; sid:1; rev:1;)' >ping.rules
}
start_sensor() { # NAME=VALUE…
    local bridges=v0 stopped=pass overloaded=pass arp=pass exclude= only= guest= guests= length=16384 floods=
    [ $# = 0 ] || local "$@"
    [ -n "$guests" ] || guests="[{name: web, addresses: [10.9.0.2, \"fd09::2\"]$guest}]"
    cat >sensor.yaml <<EOF
sensor: {name: vm, workers: 2, control: /run/flinch/flinchd.sock}
queues: {first: 0, length: $length}
divert: {backend: auto, bridges: [${bridges//,/, }], when-stopped: $stopped, when-overloaded: $overloaded, arp: $arp, other-protocols: pass, exclude: [$exclude], only: [$only]}
floods: {$floods}
guests: $guests
rules: {files: [ping.rules]}
events: {eve: $PWD/eve.json}
EOF
    mkdir -p /run/flinch
    rm -f /run/flinch/flinchd.sock # Left by one that was killed.
    "$programs/flinchd" --config sensor.yaml 2>>sensor.log &
    sensor=$!
    local until=$((SECONDS + 60))
    while [ $SECONDS -lt $until ]; do
        # It answers when all is ready.
        [ -S /run/flinch/flinchd.sock ] && flinch status >/dev/null 2>&1 && return
        kill -0 $sensor 2>/dev/null || break
        sleep 0.1
    done
    echo "FAIL the sensor does not start:"
    stuck $sensor
    tail -n 20 sensor.log
    exit 1
}
stop_sensor() { # Returns how it ended.
    local until=$((SECONDS + 60))
    kill -TERM $sensor
    while kill -0 $sensor 2>/dev/null; do
        if [ $SECONDS -ge $until ]; then
            echo "FAIL the sensor does not stop:"
            stuck $sensor
            tail -n 20 sensor.log
            exit 1
        fi
        sleep 0.1
    done
    wait $sensor
}
kill_sensor() { kill -KILL $sensor; wait $sensor 2>/dev/null; }
