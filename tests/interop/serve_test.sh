#!/usr/bin/env bash
# What "copal serve" serves: a folder's files, read and written, and the resources of the plugtests; asked by our own
# command and by libcoap's client.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-client-notls python3

# ARGUMENT...: libcoap's client; the body is $work/out, its log $work/err.
ask() {
  : >"$work/out"
  timeout 20 coap-client-notls -v 7 -B 8 -o "$work/out" "$@" >"$work/err" 2>&1 </dev/null
  status=$?
}

# NAME FILE: what the last run wrote to $work/out is this file
brings() {
  cmp -s "$work/out" "$2"
  report $? "$1"
}

# NAME CODE: of the last run's response
code() {
  grep -Eq "(^|c:)${2/./\\.}([ ,]|\$)" "$work/err"
  report $? "$1"
}

# NAME URI: an observation by libcoap's client that goes on for 8 s; $work/NAME.out is what it is told, and
# $work/NAME.err the code of what is no success.
observe() {
  start "$1" coap-client-notls -s 8 "$2"
  sleep 0.4
}

end_serve() {
  kill "$server_pid"
  wait "$server_pid"
  rm "$work/serve.out" "$work/serve.err"
}

# --- a folder, read-only

folder=$work/folder
mkdir -p "$folder/sub/deep" "$work/outside"
printf 'hello\n' >"$folder/a.txt"
printf '{"a":1}' >"$folder/sub/b.json"
head -c 70001 /dev/urandom >"$folder/large.bin"
printf 'x' >"$folder/sub/a name, with <odd> things"
printf 'secret\n' | tee "$work/outside/secret" >"$folder/.hidden"
ln -s ../outside/secret "$folder/link"
ln -s ../outside "$folder/out"
ln -s / "$folder/root"
mkfifo "$folder/pipe"

start_serve "$folder"
run get -v "$uri/a.txt"
output "a file is read" hello
says "its format follows from its name" err '^2\.05 Content  text/plain'
etag=$(sed -n 's/^  ETag: //p' "$work/err")
run get -v -O "ETag=$etag" "$uri/a.txt"
code "its ETag validates it" 2.03
run get --accept json "$uri/a.txt"
code "another format is not acceptable" 4.06
run get --accept json "$uri/sub/b.json"
output "a file in a folder is read" '{"a":1}'
run get -o "$work/copy" "$uri/large.bin"
cmp -s "$work/copy" "$folder/large.bin"
report $? "a large file is read in blocks"
run get "$uri/sub/a%20name%2C%20with%20%3Codd%3E%20things"
output "any name can be asked for" x

run get "$uri/"
output "the folder is listed" '</a.txt>;ct=0;sz=6,</large.bin>;ct=42;sz=70001,</sub/>;ct=40'
run get -v "$uri/sub/"
says "a list is link format" err '^2\.05 Content  application/link-format'
output "a folder in it is listed, odd names and all" \
  '</sub/a%20name%2C%20with%20%3Codd%3E%20things>;ct=42;sz=1,</sub/b.json>;ct=50;sz=7,</sub/deep/>;ct=40'
cp "$work/out" "$work/list"
run get "$uri/sub"
brings "a folder needs no slash" "$work/list"
run get --accept text "$uri/sub"
code "a list is nothing but link format" 4.06
run get "$uri/sub/deep"
expect "an empty folder is listed" 0
mkdir "$folder/many"
for i in $(seq 1000 1300); do : >"$folder/many/file-$i.cbor"; done
run get -o "$work/copy" "$uri/many"
[ "$(tr , '\n' <"$work/copy" | grep -c '^</many/file-1[0-9]*\.cbor>;ct=60;sz=0$')" = 301 ]
report $? "a long list comes in blocks"

for path in nothing nothing/a a.txt/b a.txt/ link out/secret root/etc/passwd pipe .hidden sub/../.hidden \
  '%2e%2e/outside/secret' '%2E%2E%2Foutside%2Fsecret' 'sub%2Fb.json' '%00' 'a.txt%00' '/a.txt' 'sub//b.json'; do
  run get -q "$uri/$path"
  expect "nothing is at /$path" 4
  grep -q secret "$work/out"
  [ $? = 1 ] || report 1 "nothing leads out of the folder"
done
# Paths that no client sends: each option by hand. Uri-Path is option 11.
python3 - "$port" >"$work/out" 2>"$work/err" <<'PYTHON'
import socket, sys
def ask(mid, segments):
    message = bytes([0x40, 1]) + mid.to_bytes(2, "big")
    for index, segment in enumerate(segments):
        message += bytes([(0xb0 if index == 0 else 0) | len(segment)]) + segment
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect(("127.0.0.1", int(sys.argv[1])))
        s.send(message)
        return s.recv(2000)
paths = ([b".."], [b"..", b"outside", b"secret"], [b".", b"a.txt"], [b"sub", b"..", b"a.txt"], [b"../a.txt"],
         [b"/a.txt"], [b"", b"a.txt"], [b"sub", b"", b"b.json"], [b"a.txt\0"], [b"\0"], [b"a.txt", b"."], [b"sub/b.json"])
for mid, path in enumerate(paths):
    answer = ask(mid, path)
    assert answer[1] >> 5 == 4, (path, answer)
    assert b"hello" not in answer and b"secret" not in answer, (path, answer)
assert ask(99, [b"sub", b"b.json"]).endswith(b'\xff{"a":1}')
PYTHON
status=$?
expect "no path by hand leads out of the folder" 0

run put --data x "$uri/new"
code "without --write nothing is written" 4.03
says "and the client is told why" err write
run put --file "$folder/large.bin" "$uri/new"
code "nor is something large" 4.03
run delete "$uri/a.txt"
code "nothing is deleted" 4.03
run post --data x "$uri/"
code "nothing is created" 4.03
[ "$(find "$folder" -newer "$work/list" -type f -not -path '*/many/*' | wc -l)" = 0 ]
report $? "the folder is as it was"
end_serve

# --- a folder, with writing

rm -r "$folder/many"
start_serve --write --amplification 0 "$folder"
run put -v --data one "$uri/new.txt"
code "a file is created" 2.01
run put -v --data two "$uri/new.txt"
code "a file is changed" 2.04
etag=$(sed -n 's/^  ETag: //p' "$work/err")
[ "$(cat "$folder/new.txt")" = two ]
report $? "it has its new content"
run get -v -O "ETag=$etag" "$uri/new.txt"
code "the ETag that PUT told is the file's" 2.03
run put --data three -O "If-Match=$etag" "$uri/new.txt"
expect "If-Match lets the ETag's owner write" 0
run put --data four -O "If-Match=$etag" "$uri/new.txt"
code "and nobody else" 4.12
run put --data four -O If-None-Match "$uri/new.txt"
code "If-None-Match replaces nothing" 4.12
run put --file "$folder/large.bin" -O If-None-Match "$uri/new.txt"
code "nor does it in blocks" 4.12
[ "$(cat "$folder/new.txt")" = three ]
report $? "the file is what it was"
run put --file "$folder/large.bin" "$uri/sub/copy.bin"
expect "a large file is written in blocks" 0
cmp -s "$folder/large.bin" "$folder/sub/copy.bin"
report $? "and is the same there"
run put --data x "$uri/nosub/a"
code "a file needs its folder" 4.04
run put --data x "$uri/sub"
code "a folder is not overwritten" 4.09
run put --data x "$uri/.profile"
code "no hidden file is written" 4.04
run put --data x "$uri/out/new"
code "nothing is written through a link" 4.04
run put --data x "$uri/link"
code "nor over one" 4.09
[ ! -e "$work/outside/new" ] && [ "$(cat "$work/outside/secret")" = secret ]
report $? "what is outside is as it was"

run post -v --data '{}' --format json "$uri/sub"
code "POST creates a file" 2.01
name=$(sed -n 's/^  Location-Path: "\?\([^"]*\)"\?$/\1/p' "$work/err" | tail -n 1)
says "and tells where" err '^  Location-Path: "?sub"?$'
run get -v "$uri/sub/$name"
output "it is there" '{}'
says "it has its format" err '^2\.05 Content  application/json'
run post --data x "$uri/a.txt"
code "a file creates nothing" 4.05

run delete -v "$uri/sub"
code "a folder that is not empty stays" 4.09
run delete -v "$uri/sub/deep"
code "an empty one is deleted" 2.02
run delete -v "$uri/new.txt"
code "a file is deleted" 2.02
[ ! -e "$folder/new.txt" ] && [ ! -e "$folder/sub/deep" ]
report $? "they are gone"
run delete -v "$uri/new.txt"
code "to delete what is not there succeeds" 2.02
run delete "$uri/"
code "the folder itself stays" 4.03

# Half of a body, and then the client begins anew.
python3 - "$port" >"$work/out" 2>"$work/err" <<'PYTHON'
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    def put(mid, block):
        s.send(bytes([0x40, 3, 0, mid]) + b"\xb4half" + bytes([0xd1, 27 - 11 - 13, block]) + b"\xff" + b"." * 16)
        return s.recv(2000)[1]
    assert put(1, 0x08) == 0x5f
    assert put(2, 0x18) == 0x5f
    assert put(3, 0x08) == 0x5f
PYTHON
status=$?
expect "half of a body is taken" 0
run get "$uri/half"
code "half of a body is not to be seen" 4.04
[ "$(find "$folder" -name '.copal-*' | wc -l)" = 1 ]
report $? "it waits under a hidden name, once"
run get "$uri/"
grep -q copal "$work/out"
[ $? = 1 ]
report $? "which is not listed"

ask "$uri/large.bin"
brings "libcoap reads a large file" "$folder/large.bin"
ask -b 256 "$uri/large.bin"
brings "in blocks of the size that it likes" "$folder/large.bin"
ask -m put -f "$folder/large.bin" -b 512 "$uri/libcoap.bin"
cmp -s "$folder/large.bin" "$folder/libcoap.bin"
report $? "libcoap writes a large file"

observe file "$uri/a.txt"
observe list "$uri/sub/"
run put -q --data 'from a client' "$uri/a.txt"
sleep 0.3
echo 'from a neighbour' >"$folder/a.txt"
sleep 0.3
printf new >"$folder/sub/new"
sleep 0.3
run delete -q "$uri/a.txt"
wait_for "$work/file.err" '4\.04'
tr -d '\n' <"$work/file.out" >"$work/out"
says "observers are told what clients and others change, until it is gone" out '^hellofrom a clientfrom a neighbour$'
cp "$work/list.out" "$work/out"
says "observers of a folder are told" out '</sub/new>;ct=42;sz=3'
end_serve
[ "$(find "$folder" -name '.copal-*' | wc -l)" = 0 ]
report $? "nothing half-written stays when the server ends"

# --- the plugtests' resources

start_serve --plugtest --delay 0.7 --interval 0
ask "$uri/test"
code "CORE_01: GET" 2.05
ask -m delete "$uri/test"
code "CORE_02: DELETE" 2.02
ask -m put -t text/plain -e put "$uri/test"
code "CORE_03: PUT" 2.04
ask "$uri/test"
output "what was PUT is there" put
ask -m post -t text/plain -e post "$uri/test"
says "CORE_18: POST tells three parts of a path" err \
  'c:2\.01 .*Location-Path:location1, Location-Path:location2, Location-Path:location3'
ask "$uri/separate"
says "CORE_09: an empty ACK first" err 't:ACK c:0\.00'
says "CORE_09: a separate response later" err 't:CON c:2\.05'
ask -N "$uri/separate"
says "CORE_17: a NON is answered by a NON" err 't:NON c:2\.05'
ask "$uri/seg1/seg2/seg3"
code "CORE_13: three segments" 2.05
ask "$uri/query?first=1&second=2"
output "CORE_14: the query" $'first=1\nsecond=2'
ask -m post "$uri/location-query"
says "CORE_19: POST tells a query" err 'c:2\.01 .*Location-Query:first=1, Location-Query:second=2'
for format in 0 41 50 60; do
  run get -v --accept "$format" "$uri/multi-format"
  says "CORE_20: format $format" err "<- .*Content-Format .*\($format\)"
done
run get --accept 42 "$uri/multi-format"
code "CORE_20: no other format" 4.06

run get -v "$uri/validate"
etag=$(sed -n 's/^  ETag: //p' "$work/err")
run get -v -O "ETag=$etag" "$uri/validate"
code "CORE_21: valid" 2.03
run put -v --data x -O "If-Match=$etag" "$uri/validate"
code "CORE_22: If-Match" 2.04
run get -v -O "ETag=$etag" "$uri/validate"
code "CORE_21: changed" 2.05
run put -v --data y -O "If-Match=$etag" "$uri/validate"
code "CORE_22: no match" 4.12
run get "$uri/validate"
output "CORE_22: unchanged" x
run put -v --data x -O If-None-Match "$uri/create1"
code "CORE_23: created" 2.01
run put -v --data x -O If-None-Match "$uri/create1"
code "CORE_23: not twice" 4.12

ask "$uri/.well-known/core?rt=Type2"
[ "$(tr , '\n' <"$work/out" | cut -d ';' -f 1 | paste -sd ' ')" = '</link1> </link2>' ]
report $? "LINK_04: one type of several"
ask "$uri/.well-known/core?if=If*"
[ "$(tr , '\n' <"$work/out" | cut -d ';' -f 1 | paste -sd ' ')" = '</link1> </link2>' ]
report $? "LINK_05: a prefix"
ask "$uri/.well-known/core?href=/link*"
[ "$(tr , '\n' <"$work/out" | cut -d ';' -f 1 | paste -sd ' ')" = '</link1> </link2> </link3>' ]
report $? "LINK_08: paths that begin so"
ask "$uri/path"
says "LINK_09: what is below" out '</path/sub1>.*</path/sub2>.*</path/sub3>'

ask -b 64 "$uri/large"
[ "$(head -c 5120 "$work/out" | wc -c)" = 5120 ] && [ "$(grep -c 't:CON c:GET' "$work/err")" = 80 ]
report $? "BLOCK_01: in blocks of 64"
ask "$uri/large"
says "BLOCK_02: the server begins with blocks" err 'c:2\.05 .*Block2:0/M/1024'
head -c 3000 /dev/zero | tr '\0' x >"$work/body"
ask -m put -f "$work/body" -b 256 "$uri/large-update"
code "BLOCK_03: PUT in blocks" 2.04
run get "$uri/large-update"
brings "BLOCK_03: it is whole" "$work/body"
ask -m post -f "$work/body" -b 256 "$uri/large-create"
says "BLOCK_04: POST in blocks" err 'c:2\.01 .*Location-Path:large-create, Location-Path:1,'
run get "$uri/large-create/1"
brings "BLOCK_04: it is whole" "$work/body"
ask -m post -f "$work/body" -b 256 "$uri/large-post"
says "BLOCK_05: blocks both ways" err 'c:2\.04 .*Block2:0/M/'
says "BLOCK_05: the answer is whole" out '^line 39: 3000 bytes'

observe obs "$uri/obs"
observe gone "$uri/obs-non"
run post -q --data 'interval 0.3' "$uri/actions"
wait_for "$work/obs.out" '/obs .*'
sleep 1
run post -q --data $'interval 0\nobs set from a test' "$uri/actions"
sleep 0.3
run put -q --data '{}' --format json "$uri/obs"
run post -q --data 'obs-non delete' "$uri/actions"
wait_for "$work/gone.err" '4\.04'
wait_for "$work/obs.err" '4\.06'
[ "$(grep -c '^/obs ' "$work/obs.out")" -ge 3 ]
report $? "OBS_01: it changes by itself"
cp "$work/obs.out" "$work/out"
says "OBS_09: what was set is told" out 'from a test'
cp "$work/serve.err" "$work/out"
says "OBS_02: notifications without confirmation" out '-> .* NON 2\.05 .* Observe .*"/obs-non'
says "OBS_07: the last one is confirmable" out '-> .* CON 4\.04'
run get "$uri/obs-non"
code "OBS_07: it is gone" 4.04

run post -q --data 'counter set 7' "$uri/actions"
run post "$uri/counter"
output "/counter counts from what was set" 8
run post --data $'counter set 1\nobs size x' "$uri/actions"
code "a wrong action is refused" 4.00
says "and named" err 'line 2'
run get "$uri/counter"
output "and none of the others is done" 8
{ printf 'counter set 9\nobs set '; head -c 65537 /dev/zero | tr '\0' x; } >"$work/too-much"
run post --file "$work/too-much" "$uri/actions"
expect "/actions refuses a content that is too large" 4
says "/actions tells how large a content may be" err 'line 2: a body has at most 65536 bytes'
run get "$uri/counter"
output "what is refused leaves all as it was" 8
run get "$uri/actions"
says "/actions tells what it does" out '^forget observers: '

# --- what is wrong on the command line

run serve "$work/missing"
expect "a folder that is not there is a local error" 1
says "it is named" err "cannot open $work/missing: "
run serve "$folder" "$folder"
expect "two folders are bad usage" 2
run serve --plugtest "$folder"
expect "a folder for the plugtests is bad usage" 2
run serve --write
expect "nothing to write to is bad usage" 2
run serve coap://127.0.0.1
expect "an address without --bind is bad usage" 2
says "--bind is suggested" err '--bind'

finish
