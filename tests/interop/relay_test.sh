#!/usr/bin/env bash
# Our client and our server with examples/relay.c between them, which loses a third of the datagrams and doubles some:
# every confirmable request is answered in the end, and none is processed twice.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

GETS=12
POSTS=16
start_serve --delay 0.7
direct=$uri
start_relay --to "127.0.0.1:$port" --drop 33 --duplicate 15 --seed 3 --verbose
relay_pid=$pid
lossy=coap://127.0.0.1:$port

# ARGUMENT...: through the relay, patiently; the trace of all of them is $work/trace.
ask() {
  timeout 30 "$copal" "$@" --verbose --ack-timeout 0.04 --retransmit 10 >"$work/out" 2>"$work/err" </dev/null
  status=$?
  cat "$work/err" >>"$work/trace"
}

# NAME: what the server has counted as NAME, from its last words.
counted() {
  sed -nE "s/.*(^|, )([0-9]+) $1.*/\\2/p" "$work/serve.err" | tail -n 1
}

right=0
for _ in $(seq "$GETS"); do
  ask get "$lossy/hello"
  [ "$status" = 0 ] && [ "$(cat "$work/out")" = 'Hello, constrained world!' ] && right=$((right + 1))
done
[ "$right" = "$GETS" ]
report $? "every GET is answered: $right of $GETS"

right=0
for number in $(seq "$POSTS"); do
  ask post "$lossy/counter"
  [ "$status" = 0 ] && [ "$(cat "$work/out")" = "$number" ] && right=$((right + 1))
done
[ "$right" = "$POSTS" ]
report $? "every POST is answered, each with the next number: $right of $POSTS"

ask get "$lossy/async"
output "a separate response is answered" 'this answer took its time'

run get "$direct/counter"
output "the counter has counted each POST once" "$POSTS"

kill "$relay_pid"
wait "$relay_pid"
report $? "the relay ends on SIGTERM"
read -r _ _ _ lost _ doubled _ <<<"$(tail -n 1 "$work/relay.out" | tr -d ,)"
[ "$(grep -c '^lost ' "$work/relay.out")" = "$lost" ] && [ "$lost" -gt 5 ]
report $? "datagrams were lost: $lost"
[ "$(grep -c '^doubled ' "$work/relay.out")" = "$doubled" ] && [ "$doubled" -gt 2 ]
report $? "datagrams were doubled: $doubled"
[ "$(grep -c retransmission "$work/trace")" -gt 5 ]
report $? "requests were sent again: $(grep -c retransmission "$work/trace") times"

kill "$server_pid"
wait "$server_pid"
report $? "the server ends on SIGTERM"
[ "$(counted 'requests processed')" = $((GETS + POSTS + 2)) ]
report $? "as many requests were processed as were made: $(counted 'requests processed')"
[ "$(counted 'duplicates not processed again')" -gt 5 ]
report $? "duplicates were seen through: $(counted 'duplicates not processed again')"

finish
