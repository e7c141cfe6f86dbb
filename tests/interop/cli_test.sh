#!/usr/bin/env bash
# What the command does, from outside: outputs, errors and exit statuses against our own "copal serve", and against a
# peer that misbehaves on purpose. COPAL is the command's path. One line a check; exit 1 when one fails.
set -u
copal=${COPAL:?COPAL is the path of the command}
command -v python3 >/dev/null || exit 77
work=$(mktemp -d)
pids=()
failures=0
export NO_COLOR='' TERM=xterm LC_ALL=C
stop() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap stop EXIT

report() { # RESULT NAME
  if [ "$1" = 0 ]; then
    echo "ok - $2"
    return
  fi
  echo "not ok - $2"
  failures=$((failures + 1))
  echo "#  status: $status"
  sed 's/^/#  stdout: /' "$work/out"
  sed 's/^/#  stderr: /' "$work/err"
}

run() { # ARGUMENT...: the command; status, $work/out and $work/err are what it did
  timeout 60 "$copal" "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

declare -A begun

begin() { # NAME ARGUMENT...: the same in the background
  local name=$1
  shift
  timeout 60 "$copal" "$@" >"$work/$name.out" 2>"$work/$name.err" </dev/null &
  begun[$name]=$!
}

end() { # NAME: makes it the last run, when it is over
  wait "${begun[$1]}"
  status=$?
  mv "$work/$1.out" "$work/out"
  mv "$work/$1.err" "$work/err"
}

on_terminal() { # ARGUMENT...: the same with a terminal as standard output and error
  timeout 60 python3 -c '
import os, pty, sys
def read(fd): return os.read(fd, 65536)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))' "$copal" "$@" </dev/null | tr -d '\r' >"$work/out"
  status=${PIPESTATUS[0]}
  : >"$work/err"
}

expect() { # NAME STATUS: what the last run ended with
  [ "$status" = "$2" ]
  report $? "$1"
}

output() { # NAME TEXT: standard output is exactly this
  [ "$(cat "$work/out"; echo .)" = "$2." ]
  report $? "$1"
}

says() { # NAME out|err PATTERN: the stream has a line that matches
  grep -Eq -- "$3" "$work/$2"
  report $? "$1"
}

silent() { # NAME out|err
  [ ! -s "$work/$2" ]
  report $? "$1"
}

wait_for() { # FILE PATTERN: up to 5 s
  for _ in $(seq 100); do
    grep -Eq -- "$2" "$1" 2>/dev/null && return 0
    sleep 0.05
  done
  return 1
}

# --- groups, where this machine lets packets to a group come back. Servers take up to 5 s to answer one: what came of it
# is looked at in the end.

"$copal" serve --bind coap://0.0.0.0:0 >"$work/group-served" 2>"$work/group-server" &
pids+=("$!")
wait_for "$work/group-served" listening
group_port=$(sed -n 's|^listening on coap://0\.0\.0\.0:||p' "$work/group-served")
begin group-discover discover "coap://224.0.1.187:$group_port"
begin group-get get --non --timeout 6 "coap://224.0.1.187:$group_port/hello"
begin group-silence discover --wait 0.5 --rt nothing "coap://224.0.1.187:$group_port"

# --- without a network

run
expect "no command is bad usage" 2
says "no command prints the help" out '^Usage: copal COMMAND'
run --version
expect "--version succeeds" 0
says "--version prints a version" out '^copal [0-9]+\.[0-9]+\.[0-9]+$'
run --help
expect "--help succeeds" 0
says "--help tells the exit statuses" out '^Exit status: 0 success'
run gte coap//x
expect "a mistyped command is bad usage" 2
says "a mistyped command gets a suggestion" err "unknown command 'gte': did you mean 'get'\?"
run gte coap://no-such-host.invalid/x
expect "it is not asked as if it were a host" 2
says "before a URI, too" err "unknown command 'gte': did you mean 'get'\?"
run put --dtaa x coap://127.0.0.1/
expect "a mistyped option is bad usage" 2
says "a mistyped option gets a suggestion" err 'unknown option --dtaa: did you mean --data\?'
run get --timeout soon coap://127.0.0.1/
expect "a value of the wrong kind is bad usage" 2
run get
expect "get without a URI is bad usage" 2
run get 'coap://127.0.0.1:99999/'
expect "a URI with a bad port is bad usage" 2
says "a URI with a bad port is named" err '127.0.0.1:99999'
run get http://127.0.0.1/
expect "another scheme is bad usage" 2
run get -O Uri-Pat=x coap://127.0.0.1/
expect "an unknown option name is bad usage" 2
says "an unknown option name gets a suggestion" err 'did you mean Uri-Path\?'
run get -O Max-Age=1 -O Max-Age=2 coap://127.0.0.1/
expect "an option repeated that may not be is bad usage" 2
run put --data a --hex 00 coap://127.0.0.1/
expect "two payloads are bad usage" 2
run put --file "$work/missing" coap://127.0.0.1/
expect "a missing payload file is a local error" 1
says "a missing payload file is named" err "cannot open $work/missing: "
run get --ack-timeout 0 coap://127.0.0.1/
expect "an ACK time-out of 0 is bad usage" 2
run get --block-size 100 coap://127.0.0.1/
expect "a block size that is no power of two is bad usage" 2
says "a block size that is no power of two is told the sizes" err '16, 32, 64, 128, 256, 512, 1024$'
run get --block-size 8 coap://127.0.0.1/
expect "a block size below 16 is bad usage" 2
run get --token 01 --no-token coap://127.0.0.1/
expect "a token and none exclude each other" 2
run observe
expect "observe without a URI is bad usage" 2
run observe coap://224.0.1.187/
expect "observe of a group is bad usage" 2
head -c 1025 /dev/zero >"$work/two-blocks"
run put --no-response --file "$work/two-blocks" coap://127.0.0.1/
expect "--no-response of two blocks is bad usage" 2
run get --color sometimes coap://127.0.0.1/
expect "an unknown colour mode is bad usage" 2

# --- against our own server

"$copal" serve --bind coap://127.0.0.1:0 --bind coap://127.0.0.1:0 --bind "coap+unix://${work//\//%2F}%2Fsocket" \
  --delay 1.2 -v >"$work/served" 2>"$work/server" &
server=$!
pids+=("$server")
wait_for "$work/served" listening && sleep 0.3
ports=$(sed -n 's|^listening on coap://127\.0\.0\.1:||p' "$work/served")
port=$(head -n 1 <<<"$ports")
other=$(tail -n 1 <<<"$ports")
base="coap://127.0.0.1:$port"
[ -n "$port" ] && [ -n "$other" ] && [ "$port" != "$other" ]
report $? "serve prints one line with the port for each --bind"

run get "$base/hello"
expect "get succeeds" 0
output "get prints the body alone" $'Hello, constrained world!\n'
silent "get says nothing else to a program" err
run "$base/hello"
expect "a URI alone is a get" 0
output "a URI alone prints the body" $'Hello, constrained world!\n'
run get "127.0.0.1:$port/hello"
expect "a URI without its scheme is a coap URI" 0
run get "coap://127.0.0.1:$other/hello"
expect "the second --bind is served too" 0
run get "coap+unix://${work//\//%2F}%2Fsocket/hello"
expect "a UNIX socket is served too" 0
output "a UNIX socket gives the body" $'Hello, constrained world!\n'
run get -v "$base/hello"
says "-v shows the status line" err '^2\.05 Content  text/plain.*  26 B  [0-9.]+ (us|ms)$'
says "-v shows what is sent" err "^ +[0-9]+\.[0-9]{3} ms -> 127\.0\.0\.1:$port  CON .*GET .*hello"
says "-v shows what is received" err "^ +[0-9]+\.[0-9]{3} ms <- 127\.0\.0\.1:$port  ACK 2\.05"
run get --token 4a1b2201 -v "$base/hello"
says "--token is used" err 'CON .*GET.*4a1b2201'
run get -N -v "$base/hello"
expect "--non succeeds" 0
says "--non sends a NON" err '-> .*NON .*GET'
says "--non is answered with a NON" err '<- .*NON 2\.05'
run get -o "$work/body" "$base/hello"
expect "-o succeeds" 0
silent "-o prints nothing" out
[ "$(cat "$work/body")" = "Hello, constrained world!" ]
report $? "-o writes the body"
run get -o "$work/no/such/folder" "$base/hello"
expect "a body that cannot be written is a local error" 1

run get -o "$work" "$base/hello"
expect "a folder as the output is a local error" 1
says "a folder as the output is named" err "cannot open $work: Is a directory"
run get -o "$work/body" "$base/nothing"
[ "$(cat "$work/body")" = "Hello, constrained world!" ]
report $? "4.04 leaves the output file as it was"
run get -o "$work/unmade" "$base/nothing"
[ ! -e "$work/unmade" ]
report $? "4.04 leaves no output file behind"
run put --file "$work" "$base/store/folder"
expect "a folder as the payload is a local error" 1
says "a folder as the payload is named" err "cannot read $work: Is a directory"
run get --no-token -v "$base/hello"
says "--no-token sends none" err '-> .*CON GET 0x[0-9a-f]+ Uri-Path'
began=$(date +%s%N)
run get --no-response -v "$base/async"
took=$((($(date +%s%N) - began) / 1000000))
expect "--no-response succeeds" 0
silent "--no-response brings no body" out
says "--no-response is an option" err '-> .*CON GET .*No-Response 26'
[ "$took" -lt 1150 ]
report $? "--no-response does not wait for the response ($took ms)"
run put --no-response --non --ack-timeout 0.2 --data x "$base/store/a"
expect "--no-response of a NON ends when that is sent" 0

run get "$base/nothing"
expect "4.04 ends with 4" 4
says "4.04 is told on standard error" err \
  '^4\.04 Not Found  application/concise-problem-details\+cbor  [0-9]+ B  [0-9.]+ (us|ms)$'
[ "$(grep -c 'Not Found' "$work/err")" = 1 ]
report $? "what the code says is not said twice"
silent "4.04 leaves standard output alone" out
run get -q "$base/nothing"
expect "-q keeps the status" 4
silent "-q is quiet" err
run get -O 65001=0x01 "$base/hello"
expect "an unknown critical option ends with 4" 4
says "an unknown critical option is 4.02" err '^4\.02 Bad Option'
says "the option that is not understood is named" err '^  .*option 65001'
run get -O 65000=0x01 "$base/hello"
expect "an unknown elective option is ignored" 0
run get --accept json "$base/hello"
says "a format that is not there is 4.06" err '^4\.06 Not Acceptable'
run delete "$base/hello"
says "a method that is not there is 4.05" err '^4\.05 Method Not Allowed'

run get "$base/counter"
output "the counter begins at 0" 0
run post -v "$base/counter"
expect "post succeeds" 0
output "post counts" 1
says "post answers 2.04" err '^2\.04 Changed'
run get "$base/counter"
output "the counter has counted" 1
run get -v "$base/uptime"
says "uptime has a fraction" out '^[0-9]+\.[0-9]+$'
says "an option of the answer is shown" err '^  Max-Age: 1$'

began=$(date +%s%N)
run get -v "$base/async"
took=$((($(date +%s%N) - began) / 1000000))
expect "a separate response succeeds" 0
output "a separate response has its body" $'this answer took its time\n'
says "the request is acknowledged first" err '<- .*ACK Empty|<- .*ACK 0\.00'
says "the separate response is confirmable" err '<- .*CON 2\.05'
says "the separate response is acknowledged" err '-> .*ACK Empty|-> .*ACK 0\.00'
[ "$took" -ge 1150 ] && [ "$took" -lt 5000 ]
report $? "a separate response comes after the delay ($took ms)"
run get --timeout 0.9 "$base/async"
expect "a response that is too late ends with 6" 6
says "a response that is too late was acknowledged" err 'acknowledged the request but sent no response within'
jobs_before=()
for i in 1 2 3; do
  "$copal" get "$base/async" >"$work/async$i" 2>/dev/null &
  jobs_before+=($!)
done
status=0
wait "${jobs_before[@]}"
[ "$(cat "$work"/async? | wc -l)" = 3 ]
report $? "several separate responses at once"

run put -v --data on "$base/store/lamp"
expect "put succeeds" 0
says "put creates" err '^2\.01 Created'
run put -v --data off "$base/store/lamp"
says "put changes" err '^2\.04 Changed'
run get -v "$base/store/lamp"
output "what was put comes back" off
says "its format comes back" err '^2\.05 Content  text/plain'
etag=$(sed -n 's/^  ETag: //p' "$work/err")
run get -v -O "ETag=$etag" "$base/store/lamp"
says "its ETag validates it" err '^2\.03 Valid'
printf 'kept' >"$work/kept"
run get -o "$work/kept" -O "ETag=$etag" "$base/store/lamp"
[ "$(cat "$work/kept")" = kept ]
report $? "2.03 leaves the output file as it was"
silent "2.03 has no body" out
run put -v --hex '00 ff' --format cbor "$base/store/lamp"
expect "put of bytes succeeds" 0
run get -v -O "ETag=$etag" "$base/store/lamp"
says "its old ETag validates it no more" err '^2\.05 Content'
run get "$base/store/lamp"
[ "$(od -An -tx1 "$work/out")" = " 00 ff" ]
report $? "bytes come back as they are"
run get -v "$base/store/lamp"
says "CBOR is named" err '^2\.05 Content  application/cbor  2 B'
printf 'from a file' >"$work/payload"
run put --file "$work/payload" "$base/store/a/b%20c"
expect "put of a file succeeds" 0
printf 'from a pipe' | "$copal" put -f - "$base/store/pipe" >"$work/out" 2>"$work/err"
status=$?
expect "put of standard input succeeds" 0
run get "$base/store/pipe"
output "standard input was put" 'from a pipe'
run get "$base/store/a/b%20c"
output "a path with an escape is one name" 'from a file'
mkfifo "$work/slow"
{ head -c 20000 /dev/zero; exec sleep 10; } >"$work/slow" &
pids+=($!)
"$copal" put --file - "$base/store/slow" <"$work/slow" >"$work/out" 2>"$work/err" &
pid=$!
sleep 0.6
kill -TERM "$pid"
wait "$pid"
status=$?
expect "SIGTERM ends the wait for standard input as it ends any program" 143
silent "who interrupts a put is not told why it ended" err
run post -v --data new "$base/store"
says "post creates below" err '^2\.01 Created'
says "post tells the new path" err '^  Location-Path: "?store"?$'
name=$(sed -n 's/^  Location-Path: "\?\([0-9]*\)"\?$/\1/p' "$work/err" | tail -n 1)
run get "$base/store/$name"
output "what was posted is there" new
run get "$base/store"
silent "a list is no error" err
says "the store lists what it has" out '</store/a/b%20c>'
run put --data x "$base/store"
says "the store itself cannot be put" err '^4\.05 Method Not Allowed'
run post --data x "$base/store/a"
says "post is for the store itself" err '^4\.05 Method Not Allowed'
run delete -v "$base/store/lamp"
says "delete deletes" err '^2\.02 Deleted'
run get "$base/store/lamp"
expect "what was deleted is gone" 4
head -c 65537 /dev/zero >"$work/large"
run put --file "$work/large" "$base/store/large"
expect "a body above the store's limit ends with 4" 4
says "a body above the store's limit is 4.13" err '^4\.13 Request Entity Too Large'
for i in $(seq 70); do "$copal" put -q --data x "$base/store/fill$i" || break; done 2>/dev/null
run put --data x "$base/store/one-more"
expect "a full store ends with 5" 5
says "a full store is 5.03" err '^5\.03 Service Unavailable'

run discover "127.0.0.1:$port"
expect "discover succeeds" 0
says "discover prints the host as the root" out "^coap://127\.0\.0\.1:$port\$"
says "discover lists paths and attributes below it" out '^\|- /counter  .*rt="counter"'
run discover --rt uptime "$base"
says "discover filters by type" out '/uptime'
[ "$(wc -l <"$work/out")" = 2 ]
report $? "discover shows nothing else"
run discover --href '/h*' "$base"
says "discover filters by path" out '/hello'
run ping -c 2 -i 0.05 "$base"
expect "ping succeeds" 0
says "ping prints a round trip" out "^reset from 127\.0\.0\.1:$port: ping 2, [0-9.]+ (us|ms)$"
says "ping prints a summary" out '^2 sent, 2 answered, 0 % lost; round trip min '

on_terminal get "$base/hello"
says "a terminal gets the status line" out '2\.05 Content'
says "a terminal gets colours" out $'\033\\[32m2\\.05'
NO_COLOR=1 on_terminal get "$base/hello"
grep -q $'\033' "$work/out"
[ $? = 1 ]
report $? "NO_COLOR is respected"
NO_COLOR=1 on_terminal get --color always "$base/hello"
says "--color always wins over NO_COLOR" out $'\033\\[32m2\\.05'
on_terminal get --color never "$base/hello"
grep -q $'\033' "$work/out"
[ $? = 1 ]
report $? "--color never is respected"
run get -v --color auto "$base/hello"
grep -q $'\033' "$work/err"
[ $? = 1 ]
report $? "a file gets no colours"
NO_COLOR=1 on_terminal get "$base/counter"
says "a terminal gets a final line feed" out '^1$'
NO_COLOR=1 on_terminal get "$base/.well-known/core"
says "a terminal gets links as a list" out '^/hello .*ct=0'

# --- against a peer that misbehaves: what it does is the request's path

cat >"$work/peer.py" <<'PYTHON'
import socket
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
print(peer.getsockname()[1], flush=True)
while True:
    data, remote = peer.recvfrom(65536)
    path, mid, token = data.rsplit(b"\x00", 1)[-1], data[2:4], data[4:4 + (data[0] & 15)]
    def answer(code, rest): peer.sendto(bytes([0x60 | len(token), code]) + mid + token + rest, remote)
    if data[0] >> 4 & 3 > 1: continue
    if b"reset" in data: peer.sendto(b"\x70\x00" + mid, remote)
    elif b"critical" in data: answer(0x45, b"\xe1\xfc\xdc\x01\xffbody")
    elif b"huge" in data: answer(0x45, b"\xff" + b"x" * 3000)
    elif b"malformed" in data: answer(0x45, b"\xf0")
    elif b"escape" in data: answer(0x45, b"\xffa\x1b[31mb\xc2\x9bc\n")
    elif b"binary" in data: answer(0x45, b"\xff\x00\x01\x02")
    elif b"broken" in data: answer(0xa0, b"\xffout of \x1b[31morder")
    elif b"problem" in data: answer(0xa3, b"\xc2\x01\x01\xff\xa3\x20\x64Busy\x21\x69try later\x27\x82\x19\xfd\xe9\x11")
    elif b"no-cbor" in data: answer(0xa3, b"\xc2\x01\x01\xff\xff\x00")
    elif b"block" in data: answer(0x45, b"\xd1\x0a\x08\xff" + b"x" * 16)
    elif b"ack-only" in data: peer.sendto(b"\x60\x00" + mid, remote)
    elif b"burst" in data and b"\x61\x01" not in data:
        for i in range(1, 20): peer.sendto(bytes([0x50 | len(token), 0x45, 0x77, i]) + token + bytes([0x61, i, 255, 48 + i % 10]), remote)
PYTHON
python3 "$work/peer.py" >"$work/peer" 2>"$work/peer-err" &
pids+=($!)
wait_for "$work/peer" '[0-9]'
peer="coap://127.0.0.1:$(cat "$work/peer")"

run get --ack-timeout 0.1 --retransmit 2 "$peer/silent"
expect "no answer ends with 6" 6
says "no answer tells what was tried" err "no answer from ${peer#coap://} after 3 transmissions in [0-9.]+ (ms|s): is a server"
run get -v --ack-timeout 0.1 --retransmit 2 "$peer/silent"
says "a retransmission is shown as one" err '-> .*GET.*  retransmission 2 of 2$'
began=$(date +%s%N)
run get --timeout 0.3 "$peer/silent"
took=$((($(date +%s%N) - began) / 1000000))
expect "--timeout ends with 6" 6
[ "$took" -ge 250 ] && [ "$took" -lt 2000 ]
report $? "--timeout bounds the whole wait ($took ms)"
run get --timeout 0.3 "$peer/ack-only"
says "an acknowledgement without a response is told" err 'acknowledged the request but sent no response'
run get --non --timeout 0.2 "$peer/silent"
expect "a NON without an answer ends with 6" 6
run get "$peer/reset"
expect "a Reset ends with 7" 7
says "a Reset is explained" err 'answered with a Reset'
run get --timeout 5 "$peer/critical"
expect "a response with an unknown critical option ends with 9" 9
silent "a rejected response's body is not printed" out
run get --timeout 5 "$peer/huge"
expect "a response that is too large ends with 9" 9
says "a response that is too large is told to be one" err 'larger than a datagram may be here'
run get -v --timeout 0.3 --ack-timeout 0.1 "$peer/malformed"
[ "$status" = 9 ] || [ "$status" = 6 ]
report $? "a malformed response is no success"
says "-v shows what is malformed" err '<- .*malformed: '
run get "$peer/broken"
expect "5.00 ends with 5" 5
says "a diagnostic is told without its control characters" err '^  out of \\x1b\[31morder$'
run get "$peer/problem"
expect "problem details end as their code" 5
says "problem details are told in words" err '^  Busy: try later \(options 65001, Accept\)$'
run get "$peer/no-cbor"
says "problem details that are none are told as they are" err '^0000  ff 00 '
run get "$peer/escape"
[ "$(od -An -c "$work/out" | tr -d ' \n')" = 'a033[31mb302233c\n' ]
report $? "a program gets every byte"
NO_COLOR=1 on_terminal get "$peer/escape"
says "a terminal gets no control character of a peer" out '^0000  61 1b 5b'
NO_COLOR=1 on_terminal get "$peer/binary"
says "a terminal gets binary as hexadecimal" out '^0000  00 01 02 '
run get -O Block2=0 "$peer/block"
expect "who asks for one block gets one" 0
says "a first block is told to be one" err 'block 0 of a larger body; ask for the next with -O Block2=16'
run get -o "$work/half" "$peer/block"
expect "blocks that do not make a whole end with 9" 9
says "blocks that do not make a whole are told" err 'blocks from 127\.0\.0\.1:[0-9]+ do not make a whole'
says "a body that is not whole is told" err "$work/half holds only the first 16 bytes of the body"
[ "$(cat "$work/half")" = xxxxxxxxxxxxxxxx ]
report $? "what has come of a body stays"
run get -q "$peer/block"
says "a body that is not whole is told under -q too" err 'standard output got only the first 16 bytes of the body'
run observe "$peer/escape"
expect "an observation that is not offered ends as get does" 0
says "an observation that is not offered is told to be none" err 'does not offer observation of this resource'
run observe "$peer/broken"
expect "an observation that is refused ends as get does" 5
begin observe-con observe --duration 0.3 "$peer/silent"
begin observe-non observe --duration 0.3 --non "$peer/silent"
end observe-con
expect "an observation without any answer ends with 6" 6
end observe-non
expect "an observation by NON without any answer ends with 6" 6
for i in 1 2 3; do
  run observe --count 2 "$peer/burst"
  [ "$(wc -l <"$work/out")" = 2 ] || break
done
expect "an observation ends with 0 after --count" 0
[ "$(wc -l <"$work/out")" = 2 ]
report $? "no more is printed than --count, however fast they come"
run observe -v --count 2 "$peer/burst"
says "the first state comes with its round trip" err '^2\.05 Content  1 B  [0-9.]+ (us|ms)$'
says "a notification has none" err '^2\.05 Content  1 B$'
run ping -c 1 -t 0.3 --ack-timeout 0.1 "$peer"
expect "a ping without an answer ends with 6" 6
says "a ping without an answer counts as lost" out '^1 sent, 0 answered, 100 % lost'

closed=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
began=$(date +%s%N)
run get "coap://127.0.0.1:$closed/hello"
took=$((($(date +%s%N) - began) / 1000000))
expect "a closed port ends with 8" 8
says "a closed port is explained" err "127\.0\.0\.1:$closed is unreachable"
[ "$took" -lt 1500 ]
report $? "a closed port ends at once ($took ms)"
run get coap://no-such-host.invalid/
expect "a name that does not resolve ends with 8" 8
says "a name that does not resolve is named" err "'no-such-host.invalid'"
run get coap://224.0.1.187/hello
expect "a CON to a group is bad usage" 2
says "a CON to a group is told what to do" err 'add --non'

# --- the server's end

run serve --bind "$base"
expect "a port in use is a local error" 1
says "a port in use is explained" err 'is another server running there\?'
run serve --bind coap://
expect "serve with a bad URI is bad usage" 2
run serve "$work/no/such/folder"
expect "serve of a folder that is not there is a local error" 1
kill -TERM "$server"
wait "$server"
status=$?
cp "$work/served" "$work/out"
tail -n 5 "$work/server" >"$work/err"
expect "SIGTERM ends the server with 0" 0
says "the server counts under -v" err '[0-9]+ requests processed'
"$copal" serve --bind coap://127.0.0.1:0 >"$work/served" 2>"$work/server" &
server=$!
pids+=("$server")
wait_for "$work/served" listening
kill -INT "$server"
wait "$server"
status=$?
expect "SIGINT ends the server with 0" 0

# --- what the groups said

end group-discover
if [ "$status" = 8 ]; then
  echo "ok - discover asks a group # SKIP no route to a group"
else
  expect "discover asks a group" 0
  says "discover tells who answered" out "^coap://[0-9.]+:$group_port$"
  says "discover tells what members of a group have" out '^\|- /hello '
  end group-get
  expect "--non asks a group" 0
  says "a group's answer comes with its sender" err "^2\\.05 Content .* from [0-9.]+:$group_port$"
  run get --non --timeout 0.3 "coap://224.0.1.187:$group_port/no-such-resource"
  expect "a group that does not answer ends with 6" 6
  says "a group that does not answer is told to be one" err 'nobody in the group 224\.0\.1\.187:[0-9]+ answered within'
  end group-silence
  expect "a group in which nobody answers ends with 6" 6
  says "a group in which nobody answers is told" err 'nobody answered within 0\.5 s'
fi

if [ -w /dev/full ]; then
  "$copal" --help >/dev/full 2>"$work/err"
  status=$?
  : >"$work/out"
  expect "output that cannot be written is a local error" 1
fi

echo "# $failures failed"
[ "$failures" = 0 ]
