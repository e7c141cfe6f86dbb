#!/usr/bin/env bash
# What is said when something goes wrong: what was tried, what came, what to do; and how it ends. cli_test.sh has the
# common cases, json_test.sh the same as objects.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

start_serve
ours=$uri
start_announced peer python3 -u "$here/peer.py"
peer=coap://127.0.0.1:$port
closed=127.0.0.1:$(free_port)

# NAME STATUS PATTERN: how the last run ended, and all that it said.
complains() {
  [ "$status" = "$2" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -Eqx -- "$3" "$work/err"
  report $? "$1"
}

# --- nobody is there

run get --ack-timeout 0.05 --retransmit 1 "$peer/silent"
complains "silence" 6 'copal get: no answer from 127\.0\.0\.1:[0-9]+ after 2 transmissions in [0-9.]+ m?s: is a server running there\?'
run get --timeout 0.2 "$peer/ack-only"
complains "an acknowledgement alone" 6 'copal get: 127\.0\.0\.1:[0-9]+ acknowledged the request but sent no response within .*: try a longer --timeout'
run get --non --timeout 0.1 "$peer/silent"
complains "silence to a NON" 6 'copal get: no answer from .* to a non-confirmable request within .*: it may be lost, and without --non it is sent again'
run get --parallel 2 --nstart 1 --timeout 0.3 --ack-timeout 5 --repeat 2 "$peer/silent"
expect "a turn that does not come in time" 6
says "a turn that does not come in time is told so" err 'was not sent in time: others were under way; try a longer --timeout$'
run get "$closed"
complains "a refusal" 8 "copal get: $closed is unreachable: nothing listens there, or no route leads there; .* is a server running\\?"
traffic_of_refusal() {
  run get -v --ack-timeout 30 "$closed"
  traffic "a refusal ends it after one transmission" '-> CON GET'
}
traffic_of_refusal
run put --file "$here/peer.py" "$closed/x"
expect "a refusal of a body in blocks" 8
run get coap+unix://%2Fno%2Fsuch%2Fsocket
complains "a socket that is not there" 8 'copal get: unix:/no/such/socket is unreachable: .*'
run get coap://no-such-host.invalid/x
complains "a name that nobody has" 8 "copal get: coap://no-such-host\\.invalid/x: the name 'no-such-host\\.invalid' cannot be resolved to an address: is it right, and .*"
run get 'coap://[fe80::1%25no-such0]/x'
complains "an interface that is not there" 1 'copal get: coap://\[fe80::1%25no-such0\]/x: no such network interface'

# --- it answers, but not so

run get "$peer/reset"
complains "a Reset" 7 'copal get: .* answered with a Reset: it has no use for this message; "copal ping" tells whether it speaks CoAP'
run get "$peer/critical"
complains "a critical option that is not understood" 9 'copal get: the response from .* is rejected: .*; --verbose shows it'
run get --quiet --output "$work/half" "$peer/halves"
says "a body that is not whole" err "^copal get: $work/half holds only the first 16 bytes of the body$"
run get -q "$peer/reset"
[ "$status" = 7 ] && [ ! -s "$work/err" ]
report $? "-q says nothing of what came from outside"
run get "$ours/nothing"
[ "$status" = 4 ] && [ "$(wc -l <"$work/err")" = 1 ]
report $? "an error without more to say is one line"
run get -O 65001 "$ours/hello"
says "the option that is not understood" err '^  .*\(option 65001\)$'
run get "$peer/error"
says "a diagnostic" err '^  out of order$'

# --- what was asked for cannot be

run get coap://224.0.1.187/x
complains "a CON to a group" 2 'copal get: 224\.0\.1\.187:5683 is a group: a request to a group is non-confirmable, add --non'
run put --non --data "$(head -c 1500 /dev/zero | tr '\0' x)" coap://224.0.1.187/x
complains "a body that is too large for a group" 1 'copal put: the request is larger than a datagram to 224\.0\.1\.187:5683 may be: send a smaller payload; .*'
run put --data "$(head -c 66000 /dev/zero | tr '\0' x)" "$ours/store/x"
complains "a payload that is too large for an argument" 1 'copal put: the request is larger than .* may be: send a smaller payload; to a single server, --file sends a larger one in blocks'
head -c 1100000 /dev/zero >"$work/folder-file"
mkdir "$work/folder"
mv "$work/folder-file" "$work/folder/large"
start files "$copal" serve --bind coap://127.0.0.1:0 "$work/folder"
wait_for "$work/files.out" '^listening on'
files=coap://127.0.0.1:$(sed -n 's|^listening on coap://127\.0\.0\.1:||p' "$work/files.out")
run get --json "$files/large"
says "a body that is too large for JSON" out '"error":\{"name":"body_size","message":"a body to or from .* is larger than there is room for here.*with --output'
[ "$status" = 1 ]
report $? "is a local error"
run put --file "$work/missing" "$ours/store/x"
complains "a file that is not there" 1 "copal put: cannot open $work/missing: No such file or directory"
run get --output "$work/no/file" "$ours/hello"
complains "a file that cannot be made" 1 "copal get: cannot open $work/no/file: No such file or directory"
if [ -w /dev/full ]; then
  run get --pcap /dev/full "$ours/hello"
  expect "a capture that cannot be written is no success" 1
  output "but the answer comes all the same" 'Hello, constrained world!'
  timeout 20 "$copal" get "$ours/hello" >/dev/full 2>"$work/err"
  status=$?
  expect "a body that cannot be written is no success" 1
  [ "$(cat "$work/err")" = 'copal: cannot write to standard output: No space left on device' ]
  report $? "nothing is said of bytes that nobody got"
  timeout 20 "$copal" get --repeat 0 --interval 0 "$ours/hello" >/dev/full 2>"$work/err"
  status=$?
  expect "an output that is full ends what has no end" 1
  timeout 20 "$copal" get --json --repeat 0 --interval 0 "$ours/hello" >/dev/full 2>"$work/err"
  status=$?
  expect "it ends JSON, too" 1
fi
timeout 20 "$copal" get --repeat 0 --interval 0 "$ours/hello" 2>"$work/err" | head -n 3 >"$work/out"
status=${PIPESTATUS[0]}
expect "so does a reader who has enough" 141

finish
