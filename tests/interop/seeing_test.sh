#!/usr/bin/env bash
# What can be seen of messages: --verbose tells what was sent, received and decided, --pcap has it for Wireshark. tshark
# reads what was recorded, and reads any datagram as "copal decode" does.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need python3

# FILE: lines as they are, but for times, ports, message IDs and tokens.
masked() {
  sed -E 's/^ *[0-9.]+ ms/TIME/; s/127\.0\.0\.1:[0-9]+/PEER/; s/0x[0-9a-f]{4}( |$)/MID\1/; s/token [0-9a-f]+/token T/
          s/[0-9.]+ (us|ms)$/TRIP/' "$1"
}

start_serve
server_port=$port
run get -v "$uri/hello"
masked "$work/err" >"$work/seen"
cat >"$work/expected" <<'ROWS'
TIME -> PEER  CON GET MID token T Uri-Path "hello"
TIME <- PEER  ACK 2.05 Content MID token T Content-Format text/plain; charset=utf-8 (0) | 26 bytes "Hello, constrained world!\n"
                 accepted: the response to our request; the peer's address is verified now
2.05 Content  text/plain; charset=utf-8  26 B  TRIP
ROWS
diff "$work/expected" "$work/seen"
report $? "-v shows what is sent, received and decided, in this order, before the answer"
run get -vv --token 4a1b "$uri/hello"
says "-vv shows the bytes" err '^ {17}0004  4a 1b +Token, 2 bytes$'
says "-vv explains them" err '^ {17}0006  b5 +Option 11 Uri-Path: delta 11, length 5; critical,$'
run get -v -q "$uri/hello"
[ ! -s "$work/err" ]
report $? "-q is silent all the same"
run ping -v --count 1 "$uri"
says "a ping's Reset is accepted" err "^ {17}accepted: ends our message with this ID"
wait_for "$work/serve.err" '^ {17}a ping: answered with a Reset$'

# --- what a server decides, of datagrams made by hand

cat >"$work/strange.py" <<'PYTHON'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("127.0.0.1", int(sys.argv[1])))
def send(text, answers=1):
    s.send(bytes.fromhex(text))
    return [s.recv(2000) for _ in range(answers)]
hello = "4101 1001 07 b568656c6c6f"
assert send(hello) == send(hello)
send("4f01100200")                 # malformed CON
send("80011003", 0)                # another version
send("4145 1004 99")               # a response that nobody asked for
send("5145 1005 99", 0)            # likewise, NON
send("60001006", 0)                # an ACK of nothing
send("42e1 1007 0102")             # a reserved class
send("4101 1008 07 b8" + b"counter!".hex())
send("5101 1009 07 b568656c6c6f")
send("5101 1009 07 b568656c6c6f", 0)
pings = send("4101 100a 08 bb" + b".well-known".hex() + "04" + b"core".hex(), 2)
assert [p[0] >> 4 for p in pings] == [4, 4]
PYTHON
watched python3 "$work/strange.py" "$port"
report $? "a server answers each as it should"
wait_for "$work/serve.err" 'held until'
while read -r decision; do
  says "a server tells: $decision" peer "^ {17}$decision\$"
done <<'ROWS'
duplicate: the reply is repeated
malformed: rejected with a Reset
malformed: dropped in silence
unknown token: rejected with a Reset
unknown token: ignored
ignored: no message of ours with this ID waits for it
code of a reserved class: rejected with a Reset
duplicate: ignored
processed
ROWS
says "a server tells that an answer is held" serve.err "processed; the answer is held until the peer's address is verified$"
says "what is malformed is explained" peer '^ {17}0000  4f +wrong: Ver 1, Type CON'

# --- what a client decides

start_silent
run get -v --ack-timeout 0.05 --retransmit 2 "$silent/"
masked "$work/err" >"$work/seen"
cat >"$work/expected" <<'ROWS'
TIME -> PEER  CON GET MID token T
TIME -> PEER  CON GET MID token T  retransmission 1 of 2
TIME -> PEER  CON GET MID token T  retransmission 2 of 2
                 gave up: no answer after the last retransmission
ROWS
head -n 4 "$work/seen" | diff "$work/expected" -
report $? "-v shows what is sent again, and that it was given up"
closed=$(free_port)
run get -v "coap://127.0.0.1:$closed/"
says "-v tells what is unreachable" err '^ {17}unreachable: '

# --- on a terminal

cat >"$work/terminal.py" <<'PYTHON'
import os, pty, sys
os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm"
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 65536))))
PYTHON
timeout 20 python3 "$work/terminal.py" "$copal" get -vv -O Uri-Query="$(printf 'a word and %.0s' $(seq 9))" \
  -O If-Match=0x0102030405060708 "$uri/hello" </dev/null | tr -d '\r' >"$work/out"
grep -q $'\033\[2m.* ms -> ' "$work/out"
report $? "-v has colours on a terminal"
sed 's/\x1b\[[0-9]*m//g' "$work/out" >"$work/plain"
[ "$(wc -L <"$work/plain")" -le 100 ]
report $? "lines fit 100 columns on a terminal"
NO_COLOR='' TERM=xterm run get -vv "$uri/hello"
! grep -q $'\033' "$work/err"
report $? "-v has no colours in a file"

# --- recordings

run get --pcap "$work/get.pcap" "$uri/hello"
expect "what is recorded is answered" 0
run decode --json --port any "$work/get.pcap"
python3 - "$work/out" "$server_port" <<'PYTHON'
import json, sys
request, response = [json.loads(line) for line in open(sys.argv[1])]
server = "127.0.0.1:" + sys.argv[2]
assert request["destination"] == server == response["source"]
assert request["source"] == response["destination"] != "127.0.0.1:0"
assert (request["code"], response["code"], response["payload"]["text"]) == ("0.01", "2.05", "Hello, constrained world!\n")
assert 0 <= response["time_s"] - request["time_s"] < 20
PYTHON
report $? "decode reads what was recorded, with addresses, ports and times"
run get --pcap - --output "$work/body" "$uri/hello"
cp "$work/out" "$work/stdout.pcap"
run decode --brief --port any "$work/stdout.pcap"
[ "$(wc -l <"$work/out")" = 2 ]
report $? "--pcap - is standard output where the answer goes elsewhere"
run get --pcap - "$uri/hello"
expect "--pcap - and an answer exclude each other" 2
run get --pcap "$work/no/such/folder" "$uri/hello"
expect "a file that cannot be written is a local error" 1
run ping --count 2 --interval 0.05 --pcap "$work/ping.pcap" "$uri"
run decode --brief --port any "$work/ping.pcap"
[ "$(grep -cE '(CON|RST) Empty' "$work/out")" = 4 ]
report $? "a ping is recorded"
run discover --pcap "$work/discover.pcap" "$uri"
run decode --brief --port any "$work/discover.pcap"
says "a discovery is recorded" out 'CON GET .* Uri-Path ".well-known" Uri-Path "core"'
start observe "$copal" observe --pcap "$work/observe.pcap" "$uri/counter"
observe_pid=$pid
wait_for "$work/observe.out" '^[0-9]'
kill -KILL "$observe_pid"
wait "$observe_pid" 2>/dev/null
run decode --brief --port any "$work/observe.pcap"
expect "who is killed leaves a whole file" 0
says "an observation is recorded" out 'ACK 2\.05 .* Observe '

start_announced recording "$copal" serve --bind coap://127.0.0.1:0 --bind coap://127.0.0.1:0 --pcap "$work/serve.pcap"
mapfile -t ports <<<"$port"
run get "coap://127.0.0.1:${ports[0]}/hello"
run get --non "coap://127.0.0.1:${ports[1]}/uptime"
run decode --brief --port any "$work/serve.pcap"
says "a server records what comes" out "127\.0\.0\.1:[0-9]+ -> 127\.0\.0\.1:${ports[0]}  CON GET .*\"hello\"\$"
[ "$(grep -c '^#' "$work/out")" = 4 ]
report $? "all endpoints of a server are recorded"
run serve --bind coap://127.0.0.1:0 --pcap -
expect "a server's standard output is no capture" 2

# --- tshark, a neutral reader

command -v tshark >/dev/null || finish
read_capture() { # FILE PORT OPTION...
  tshark -r "$1" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -d "udp.port==$2,coap" "${@:3}" 2>"$work/err"
}

read_capture "$work/get.pcap" "$server_port" -V >"$work/out"
report $? "tshark opens a recording"
says "it is CoAP" out '^Constrained Application Protocol, Confirmable, GET'
says "its resource is read" out 'Uri-Path: hello$'
[ "$(grep -c 'Checksum Status: Good\|checksum status: Good' "$work/out")" = 4 ]
report $? "its checksums are right"
[ -z "$(read_capture "$work/serve.pcap" "${ports[0]}" -Y _ws.malformed)" ]
report $? "a server's recording has nothing malformed"

# Every datagram that decodes, of the seeds of two fuzz targets: type, code, message ID, token, and numbers and lengths
# of options are the same for both.
python3 - "$here/../fuzz/corpus" "$work/seeds.pcap" <<'PYTHON'
import glob, struct, sys
seeds = sorted(glob.glob(sys.argv[1] + "/decode/*") + glob.glob(sys.argv[1] + "/explain/*"))
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for i, seed in enumerate(seeds):
        data = open(seed, "rb").read()
        udp = struct.pack(">HHHH", 40000 + i, 5683, 8 + len(data), 0) + data
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([192, 0, 2, 1]),
                         bytes([192, 0, 2, 2])) + udp
        file.write(struct.pack("<IIII", i, 0, len(ip), len(ip)) + ip)
PYTHON
run decode --json "$work/seeds.pcap"
read_capture "$work/seeds.pcap" 5683 -T fields -e frame.number -e coap.type -e coap.code -e coap.mid -e coap.token \
  -e coap.opt.name -e coap.opt.length -e coap.opt.length_ext >"$work/tshark.fields"
python3 - "$work/out" "$work/tshark.fields" >"$work/peer" <<'PYTHON'
import json, re, sys
theirs = {}
for line in open(sys.argv[2]):
    frame, kind, code, mid, token, names, lengths, extended = line.rstrip("\n").split("\t")
    extended, sizes = iter(extended.split(",")), []
    for length in lengths.split(",") if lengths else []:
        sizes.append({13: 13, 14: 269}[int(length)] + int(next(extended)) if int(length) > 12 else int(length))
    names = [re.sub(r"^#\d+: ", "", name) for name in re.split(r",(?=#)", names)] if names else []
    theirs[int(frame)] = (kind, code, mid, token, names, sizes)
wrong = compared = 0
types = ["CON", "NON", "ACK", "RST"]
def same_name(name, option):
    unknown = re.match(r"Unknown Option \((\d+)\)", name)
    if unknown: return int(unknown.group(1)) == option["number"]
    if name == "No-Op": return option["number"] % 14 == 0 # of a draft
    return option["name"] is not None and name.lower() == option["name"].lower()
for line in open(sys.argv[1]):
    ours = json.loads(line)
    # tshark is older than RFC 8974: longer tokens are malformed to it. Nor does it go on after an option that is
    # malformed in its eyes.
    if "error" in ours or len(ours["token"]) > 16 or ours["frame"] not in theirs: continue
    kind, code, mid, token, names, sizes = theirs[ours["frame"]]
    whole, detail = ours["code"].split(".")
    options = ours["options"]
    same = (types[int(kind)] == ours["type"] and int(code, 0) == int(whole) << 5 | int(detail)
            and int(mid, 0) == ours["message_id"] and token.replace(":", "") == ours["token"]
            and len(names) == len(options) and all(same_name(*pair) for pair in zip(names, options))
            and sizes == [option["size"] for option in options])
    compared += 1
    if not same:
        wrong += 1
        print(ours["frame"], theirs[ours["frame"]], ours)
print(compared, "compared")
sys.exit(wrong > 0 or compared < 25)
PYTHON
report $? "tshark reads the same types, codes, IDs, tokens and options"

finish
