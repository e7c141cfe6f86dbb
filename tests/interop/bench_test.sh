#!/usr/bin/env bash
# "copal bench" against our server, libcoap's and node-coap's: whatever comes of a load, the figures add up. And "copal
# serve --threads" under load.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

# ARGUMENT...: a load; its figures are $work/out.
bench() {
  run bench --json "$@"
}

# NAME EXPRESSION: holds for the figures: d is the object, m its messages, l its latencies, o its observers. In any case
# requests have ended as often as they were begun.
holds() {
  python3 - "$work/out" "$2" <<'CODE'
import json, sys
d = json.load(open(sys.argv[1]))
m, l, o = d["messages"], d["latency_us"], d["observers"]
ends = sum(d[end] for end in ("responses", "timeouts", "resets", "unreachable", "broken", "unfinished"))
assert d["requests"] == ends, ends
assert d["responses"] == sum(d["codes"].values()) == l["count"]
order = [l[name] for name in ("min", "p50", "p90", "p99", "p99_9", "max")]
assert order == sorted(order), order
assert eval(sys.argv[2]), sys.argv[2]
CODE
  report $? "$1"
}

# --- our server

mkdir "$work/folder"
head -c 20000 /dev/urandom >"$work/folder/large"
start_serve
bench -n 200 -c 4 -w 2 "$uri/hello"
expect "a closed loop succeeds" 0
holds "each request is sent once and answered" \
  'd["requests"] == 200 and d["codes"] == {"2.05": 200} and m["sent"] == m["received"] == 200'
holds "bytes are those of the datagrams" \
  'd["bytes"]["sent"] == 200 * d["request_size"] and d["bytes"]["body_received"] == 200 * 26'
bench --rate 500 --duration 0.4 --non "$uri/hello"
holds "at a rate, as many are due as rate and time say" 'd["requests"] + d["unsent"] == 200 and d["type"] == "NON"'
bench --warmup 0.2 --duration 0.2 "$uri/hello"
holds "what is asked at first does not count" 'm["sent"] > d["requests"] > 0'
bench -n 600 -c 300 --in-flight 8 "$uri/hello"
holds "clients take turns" 'd["responses"] == 600 and d["in_flight"] == 8'
[ "$(sed -nE 's/.*<- (127\.[0-9.]+):.*/\1/p' "$work/serve.err" | sort -u | grep -c '^127\.1\.')" -ge 300 ]
report $? "each client has an address of its own"
bench -n 30 -c 6 --sources 2 "$uri/hello"
holds "clients may share addresses" 'd["responses"] == 30'
bench -n 20 -m post "$uri/counter"
holds "a method is chosen" 'd["codes"] == {"2.04": 20} and d["method"] == "POST"'
run get "$uri/counter"
output "requests were executed once each" 20
bench -n 10 --data hello "$uri/store"
holds "a payload is posted" 'd["codes"] == {"2.01": 10} and d["body_size"] == 5'
bench -n 10 "$uri/nothing"
expect "errors alone make it fail" 4
holds "errors are responses, too" 'd["codes"] == {"4.04": 10}'
run bench -n 10 "$uri/hello"
says "people get the figures as text" out '^ *10 2\.05 Content$'
run bench
expect "a URI is needed" 2
run bench --sources 2 'coap://[::1]/hello'
expect "many addresses are the loopback's" 2
run bench --observers 2 --non "$uri/counter"
expect "observers do not register non-confirmable" 2

bench --observers 20 --rate 10 --duration 0.4 -c 1 -m post "$uri/counter"
holds "every observer is told of every change" \
  'o["registered"] == 20 and o["refused"] == o["failed"] == 0 and o["notifications"] >= 20 and o["least"] >= 1'
bench --observers 3 -n 2 -c 1 --duration 0.3 -m post "$uri/counter"
holds "notifications are waited for" 'd["responses"] == 2 and d["seconds"] >= 0.3 and o["least"] >= 1'
holds "observers leave" 'm["sent"] >= 2 * 3 + 2 + o["notifications"]'
bench --observers 5 --duration 0.1 "$uri/hello"
holds "what cannot be observed is told" 'o["refused"] == 5 and d["requests"] == 0'

start bench "$copal" bench --duration 30 "$uri/hello"
sleep 0.3
kill -INT "$pid"
wait "$pid"
report $? "an interrupted load is a success"
grep -q ' responses/s$' "$work/bench.out"
report $? "an interrupted load tells its figures"

# --- loss

# Sent again after 40 to 60 ms; of a NON, nothing is.
start_relay --to "127.0.0.1:$port" --drop 15 --seed 7
lossy=coap://127.0.0.1:$port
bench -n 40 -c 1 -w 8 --ack-timeout 0.04 --retransmit 10 "$lossy/hello"
holds "what is lost is sent again" 'd["responses"] == 40 and m["retransmissions"] > 5'
holds "every datagram is counted" 'm["sent"] == 40 + m["retransmissions"]'
bench -n 60 -c 1 -w 60 --non --timeout 0.3 "$lossy/hello"
holds "of NON requests, losses are told" 'd["timeouts"] > 3 and d["responses"] > 3 and m["sent"] == 60'

start_silent
bench -n 5 -c 5 --timeout 0.2 --ack-timeout 0.05 "$silent/x"
expect "no answer at all is told" 6
holds "and counted" 'd["timeouts"] == 5 and m["retransmissions"] >= 5'
bench -n 5 "coap://127.0.0.1:$(free_port)/x"
expect "nobody there is told" 8
holds "and counted" 'd["unreachable"] == 5'

# --- blocks

kill "$server_pid"
wait "$server_pid"
rm "$work/serve.out" "$work/serve.err"
start_serve --write "$work/folder"
bench -n 6 -c 2 "$uri/large"
holds "a response in blocks is fetched whole" 'd["responses"] == 6 and d["bytes"]["body_received"] == 6 * 20000'
bench -n 2 --block-size 256 "$uri/large"
holds "in blocks of the size that is asked for" 'm["exchanges"] == 2 * 79'
bench -n 3 -c 1 -m put --size 5000 "$uri/new"
holds "a payload goes in blocks" 'd["codes"] == {"2.01": 1, "2.04": 2} and m["exchanges"] == 3 * 5'
[ "$(wc -c <"$work/folder/new")" = 5000 ]
report $? "and arrives whole"

# --- threads

kill "$server_pid"
wait "$server_pid"
rm "$work/serve.out" "$work/serve.err"
start_serve --quiet --threads 3
bench -n 300 -c 30 -m post "$uri/counter"
run get "$uri/counter"
output "threads have one counter" 300
run put --data shared "$uri/store/a"
right=0
for _ in 1 2 3 4 5 6; do
  run get "$uri/store/a"
  [ "$(cat "$work/out")" = shared ] && right=$((right + 1))
done
[ "$right" = 6 ]
report $? "and one store"
bench --observers 30 --rate 10 --duration 0.4 -c 1 -m post "$uri/counter"
holds "a change in one thread is told in all" 'o["registered"] == 30 and o["least"] >= 1'
kill -USR1 "$server_pid"
wait_for "$work/serve.err" '^ +[0-9]+ of [0-9]+  observers: '
wait_for "$work/serve.err" '^all threads, after '
sleep 0.1
python3 - "$work/serve.err" <<'CODE'
import re, sys
pages = re.split(r"^(?:thread \d+ of 3|all threads), after .*:\n", open(sys.argv[1]).read(), flags=re.M)[1:]
requests = [int(re.search(r"^ *(\d+)  requests: ", page, re.M).group(1)) for page in pages]
assert len(requests) == 4 and sum(requests[:3]) == requests[3] and min(requests) > 0, requests
CODE
report $? "SIGUSR1 has the figures of each thread and of all printed"
kill "$server_pid"
wait "$server_pid"
report $? "all threads end on SIGTERM"
run serve --threads 2 --plugtest
expect "what belongs to one thread is refused to more" 2
rm "$work/serve.out" "$work/serve.err"
start_serve --quiet --threads 2 "$work/folder"
bench -n 20 -c 10 "$uri/large"
holds "threads serve files" 'd["bytes"]["body_received"] == 20 * 20000'

# --- others' servers

if command -v coap-server-notls >/dev/null; then
  port=$(free_port)
  start libcoap coap-server-notls -A 127.0.0.1 -p "$port"
  uri=coap://127.0.0.1:$port
  # A refusal ends a request at once: until it listens, ask again.
  for _ in $(seq 100); do
    "$copal" get --quiet --timeout 1 "$uri/" >/dev/null && break
    sleep 0.05
  done
  bench -n 100 "$uri/"
  holds "libcoap's server answers all" 'd["codes"] == {"2.05": 100} and m["mismatched"] == 0'
  bench -n 4 -c 4 "$uri/async?1"
  holds "and its separate responses are matched" 'd["codes"] == {"2.05": 4} and m["acknowledgements"] == 4'
fi
if command -v node >/dev/null && [ -x "$here/node/node_modules/.bin/coap" ]; then
  start_announced node node "$here/node/server.js"
  bench -n 100 "coap://127.0.0.1:$port/hello"
  holds "node-coap's server answers all" 'd["codes"] == {"2.05": 100} and m["mismatched"] == 0'
fi

finish
