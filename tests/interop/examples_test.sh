#!/usr/bin/env bash
# Each of the examples, for real: the shortest server and client, a sensor node that is observed, a file that is uploaded,
# deferred answers, records. Those of event loops have event_loops_test.sh, the relay has relay_test.sh.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3
examples=${BUILD:?BUILD is the build folder}/examples
[ -x "$examples/server" ] || skip "the examples are not built: configure with -DCOPAL_TESTS=ON"

# NAME ARGUMENT...: an example; $status, $work/out and $work/err are what it did.
example() {
  timeout 20 "$examples/$1" "${@:2}" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

# NAME COUNT: standard output is so many temperatures, one a line, each half a degree at least from the one before.
temperatures() {
  awk -v wanted="$2" '!/^[0-9]+\.[0-9]$/ {exit 1}
    NR > 1 && ($1 - last) ^ 2 < 0.2 {exit 1}
    {last = $1}
    END {if (NR != wanted) exit 1}' "$work/out"
  report $? "$1"
}

# --- server.c, client.c

port=$(free_port)
uri=coap://127.0.0.1:$port
start server "$examples/server" "$uri"
for _ in $(seq 100); do
  "$copal" get --quiet --timeout 1 "$uri/hello" >/dev/null && break
  sleep 0.05
done
example client "$uri/hello"
expect "client succeeds" 0
output "client prints what the server says" hello
kill "$pid" && wait "$pid" 2>/dev/null
example client "$uri/hello"
expect "client fails where nobody listens" 1
says "client says that nobody listens" err '^peer is unreachable$'

# --- sensor_node.c, observer.c

start_announced sensor_node "$examples/sensor_node" 60
node=coap://127.0.0.1:$port
run get "$node/.well-known/core"
output "sensor_node lists its resources" '</temperature>;rt="temperature-c";ct=0;obs,</interval>'

"$copal" observe --verbose --count 3 "$node/temperature" >"$work/watch.out" 2>"$work/watch.err" </dev/null &
watcher=$!
example observer "$node/temperature" 3
expect "observer succeeds" 0
temperatures "observer prints each state of sensor_node" 3
wait "$watcher"
status=$?
cp "$work/watch.out" "$work/out"
cp "$work/watch.err" "$work/err"
expect "copal observe of sensor_node succeeds" 0
temperatures "copal observe prints each state, at the same time" 3
traffic "sensor_node confirms the first notification, and hears of the end" \
  '-> CON GET, <- ACK 2.05, <- CON 2.05, -> ACK Empty, <- NON 2.05, -> CON GET, <- ACK 2.05'

run put --data 2 "$node/interval"
expect "sensor_node can be told how often to measure" 0
run get -v "$node/temperature"
says "sensor_node says how long a value is good" err ' ACK 2\.05 .* Max-Age 2 '
run put --data soon "$node/interval"
expect "sensor_node refuses what is no number" 4
says "sensor_node says what is wrong" err 'a number of seconds, 1 to 9999'
long=0003$(printf '%0296d' 0)
run put -v --data "$long" "$node/interval"
expect "sensor_node takes what is larger than its messages" 0
traffic "it says that it is too large and proposes blocks, which our client then sends" \
  '-> CON PUT, <- ACK 4.13, -> CON PUT, <- ACK 2.31, -> CON PUT, <- ACK 2.31, -> CON PUT, <- ACK 2.04'
says "it proposes the size" err '<- .* ACK 4\.13 .* Block1 0/0/128 '
run put --block-size 64 --data "$long" "$node/interval"
expect "sensor_node takes it in smaller blocks" 0

example observer "$node/interval"
expect "observer fails where there is nothing to observe" 1
says "observer says why" err '^Method Not Allowed$'
start_announced short_node "$examples/sensor_node" 1
wait "$pid"
status=$?
expect "sensor_node ends when its time is over" 0

# --- upload.c

head -c 300000 /dev/urandom >"$work/file"
mkdir "$work/served"
start_serve --write "$work/served"
example upload "$work/file" "$uri/file"
expect "upload succeeds" 0
output "upload says how many blocks it took" '2.01 after 293 exchanges'
cmp -s "$work/file" "$work/served/file"
report $? "the uploaded file is the same"
example upload "$work/file" "$uri/file"
output "upload replaces what is there" '2.04 after 293 exchanges'
example upload "$work/file" "$uri/nowhere/file"
expect "upload fails where there is no such folder" 1
says "upload tells the code" out '^4\.0[34] after '
example upload "$work/none" "$uri/file"
expect "upload fails without a file" 1
says "upload says which file" err '/none: No such file'
example upload
expect "upload tells how it is used" 2

# --- separate.c, records.c

example records
expect "records succeeds" 0
[ "$(grep -c '^client: sent .* replies, answered$' "$work/out")" = 2 ]
report $? "records shows two answers"
says "records shows an answer that comes with its acknowledgement" out '^client received ACK 2\.05 .*"22\.3 C"$'
says "records shows an answer that comes later" out '^client received CON 2\.05 .*"22\.4 C"$'
says "records shows a Reset" out '^client received RST Empty'

example separate
expect "separate succeeds" 0
[ "$(sed -nE 's/^server (receives|sends) (CON|ACK) ([^ ]+).*/\1 \2 \3/p' "$work/out" | head -n 3 | paste -sd,)" = \
  'receives CON GET,sends ACK Empty,sends CON 2.05' ]
report $? "separate acknowledges first and answers then"
says "separate brings the value" out '^client has "22\.3 C" after'

finish
