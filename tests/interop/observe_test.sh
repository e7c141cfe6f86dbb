#!/usr/bin/env bash
# "copal observe" against libcoap's server and against node-coap: what it prints, how it ends, and that the server is
# told.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3
need_node

start_libcoap() {
  local _
  port=$(free_port)
  uri=coap://127.0.0.1:$port
  start libcoap coap-server-notls -v 7 -d 10 -A 127.0.0.1 -p "$port"
  for _ in $(seq 100); do
    "$copal" get --quiet --timeout 1 "$uri/" >/dev/null && return
    sleep 0.05
  done
  echo "not ok - coap-server-notls never answered"
  cat "$work/libcoap.out"
  exit 1
}

# ARGUMENT...: observes in the background; $work/watch.out and $work/watch.err are what it prints, $watcher its process.
watch() {
  : >"$work/watch.out"
  : >"$work/watch.err"
  "$copal" observe -v "$@" >"$work/watch.out" 2>"$work/watch.err" </dev/null &
  watcher=$!
  pids+=("$watcher")
}

# Waits for it; what it did is then what the last run did.
watched_to_the_end() {
  wait "$watcher"
  status=$?
  cp "$work/watch.out" "$work/out"
  cp "$work/watch.err" "$work/err"
}

# --- libcoap

start_libcoap

run observe -v --count 3 "$uri/time?ticks"
expect "observe ends after --count notifications" 0
[ "$(grep -Ec '^[0-9]+$' "$work/out")" = 3 ] && [ "$(wc -l <"$work/out")" = 3 ]
report $? "each notification is a line"
traffic "libcoap's notifications are acknowledged, and libcoap is told of the end" \
  "-> CON GET, <- ACK 2.05, <- CON 2.05, -> ACK Empty, <- CON 2.05, -> ACK Empty, -> CON GET, <- ACK 2.05"
says "the registration is one" err '-> .* CON GET .* Observe 0 Uri-Path "time"'
says "the end is a deregistration" err '-> .* CON GET .* Observe 1 Uri-Path "time"'
run observe --duration 1.5 "$uri/time"
expect "observe ends after --duration" 0
[ "$(wc -l <"$work/out")" -ge 2 ]
report $? "until then it prints"
run observe --quiet "$uri/"
expect "what cannot be observed ends as get does" 0
says "what cannot be observed is printed once" out '^This is a test server made with libcoap'
run observe "$uri/"
says "what cannot be observed is told" err '^note: the server does not offer observation of this resource'
run observe "$uri/nothing"
expect "what is not there ends as get does" 4

run put --data first "$uri/lamp"
watch "$uri/lamp"
wait_for "$work/watch.out" '^first$'
run put --data second "$uri/lamp"
wait_for "$work/watch.out" '^second$'
python3 -c 'print("x" * 2999)' >"$work/large"
run put --file "$work/large" "$uri/lamp"
wait_for "$work/watch.out" '^x{2999}$'
run delete "$uri/lamp"
watched_to_the_end
expect "what is deleted ends as get does" 4
says "what is deleted is told as the server tells it" err '^4\.04 Not Found'
says "that the server ended it is told" err '^note: the server has ended the observation$'
[ "$(wc -l <"$work/out")" = 3 ] && tail -n 1 "$work/out" | cmp -s - "$work/large"
report $? "a state in blocks is whole"

run put --data before "$uri/lamp"
for signal in INT TERM; do
  watch --output "$work/states" "$uri/lamp"
  wait_for "$work/states" '^before$'
  # A job of a shell script ignores SIGINT, unless it handles it.
  kill -"$signal" "$watcher"
  watched_to_the_end
  expect "SIG$signal ends observe by that signal" $((128 + $(kill -l "$signal")))
  says "SIG$signal has libcoap told" err '-> .* CON GET .* Observe 1 '
  [ "$(tail -n 2 "$work/err" | grep -c '<- .* ACK 2\.05')" = 1 ]
  report $? "SIG$signal lets libcoap answer"
  rm -f "$work/states"
done

# Nobody reads on: the server is told then too.
(set +o pipefail; "$copal" observe -v "$uri/time" 2>"$work/err" | head -n 1 >"$work/out")
says "who reads no further gets what he read" out '^[A-Z][a-z]+ [0-9]+ [0-9:]+$'
[ "$(grep -c 'cannot write to standard output: Broken pipe$' "$work/err")" = 1 ]
report $? "that nobody reads any further is told once"
says "who reads no further has libcoap told" err '-> .* CON GET .* Observe 1 '

# --- node-coap

start_announced node node "$here/node/server.js"
uri=coap://127.0.0.1:$port

run observe -v --count 3 "$uri/ticks"
expect "observe of node succeeds" 0
output "node's notifications come in order" $'1\n2\n3'
says "node is told of the end" err '-> .* CON GET .* Observe 1 '
run observe --count 2 --no-token "$uri/ticks"
output "a token of zero bytes does" $'1\n2'
run observe --count 2 --method fetch --data which "$uri/ticks"
output "observe by FETCH prints" $'which 1\nwhich 2'

finish
