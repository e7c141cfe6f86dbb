#!/usr/bin/env bash
# Several requests at a time: many URIs, --repeat, --interval, --parallel, --output into a folder; and what conditions,
# tokens and transmission parameters do.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3
need_node

pty='import os, pty, sys
def read(fd): return os.read(fd, 65536)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))'

# ARGUMENT...: the command on a terminal; $status and $work/out are what it did.
on_terminal() {
  timeout 20 python3 -c "$pty" "$copal" "$@" </dev/null | tr -d '\r' >"$work/out"
  status=${PIPESTATUS[0]}
  : >"$work/err"
}

# ARGUMENT...: as run, and $peak is the most memory that it had, in KiB, looked at while it runs.
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

# A group's servers take up to 5 s to answer: what comes of this is looked at in the end.
start group "$copal" serve --bind coap://0.0.0.0:0
wait_for "$work/group.out" '^listening on'
group=coap://224.0.1.187:$(sed -n 's|^listening on coap://0\.0\.0\.0:||p' "$work/group.out")
start table python3 -c "$pty" "$copal" get --color never --non --timeout 5.5 "$group/hello"
table=$pid
start objects "$copal" get --json --non --timeout 5.5 "$group/hello"
objects=$pid

start_serve
ours=$uri
start_announced peer python3 -u "$here/peer.py"
peer=coap://127.0.0.1:$port
closed=coap://127.0.0.1:$(free_port)

# --- many URIs

run get "$peer/a" "$peer/b" "$peer/a"
expect "several URIs are asked" 0
output "their bodies follow one another" ABA
[ ! -s "$work/err" ]
report $? "nothing else is said to a program"
run get "$peer/a" "$peer/error" "$ours/nothing" "$peer/b"
expect "the status is that of the first failure" 5
output "the others are asked all the same" AB
says "it is said what failed" err "^== $peer/error$"
[ "$(grep -c '^==' "$work/err")" = 2 ]
report $? "what did not fail is not named to a program"
run get "$closed/x" "$peer/a"
expect "who is not there does not keep others from their turn" 8
output "their bodies come" A
says "it is said who is not there" err "127\.0\.0\.1:[0-9]+ is unreachable: nothing listens there"
run get "$peer/a" coap://no-such-host.invalid/x "$peer/b"
expect "a name that is nobody's is one failure" 8
output "it is the only one" AB
run get "$peer/a" http://127.0.0.1/ "$peer/b"
expect "a URI that is none ends all before anything is asked" 2
output "nothing was asked" ''
run get -v "$peer/a" "$peer/b"
[ "$(sed -nE 's/^(==|2\.05).*/\1/p' "$work/err" | paste -sd' ')" = "== 2.05 == 2.05" ]
report $? "under -v each answer is named"
says "under -v they are summed up" err '^2 requests, 2 answers, 0 failures in .*; round trip min .*, mean .*, max '
[ "$(sed -nE 's/^.* -> .* CON GET (0x[0-9a-f]+) .*/\1/p' "$work/err" | sort -u | wc -l)" = 2 ]
report $? "one endpoint gives each its message ID"
on_terminal get --color never "$peer/a" "$peer/text"
output "a terminal gets each under its name, and a sum" "== $peer/a
$(sed -n 2p "$work/out")
A
== $peer/text
$(sed -n 5p "$work/out")
text of many words
$(sed -n 7p "$work/out")"
says "the sum is a line" out '^2 requests, 2 answers, 0 failures in '
says "the status line is there" out '^2\.05 Content  1 B  [0-9.]+ (us|ms)$'
run get -q "$peer/a" "$peer/error"
[ "$status" = 5 ] && [ ! -s "$work/err" ]
report $? "-q is quiet"
run put --data same "$ours/store/x" "$ours/store/y" "$ours/store/z"
run get "$ours/store/x" "$ours/store/y" "$ours/store/z"
output "a payload goes to each" samesamesame
head -c 3000 /dev/urandom >"$work/large"
run put --parallel 2 --file "$work/large" "$ours/store/x" "$ours/store/y" "$ours/store/z"
expect "a file goes to each" 0
run get --parallel 3 "$ours/store/x" "$ours/store/y" "$ours/store/z"
cat "$work/large" "$work/large" "$work/large" | cmp -s - "$work/out"
report $? "bodies of several at a time are not mixed"
printf x | timeout 20 "$copal" put --file - "$ours/store/x" "$ours/store/y" >"$work/out" 2>"$work/err"
status=${PIPESTATUS[1]}
expect "a pipe cannot be sent twice" 1
says "it is said what to do" err 'several requests need --file FILE or --data'

# --- again and again

before=$(wc -l <"$work/serve.err")
run get --repeat 20 --parallel 7 "$ours/hello"
expect "--repeat asks again" 0
[ "$(wc -l <"$work/out")" = 20 ]
report $? "as often as it says"
sleep 0.1
[ "$(tail -n "+$before" "$work/serve.err" | sed -nE 's/^.* <- ([^ ]+)  CON GET .*/\1/p' | sort -u | wc -l)" = 1 ]
report $? "from one port"
start quiet "$copal" serve --bind coap://127.0.0.1:0
wait_for "$work/quiet.out" '^listening on'
quiet=coap://127.0.0.1:$(sed -n 's|^listening on coap://127\.0\.0\.1:||p' "$work/quiet.out")
run_measured get --quiet --repeat 1000 --parallel 8 "$quiet/hello"
before=$peak
run_measured get --quiet --repeat 6000 --parallel 8 "$quiet/hello"
[ "$status" = 0 ] && [ "$peak" -gt 0 ] && [ "$peak" -lt $((before + 1024)) ]
report $? "six times the requests take no more memory ($peak KiB after $before KiB)"
run get --repeat 2 "$peer/a" "$peer/b"
output "rounds follow one another" ABAB
began=$(date +%s%N)
run get --repeat 3 --interval 0.2 "$peer/a"
[ $((($(date +%s%N) - began) / 1000000)) -ge 400 ]
report $? "--interval spaces rounds"
output "no round is lost" AAA
# node takes 0.3 s for each: those under way at a time overlap.
start_announced node node "$here/node/server.js"
node=coap://127.0.0.1:$(sed -n 's/^listening on udp://p' "$work/node.out")
run get -v --repeat 4 --parallel 4 "$node/async"
expect "node answers several at a time" 0
[ "$(sed -nE 's/^ *[0-9.]+ ms (->|<-) [^ ]+  (CON GET|CON 2).*/\2/p' "$work/err" | head -4 | sort -u)" = "CON GET" ]
report $? "--parallel asks before the answer to the one before"
run get -v --repeat 4 --parallel 4 --nstart 1 "$node/async"
traffic_in "$work/err" | grep -q '^-> CON GET, <- ACK Empty, -> CON GET, '
report $? "--nstart holds requests back until the one before is acknowledged"
run get --repeat 0 --parallel 0 "$peer/a"
expect "--parallel 0 is bad usage" 2
run get --parallel 2 --token 01 "$peer/a" "$peer/b"
expect "one token for several at a time is bad usage" 2

timeout --signal=INT 1 "$copal" get -v --repeat 0 --interval 0.05 "$peer/a" >"$work/out" 2>"$work/err"
status=$?
[ "$status" = 124 ] && grep -Eq '^A{2,}$' "$work/out"
report $? "--repeat 0 asks until it is interrupted"
says "SIGINT brings the sum" err '^[0-9]+ requests, [0-9]+ answers, 0 failures in '
: >"$work/err" # what the one before said is not waited for
"$copal" get -v --repeat 0 "$peer/silent" >"$work/out" 2>"$work/err" &
watcher=$!
pids+=("$watcher")
wait_for "$work/err" 'CON GET'
kill -INT "$watcher"
wait "$watcher"
status=$?
expect "what is not awaited is no failure" 0
says "it is counted" err '^1 request, 0 answers, 0 failures, 1 not awaited in '
: >"$work/err"
"$copal" get -v "$peer/silent" "$peer/a" >"$work/out" 2>"$work/err" &
watcher=$!
pids+=("$watcher")
wait_for "$work/err" 'CON GET'
kill -TERM "$watcher"
wait "$watcher"
status=$?
expect "what was to end is ended by the signal" 143

# --- into files

mkdir "$work/folder"
run get --output "$work/folder" "$ours/hello" "$ours/store/x" "$peer/error"
expect "bodies go to files of a folder" 5
[ "$(cat "$work/folder/hello")" = "Hello, constrained world!" ] && cmp -s "$work/folder/x" "$work/large"
report $? "they have their paths' last names"
[ "$(ls -A "$work/folder" | paste -sd' ')" = "hello x" ]
report $? "what failed leaves no file"
run put --data up "$ours/store/..%2f..%2fup" "$ours/store/.hidden" "$ours/store/a%00b%0ac"
run get --output "$work/folder/" "$ours/store/..%2f..%2fup" "$ours/store/.hidden" "$ours/store/a%00b%0ac"
expect "names are made harmless" 0
[ "$(ls -A "$work/folder" | paste -sd' ')" = "_._.._up _hidden a_b_c hello x" ] && [ ! -e "$work/up" ]
report $? "no name leads out of the folder or hides in it"
run get --output "$work/folder" "$ours/hello" "$peer/hello"
expect "two bodies for one file are bad usage" 2
says "it is said which" err "would both go to $work/folder/hello$"
run get --output "$work/none" "$ours/hello" "$ours/store/x"
expect "a folder that is not there is bad usage" 2
[ ! -e "$work/none" ]
report $? "nothing is made then"
run get --output "$work/one" --repeat 5 --parallel 3 "$ours/hello"
[ "$status" = 0 ] && [ "$(cat "$work/one")" = "Hello, constrained world!" ]
report $? "the latest body replaces the one before"

# --- conditions

run put -v --data one --if-none-match "$ours/store/new"
says "--if-none-match creates" err '^2\.01 Created'
run put --data two --if-none-match "$ours/store/new"
says "--if-none-match does not replace" err '^4\.12 Precondition Failed'
run get -v "$ours/store/new"
etag=$(sed -n 's/^  ETag: //p' "$work/err")
run get -v --etag 0x00 --etag "$etag" "$ours/store/new"
says "--etag validates" err '^2\.03 Valid'
run put --data two --if-match 0x0102 "$ours/store/new"
says "--if-match of another version does nothing" err '^4\.12 Precondition Failed'
run put -v --data two --if-match "$etag" "$ours/store/new"
says "--if-match of this version changes it" err '^2\.04 Changed'
run put --data three --if-match '' "$ours/store/absent"
says "--if-match of any version needs one" err '^4\.12 Precondition Failed'
run get --etag 0x010203040506070809 "$ours/store/new"
expect "an ETag of 9 bytes is bad usage" 2
says "it is said what an ETag is" err "is no ETag: that is up to 8 bytes"
run put --data x --if-match a --if-none-match "$ours/store/new"
expect "two conditions that exclude each other are bad usage" 2
run get -v -O 2049=1 -O Max-Age=0x0a -O 65000=0x0102 "$peer/a"
says "options go by name and number" err 'CON GET .* Max-Age 10 OCF-Accept-Content-Format-Version 1 Option-65000 0x0102'

# --- transmission parameters

run get -v --ack-timeout 0.1 --ack-random 1 --retransmit 2 "$peer/silent"
expect "--ack-random is taken" 6
traffic "so is --retransmit" "-> CON GET, -> CON GET, -> CON GET"
for bad in '--ack-random 0.9' '--ack-random 4.1' '--ack-random x' '--max-latency 100000' '--nstart 256' \
  '--ack-timeout 0' '--ack-timeout 4000' '--retransmit 11' '--probing-rate -1'; do
  # shellcheck disable=SC2086
  run get $bad "$peer/a"
  expect "$bad is bad usage" 2
done
run get --ack-random 1.25 --nstart 3 --max-latency 5 --probing-rate 0 "$peer/a"
output "good ones are taken" A

# --- libcoap's server

port=$(free_port)
libcoap=coap://127.0.0.1:$port
start libcoap coap-server-notls -v 7 -d 10 -A 127.0.0.1 -p "$port"
for _ in $(seq 100); do
  "$copal" get --quiet --timeout 1 "$libcoap/" >/dev/null && break
  sleep 0.05
done
run put --parallel 3 --data x "$libcoap/one" "$libcoap/two" "$libcoap/three"
expect "libcoap takes several at a time" 0
run get --parallel 4 --repeat 25 "$libcoap/one" "$libcoap/two"
[ "$status" = 0 ] && [ "$(wc -c <"$work/out")" = 50 ]
report $? "libcoap answers each of them"

# --- what the group said

wait "$objects"
status=$?
cp "$work/objects.out" "$work/out"
cp "$work/objects.err" "$work/err"
if [ "$status" = 8 ]; then
  echo "ok - a group is asked # SKIP no route to a group"
else
  expect "a group is asked" 0
  says "each answer of a group is an object with its sender" out \
    '^\{"kind":"response",.*"peer":"[0-9.]+:'"${group##*:}"'","response":\{"code":"2\.05",.*"round_trip_s":'
  wait "$table"
  status=$?
  tr -d '\r' <"$work/table.out" >"$work/out"
  : >"$work/err"
  expect "a group is asked from a terminal" 0
  says "its answers are a table" out '^FROM +CODE +FORMAT +SIZE +TIME +BODY$'
  says "a line for each" out \
    "^[0-9.]+:${group##*:} +2\\.05 Content +text/plain +26 B +[0-9.]+ (us|ms|s)  Hello, constrained world!$"
fi

finish
