#!/bin/bash
# runvm.sh [-t SECONDS] [-m MIB] COMMAND…: runs the command as root on a stock Debian kernel in QEMU.
#
# The guest sees this machine's files at their own paths; what it writes is lost, but for the working
# directory, which is shared both ways. It has no network but what the command builds. Standard output and
# error come out here together; the exit status is the command's, 124 when it took too long (then what it waited for
# comes out too), 125 when the guest died. KVM where the machine has it (FLINCH_VM_ACCEL=kvm or tcg decides
# otherwise), else emulation. A guest whose kernel stands still is the emulator's fault: it is tried once more.
set -u
here=$(cd "$(dirname "$0")" && pwd)
image=${FLINCH_VM:-$here/img}
seconds=1500 memory=1024
while getopts t:m: option; do
    case $option in
    t) seconds=$OPTARG ;;
    m) memory=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,9s/^# \?//p' "$0"; exit 2; }
if [ ! -s "$image/kernel" ] || [ ! "$image/initramfs" -nt "$here/init" ] || [ ! -d "$image/ovs" ]; then
    "$here/mkimage.sh" >&2 || exit 125
fi

run=$(mktemp -d)
trap '[ ! -s "$run/pid" ] || kill "$(cat "$run/pid")"; rm -rf "$run"' EXIT
printf 'IMAGE=%q WORK=%q\n' "$image" "$PWD" >"$run/variables"
{
    printf 'export PATH=%q HOME=/root TERM=dumb FLINCH_VM=%q\n' "$PATH" "$image"
    [ -z "${LD_LIBRARY_PATH-}" ] || printf 'export LD_LIBRARY_PATH=%q\n' "$LD_LIBRARY_PATH"
    printf 'cd %q\n' "$PWD"
    echo 'while echo >/run/vm/alive; do sleep 2; done 2>/dev/null &'
    # Before the time is up, who waits for what.
    printf '(sleep %d; . %q; stuck >/run/vm/stuck) &\n' $((seconds - 60)) "$here/stuck.sh"
    # Through a virtio port, because a console is slow. What the command leaves running gets two seconds.
    echo 'exec 3> >(exec cat >/dev/vport0p1); writer=$!'
    printf '('
    printf ' %q' "$@"
    printf ') </dev/null >&3 2>&1 3>&-\n'
    echo 'echo $? >/run/vm/status; exec 3>&-'
    echo 'for i in {1..40}; do kill -0 $writer || break; sleep 0.05; done 2>/dev/null'
    echo 'sync; echo b >/proc/sysrq-trigger' # -no-reboot: QEMU ends.
} >"$run/main"

acceleration=${FLINCH_VM_ACCEL:-}
if [ -z "$acceleration" ]; then
    # /dev/kvm alone says little: nested guests may have it without the processor's support.
    if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then acceleration=kvm; else acceleration=tcg; fi
fi
case $acceleration in
kvm) processor=(-accel kvm -cpu host) ;;
*) processor=(-accel tcg,thread=multi -cpu max) ;;
esac

share() { echo "local,path=$1,mount_tag=$2,security_model=none,multidevs=remap,id=$2$3"; }
start() { # The guest, to its end; how QEMU ended is in $ended.
    rm -f "$run"/{status,stuck,still,out} && : >"$run/alive"
    # Through a pipe: QEMU would empty a file.
    mkfifo "$run/out"
    cat "$run/out" & local reader=$!
    timeout --foreground "$seconds" qemu-system-x86_64 -M pc "${processor[@]}" -smp 2 -m "$memory" \
        -nodefaults -display none -no-reboot -kernel "$image/kernel" -initrd "$image/initramfs" \
        -append "console=ttyS0 no_timer_check panic=-1 quiet mitigations=off random.trust_cpu=1" \
        -chardev file,id=log,path="$run/log" -serial chardev:log -pidfile "$run/pid" \
        -chardev file,id=out,path=/dev/stdout -device virtio-serial -device virtserialport,chardev=out,nr=1 \
        -virtfs "$(share / root ,readonly=on)" -virtfs "$(share "$run" run "")" \
        -virtfs "$(share "$PWD" work "")" >"$run/out" &
    local guest=$!
    while kill -0 $guest 2>/dev/null; do
        sleep 1
        if [ $(($(date +%s) - $(stat -c %Y "$run/alive"))) -gt $patience ]; then
            : >"$run/still"
            kill -KILL "$(cat "$run/pid")"
            break
        fi
    done
    wait $guest 2>/dev/null
    ended=$?
    wait $reader
}

# A guest that has nothing to do still says every two seconds that it is there.
patience=90
start
if [ -e "$run/still" ]; then
    echo "runvm: the guest stood still for $patience s; once more. The end of its console:" >&2
    tail -n 30 "$run/log" >&2
    start
fi
[ -s "$run/status" ] && exit "$(cat "$run/status")"
if [ $ended = 124 ]; then
    echo "runvm: stopped after $seconds s" >&2
    cat "$run/stuck" >&2
    exit 124
fi
echo "runvm: the guest died (QEMU: $ended); the end of its console:" >&2
tail -n 30 "$run/log" >&2
exit 125
