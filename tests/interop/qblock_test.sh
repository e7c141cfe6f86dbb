#!/usr/bin/env bash
# Q-Block (RFC 9177): our client and our server, also over a line that loses datagrams, and our client with servers that
# do not know it, which it must find out. The libcoap of Debian 12, 4.3.1, is one of them: it has had Q-Block since 4.3.2.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need coap-server-notls python3 cmp

make_file() { # FILE SIZE: its blocks all differ
  python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(9177).randbytes(int(sys.argv[1])))' "$2" >"$1"
}

same() { # NAME FILE FILE
  cmp -s "$2" "$3"
  report $? "$1"
}

says_not() { # NAME out|err PATTERN
  ! grep -Eq -- "$3" "$work/$2"
  report $? "$1"
}

make_file "$work/file" 100001
make_file "$work/large" 1500000

# --- our server

mkdir "$work/folder"
start_serve --write --ack-timeout 0.1 "$work/folder"
run put -v --q-block --file "$work/file" "$uri/file"
expect "our server takes a file" 0
same "what it takes is what was sent" "$work/file" "$work/folder/file"
says "the first block is confirmable" err '-> .* CON PUT .* Q-Block1 0/1/1024 .*Size1 100001 '
says "the others are not" err '-> .* NON PUT .* Q-Block1 97/0/1024 '
says "each set is continued" err '<- .* NON 2\.31 .* Q-Block1 9/1/1024'
says_not "no block goes by Block1" err ' Block1 '
run get -v --q-block --output "$work/back" "$uri/file"
expect "our server gives a file" 0
same "what it gives is what it took" "$work/file" "$work/back"
says "a set is asked for" err '-> .* NON GET .* Q-Block2 10/1/1024'
says "it comes" err '<- .* NON 2\.05 .*Q-Block2 97/0/1024'
run get --q-block --output "$work/back" "$uri/file"
same "and again" "$work/file" "$work/back"
run get --q-block "$uri/none"
expect "what is not there is an error" 4

cp "$work/large" "$work/folder/large"
run get -v --q-block --output "$work/back" "$uri/large"
same "what is too large to be kept comes block by block" "$work/large" "$work/back"
says "by Block2" err '-> .* CON GET .* Block2 1400/0/1024'

# --- over a lossy line

server_port=$port
start_relay --to "127.0.0.1:$server_port" --drop 4 --duplicate 4 --seed 5
lossy=coap://127.0.0.1:$port
run put -v --q-block --ack-timeout 0.1 --retransmit 6 --file "$work/file" "$lossy/lossy"
expect "a lossy line takes a file" 0
same "a lossy line changes nothing" "$work/file" "$work/folder/lossy"
run get -v --q-block --ack-timeout 0.1 --retransmit 6 --output "$work/back" "$lossy/lossy"
expect "a lossy line gives a file" 0
same "nor on the way back" "$work/file" "$work/back"

# --- servers that do not know it

port=$(free_port)
uri=coap://127.0.0.1:$port
start libcoap coap-server-notls -v 1 -d 10 -A 127.0.0.1 -p "$port"
for _ in $(seq 100); do
  "$copal" get --quiet --timeout 1 "$uri/" >/dev/null && break
  sleep 0.05
done
run put -v --q-block --file "$work/file" "$uri/file"
expect "libcoap takes a file" 0
says "it refuses the option" err '<- .* 4\.02 '
says "it is sent blocks by Block1" err '-> .* CON PUT .* Block1 97/0/1024 '
run get -v --q-block --output "$work/back" "$uri/file"
expect "libcoap gives a file" 0
same "what libcoap gives is what it took" "$work/file" "$work/back"
says "it is asked for blocks by Block2" err '-> .* CON GET .* Block2 97/0/1024'

finish
