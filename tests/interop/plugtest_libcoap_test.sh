#!/usr/bin/env bash
# The plugtests (ETSI CoAP#4) with libcoap: our client against its server, and its client against ours.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-client-notls coap-server-notls python3
peer_name=libcoap
# shellcheck source=tests/interop/plugtest.sh
. "$here/plugtest.sh"

# --- our client, its server

head -c 5120 /dev/zero | tr '\0' x >"$work/large"

# NAME OPTION...: a server of libcoap's with the plugtests' resources, as far as PUT makes them; $port is its port.
start_libcoap() {
  local name=$1 path _
  shift
  port=$(free_port)
  start "$name" coap-server-notls "$@" -v 3 -d 40 -A 127.0.0.1 -p "$port"
  for _ in $(seq 100); do
    "$copal" get --quiet --timeout 1 "coap://127.0.0.1:$port/" >/dev/null && break
    sleep 0.05
  done
  for path in test seg1/seg2/seg3 query obs obs-non obs-pumping link1 link2 link3; do
    "$copal" put --quiet --data '"at first"' --format json "coap://127.0.0.1:$port/$path"
  done
  for path in large large-update obs-large; do
    "$copal" put --quiet --file "$work/large" --format json "coap://127.0.0.1:$port/$path"
  done
}

start_libcoap unconfirmed -N
unconfirmed=$port
start_libcoap confirmed
begin_our_client "$port" "$unconfirmed"

# --- its client, our server

start_serve --plugtest --interval 0 --delay 0.3
"$copal" get --quiet "$uri/large" >"$work/large"

# ARGUMENT...: libcoap's client; the body is $work/out, its log $work/err, our server's trace $work/peer.
ask() {
  watched ask_unwatched "$@"
}

ask_unwatched() {
  : >"$work/out"
  timeout 20 coap-client-notls -v 7 -B 8 -o "$work/out" "$@" >"$work/err" 2>&1 </dev/null
  status=$?
}

# NAME PATTERN: types and codes that our server saw.
exchange() {
  local seen
  seen=$(traffic_in "$work/peer")
  [[ "$seen" =~ ^($2)$ ]]
  report $? "$1"
}

has_body() { # NAME
  [ -s "$work/out" ]
  report $? "$1"
}

# NAME FILE: the body is what is in the file.
same_body() {
  cmp -s "$work/out" "$2"
  report $? "$1"
}

# WORD...: a change through /actions.
act() {
  "$copal" post --quiet --data "$*" "$uri/actions"
}

# The value of the ETag in the server's last answer, as the command shows it.
etag() {
  sed -nE 's/^.* -> .* ETag (0x[0-9a-f]+).*/\1/p' "$work/peer" | tail -n 1
}

# libcoap's address is verified here: after the first, large answers go at once.
ask -p "$(free_port)" "$uri/large"

plugtest CORE_01
ask "$uri/test"
exchange "GET" '<- CON GET, -> ACK 2.05'
has_body "GET has a body"
says "GET has a Content-Format" err '^v:1 t:ACK c:2\.05 .*Content-Format:text/plain'
plugtest CORE_02
ask -m delete "$uri/test"
exchange "DELETE" '<- CON DELETE, -> ACK 2.02'
plugtest CORE_03
ask -m put -t text/plain -e x "$uri/test"
exchange "PUT" '<- CON PUT, -> ACK 2.0[14]'
plugtest CORE_04
ask -m post -t text/plain -e x "$uri/test"
exchange "POST" '<- CON POST, -> ACK 2.0[14]'
plugtest CORE_05
ask -N "$uri/test"
exchange "NON GET" '<- NON GET, -> NON 2.05'
has_body "NON GET has a body"
plugtest CORE_06
ask -N -m delete "$uri/test"
exchange "NON DELETE" '<- NON DELETE, -> NON 2.02'
plugtest CORE_07
ask -N -m put -t text/plain -e x "$uri/test"
exchange "NON PUT" '<- NON PUT, -> NON 2.0[14]'
plugtest CORE_08
ask -N -m post -t text/plain -e x "$uri/test"
exchange "NON POST" '<- NON POST, -> NON 2.0[14]'

separate='<- CON GET, -> ACK Empty, -> CON 2.05, <- ACK Empty'
plugtest CORE_09
ask "$uri/separate"
exchange "a separate response" "$separate"
has_body "a separate response has a body"
plugtest CORE_10
ask -T abcd1234 "$uri/test"
exchange "a token of 8 bytes" '<- CON GET, -> ACK 2.05'
says "it comes back" err '^v:1 t:ACK c:2\.05 i:[0-9a-f]{4} \{61626364313233[0-9a-f]{2}\}'
plugtest CORE_11
ask -T abcd1234 "$uri/separate"
exchange "a token of 8 bytes, separate response" "$separate"
says "it comes back, too" err '^v:1 t:CON c:2\.05 i:[0-9a-f]{4} \{61626364313233[0-9a-f]{2}\}'
cannot CORE_12 "coap-client always has a token"
plugtest CORE_13
ask "$uri/seg1/seg2/seg3"
exchange "three segments" '<- CON GET, -> ACK 2.05'
says "each is an option" err 'Uri-Path:seg1, Uri-Path:seg2, Uri-Path:seg3'
plugtest CORE_14
ask "$uri/query?first=1&second=2&third=3"
exchange "three arguments" '<- CON GET, -> ACK 2.05'
output "each is an option" $'first=1\nsecond=2\nthird=3'
cannot CORE_15 "coap-client cannot lose what it receives"
cannot CORE_16 "coap-client cannot lose what it receives"
plugtest CORE_17
ask -N "$uri/separate"
exchange "a NON that is answered later" '<- NON GET, -> NON 2.05'
has_body "a NON that is answered later has a body"
plugtest CORE_18
ask -m post -t text/plain -e x "$uri/test"
says "Location-Path" err 'c:2\.01 .*Location-Path:location1, Location-Path:location2, Location-Path:location3'
plugtest CORE_19
ask -m post -t text/plain -e x "$uri/location-query"
says "Location-Query" err 'c:2\.01 .*Location-Query:first=1, Location-Query:second=2'
plugtest CORE_20
ask -A text/plain "$uri/multi-format"
says "Accept 0" err 'c:2\.05 .*Content-Format:text/plain'
ask -A application/xml "$uri/multi-format"
says "Accept 41" err 'c:2\.05 .*Content-Format:application/xml'

plugtest CORE_21
ask "$uri/validate"
first=$(etag)
ask -O "4,$first" "$uri/validate"
exchange "what is valid still" '<- CON GET, -> ACK 2.03'
output "has no body" ''
act validate change
ask -O "4,$first" "$uri/validate"
exchange "what is valid no more" '<- CON GET, -> ACK 2.05'
[ "$first" ] && [ "$(etag)" != "$first" ]
report $? "has another ETag"
plugtest CORE_22
first=$(etag)
ask -O "1,$first" -m put -t text/plain -e mine "$uri/validate"
exchange "If-Match" '<- CON PUT, -> ACK 2.04'
ask -O "1,$first" -m put -t text/plain -e foreign "$uri/validate"
exchange "If-Match with an old ETag" '<- CON PUT, -> ACK 4.12'
ask "$uri/validate"
output "changes nothing" mine
plugtest CORE_23
ask -O 5, -m put -t text/plain -e one "$uri/create1"
exchange "If-None-Match" '<- CON PUT, -> ACK 2.01'
ask -O 5, -m put -t text/plain -e two "$uri/create1"
exchange "If-None-Match, twice" '<- CON PUT, -> ACK 4.12'
cannot CORE_31 "coap-client has no ping that stands alone"

# QUERY LINKS: the targets that discovery lists.
discover() {
  ask "$uri/.well-known/core?$1"
  [ "$(grep -oE '<[^>]+>' "$work/out" | paste -sd ' ')" = "$2" ]
  report $? "links with $1"
}

plugtest LINK_01
ask "$uri/.well-known/core"
says "discovery has its Content-Format" err 'c:2\.05 .*Content-Format:application/link-format'
for path in test separate large obs link3; do says "discovery lists /$path" out "</$path>"; done
plugtest LINK_02
discover 'rt=Type1' '</link1> </link3>'
plugtest LINK_03
discover 'rt=*' "$("$copal" get --quiet "$uri/.well-known/core" | sed 's/,</\n</g' | grep ';rt=' | grep -oE '^<[^>]+>' |
  paste -sd ' ')"
plugtest LINK_04
discover 'rt=Type2' '</link1> </link2>'
plugtest LINK_05
discover 'if=If*' '</link1> </link2>'
plugtest LINK_06
discover 'sz=*' '</large> </large-update>'
plugtest LINK_07
discover 'href=/link1' '</link1>'
plugtest LINK_08
discover 'href=/link*' '</link1> </link2> </link3>'
plugtest LINK_09
discover 'href=/path' '</path>'
says "a link to links" out ';ct=40'
ask "$uri/path"
says "the links below" out '</path/sub1>'
ask "$uri/path/sub1"
exchange "what is below" '<- CON GET, -> ACK 2.05'

pairs='(<- CON [A-Z]+, -> ACK 2\.[0-9]+(, )?)+'
plugtest BLOCK_01
ask -b 64 "$uri/large"
exchange "GET in blocks" "$pairs"
same_body "GET in blocks brings the whole" "$work/large"
[ "$(grep -c '<- .* CON GET' "$work/peer")" = 80 ]
report $? "GET in blocks takes one request each"
plugtest BLOCK_02
ask "$uri/large"
exchange "GET in blocks of our choice" "$pairs"
same_body "GET in blocks of our choice brings the whole" "$work/large"
tr '[:lower:]' '[:upper:]' <"$work/large" >"$work/upload"
plugtest BLOCK_03
ask -b 64 -m put -t text/plain -f "$work/upload" "$uri/large-update"
exchange "PUT in blocks" "$pairs"
says "PUT in blocks is answered at its end" err 'c:2\.04 .*Block1:79/_/64'
run get --output "$work/out" "$uri/large-update"
same_body "PUT in blocks brings the whole" "$work/upload"
plugtest BLOCK_04
ask -b 64 -m post -t text/plain -f "$work/upload" "$uri/large-create"
exchange "POST in blocks" "$pairs"
says "POST in blocks creates" err 'c:2\.01 .*Location-Path:large-create, Location-Path:1.*Block1:79/_/64'
run get --output "$work/out" "$uri/large-create/1"
same_body "POST in blocks brings the whole" "$work/upload"
plugtest BLOCK_05
ask -b 64 -m post -t text/plain -f "$work/upload" "$uri/large-post"
exchange "POST in blocks both ways" "$pairs"
says "POST in blocks both ways brings the whole" out '5120 bytes were posted'
plugtest BLOCK_06
ask -b 16 "$uri/large"
exchange "GET in blocks of 16" "$pairs"
same_body "GET in blocks of 16 brings the whole" "$work/large"

# SECONDS COMMAND ARGUMENT...: libcoap's client observes with these arguments while the command is run.
observe() {
  local seconds=$1 command=$2
  shift 2
  watched observe_unwatched "$seconds" "$command" "$@"
}

observe_unwatched() {
  local seconds=$1 command=$2
  shift 2
  (sleep 0.3 && $command) &
  : >"$work/out"
  timeout 20 coap-client-notls -v 7 -s "$seconds" -o "$work/out" "$@" >"$work/err" 2>&1 </dev/null
  status=$?
}

# Our own requests to /actions are in the trace, too; what is left is libcoap's.
observed() { # NAME PATTERN
  local port seen
  port=$(sed -nE 's/^.* <- [^ ]+:([0-9]+) .*Observe.*/\1/p' "$work/peer" | head -n 1)
  grep -F ":$port " "$work/peer" >"$work/observer"
  seen=$(traffic_in "$work/observer")
  [[ "$seen" =~ ^($2)$ ]]
  report $? "$1"
}

change_twice() {
  act "$1" change
  sleep 0.2
  act "$1" change
}

cancelled=', <- CON GET, -> ACK 2.05'
plugtest OBS_01
observe 1 'change_twice obs' "$uri/obs"
observed "observation" "<- CON GET, -> ACK 2.05(, -> CON 2.05, <- ACK Empty){2}$cancelled"
plugtest OBS_12
says "the request that cancels" peer '<- .* CON GET .* Observe 1 '
plugtest OBS_02
observe 1 'act obs-non change' -N "$uri/obs-non"
observed "observation without confirmation" "<- NON GET, -> NON 2.05, -> NON 2.05.*"
cannot OBS_04 "coap-client does not ask again"
cannot OBS_05 "coap-client cannot be switched off: its port would be unreachable"
cannot OBS_06 "coap-client forgets nothing"
plugtest OBS_07
observe 1 'act obs delete' "$uri/obs"
observed "what is observed is deleted" "<- CON GET, -> ACK 2.05, -> CON 4.04, <- ACK Empty.*"
act obs reset
plugtest OBS_08
observe 1 'act obs format json' "$uri/obs"
observed "what is observed changes its format" "<- CON GET, -> ACK 2.05, -> CON 4.06, <- ACK Empty.*"
act obs reset
plugtest OBS_09
observe 1 "$copal put --quiet --data new_payload $uri/obs" "$uri/obs"
observed "what is observed is changed" "<- CON GET, -> ACK 2.05, -> CON 2.05, <- ACK Empty$cancelled"
says "libcoap has it" out 'new_payload'
cannot OBS_10 "coap-client sends nothing beside its observation"
cannot OBS_11 "coap-client cannot lose what it receives"
plugtest OBS_13
observe 1 'act obs-large change' "$uri/obs-large"
says "the notification is a block" peer '-> .* CON 2\.05 .*Block2 0/1/1024'
says "the rest is fetched" peer '-> .* ACK 2\.05 .*Block2 1/0/1024'
plugtest OBS_14
observe 1 'act obs-pumping size 2048' "$uri/obs-pumping"
says "one that fits" peer '-> .* ACK 2\.05 .* Observe [0-9]+ '
says "and one that does not" peer '-> .* CON 2\.05 .*Block2 0/1/1024'
conclude

end_our_client
finish
