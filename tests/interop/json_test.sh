#!/usr/bin/env bash
# What --json prints, checked against docs/copal.schema.json: answers of our server, of libcoap's and of node-coap, and
# whatever goes wrong.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3
need_node
python3 -c 'import jsonschema' 2>/dev/null || skip "jsonschema is not installed: scripts/install-dependencies test"

# NAME STATUS CLAIM...: what the last run printed is so, and nothing else was.
json() {
  local name=$1 expected=$2
  shift 2
  python3 "$here/schema.py" "$@" <"$work/out" 2>>"$work/err"
  [ $? = 0 ] && [ "$status" = "$expected" ]
  report $? "$name"
}

start_serve
closed=coap://127.0.0.1:$(free_port)

# --- our server

run get --json "$uri/hello"
json "a GET is an object" 0 'len(o) == 1' 'first["kind"] == "response"' 'first["status"] == 0' \
  'first["request"]["method"] == "GET" and first["request"]["type"] == "CON"' \
  "first['request']['uri'] == '$uri/hello'" "first['peer'] == '127.0.0.1:$port'" \
  'first["request"]["options"] == [{"number": 11, "name": "Uri-Path", "value": "hello"}]' \
  'first["response"]["code"] == "2.05" and first["response"]["name"] == "Content"' \
  'first["response"]["type"] == "ACK" and len(first["response"]["token"]) == 16' \
  'first["response"]["content_format"] == {"number": 0, "name": "text/plain; charset=utf-8"}' \
  'first["response"]["encoding"] == "text" and first["response"]["size"] == 26' \
  'first["response"]["payload"] == "Hello, constrained world!\n"' 'first["round_trip_s"] > 0' \
  'first["transmissions"] == 1 and first["retransmissions"] == 0' \
  'first["blocks"] == {"requests": 1, "sent": 0, "received": 0}'
[ ! -s "$work/err" ]
report $? "nothing is said beside it"
run get --json "$uri/nothing"
json "a 4.04 is a response" 4 'first["kind"] == "response"' 'first["status"] == 4' \
  'first["response"]["code"] == "4.04" and first["response"]["name"] == "Not Found"'
[ ! -s "$work/err" ]
report $? "nothing is said beside a 4.04"
run put --json --hex 00ff10 "$uri/store/bytes"
json "a PUT has no payload in its answer" 0 'first["response"]["code"] == "2.01"' 'body(first) == b""' \
  'first["request"]["method"] == "PUT"'
run get --json --non "$uri/store/bytes"
json "bytes are base64" 0 'first["response"]["encoding"] == "base64"' 'body(first) == bytes.fromhex("00ff10")' \
  'first["request"]["type"] == "NON" and first["response"]["type"] == "NON"' \
  'first["response"]["content_format"]["number"] == 42'
etag=$(python3 -c 'import json, sys
print(next(option["value"] for option in json.load(sys.stdin)["response"]["options"] if option["name"] == "ETag"))' \
  <"$work/out")
run get --json --etag "0x$etag" "$uri/store/bytes"
json "a 2.03 has no body" 0 'first["response"]["code"] == "2.03"' '"payload" not in first["response"]' \
  "{'number': 4, 'name': 'ETag', 'value': '$etag'} in first['request']['options']"
head -c 5000 /dev/urandom >"$work/large"
run put --json --file "$work/large" --block-size 512 "$uri/store/large"
json "blocks of an upload are counted" 0 'first["blocks"] == {"requests": 10, "sent": 10, "received": 0}'
run get --json --block-size 256 "$uri/store/large"
json "blocks of a download are counted" 0 'first["blocks"] == {"requests": 20, "sent": 0, "received": 20}' \
  "body(first) == open('$work/large', 'rb').read()"
run get --json --output "$work/fetched" "$uri/store/large"
json "a body that goes to a file is not printed" 0 '"payload" not in first["response"]' \
  'first["response"]["size"] == 5000'
cmp -s "$work/large" "$work/fetched"
report $? "it is in the file"
run post --json --no-response "$uri/counter"
json "no answer that was not wanted is no error" 0 'first["kind"] == "response"' '"response" not in first'
run get --json --repeat 3 --parallel 2 "$uri/hello" "$uri/nothing"
json "several answers are several objects" 4 'len(o) == 6' 'sum(a["status"] == 4 for a in o) == 3' \
  'len({a["response"]["token"] for a in o}) == 6'

# --- pings

run ping --json --count 2 --interval 0.01 "$uri"
json "an answered ping is a pong" 0 'len(o) == 2' 'all(a["kind"] == "pong" for a in o)' \
  'first["request"]["method"] == "PING" and first["request"]["options"] == []' 'first["transmissions"] == 1'
run ping --json --count 1 "$closed"
json "a ping that is refused is an error" 8 'first["kind"] == "error" and first["error"]["name"] == "unreachable"'
run ping --json no-such-host.invalid
json "a ping to a name that is nobody's is an error" 8 'first["error"]["name"] == "resolve"' 'first["peer"] is None'

# --- what goes wrong

run get --json "$closed/x"
json "a closed port is an error" 8 'first["kind"] == "error"' 'first["error"]["name"] == "unreachable"' \
  '"is unreachable" in first["error"]["message"]' 'first["status"] == 8'
run get --json coap://no-such-host.invalid/x
json "a name that is nobody's is an error" 8 'first["error"]["name"] == "resolve"' 'first["peer"] is None' \
  '"no-such-host.invalid" in first["error"]["message"]'
run get --json coap://224.0.1.187/x
json "a CON to a group is an error" 2 'first["error"]["name"] == "multicast_con"'
run get --json
expect "bad usage is bad usage" 2
output "bad usage is no object" ''

start_announced peer python3 -u "$here/peer.py"
peer=coap://127.0.0.1:$port
run get --json --ack-timeout 0.05 --retransmit 2 "$peer/silent"
json "silence is an error" 6 'first["error"]["name"] == "timeout"' 'first["transmissions"] == 3' \
  'first["retransmissions"] == 2' '"after 3 transmissions in" in first["error"]["message"]' 'first["status"] == 6'
run get --json "$peer/reset"
json "a Reset is an error" 7 'first["error"]["name"] == "reset"'
run get --json "$peer/critical"
json "a response that is rejected is an error" 9 'first["error"]["name"] == "response_rejected"'
run get --json "$peer/halves"
json "blocks that make no whole are an error" 9 'first["error"]["name"] == "body_blocks"' \
  'first["blocks"]["received"] == 1'
run get --json "$peer/escape"
json "what a peer says is escaped" 0 'body(first) == b"a\x1b[31mb\xc2\x9bc\n"'
run get --json "$peer/unknown"
json "options that nobody knows are bytes" 0 \
  '{"number": 65000, "name": None, "value": "0102"} in first["response"]["options"]' \
  'first["response"]["content_format"] == {"number": 64999, "name": None}'
run get --json "$peer/odd-code"
json "a code that nobody knows has no name" 4 'first["response"]["code"] == "4.31"' 'first["response"]["name"] is None'

# --- other subcommands

run discover --json "$uri"
json "discover's list is in the schema" 0 'len(o) == 1' 'first["kind"] == "resources"' \
  'any(link["attributes"].get("obs") is True for link in first["resources"])'
run discover --json "$uri/hello"
json "so is what is no list" 9 'first["kind"] == "error" and first["error"]["name"] == "no_links"' 'first["status"] == 9'
run discover --json "$closed"
json "so is a server that is not there" 8 'first["error"]["name"] == "unreachable"' 'first["status"] == 8'
run get --quiet --pcap "$work/capture" "$uri/hello"
run decode --json --port any --quiet "$work/capture"
json "so are a capture's datagrams" 0 'len(o) == 2' 'all(item["kind"] == "datagram" for item in o)' \
  'o[1]["payload"]["text"] == "Hello, constrained world!\n"' 'first["options"][0]["value"] == "hello"'
run decode --json 4f017d34
json "so is a malformed one" 9 'first["error"]["section"] == "RFC 8974 2.1"'
run bench --json --requests 20 --duration 5 "$uri/hello"
json "so is a measurement" 0 'first["kind"] == "bench"' 'first["codes"] == {"2.05": 20}' 'first["observers"] is None'

# --- other people's servers

start node node "$here/node/server.js"
wait_for "$work/node.out" '^listening on'
node=coap://127.0.0.1:$(sed -n 's/^listening on udp://p' "$work/node.out")
run get --json "$node/hello" "$node/async"
json "node's answers are objects" 0 'len(o) == 2' '[a["response"]["payload"] for a in o] == ["hello from node", "node took its time"]' \
  'o[1]["response"]["type"] == "CON"'
run get --json "$node/store/none"
json "node's diagnostic is the payload" 4 'first["response"]["payload"] == "nothing is stored there"' \
  'first["response"]["content_format"] is None'

port=$(free_port)
start libcoap coap-server-notls -v 7 -d 10 -A 127.0.0.1 -p "$port"
for _ in $(seq 100); do
  "$copal" get --quiet --timeout 1 "coap://127.0.0.1:$port/" >/dev/null && break
  sleep 0.05
done
run get --json "coap://127.0.0.1:$port/"
json "libcoap's answer is an object" 0 '"libcoap" in first["response"]["payload"]'
run put --json --data x "coap://127.0.0.1:$port/fresh" "coap://127.0.0.1:$port/"
json "libcoap's refusal has its status" 4 '[a["status"] for a in o] == [0, 4]' \
  'o[1]["response"]["code"].startswith("4.")'

finish
