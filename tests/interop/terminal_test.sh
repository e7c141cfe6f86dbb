#!/usr/bin/env bash
# The command on a terminal: what is in colour, lines of observations, the plot, the progress line, keys and window sizes.
# tmux is the terminal: what it shows is compared as text.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
need tmux
unset NO_COLOR
escape=$'\e'

# ARGUMENT...: tmux of our own, which reads no configuration.
terminals=0
terminal() { tmux -u -f /dev/null -S "$work/tmux$terminals" "$@"; }
stop_terminal() {
  terminal kill-server 2>/dev/null
  stop_all
}
trap stop_terminal EXIT

# COMMAND...: runs it in a shell on a terminal of 80 columns and 12 rows. Behind it stands "[STATUS]".
on_screen() {
  terminal kill-server 2>/dev/null
  terminals=$((terminals + 1))
  # The shell is to outlive Ctrl-C.
  printf '%s\n' 'trap : INT' "cd $work" "export COPAL=$copal" "$*" 'echo "[$?]"' 'exec sleep 100' >"$work/typed"
  terminal new-session -d -x 80 -y 12 "bash $work/typed"
}

# What is on the screen is what the last run wrote.
look() { # [with-colors]
  terminal capture-pane -p ${1:+-e} -t 0 2>/dev/null >"$work/out"
}

# PATTERN: until a line of the screen matches, for 10 s at most.
until_shown() {
  local _
  for _ in $(seq 200); do
    look
    grep -Eq -- "$1" "$work/out" && return
    sleep 0.05
  done
  false
}

shows() { # NAME PATTERN: the screen has, before long, a line that matches
  until_shown "$2"
  report $? "$1"
}

shows_colors() { # NAME yes|no
  look with-colors
  local colored=no
  grep -q "$escape\[[0-9;]*m" "$work/out" && colored=yes
  [ "$colored" = "$2" ]
  report $? "$1"
}

post() { "$copal" post --quiet "$uri/counter" >"$work/posted"; }

python3 -c 'import sys; sys.stdout.write("0123456789abcde\n" * 131072)' >"$work/large"
mkdir "$work/served"
mv "$work/large" "$work/served/"
printf 'first\nsecond\n\n' >"$work/served/notes.txt"
start_announced files "$copal" serve --write --bind coap://127.0.0.1:0 "$work/served"
files=coap://127.0.0.1:$port
start_serve

# --- colours

on_screen "\$COPAL get $uri/hello"
until_shown '^\[0\]$'
shows_colors "a terminal gets colours" yes
shows "a terminal gets a status line" '^2\.05 Content  text/plain'
on_screen "NO_COLOR=1 \$COPAL get $uri/hello"
until_shown '^\[0\]$'
shows_colors "NO_COLOR has none" no
on_screen "TERM=dumb \$COPAL get $uri/hello"
until_shown '^\[0\]$'
shows_colors "TERM=dumb has none" no
on_screen "\$COPAL get --color never $uri/hello"
until_shown '^\[0\]$'
shows_colors "--color never has none" no
on_screen "NO_COLOR=1 \$COPAL get --color always $uri/hello"
until_shown '^\[0\]$'
shows_colors "--color always has them in spite of NO_COLOR" yes
on_screen "\$COPAL get $uri/hello 2>&1 | cat"
until_shown '^\[0\]$'
shows_colors "a pipe gets no colours" no
on_screen "\$COPAL get -v --color always $uri/hello 2>&1 | cat"
until_shown '^\[0\]$'
shows_colors "--color always has them in a pipe" yes
on_screen "\$COPAL get -q $uri/hello; \$COPAL get -q $uri/nothing"
until_shown '^\[4\]$'
[ "$(head -n 2 "$work/out")" = $'Hello, constrained world!\n[4]' ]
report $? "-q shows the body alone"

# --- lines of an observation

on_screen "\$COPAL observe $uri/counter"
shows "an observation is a line" '^[0-9:]{8}\.[0-9]{3} +#[0-9]+ +0$'
post
shows "another state is a line with the time between" '^[0-9:]{8}\.[0-9]{3} +#[0-9]+ +\+[0-9.]+ (m|u)?s +1$'
shows_colors "it has colours" yes
: >"$work/serve.err"
terminal send-keys -t 0 C-c
shows "Ctrl-C ends it by the signal" '^(\^C)?\[130\]$'
wait_for "$work/serve.err" '<- .* CON GET .* Observe 1 Uri-Path "counter"'
report $? "Ctrl-C has the server told"

on_screen "\$COPAL observe -q --count 1 $uri/counter"
until_shown '^\[0\]$'
[ "$(head -n 2 "$work/out")" = $'1\n[0]' ]
report $? "-q shows the value alone"
on_screen "\$COPAL observe --count 2 $uri/counter $uri/hello"
shows "of several, a line says which" "#[0-9]+ +$uri/counter  1$"
on_screen "\$COPAL observe $files/notes.txt"
shows "a value that is no short text has its size in the line" '^[0-9:]{8}\.[0-9]{3} +#[0-9]+ +14 B$'
shows "a value that is no short text stands below" '^second$'
on_screen "\$COPAL observe $uri/counter | head -n 1"
until_shown '^1$'
post
shows "who reads no further ends it" '^copal: cannot write to standard output: Broken pipe$'

# --- a plot

on_screen "clear; \$COPAL observe --plot $uri/counter"
until_shown '^last 2 '
for value in 3 4 5 6 7 8 9; do
  post
  until_shown "^last $value "
done
output "a plot is redrawn in its place" "\
        9 ┤⠀⠀⠀⢸
          │⠀⠀⠀⡎
          │⠀⠀⢠⠃
          │⠀⠀⡸
          │⠀⠀⡇
          │⠀⢸
          │⠀⡎
          │⢠⠃
        2 ┤⡸
last 9  min 2  max 9  8 values"
terminal resize-window -t 0 -x 40 -y 8
until_shown '^        2 ┤'
sleep 0.2
look
[ "$(grep -c '│' "$work/out")" = 3 ] && [ "$(grep -c 'last 9' "$work/out")" = 1 ]
report $? "a plot follows the window's size"
terminal send-keys -t 0 C-c
shows "the last picture stays" '^        9 ┤'
shows "the status stands behind the picture" '^(\^C)?\[130\]$'
run observe --plot "$uri/counter"
expect "a plot in a file is bad usage" 2
says "a plot in a file is explained" err '^copal observe: --plot draws on a terminal'
on_screen "TERM=dumb \$COPAL observe --plot $uri/counter"
shows "a terminal that cannot move its cursor has no plot" '^\[2\]$'
on_screen "\$COPAL observe --plot --count 1 $uri/hello"
until_shown '^\[0\]$'
terminal capture-pane -p -S - -t 0 >"$work/out"
says "a value without a number is told" out '^note: a value of 26 B without a number is not drawn$'

# --- progress

on_screen "\$COPAL get --block-size 16 -o body $files/large"
shows "what takes long shows how far it is" \
  '^received [0-9.]+ kB of 2\.1 MB, [0-9]+ %, [0-9.]+ [kM]B/s, [0-9:]+ left \[#*-+\]$'
terminal resize-window -t 0 -x 40 -y 12
shows "the progress line follows the window's size" '^received [0-9.]+ kB of 2\.1 MB, [0-9]+ %$'
terminal send-keys -t 0 C-c
shows "Ctrl-C ends a transfer by the signal" '\[130\]$'
! grep -q '^received' "$work/out"
report $? "the progress line goes away"
on_screen "\$COPAL get -q --block-size 16 -o body $files/large"
sleep 0.8
look
[ -z "$(tr -d '\n' <"$work/out")" ]
report $? "-q shows no progress"
on_screen "\$COPAL get --block-size 16 -o body $files/large 2>err"
sleep 0.8
[ ! -s "$work/err" ]
report $? "a file gets no progress"

# RFC 7959 4, of Size2 in a request: "For this usage, the value MUST be set to 0."
cat >"$work/asked.py" <<'PYTHON'
import socket
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
print("listening on udp:%d" % peer.getsockname()[1], flush=True)
data = peer.recv(2048)
print("options", data[4 + (data[0] & 15):].hex(), flush=True) # Uri-Path "a", and Size2: a delta of 13 + 4
PYTHON
start_announced asked python3 -u "$work/asked.py"
on_screen "\$COPAL get --timeout 1 -o body coap://127.0.0.1:$port/a"
wait_for "$work/asked.out" '^options'
grep -q '^options b161d004$' "$work/asked.out"
report $? "the size is asked for by a Size2 of 0"

finish
