#!/usr/bin/env bash
# What people are used to: help that fits a screen, suggestions, names that other tools have, defaults from a file and
# from the environment, completion in the shells themselves. What there is to check is read from the command.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/lib.sh"
unset COPAL_CONFIG COPAL_OPTIONS XDG_CONFIG_HOME
export HOME=$work/home
config=$HOME/.config/copal/config
mkdir -p "${config%/*}"

# FILE: what a screen of 24 lines and 80 columns holds.
fits() {
  [ "$(wc -l <"$1")" -le 24 ] && [ "$(wc -L <"$1")" -le 80 ]
}

# TEXT: what is typed behind "copal", up to a pipe or the like: with --help at its end it is parsed, and nothing done.
parses() {
  eval "run $(sed -E "s/^(([^'\")|>&<]|'[^']*'|\"[^\"]*\")*).*/\1/" <<<"$1") --help"
  grep -q '^Usage' "$work/out" || status=1
}

# --- help

run --help
expect "--help succeeds" 0
fits "$work/out"
report $? "--help fits a screen"
mapfile -t commands < <(sed -nE 's/^  ([a-z]+) +[A-Z].*/\1/p' "$work/out")
[ ${#commands[@]} -ge 14 ]
report $? "--help has the commands"
cp "$work/out" "$work/help"
run help
expect "help succeeds" 0
cmp -s "$work/out" "$work/help"
report $? "help is --help"

for command in "${commands[@]}"; do
  run "$command" --help
  expect "$command --help succeeds" 0
  fits "$work/out"
  report $? "$command --help fits a screen"
  says "$command --help begins with its usage" out "^Usage: copal $command"
  says "$command --help tells how to see all options" out "^All options: copal help $command$"
  says "$command --help tells the exit statuses" out '^Exit status: 0 success'
  sed -n '/^For example:/,/^\(Exit.*\|\)$/p' "$work/out" | grep -E "copal $command" >"$work/examples"
  mapfile -t daily < <(grep -oE -- ' --[a-z][a-z-]*' "$work/out" | sort -u)
  good=0
  [ -s "$work/examples" ] || good=1
  while read -r example; do
    parses "$(sed -E "s/.*copal ($command)/\\1/" <<<"$example")"
    [ "$status" = 0 ] || good=1
  done <"$work/examples"
  report $good "the examples of $command --help parse"
  run help "$command"
  expect "help $command succeeds" 0
  [ "$(wc -L <"$work/out")" -le 80 ]
  report $? "help $command has no long lines"
  says "help $command has headings" out '^General:$'
  missing=
  for option in "${daily[@]}"; do grep -q -- "$option" "$work/out" || missing+=$option; done
  [ -z "$missing" ]
  report $? "help $command has the daily options too$missing"
done
run help put
says "help tells what is rare" out '--ack-timeout'
run put --help
! grep -q -- --ack-timeout "$work/out"
report $? "--help does not"
run help puut
expect "help of a mistyped command is bad usage" 2
says "help of a mistyped command has a suggestion" err "did you mean 'put'\?"

good=0
lines=0
while read -r line; do
  lines=$((lines + 1))
  parses "$line"
  [ "$status" = 0 ] && continue
  echo "# docs/command.md: copal $line"
  good=1
done < <(grep -oE '`copal [^`]*`' "$here/../../docs/command.md" | sed 's/^`copal //; s/`$//' |
  grep -vE '^(help|U)')
[ "$lines" -ge 15 ] || good=1
report $good "the command lines of docs/command.md parse"

# --- what is mistyped, and what others type

start_serve
run GET "$uri/hello"
output "a method in capitals is one" "Hello, constrained world!"
run "$uri/hello"
output "a URI alone is a GET" "Hello, constrained world!"
run -X PUT -d one "$uri/store/x"
expect "-X names the method" 0
run "$uri/store/x" -Xget
output "-X may stand anywhere" one
run --method=DELETE "$uri/store/x"
expect "--method is -X" 0
run -X ptu "$uri/store/x"
expect "-X takes methods only" 2
run -X observe "$uri/store/x"
expect "observe is no method" 2
run "127.0.0.1:$port/hello"
expect "a URI without a scheme needs a command" 2
says "a URI without a scheme is told how" err "did you mean \"copal get 127.0.0.1:$port/hello\"\?"
run get -d on "$uri/hello"
expect "an option of others is bad usage" 2
says "an option of others is told to be theirs" err '-d is an option of put, post'
run get --color alwais "$uri/hello"
says "a mistyped word gets a suggestion" err 'did you mean always\?'
run get --accept jsno "$uri/hello"
expect "an unknown format is bad usage" 2
says "a mistyped format gets a suggestion" err 'did you mean json\?'
run get --accept application/jsno "$uri/hello"
says "a mistyped media type gets a suggestion" err 'did you mean application/json\?'
run --version
says "--version tells the version" out '^copal [0-9.]+$'
run -V
says "-V tells the version" out '^copal [0-9.]+$'

# --- defaults

sent() { # NAME PATTERN: what the request under -v was
  says "$1" err "-> .* GET .*$2"
}

run get -v "$uri/hello"
expect "no file is no error" 0
cat >"$config" <<'END'
# for all
accept = text   # what people read
verbose = true
amplification = 7
[get]
option = "Uri-Query=from file"
[observe]
count = 1
END
run get "$uri/hello"
sent "the file's general part holds" 'Accept text/plain'
sent "the file's section holds" 'Uri-Query "from file"'
run put --data x "$uri/store/y"
! grep -q 'from file' "$work/err"
report $? "a section is for its command only"
run observe "$uri/counter"
expect "a section of observe holds" 0
[ "$(wc -l <"$work/out")" = 1 ]
report $? "a section of observe holds a number"
COPAL_OPTIONS="--accept json -O 'Uri-Query=from variable'" run get "$uri/hello"
sent "the environment stands over the file" 'Uri-Query "from file" Uri-Query "from variable" Accept application/json'
COPAL_OPTIONS="--accept json" run get --accept cbor "$uri/hello"
sent "the command line stands over both" 'Accept application/cbor'
run get --verbose=false "$uri/hello"
[ ! -s "$work/err" ]
report $? "a flag of the file is taken back"
COPAL_OPTIONS=--accept\ json run get --no-config -v "$uri/hello"
! grep -q 'Accept' "$work/err"
report $? "--no-config leaves file and environment alone"
COPAL_OPTIONS="--wriet" run get "$uri/hello"
expect "a mistyped option in the environment is bad usage" 2
says "it is told where" err "COPAL_OPTIONS: unknown option --wriet"
COPAL_OPTIONS="coap://x" run get "$uri/hello"
expect "a URI in the environment is bad usage" 2
COPAL_OPTIONS="--plugtest --amplification 3" run get "$uri/hello"
expect "options of others in the environment are left aside" 0
printf 'timeout = 5\ntmeout = 6\n' >"$config"
run get "$uri/hello"
expect "an unknown name in the file is bad usage" 2
says "it is told in which line, with a suggestion" err "$config:2: unknown option 'tmeout': did you mean timeout\?"
run get --help
expect "--help needs no good file" 0
printf '[serve]\ntimeout = 5\n' >"$config"
run get "$uri/hello"
expect "a section has its command's options only" 2
says "it is told which has none" err "$config:2: copal serve has no option --timeout"
printf 'verbose = true\n' >"$work/named"
COPAL_CONFIG=$work/named run get "$uri/hello"
expect "COPAL_CONFIG stands for the usual file" 0
sent "COPAL_CONFIG holds" hello
COPAL_CONFIG=$work/missing run get "$uri/hello"
expect "COPAL_CONFIG has to be there" 1
COPAL_CONFIG=$work run get "$uri/hello"
expect "a folder is no configuration" 1
mkdir -p "$work/xdg/copal"
printf 'accept = json\n' >"$work/xdg/copal/config"
XDG_CONFIG_HOME=$work/xdg run get -v "$uri/hello"
sent "XDG_CONFIG_HOME is looked at" 'Accept application/json'
head -c 65537 /dev/zero | tr '\0' '#' >"$config"
run get "$uri/hello"
expect "a large file is refused" 1
rm "$config"

# --- completion

for shell in bash zsh fish; do
  run completion $shell
  expect "completion $shell succeeds" 0
  cp "$work/out" "$work/completion.$shell"
done
run completion csh
expect "completion of another shell is bad usage" 2

# WORD...: what bash offers for the last of them.
in_bash() {
  bash -c 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _copal; printf "%s\n" "${COMPREPLY[@]}"' \
    "$work/completion.bash" "$@" >"$work/out" 2>"$work/err"
}

offers() { # NAME WORD...: these lines and no other, in any order
  local name=$1
  shift
  [ "$(sort "$work/out")" = "$(printf '%s\n' "$@" | sort)" ] && [ ! -s "$work/err" ]
  report $? "$name"
}

touch "$work/image.bin"
mkdir "$work/images"
in_bash copal obs
offers "bash completes commands" observe
in_bash copal get --acc
offers "bash completes options" --accept
in_bash copal get --color n
offers "bash completes words" never
in_bash copal get --color = al
offers "bash completes words behind =" always
in_bash copal get -a cbo
offers "bash completes formats" cbor cbor-seq cbor@deflate
in_bash copal get -O Uri-Q
offers "bash completes names of options" Uri-Query=
in_bash copal put --file "$work/ima"
offers "bash completes files" "$work/image.bin" "$work/images"
in_bash copal serve "$work/ima"
offers "bash completes folders" "$work/images"
in_bash copal help disc
offers "bash completes what help is of" discover
in_bash copal get --timeout ''
offers "bash does not know numbers" ''
for command in "${commands[@]}"; do
  "$copal" help "$command" | grep -oE -- '^ +(-.,)? *--[a-z-]+' | grep -oE -- '--.*' | sort >"$work/listed"
  in_bash copal "$command" --
  sort "$work/out" | cmp -s - "$work/listed"
  report $? "bash completes all options of $command"
done

if [ "${COPAL_NO_SKIP:-0}" = 1 ]; then need zsh fish; fi
if command -v zsh >/dev/null; then
  zsh -n "$work/completion.zsh" 2>"$work/err"
  report $? "zsh reads its script"
  zsh -fc 'autoload -Uz compinit && compinit -D -u && source "$0" && [[ ${_comps[copal]} == _copal ]]' \
    "$work/completion.zsh" 2>"$work/err"
  report $? "zsh takes its script"
else
  echo "ok - zsh reads its script # SKIP zsh is not installed"
fi
if command -v fish >/dev/null; then
  in_fish() {
    fish -c "source $work/completion.fish; complete -C '$1'" 2>"$work/err" | cut -f 1 >"$work/out"
  }
  in_fish 'copal obs'
  offers "fish completes commands" observe
  in_fish 'copal get --acc'
  offers "fish completes options" --accept
  in_fish 'copal get --color n'
  offers "fish completes words" never
  in_fish 'copal get -O Uri-Q'
  offers "fish completes names of options" Uri-Query=
  in_fish 'copal help disc'
  offers "fish completes what help is of" discover
else
  echo "ok - fish reads its script # SKIP fish is not installed"
fi
finish
