#!/usr/bin/env bash
# Our client against libcoap's server: what it prints, how it ends, and the types and codes that went to and fro.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3

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

start_libcoap
libcoap_pid=$pid

run get -v "$uri/"
expect "GET succeeds" 0
says "GET brings the body" out '^This is a test server made with libcoap'
traffic "GET is answered in its acknowledgement" "-> CON GET, <- ACK 2.05"
run get -v --token 0102030405060708 "$uri/time?ticks"
says "a query is understood" out '^[0-9]+$'
says "a token of 8 bytes comes back" err '<- .* ACK 2\.05 .* token 0102030405060708 '
says "an option of libcoap's is read" err '^  Max-Age: 1$'

run put -v --data hello "$uri/example_data"
expect "PUT succeeds" 0
traffic "PUT creates" "-> CON PUT, <- ACK 2.01"
run put -v --data again "$uri/example_data"
traffic "PUT changes" "-> CON PUT, <- ACK 2.04"
run get "$uri/example_data"
output "GET reads what PUT wrote" again
run put --hex 00ff0a "$uri/bytes"
run get --output "$work/body" "$uri/bytes"
[ "$(od -An -tx1 "$work/body" | tr -d ' \n')" = 00ff0a ]
report $? "bytes come back as they went"
run post -v --data x "$uri/example_data"
expect "POST where libcoap has none is a client error" 4
traffic "POST is refused in its acknowledgement" "-> CON POST, <- ACK 4.05"
says "libcoap's diagnostic is shown" err '^  Method Not Allowed$'
run delete -v "$uri/bytes"
expect "DELETE succeeds" 0
traffic "DELETE deletes" "-> CON DELETE, <- ACK 2.02"
run get -v "$uri/bytes"
expect "what was deleted is a client error" 4
traffic "what was deleted is not found" "-> CON GET, <- ACK 4.04"

run get -v --non "$uri/"
expect "a NON GET succeeds" 0
traffic "a NON is answered by a NON" "-> NON GET, <- NON 2.05"

run get -v "$uri/async?1"
output "a slow answer arrives" 'done'
traffic "a separate response is acknowledged" "-> CON GET, <- ACK Empty, <- CON 2.05, -> ACK Empty"
says "libcoap takes the acknowledgement" libcoap.out 'mid=0x[0-9a-f]+: removed'
run get -v --non "$uri/async?1"
output "a slow answer to a NON arrives" 'done'
traffic "a slow answer to a NON is a NON" "-> NON GET, <- NON 2.05"

run get -v -O 65001=x "$uri/"
traffic "an unknown critical option is a Bad Option" "-> CON GET, <- ACK 4.02"
# libcoap puts the option that it does not know into its answer, where it is just as critical. RFC 7252 5.4.1:
# "Unrecognized options of class "critical" that occur in a Confirmable response, or piggybacked in an Acknowledgement,
# MUST cause the response to be rejected".
expect "an answer with an unknown critical option is rejected" 9
says "the reason of the rejection is said" err 'is rejected: a critical option in it is not understood'
run get -v -O 65000=x "$uri/"
traffic "an unknown elective option is ignored" "-> CON GET, <- ACK 2.05"

run discover "$uri"
expect "discovery succeeds" 0
says "discovery lists libcoap's resources" out '^[|`]- /time +if="clock"  rt="ticks"'
run discover --rt ticks "$uri"
[ "$(wc -l <"$work/out")" = 2 ]
report $? "libcoap filters what is asked for"

run ping -v --count 1 "$uri"
expect "a ping is answered" 0
traffic "a ping is answered by a Reset" "-> CON Empty, <- RST Empty"

# libcoap stands still for longer than we wait.
kill -STOP "$libcoap_pid"
run get -v --ack-timeout 0.1 --retransmit 1 "$uri/time"
expect "a libcoap that stands still is a time-out" 6
traffic "it is asked twice" "-> CON GET, -> CON GET"
kill -CONT "$libcoap_pid"

# Nobody takes the acknowledgement's place: the client sends again what it sent, then gives up.
start_silent
run get -v --ack-timeout 0.1 --retransmit 2 "$silent/"
expect "silence is a time-out" 6
traffic "silence is asked three times" "-> CON GET, -> CON GET, -> CON GET"
says "the last time is said to be one" err 'retransmission 2 of 2$'
run get -v --non --timeout 0.3 "$silent/"
expect "silence to a NON is a time-out" 6
traffic "a NON goes out once" "-> NON GET"

finish
