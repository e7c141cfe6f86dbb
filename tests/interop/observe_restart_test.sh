#!/usr/bin/env bash
# "copal observe" when the server is killed, and another one starts in its place, which knows nothing of observers: ours,
# libcoap's and node-coap.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls
need_node

# Each starts a server on a port, a free one without: $pid, $port and $uri are its own.
start_ours() {
  : >"$work/ours.out"
  start_announced ours "$copal" serve --bind "coap://127.0.0.1:${1:-0}"
  uri=coap://127.0.0.1:$port
}
start_libcoap() {
  local _
  port=${1:-$(free_port)}
  uri=coap://127.0.0.1:$port
  start libcoap coap-server-notls -A 127.0.0.1 -p "$port"
  for _ in $(seq 100); do
    "$copal" get --quiet --timeout 1 "$uri/" >"$work/first" && return
    sleep 0.05
  done
  echo "not ok - coap-server-notls never answered"
  exit 1
}
start_node() {
  : >"$work/node.out"
  start_announced node node "$here/node/server.js" "${1:-0}"
  uri=coap://127.0.0.1:$port
}

# ARGUMENT...: observes in the background; $work/watch.out and $work/watch.err are what it prints, $watcher its process.
watch() {
  : >"$work/watch.out"
  : >"$work/watch.err"
  "$copal" observe "$@" >"$work/watch.out" 2>"$work/watch.err" </dev/null &
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

outlives() { # NAME START PATH
  $2
  watch -v --renew 0.3 "$uri/$3"
  wait_for "$work/watch.out" .
  kill -9 "$pid" && wait "$pid" 2>/dev/null
  wait_for "$work/watch.err" "^note: no sign of 127\.0\.0\.1:$port for [0-9.]+ m?s: asking again in 1\.[0-9] s$"
  : >"$work/watch.out"
  $2 "$port"
  wait_for "$work/watch.err" "^note: 127\.0\.0\.1:$port is back after [0-9.]+ s$"
  wait_for "$work/watch.out" .
  kill "$watcher"
  watched_to_the_end
  expect "observe outlives $1" 143
  says "$1 that is back is told of the end" err '-> .* CON GET .* Observe 1 '
  [ "$(grep -Eo ' token [0-9a-f]+ ' "$work/err" | sort -u | wc -l)" = 1 ]
  report $? "$1 that is back is asked with the same token"
  kill "$pid" 2>/dev/null
}
outlives libcoap start_libcoap time
outlives node start_node ticks
outlives copal start_ours counter

# Who is silent is no less lost than who is gone.
start_ours
watch --renew 0.2 --ack-timeout 0.1 --retransmit 1 "$uri/counter"
wait_for "$work/watch.out" '^0$'
kill -STOP "$pid"
wait_for "$work/watch.err" '^note: no sign of '
kill -CONT "$pid"
wait_for "$work/watch.err" '^note: .* is back after '
kill "$watcher"
watched_to_the_end
expect "observe outlives a silence" 143

watch --renew 0.1 --duration 1 --json "$uri/counter"
wait_for "$work/watch.out" '"payload":"?0'
kill -9 "$pid" && wait "$pid" 2>/dev/null
watched_to_the_end
expect "the failure of a server that stays away is how observe ends" 8
says "a server that stays away is an error in JSON" out \
  '^\{"kind":"error",.*"error":\{"name":"unreachable",.*"retry_in_s":1\.[0-9]+,"status":8\}$'
run observe --duration 5 "$uri/counter"
expect "who never answered is not waited for" 8
says "who never answered is explained" err 'is unreachable: nothing listens there'

finish
