# stuck.sh: (sourced) who waits for what, when a check does not end.
stuck() { # PROCESS…, or none for all that are not the kernel's
    local process=$* task
    [ $# -gt 0 ] || process=$(ps -eo pid=,ppid= | awk '$1 > 2 && $2 != 2 { print $1 }')
    for process in $process; do
        [ -d "/proc/$process" ] || continue
        echo "-- $process $(tr '\0' ' ' <"/proc/$process/cmdline")"
        for task in /proc/$process/task/*; do
            echo "   ${task##*/} $(cat "$task/comm"), $(cut -d' ' -f3 "$task/stat"), system call $(cat "$task/syscall")"
            sed 's/^/      /' "$task/stack"
        done
        # With a debugger, where in Flinch.
        grep -q flinch "/proc/$process/comm" && command -v gdb >/dev/null && timeout 60 gdb -p "$process" -batch -ex 'thread apply all bt 12' 2>/dev/null |
            grep -E '^(Thread|#)'
    done 2>/dev/null
}
