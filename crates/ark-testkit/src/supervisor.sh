# Runs programs for an owner and outlives it just long enough to clean up.
#
# usage: sh supervisor.sh DIRECTORY, with commands on stdin, one a line:
#   run NAME   start DIRECTORY/NAME.sh, its output to NAME.log, its process
#              in NAME.pid while it runs, its exit code in NAME.exit afterwards
#   detach     stay until SIGTERM, whatever becomes of stdin
# At the end of stdin, which comes when the owner dies in whatever way, all
# programs are killed, and the directory and the files named in its file
# `leftovers`, one a line, are removed.
dir=$1
napper=

clean_up() {
    trap '' TERM HUP INT
    for file in "$dir"/*.pid; do
        [ -e "$file" ] && kill -KILL "$(cat "$file")"
    done
    [ -n "$napper" ] && kill "$napper"
    wait
    if [ -e "$dir/leftovers" ]; then
        while read -r file; do
            rm -f "$file"
        done <"$dir/leftovers"
    fi
    rm -rf "$dir"
}

run() {
    (
        sh "$dir/$1.sh" </dev/null >>"$dir/$1.log" 2>&1 &
        program=$!
        echo "$program" >"$dir/$1.pid.new"
        mv "$dir/$1.pid.new" "$dir/$1.pid"
        wait "$program"
        code=$?
        # First the pid goes: nobody may kill a number that is somebody else's.
        rm -f "$dir/$1.pid"
        echo "$code" >"$dir/$1.exit"
    ) &
    # Without its pid on disk a program could not be killed at the end.
    until [ -e "$dir/$1.pid" ] || [ -e "$dir/$1.exit" ]; do
        sleep 0.02
    done
}

trap clean_up EXIT
trap 'exit 0' TERM HUP INT
echo $$ >"$dir/supervisor"
while read -r command name; do
    case $command in
    run) run "$name" ;;
    detach)
        trap '' HUP
        while :; do
            sleep 86400 &
            napper=$!
            wait "$napper"
        done
        ;;
    esac
done
