#!/usr/bin/env bash
# What "copal observe" makes of what it is told: values, lines of several resources, JSON, commands that are run.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 coap-server-notls
need_node

start_serve
tab=$'\t'
post() { "$copal" post --quiet "$uri/counter" >"$work/posted"; }

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

# --- commands

watch --count 3 --output "$work/states" --exec 'echo "$COPAL_VALUE $COPAL_CODE $COPAL_SIZE $(cat)"' "$uri/counter"
for value in 0 1 2; do
  wait_for "$work/watch.out" "^$value 2\.05 1 $value$"
  [ "$value" = 2 ] || post
done
watched_to_the_end
expect "observe with commands succeeds" 0
[ "$(cat "$work/states")" = $'0\n1\n2' ]
report $? "the values go where they are sent besides"

watch --count 4 --exec "while [ ! -e $work/go ]; do sleep 0.02; done; cat >>$work/ran; echo >>$work/ran" "$uri/counter"
wait_for "$work/watch.out" '^2$'
post
wait_for "$work/watch.out" '^3$'
post
wait_for "$work/watch.out" '^4$'
post
wait_for "$work/watch.out" '^5$'
says "the observation goes on while a command runs" watch.out '^5$'
touch "$work/go"
watched_to_the_end
expect "observe awaits its last command" 0
[ "$(cat "$work/ran")" = $'2\n5' ]
report $? "of values that come while a command runs, the newest is next"

run observe --count 1 --exec 'exit 3' "$uri/counter"
expect "a command that fails lets observe end with 1" 1
says "a command that fails is told" err '^copal observe: --exec: the command ended with 3$'
says "the value is printed all the same" out '^5$'

watch --exec 'echo running; exec sleep 100' "$uri/counter"
wait_for "$work/watch.out" '^running$'
kill "$watcher"
watched_to_the_end
expect "a command that never ends does not hold up an interruption for long" 143

# --- several

watch --count 3 "$uri/counter" "$uri/hello"
wait_for "$work/watch.out" /hello
post
watched_to_the_end
expect "several resources are observed at once" 0
says "each value says whose it is" out "^$uri/counter${tab}6$"
says "each value says whose it is, the other one too" out "^$uri/hello${tab}Hello"
watch -v --count 4 "$uri/counter" "$uri/counter"
wait_for "$work/watch.out" "$uri/counter"
wait_for "$work/watch.err" 'ACK 2\.05.*'
post
watched_to_the_end
expect "one resource may be observed twice" 0
[ "$(grep -c "^$uri/counter${tab}6$" "$work/out")" -eq 2 ] && [ "$(grep -c "^$uri/counter${tab}7$" "$work/out")" -eq 2 ]
report $? "each of two that observe the same is told each value"
[ "$(grep -c 'CON GET .*Observe 0' "$work/err")" -eq 1 ]
report $? "two that observe the same register once"
start_announced node node "$here/node/server.js"
node=coap://127.0.0.1:$port
closed=coap://127.0.0.1:$(free_port)
run observe --duration 1 "$uri/counter" "$closed/nothing" "$node/ticks"
expect "of several, one that fails decides the exit status" 8
[ "$(grep -c "^$node/ticks$tab" "$work/out")" -ge 2 ]
report $? "of several, one that fails does not end the others"
run observe --token 01 "$uri/counter" "$uri/hello"
expect "a token is for one resource" 2
run observe $(yes "$uri/counter" | head -n 33)
expect "33 resources are too many" 2

# --- JSON

check_json() { # NAME PYTHON-EXPRESSION: of the objects o
  python3 -c '
import json, sys
o = [json.loads(line) for line in open(sys.argv[1])]
sys.exit(0 if eval(sys.argv[2]) else 1)' "$work/out" "$2"
  report $? "$1"
}
run observe --json --count 3 "$node/ticks"
expect "observe --json succeeds" 0
check_json "each notification is an object" 'len(o) == 3 and all(x["kind"] == "notification" for x in o)'
check_json "it has the value" '[str(x["response"]["payload"]) for x in o] == ["1", "2", "3"]'
check_json "it has uri, peer, code and status" \
  'all(x["request"]["uri"].endswith("/ticks") and x["peer"] in x["request"]["uri"] and x["response"]["code"] == "2.05" and x["status"] == 0
       for x in o)'
check_json "sequence numbers increase" 'o[0]["sequence"] < o[1]["sequence"] < o[2]["sequence"]'
check_json "times are between two of them" '"since_last_s" not in o[0] and 0 < o[1]["since_last_s"] < 10'
run observe --json "$closed/nothing"
expect "a failure in JSON keeps its exit status" 8
check_json "a failure is an object" 'o[0]["kind"] == "error" and o[0]["error"]["name"] == "unreachable" and len(o) == 1'

finish
