#!/usr/bin/env bash
# libcoap's client against our server: what it prints, and the types and codes that it saw on the wire.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-client-notls python3

start_serve --delay 0.8

# ARGUMENT...: libcoap's client; the body is $work/out, its log $work/err, our server's trace $work/peer.
ask() {
  watched ask_unwatched "$@"
}

ask_unwatched() {
  : >"$work/out"
  timeout 20 coap-client-notls -v 7 -B 8 -o "$work/out" "$@" >"$work/log" 2>&1 </dev/null
  status=$?
  cp "$work/log" "$work/err"
}

# A server verifies a client's address by pings first (docs/decisions/0011-verified-addresses.md).
pings='^(<- CON|-> RST) 0.00$'

# NAME TRAFFIC [PATTERN]: types and codes as libcoap's log has them are exactly these, but for those of the pattern.
exchange() {
  local seen
  seen=$(awk '/: sent [0-9]+ bytes/ {way = "->"} /: received [0-9]+ bytes/ {way = "<-"}
              way && /^v:1 / {sub("t:", "", $2); sub("c:", "", $3); print way, $2, $3; way = ""}' "$work/err" |
    grep -vE "${3:-^$}" | paste -sd, | sed 's/,/, /g')
  [ "$seen" = "$2" ]
  report $? "$1"
  [ "$seen" = "$2" ] || echo "#  libcoap saw: $seen"
}

ask "$uri/hello"
output "GET brings the body" 'Hello, constrained world!'
exchange "GET is answered in its acknowledgement" "-> CON GET, <- ACK 2.05"
says "GET names the Content-Format" err '^v:1 t:ACK c:2\.05 .*Content-Format:text/plain'
ask -T 'abcd1234' "$uri/hello"
says "a token of 8 bytes comes back" err '^v:1 t:ACK c:2\.05 i:[0-9a-f]{4} \{61626364313233[0-9a-f]{2}\}'

ask -m put -t text/plain -e on "$uri/store/lamp"
exchange "PUT creates" "-> CON PUT, <- ACK 2.01"
ask -m put -t text/plain -e off "$uri/store/lamp"
exchange "PUT changes" "-> CON PUT, <- ACK 2.04"
ask "$uri/store/lamp"
output "GET reads what PUT wrote" 'off'
ask -m post -t application/cbor -e x "$uri/store"
exchange "POST creates" "-> CON POST, <- ACK 2.01"
says "POST tells where" err 'Location-Path:store, Location-Path:[^, ]+'
ask -m post "$uri/counter"
output "POST is processed" 1
exchange "POST changes" "-> CON POST, <- ACK 2.04"
ask -m delete "$uri/store/lamp"
exchange "DELETE deletes" "-> CON DELETE, <- ACK 2.02"
ask "$uri/store/lamp"
exchange "what was deleted is not found" "-> CON GET, <- ACK 4.04"
ask -m put -e x "$uri/hello"
exchange "a method that a resource does not have" "-> CON PUT, <- ACK 4.05"
ask -A application/cbor "$uri/hello"
exchange "a format that a resource does not have" "-> CON GET, <- ACK 4.06"
ask "$uri/.well-known/core?rt=counter"
output "discovery is filtered" '</counter>;title="GET reads, POST adds one";rt="counter";ct=0;obs'

ask -N "$uri/hello"
output "a NON GET brings the body" 'Hello, constrained world!'
exchange "a NON is answered by a NON" "-> NON GET, <- NON 2.05"
ask -N -m post "$uri/counter"
output "a NON POST is processed" 2

ask "$uri/async"
output "a slow answer arrives" 'this answer took its time'
exchange "a slow answer is a separate response, which libcoap acknowledges" \
  "-> CON GET, <- ACK 0.00, <- CON 2.05, -> ACK 0.00" "$pings"
ask -N "$uri/async"
output "a slow answer to a NON arrives" 'this answer took its time'
exchange "a slow answer to a NON is a NON, and nothing before it" "-> NON GET, <- NON 2.05"

ask -O 65001,x "$uri/hello"
exchange "an unknown critical option is a Bad Option" "-> CON GET, <- ACK 4.02"
ask -N -B 1 -O 65001,x "$uri/hello"
traffic "a NON with an unknown critical option is rejected in silence" "<- NON GET" "$work/peer"
ask -O 65000,x "$uri/hello"
exchange "an unknown elective option is ignored" "-> CON GET, <- ACK 2.05"

# The server stands still until libcoap has sent its request again, then finds both.
kill -STOP "$server_pid"
(sleep 3.3 && kill -CONT "$server_pid") &
ask -m post "$uri/counter"
output "a request that had to be sent again is answered" 3
traffic "both requests get the same answer" "<- CON POST, -> ACK 2.04, <- CON POST, -> ACK 2.04" "$work/peer"
[ "$(sed -nE 's/.* (0x[0-9a-f]{4}) .*/\1/p' "$work/peer" | sort -u | wc -l)" = 1 ]
report $? "with the same message ID"
run get "$uri/counter"
output "the request was processed once" 3

# The server stands still for longer than libcoap's client waits.
kill -STOP "$server_pid"
ask -B 2 "$uri/hello"
output "a server that stands still has no answer for libcoap" ''
kill -CONT "$server_pid"
sleep 0.2
run get "$uri/hello"
expect "afterwards it answers again" 0

# libcoap's client has no ping that stands alone: this one is spoken by hand (RFC 7252 4.3).
answer=$(python3 - "$port" <<'PING'
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.send(bytes.fromhex("4000beef"))
    print(s.recv(64).hex())
PING
)
[ "$answer" = 7000beef ]
report $? "a ping is answered by a Reset"

finish
