#!/usr/bin/env bash
# Bodies in blocks, both ways: against libcoap, node-coap, our own "copal serve DIR", over a lossy line, and against a
# server whose resource changes or goes away half-way. What arrives is what was sent, or somebody is told.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3 cmp

# FILE SIZE: makes a file whose blocks all differ.
make_file() {
  python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(7959).randbytes(int(sys.argv[1])))' "$2" >"$1"
}

same() { # NAME FILE FILE
  cmp -s "$2" "$3"
  report $? "$1"
}

# ARGUMENT...: as run, and $peak is the most memory that it had, in KiB. It is looked at while it runs: what the system
# tells afterwards counts what was there before exec, too.
run_measured() {
  timeout 60 python3 -c 'import subprocess, sys, time
process, peak = subprocess.Popen(sys.argv[2:]), 0
while process.poll() is None:
    for line in open("/proc/%d/status" % process.pid):
        if line.startswith("VmHWM:"): peak = int(line.split()[1])
    time.sleep(0.002)
print(peak, file=open(sys.argv[1], "w"))
sys.exit(process.returncode)' "$work/peak" "$copal" "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
  peak=$(cat "$work/peak")
}

peak_of() { # PROCESS: the most memory that it had, in KiB
  sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$1/status"
}

# What a server may have more after 6 MB: replies are kept for duplicates. The address sanitizer takes as much again.
replies=14336
grep -q __asan_init "$copal" && replies=$((2 * replies))

# 2 MB more would be the body. Message IDs have their table, of 1 MiB, of which more is touched the more there are.
modest() { # NAME KIB: it took no more than that much and a little
  [ "$peak" -gt 0 ] && [ "$peak" -lt $(($2 + 1536)) ]
  report $? "$1 ($peak KiB after $2 KiB)"
}

make_file "$work/large" 1000000
make_file "$work/small" 30001

# --- libcoap

port=$(free_port)
uri=coap://127.0.0.1:$port
start libcoap coap-server-notls -v 1 -d 10 -A 127.0.0.1 -p "$port"
for _ in $(seq 100); do
  "$copal" get --quiet --timeout 1 "$uri/" >/dev/null && break
  sleep 0.05
done

run put -v --file "$work/small" "$uri/small"
expect "libcoap takes a file in blocks" 0
says "the first block tells the size" err '-> .* CON PUT .* Block1 0/1/1024 Size1 30001 '
run get -v --output "$work/back" "$uri/small"
expect "libcoap gives a file in blocks" 0
same "what libcoap gives is what it took" "$work/small" "$work/back"
says "the status line tells the whole size" err '^2\.05 Content  application/octet-stream  30001 B  '
"$copal" get "$uri/small" >"$work/back"
same "standard output gets the same" "$work/small" "$work/back"
run get -v --block-size 64 --output "$work/back" "$uri/small"
same "small blocks make the same" "$work/small" "$work/back"
says "small blocks are asked for at once" err '-> .* CON GET .* Block2 0/0/64'
run get -v --ahead 7 --block-size 64 --output "$work/back" "$uri/small"
same "blocks that are asked for ahead make the same" "$work/small" "$work/back"
[ "$(grep -c -- '-> .* CON GET ' "$work/err")" -eq 469 ]
report $? "each is asked for once, and none behind the end"
run put --block-size 256 --file "$work/small" "$uri/by-256"
expect "libcoap takes blocks of 256 bytes" 0
run get --non --output "$work/back" "$uri/by-256"
same "a NON gets the same" "$work/small" "$work/back"
"$copal" put --file - "$uri/pipe" <"$work/small"
"$copal" put --file - "$uri/pipe2" < <(cat "$work/small")
run get --output "$work/back" "$uri/pipe"
same "standard input is put, a file" "$work/small" "$work/back"
run get --output "$work/back" "$uri/pipe2"
same "standard input is put, a pipe" "$work/small" "$work/back"
head -c 2048 "$work/small" >"$work/even"
"$copal" put --file - "$uri/even" < <(cat "$work/even")
run get --output "$work/back" "$uri/even"
same "a pipe of two full blocks ends there" "$work/even" "$work/back"
run put --data "$(python3 -c 'print("0123456789" * 300, end="")')" "$uri/text"
expect "--data of three blocks is put" 0
run get "$uri/text"
output "--data of three blocks comes back" "$(python3 -c 'print("0123456789" * 300, end="")')"

run_measured put --file "$work/large" "$uri/large"
expect "a large file is put" 0
peak_put=$peak
run_measured get --output "$work/back" "$uri/large"
expect "a large file is got" 0
peak_get=$peak
same "a large file comes back" "$work/large" "$work/back"

# --- a lossy line

start_relay --to "127.0.0.1:${uri##*:}" --drop 5 --duplicate 5 --seed 1
run put --ack-timeout 0.05 --retransmit 10 --file "$work/small" "coap://127.0.0.1:$port/lossy"
expect "a lossy line takes a file" 0
run get --ack-timeout 0.05 --retransmit 10 --output "$work/back" "coap://127.0.0.1:$port/lossy"
expect "a lossy line gives a file" 0
same "a lossy line changes nothing" "$work/small" "$work/back"
run get --ahead 7 --ack-timeout 0.05 --retransmit 10 --output "$work/back" "coap://127.0.0.1:$port/lossy"
same "nor does it change what is asked for ahead" "$work/small" "$work/back"

# --- a server that misbehaves: what it does is the request's path

cat >"$work/server.py" <<'PYTHON'
import socket, sys, time
BODY = open(sys.argv[1], "rb").read()
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
print("listening on udp:%d" % peer.getsockname()[1], flush=True)
asked = {}

def options_of(data):
    at, number, found = 4 + (data[0] & 15), 0, {}
    while at < len(data) and data[at] != 0xff:
        delta, size, at = data[at] >> 4, data[at] & 15, at + 1
        if delta == 13: delta, at = data[at] + 13, at + 1
        if size == 13: size, at = data[at] + 13, at + 1
        number += delta
        found[number] = data[at:at + size]
        at += size
    return found

while True:
    data, remote = peer.recvfrom(65536)
    if data[1] != 1: continue
    options = options_of(data)
    path = options.get(11, b"").decode()
    block = int.from_bytes(options.get(23, b"\x06"), "big")
    number, szx = block >> 4, block & 7
    asked[path] = asked.get(path, 0) + 1
    etag, body = 1, BODY
    if path == "changes-once" and asked[path] > 5: etag, body = 2, BODY[::-1]
    if path == "changes-always": etag = asked[path]
    if path == "falls-silent" and number > 5: continue
    if path == "slow" and number > 0: time.sleep(0.05)
    if path == "core": body = b",".join(b'</%d>;rt="r%d"' % (i, i) for i in range(300))
    header = bytes([0x60 | data[0] & 15])
    token = data[4:4 + (data[0] & 15)]
    if path == "goes" and number > 5:
        peer.sendto(header + b"\x84" + data[2:4] + token, remote)
        continue
    size = 16 << szx
    part = body[number * size:(number + 1) * size]
    more = len(body) > (number + 1) * size
    value = (number << 4 | more << 3 | szx).to_bytes(3, "big")
    size2 = len(body).to_bytes(3, "big")
    reply = b"\x41" + bytes([etag]) + (b"\x81\x28\xb3" if path == "core" else b"\xd3\x06") + value + b"\x53" + size2
    peer.sendto(header + b"\x45" + data[2:4] + token + reply + b"\xff" + part, remote)
PYTHON
start_announced server python3 -u "$work/server.py" "$work/small"
uri=coap://127.0.0.1:$port
python3 -c 'import sys
sys.stdout.buffer.write(open(sys.argv[1], "rb").read()[::-1])' "$work/small" >"$work/reversed"

run get --output "$work/back" "$uri/plain"
same "blocks make a whole" "$work/small" "$work/back"
run discover "$uri"
expect "a list of resources in blocks is fetched" 0
[ "$(grep -Ec '^[|`]- /[0-9]+ +rt="r[0-9]+"$' "$work/out")" = 300 ]
report $? "a list of resources in blocks is whole"
run get --output "$work/back" "$uri/changes-once"
expect "a body that changes is fetched anew" 0
same "of a body that changes, the file has the new one only" "$work/reversed" "$work/back"
run get --output "$work/back" "$uri/changes-always"
expect "a body that does not stop changing ends with 9" 9
says "a body that does not stop changing is told" err 'changed while its blocks were fetched'
says "the file is told not to be whole" err "^copal get: $work/back holds only the first [0-9]+ bytes of the body$"
run get --ack-timeout 0.05 --retransmit 1 --output "$work/back" "$uri/falls-silent"
expect "a server that falls silent ends with 6" 6
says "that it had answered is told" err 'no answer from 127\.0\.0\.1:[0-9]+ after 2 transmissions in .*, where it had answered'
says "how much came is told" err "^copal get: $work/back holds only the first 6144 bytes of the body$"
head -c 6144 "$work/small" >"$work/part"
same "what came stays" "$work/part" "$work/back"
run get "$uri/goes"
expect "an error instead of a block ends with 4" 4
says "an error instead of a block is told" err '^4\.04 Not Found'
says "that standard output has a part is told" err '^copal get: standard output got only the first 6144 bytes'

"$copal" get --output "$work/stopped" "$uri/slow" 2>"$work/err" &
pid=$!
sleep 0.4
kill -TERM "$pid"
wait "$pid"
status=$?
expect "SIGTERM ends a transfer as it ends any program" 143
says "SIGTERM leaves no file behind in silence" err 'stopped holds only the first [0-9]+ bytes of the body$'

# --- on a terminal

on_terminal() { # ARGUMENT...: standard output and error are one; $work/out is it
  timeout 60 python3 -c '
import os, pty, sys
def read(fd): return os.read(fd, 65536)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))' "$copal" "$@" </dev/null | tr '\r' '\n' >"$work/out"
  status=${PIPESTATUS[0]}
  : >"$work/err"
}

on_terminal get --output "$work/back" "$uri/slow"
expect "a slow transfer succeeds on a terminal" 0
says "it shows how far it is" out '^received [0-9.]+ kB of 30\.0 kB, [0-9]+ %, [0-9.]+ kB/s, 0:0[0-9] left \[#+-+\]$'
same "and is complete" "$work/small" "$work/back"
on_terminal get --quiet --output "$work/back" "$uri/slow"
silent_terminal=$(cat "$work/out")
[ "$silent_terminal" = "" ]
report $? "under --quiet it shows nothing"
run get --output "$work/back" "$uri/slow"
[ ! -s "$work/err" ]
report $? "without a terminal it shows nothing"

# --- node-coap

if [ -x "$here/node/node_modules/.bin/coap" ]; then
  start_announced node node "$here/node/server.js"
  run get "coap://127.0.0.1:$port/large"
  output "node gives a body in blocks" "$(python3 -c 'print("large " * 500, end="")')"
  run put --file "$work/small" "coap://127.0.0.1:$port/store/small"
  expect "node takes a file in blocks" 0
  run get --output "$work/back" "coap://127.0.0.1:$port/store/small"
  same "what node gives is what it took" "$work/small" "$work/back"
fi

# --- our own server

mkdir "$work/served"
make_file "$work/served/file" 3000000
start_announced serve "$copal" serve --write --bind coap://127.0.0.1:0 "$work/served"
server_peak=$(peak_of "$pid")
uri=coap://127.0.0.1:$port
run_measured get --output "$work/back" "$uri/file"
expect "a file of 3 MB is got from copal serve" 0
same "a file of 3 MB comes whole" "$work/served/file" "$work/back"
modest "3 MB take no more memory to get than 1 MB" "$peak_get"
run_measured put --file "$work/served/file" "$uri/copy"
expect "a file of 3 MB is put to copal serve" 0
same "a file of 3 MB goes whole" "$work/served/file" "$work/served/copy"
modest "3 MB take no more memory to put than 1 MB" "$peak_put"
[ $(($(peak_of "$pid") - server_peak)) -lt "$replies" ]
report $? "to serve it takes what replies are kept in ($server_peak KiB, then $(peak_of "$pid") KiB)"

finish
