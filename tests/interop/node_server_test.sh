#!/usr/bin/env bash
# Our client against a server on node-coap (node/server.js): what it prints, how it ends, and the types and codes that
# went to and fro.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need_node
need python3

start_announced node node "$here/node/server.js"
uri=coap://127.0.0.1:$port

run get -v "$uri/hello"
expect "GET succeeds" 0
output "GET brings the body" 'hello from node'
traffic "GET is answered in its acknowledgement" "-> CON GET, <- ACK 2.05"
run get -v --token 0102030405060708 "$uri/hello"
says "a token of 8 bytes comes back" err '<- .* ACK 2\.05 .* token 0102030405060708 '
run get "$uri/echo?unit=%C2%B0C&a=b"
output "path and query arrive as they were meant" '/echo?unit=°C&a=b'

run put -v --data '{"on":true}' --format json "$uri/store/lamp"
expect "PUT succeeds" 0
traffic "PUT creates" "-> CON PUT, <- ACK 2.01"
run put -v --data '{"on":false}' --format json "$uri/store/lamp"
traffic "PUT changes" "-> CON PUT, <- ACK 2.04"
run get -v "$uri/store/lamp"
output "GET reads what PUT wrote" '{"on":false}'
says "its format came back with it" err '^2\.05 Content  application/json  12 B '
run put --hex 00ff0a "$uri/store/bytes"
run get --output "$work/body" "$uri/store/bytes"
[ "$(od -An -tx1 "$work/body" | tr -d ' \n')" = 00ff0a ]
report $? "bytes come back as they went"
run post -v --data x "$uri/counter"
expect "POST succeeds" 0
output "POST is processed" 1
traffic "POST changes" "-> CON POST, <- ACK 2.04"
run delete -v "$uri/store/lamp"
expect "DELETE succeeds" 0
traffic "DELETE deletes" "-> CON DELETE, <- ACK 2.02"
run get -v "$uri/store/lamp"
expect "what was deleted is a client error" 4
traffic "what was deleted is not found" "-> CON GET, <- ACK 4.04"
says "node's diagnostic is shown" err '^  nothing is stored there$'

run get -v --non "$uri/hello"
output "a NON GET brings the body" 'hello from node'
traffic "a NON is answered by a NON" "-> NON GET, <- NON 2.05"
run post --non --data x "$uri/counter"
output "a NON POST is processed" 2

run get -v "$uri/async"
output "a slow answer arrives" 'node took its time'
traffic "a separate response is acknowledged" "-> CON GET, <- ACK Empty, <- CON 2.05, -> ACK Empty"
run get -v --non "$uri/async"
output "a slow answer to a NON arrives" 'node took its time'
traffic "a slow answer to a NON is a NON" "-> NON GET, <- NON 2.05"

run get -v -O 65001=x "$uri/hello"
expect "an unknown critical option is a client error" 4
traffic "an unknown critical option is a Bad Option" "-> CON GET, <- ACK 4.02"
run get -v -O 65000=x "$uri/hello"
traffic "an unknown elective option is ignored" "-> CON GET, <- ACK 2.05"

# node-coap puts the blocks of an upload together by their token, which ours keeps where it confirms.
head -c 5000 /dev/urandom >"$work/file"
run put -v --file "$work/file" "$uri/store/file"
expect "a body above a block is put" 0
traffic "it goes in blocks" "$(printf -- '-> CON PUT, <- ACK 2.31, %.0s' 1 2 3 4)-> CON PUT, <- ACK 2.01"
[ "$(sed -nE 's/^.* -> .* CON PUT .* token ([0-9a-f]+) .*/\1/p' "$work/err" | uniq -c | awk '{print $1}')" = 5 ]
report $? "all blocks have one token"
run get -v --output "$work/body" "$uri/store/file"
cmp -s "$work/body" "$work/file"
report $? "it is whole when it is read, in blocks again"
traffic "its blocks are asked for one by one" "$(printf -- '-> CON GET, <- ACK 2.05, %.0s' 1 2 3 4)-> CON GET, <- ACK 2.05"
run put --block-size 64 --file "$work/file" "$uri/store/small-blocks"
expect "small blocks are put" 0
run get --block-size 32 --output "$work/body" "$uri/store/small-blocks"
cmp -s "$work/body" "$work/file"
report $? "small blocks make the same"
run get --ahead 7 --block-size 32 --output "$work/body" "$uri/store/small-blocks"
cmp -s "$work/body" "$work/file"
report $? "so do blocks that are asked for ahead"
run get -v --ahead 2 --output "$work/body" "$uri/store/file"
says "a server that does not tell the size is asked for what is behind the end" err '-> .* CON GET .* Block2 5/0/1024'
cmp -s "$work/body" "$work/file"
report $? "that does no harm"
run post -v --file "$work/file" "$uri/counter"
output "a POST in blocks is processed once" 3

# It keeps what it has answered with that token, too, and asks its application again for any other.
run post -v --data x "$uri/large"
output "a large answer to a POST is whole" "$(printf 'large %.0s' $(seq 500))"
traffic "it comes in blocks" '-> CON POST, <- ACK 2.04, -> CON POST, <- ACK 2.05, -> CON POST, <- ACK 2.05'
[ "$(grep -c '^POST /large$' "$work/node.out")" = 1 ]
report $? "the POST is processed once for all of them"

run discover "$uri"
expect "discovery succeeds" 0
says "discovery lists node's resources" out '^[|`]- /counter +title="POST adds one"'

# node-coap takes a ping for a request and answers it as one. RFC 7252 4.2: an "Acknowledgement message … MUST carry a
# response or be Empty", and a ping asked for no response: that is not the Reset that it waits for.
run ping -v --count 1 --timeout 0.5 "$uri"
expect "an answer that is no Reset is no answer to a ping" 6
traffic "a ping is sent once" "-> CON Empty, <- ACK 4.04"

# Whoever stands still for a while finds the request twice, and answers both.
kill -STOP "$pid"
(sleep 0.6 && kill -CONT "$pid") &
run post -v --ack-timeout 0.3 --data x "$uri/counter"
output "a request that had to be sent again is answered" 4
says "it was sent again" err '-> .* CON POST .* retransmission 1 of [0-9]+$'
sleep 0.2
[ "$(grep -c '^POST /counter$' "$work/node.out")" = 4 ]
report $? "node saw through the duplicate: message ID and token were the same"

# And whoever stands still for longer than we wait has not answered.
kill -STOP "$pid"
run get -v --ack-timeout 0.1 --retransmit 1 "$uri/hello"
expect "a node that stands still is a time-out" 6
traffic "it is asked twice" "-> CON GET, -> CON GET"
kill -CONT "$pid"

start_silent
run get -v --ack-timeout 0.1 --retransmit 2 "$silent/"
expect "silence is a time-out" 6
traffic "silence is asked three times" "-> CON GET, -> CON GET, -> CON GET"

finish
