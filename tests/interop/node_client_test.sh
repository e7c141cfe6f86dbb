#!/usr/bin/env bash
# coap-cli, a client on node-coap, and node/get.js, one on a newer node-coap, against our server: what they print, and
# the types and codes that our server saw.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need_node
need python3

start_serve --delay 0.8

# ARGUMENT...: coap-cli; $work/out is the body, $work/err the code, $work/peer our server's trace.
ask() {
  watched ask_unwatched "$@"
}

ask_unwatched() {
  NODE_OPTIONS="--require $here/node/formats.js" timeout 10 "$here/node/node_modules/.bin/coap" --no-new-line "$@" \
    >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

get() { # URI: as ask, with node/get.js
  watched get_unwatched "$@"
}

get_unwatched() {
  timeout 10 node "$here/node/get.js" "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

code() { # NAME CODE
  says "$1" err "\\($2\\)"
}

exchange() { # NAME TRAFFIC: as our server saw it
  traffic "$1" "$2" "$work/peer"
}

ask get "$uri/hello"
expect "GET succeeds" 0
output "GET brings the body" 'Hello, constrained world!'
code "GET brings the code" 2.05
exchange "GET is answered in its acknowledgement" "<- CON GET, -> ACK 2.05"

ask put --payload on "$uri/store/lamp"
code "PUT creates" 2.01
ask put --payload off "$uri/store/lamp"
code "PUT changes" 2.04
exchange "PUT is answered in its acknowledgement" "<- CON PUT, -> ACK 2.04"
ask get "$uri/store/lamp"
output "GET reads what PUT wrote" off
ask post --payload x "$uri/counter"
output "POST is processed" 1
code "POST changes" 2.04
ask delete "$uri/store/lamp"
code "DELETE deletes" 2.02
ask get "$uri/store/lamp"
code "what was deleted is not found" 4.04
ask put --payload x "$uri/hello"
code "a method that a resource does not have" 4.05
ask get "$uri/.well-known/core"
says "discovery lists the resources" out '</counter>;title="GET reads, POST adds one";rt="counter";ct=0;obs,<'

get "$uri/hello"
output "a newer node-coap gets the same" 'Hello, constrained world!'
exchange "and as directly" "<- CON GET, -> ACK 2.05"
get "$uri/nothing"
code "problem details are no problem to it" 4.04

# What is large comes in blocks, and before the first of them node answers the two pings that verify its address.
python3 -c 'print("".join("line %4d\n" % i for i in range(500)), end="")' >"$work/large"
run put --file "$work/large" "$uri/store/large"
pings='-> CON Empty, -> CON Empty, <- RST Empty, <- RST Empty'
for client in ask\ get get; do
  $client "$uri/store/large"
  cmp -s "$work/out" "$work/large"
  report $? "a large body is whole: $client"
  exchange "its first block waits for two pings: $client" \
    "<- CON GET, $pings, -> ACK 2.05$(printf ', <- CON GET, -> ACK 2.05%.0s' 1 2 3 4)"
done

ask get --non-confirmable "$uri/hello"
output "a NON GET brings the body" 'Hello, constrained world!'
exchange "a NON is answered by a NON" "<- NON GET, -> NON 2.05"
ask post --non-confirmable --payload x "$uri/counter"
output "a NON POST is processed" 2

ask get "$uri/async"
output "a slow answer arrives" 'this answer took its time'
exchange "a slow answer is a separate response, which node acknowledges" \
  "<- CON GET, -> ACK Empty, -> CON 2.05, <- ACK Empty"
ask get --non-confirmable "$uri/async"
output "a slow answer to a NON arrives" 'this answer took its time'
exchange "a slow answer to a NON is a NON, and nothing before it" "<- NON GET, -> NON 2.05"

ask get --coap-option 65001,x "$uri/hello"
code "an unknown critical option is a Bad Option" 4.02
ask get --coap-option 65000,x "$uri/hello"
code "an unknown elective option is ignored" 2.05

# The server stands still until node has sent its request again, then finds both.
kill -STOP "$server_pid"
(sleep 3.5 && kill -CONT "$server_pid") &
ask post --payload x "$uri/counter"
output "a request that had to be sent again is answered" 3
exchange "both requests get the same answer" "<- CON POST, -> ACK 2.04, <- CON POST, -> ACK 2.04"
run get "$uri/counter"
output "the request was processed once" 3

echo "# coap-cli has neither a ping nor a time-out of its own to be tested"
finish
