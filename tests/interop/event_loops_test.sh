#!/usr/bin/env bash
# The examples of somebody else's event loop: each serves from its loop, answers late without keeping others waiting, and
# ends when told or when its time is over.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
examples=${BUILD:?BUILD is the build folder}/examples

# NAME SECONDS: an example; $uri is its own, $pid its process.
serve_for() {
  start_announced "$1" "$examples/$1" "$2"
  uri=coap://127.0.0.1:$port
}

# NAME TITLE: the example that was started last has ended well within 10 s.
has_ended() {
  local _
  for _ in $(seq 200); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -0 "$pid" 2>/dev/null
  [ $? = 1 ] && wait "$pid" && [ "$(tail -n 1 "$work/$1.out")" = ended ]
  report $? "$2"
}

# NAME LOOP: the example's name, and what it calls its loop.
check() {
  local slow
  serve_for "$1" 60
  run get "$uri/hello"
  output "$1 answers a request" "hello from $2"
  run get "$uri/hello"
  output "$1 answers another" "hello from $2"

  "$copal" get --verbose "$uri/slow" >"$work/slow.out" 2>"$work/slow.err" </dev/null &
  slow=$!
  wait_for "$work/$1.out" '^GET /slow$'
  run get "$uri/hello"
  output "$1 goes on while it owes an answer" "hello from $2"
  wait "$slow"
  status=$?
  cp "$work/slow.out" "$work/out"
  cp "$work/slow.err" "$work/err"
  expect "$1 answers late" 0
  output "$1 answers late with its value" "slow from $2"
  traffic_but_pings "$1 acknowledges before it answers late" '-> CON GET, <- ACK Empty, <- CON 2.05, -> ACK Empty'

  kill -TERM "$pid"
  has_ended "$1" "$1 ends on SIGTERM"
  rm "$work/$1.out"
  serve_for "$1" 1
  has_ended "$1" "$1 ends when its time is over"
}

[ -x "$examples/event_loop_poll" ] || skip "the examples are not built: configure with -DCOPAL_TESTS=ON"
check event_loop_poll poll
for pair in libuv:libuv sd_event:sd-event; do
  if [ -x "$examples/event_loop_${pair%:*}" ]; then
    check "event_loop_${pair%:*}" "${pair#*:}"
  else
    [ "${COPAL_NO_SKIP:-0}" = 0 ]
    report $? "event_loop_${pair%:*} is left out: its library is not installed"
  fi
done

finish
