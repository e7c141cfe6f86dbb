#!/usr/bin/env bash
# The command as one file: built with musl, under a mebibyte, and it does what the other does: looks names up, asks,
# serves, decodes.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
need musl-gcc
folder=$BUILD/static
limit=1048576

(cd "$here/../.." && cmake --preset static -B "$folder" && cmake --build "$folder" -j2 --target copal_command) \
  >"$work/out" 2>&1
status=$?
expect "the command builds with musl" 0
[ "$status" = 0 ] || finish

size=$(stat -c %s "$folder/copal")
[ "$size" -lt "$limit" ]
report $? "it has less than $limit bytes: $size"
readelf --program-headers "$folder/copal" >"$work/out" 2>"$work/err"
! grep -q INTERP "$work/out"
report $? "it needs no library"

start_serve
other=$copal
copal=$folder/copal
run --version
expect "it runs" 0
output "it is the version that it should be" "$("$other" --version)"
run get "$uri/hello"
expect "it asks" 0
output "it gets an answer" "Hello, constrained world!"
run get "coap://localhost:$port/hello"
expect "it looks names up" 0
run get coap://no-such-host.invalid/
expect "it tells names that there are not" 8
run decode 40 01 7d 34 bb 74656d7065726174757265
expect "it decodes" 0
says "it explains what it decodes" out 'temperature'
start_announced server "$copal" serve --bind coap://127.0.0.1:0
copal=$other
run get "coap://127.0.0.1:$port/hello"
expect "it serves" 0
finish
