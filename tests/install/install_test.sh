#!/usr/bin/env bash
# Installs into an empty folder, moves it, and builds a stranger's project on it: with CMake, and with pkg-config.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

if ! command -v g++ >/dev/null; then
  echo "g++ is missing"
  exit 77
fi

echo "--- install, and move what was installed"
cmake --install "$BUILD" --prefix "$place/first" >/dev/null
mv "$place/first" "$place/usr"
for file in $(cd "$here/../.." && echo include/copal/*.h) bin/copal share/man/man1/copal.1 \
  share/bash-completion/completions/copal share/zsh/site-functions/_copal share/fish/vendor_completions.d/copal.fish; do
  [ -f "$place/usr/$file" ] || { echo "$file is not installed"; exit 1; }
done
"$place/usr/bin/copal" --version

echo "--- find_package"
cmake -S "$here/consumer" -B "$place/cmake" -DCMAKE_PREFIX_PATH="$place/usr" >/dev/null
cmake --build "$place/cmake" >/dev/null
for program in c_copal c_copal_static cxx_copal cxx_copal_static; do
  "$place/cmake/$program"
done

echo "--- pkg-config"
pc=$(find "$place/usr" -name copal.pc)
libraries=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=$libraries
# The flags are several words each.
# shellcheck disable=SC2046
{
  gcc -std=c11 -Wall -Wextra -Wpedantic -Werror "$here/consumer/consumer.c" -o "$place/c" $(pkg-config --cflags --libs copal)
  g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror "$here/consumer/consumer.cpp" -o "$place/cxx" \
    $(pkg-config --cflags --libs copal)
  gcc -std=c11 "$here/consumer/consumer.c" -o "$place/static" -static $(pkg-config --static --cflags --libs copal)
}
"$place/c" && "$place/cxx" && LD_LIBRARY_PATH='' "$place/static"
[ "$(pkg-config --modversion copal)" = "$("$place/c" | sed 's/copal \(.*\):.*/\1/')" ]
