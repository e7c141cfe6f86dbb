#!/usr/bin/env bash
# "copal serve" ends, and another one takes over: whatever was taken in is answered first, and no request fails. The load
# is a closed loop of confirmable requests, which are sent again where nobody has acknowledged them.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

# NAME PORT OPTION...: a server, on that port or a free one; $pid and $port are its own.
serve() {
  local name=$1 bind=coap://127.0.0.1:$2
  shift 2
  start_announced "$name" "$copal" serve --bind "$bind" "$@"
}

# Ends the server: it succeeds, and says nothing but figures.
ends() { # NAME PID
  kill -TERM "$2"
  wait "$2"
  status=$?
  expect "$1" 0
}

# Three servers, each with a load of its own: NAME:RESOURCE:OPTION...
cases=("two threads:/hello:--threads 2" "one thread:/hello:--reuse-port" "answers owed:/async:--reuse-port --delay 0.2")
ports=()
firsts=()
loads=()
seconds=()
for case in "${cases[@]}"; do
  IFS=: read -r name path options <<<"$case"
  # shellcheck disable=SC2086
  serve "first-$name" 0 $options
  firsts+=("$pid")
  ports+=("$port")
  start "load-$name" "$copal" bench --json --ack-timeout 0.1 --retransmit 7 --clients 20 --duration 2.5 \
    "coap://127.0.0.1:$port$path"
  loads+=("$pid")
done
sleep 0.3
for i in "${!cases[@]}"; do
  IFS=: read -r name path options <<<"${cases[i]}"
  # shellcheck disable=SC2086
  serve "second-$name" "${ports[i]}" $options
  seconds+=("$pid")
  ends "$name: the first server ends" "${firsts[i]}"
  kill -0 "${loads[i]}" 2>/dev/null
  report $? "$name: while the load goes on"
done
for i in "${!cases[@]}"; do
  IFS=: read -r name _ <<<"${cases[i]}"
  wait "${loads[i]}"
  status=$?
  expect "$name: the load succeeds" 0
  python3 - "$work/load-$name.out" <<'CODE'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["requests"] == d["responses"] == d["codes"]["2.05"] > 40, d
CODE
  report $? "$name: every request is answered"
  ends "$name: the second server ends" "${seconds[i]}"
done

# Each message that came in was answered by one that went out, whatever came when it ended.
for threads in 1 2; do
  serve "counted-$threads" 0 --verbose --threads "$threads"
  server=$pid
  start "asking-$threads" "$copal" bench --ack-timeout 0.1 --clients 20 --duration 30 "coap://127.0.0.1:$port/hello"
  wait_for "$work/counted-$threads.err" ' ACK 2\.05'
  ends "a server of $threads under load ends" "$server"
  kill -INT "$pid"
  figures=$(tail -n 1 "$work/counted-$threads.err")
  taken=$(sed -nE 's/^([0-9]+) datagrams taken in, ([0-9]+) datagrams given out,.*/\1 \2/p' <<<"$figures")
  read -r in out <<<"$taken"
  [ "${in:-0}" -gt 0 ] && [ "$in" = "$out" ]
  report $? "and has answered all that it took in: ${in:-?}, ${out:-?}"
done

# --- what is owed

# An answer that is due in time is waited for, and one that is not is refused.
serve patient 0 --verbose --delay 0.6
start asked "$copal" get "coap://127.0.0.1:$port/async"
asked=$pid
server=${pids[-2]}
wait_for "$work/patient.err" ' CON GET .*async'
ends "a server that owes an answer ends" "$server"
wait "$asked"
report $? "after it was given"
grep -q '^this answer took its time$' "$work/asked.out"
report $? "and it is the answer"

serve hasty 0 --verbose --delay 600
start refused "$copal" get "coap://127.0.0.1:$port/async"
refused=$pid
server=${pids[-2]}
wait_for "$work/hasty.err" ' CON GET .*async'
ends "a server that would owe an answer for long ends" "$server"
wait "$refused"
status=$?
cp "$work/refused.err" "$work/err"
expect "and refuses it" 5
says "with 5.03" err '5\.03'

# Nobody acknowledges: a second signal is the end.
serve waiting 0 --ack-timeout 10
server=$pid
start silent "$copal" observe "coap://127.0.0.1:$port/counter"
silent=$pid
wait_for "$work/silent.out" '^0$'
kill -STOP "$silent"
run post "coap://127.0.0.1:$port/counter"
kill -TERM "$server"
sleep 0.2
kill -0 "$server"
report $? "an acknowledgement is waited for"
ends "but not after a second signal" "$server"
kill -CONT "$silent"

finish
