"""Ranks 0 to 4 are a pure machine: looking at their object files, they need nothing from outside but a few memory
functions, and keep no mutable object of their own.

usage: purity_test.py [--nm NM] [--freestanding] [--no-assert] FILE    FILE lists the object files, one a line
"""
import argparse
import pathlib
import re
import subprocess

import source

ALLOWED = re.compile(r"memcpy|memset|memcmp|memmove"
                     r"|_GLOBAL_OFFSET_TABLE_|__stack_chk_\w+|__mem\w+_chk"           # what compilers put in by default
                     r"|__(asan|ubsan|sanitizer|sancov)_\w+"                            # ... and with sanitizers
                     r"|__aeabi_\w+|__gnu_thumb1_case_\w+|__(clz|ctz|popcount|bswap)[sd]i2")  # ... libgcc's, on Arm
BY_COMPILER = re.compile(r"strlen|bcmp")  # with a libc, gcc makes the one of a loop, clang the other of memcmp() == 0
ASSERT = re.compile(r"__assert_fail|__assert_func")
INSTRUMENTATION = re.compile(r"\$|\.L|__(asan|ubsan|sancov|odr_asan|unnamed_)|___asan")
MUTABLE_SECTION = re.compile(r"\*COM\*|\.(data|bss|tdata|tbss|sdata|sbss)(?!\.rel\.ro)")
ADVICE = (
    (r"(m|c|re)alloc|free|aligned_alloc", "all memory comes from the block given at init"),
    (r"clock\w*|time|gettimeofday", "time is a parameter named now"),
    (r"s?rand\w*|get(random|entropy)", "draw from the endpoint's seeded generator, base/random.h"),
    (r"socket|send\w*|recv\w*|bind|poll|epoll\w*", "sockets live in src/net/"),
    (r"\w*printf\w*|f?put\w+|fwrite|std(out|err)", "ranks 0 to 4 print nothing: return it, or count it"),
    (r"__assert\w+", "NDEBUG must leave no assert behind"),
)


def parse(object_name, nm_output):
    """Yields (object, symbol, section) from nm --format=sysv; section is *UND* for what is needed from outside."""
    for line in nm_output.splitlines():
        columns = [column.strip() for column in line.split("|")]
        if len(columns) == 7 and columns[0] != "Name" and columns[3] not in ("FILE", "SECTION"):
            yield object_name, columns[0], columns[6]


def check(symbols, freestanding=False, no_assert=False):
    defined = {symbol for _, symbol, section in symbols if section != "*UND*"}
    complaints = []
    for name, symbol, section in symbols:
        if INSTRUMENTATION.match(symbol):
            continue
        if section == "*UND*":
            allowed = (ALLOWED.fullmatch(symbol) or not no_assert and ASSERT.fullmatch(symbol)
                       or not freestanding and BY_COMPILER.fullmatch(symbol))
            if symbol not in defined and not allowed:
                complaints.append(f"{name} needs {symbol}: {advice(symbol)}")
        elif MUTABLE_SECTION.match(section):
            complaints.append(f"{name} keeps {symbol} in {section}: no mutable globals; make it const, or a field of a "
                              "record that the caller owns")
    return complaints


def advice(symbol):
    for pattern, text in ADVICE:
        if re.fullmatch(pattern, symbol):
            return text
    return "ranks 0 to 4 use only memcpy, memset, memcmp, memmove and assert"


def read_symbols(nm, list_file):
    symbols = []
    for line in pathlib.Path(list_file).read_text(encoding="utf-8").split():
        if re.search(rf"/src/({'|'.join(source.CORE)})/", line):
            output = subprocess.run([nm, "--format=sysv", line], check=True, capture_output=True, text=True).stdout
            symbols += parse("src/" + line.split("/src/")[-1].removesuffix(".o").removesuffix(".obj"), output)
    return symbols


def planted(*lines):
    return list(parse("src/base/a.c", "\n".join(lines)))


PLANTED = {
    "src/base/a.c needs malloc: all memory comes from the block": planted("malloc| | U | NOTYPE| | |*UND*"),
    "src/base/a.c needs clock_gettime: time is a parameter": planted("clock_gettime| | U | NOTYPE| | |*UND*"),
    "src/base/a.c needs strchr: ranks 0 to 4 use only": planted("strchr| | U | NOTYPE| | |*UND*"),
    "src/base/a.c keeps counter in .bss": planted("counter|0000| b | OBJECT|0004| |.bss"),
    "src/base/a.c keeps table in .data": planted("table|0000| D | OBJECT|0004| |.data"),
}
INNOCENT = planted("memcpy| | U | NOTYPE| | |*UND*", "copal_f|0000| T | FUNC|0004| |.text",
                   "copal_f| | U | NOTYPE| | |*UND*", "names|0000| d | OBJECT|0004| |.data.rel.ro.local",
                   "__assert_fail| | U | NOTYPE| | |*UND*")

arguments = argparse.ArgumentParser()
arguments.add_argument("--nm", default="nm")
arguments.add_argument("--freestanding", action="store_true")
arguments.add_argument("--no-assert", action="store_true")
arguments.add_argument("list_file")
given = arguments.parse_args()

assert "NDEBUG" in check(INNOCENT, no_assert=True)[0]
assert "strlen" in check(planted("strlen| | U | NOTYPE| | |*UND*"), freestanding=True)[0]


def check_as_given(symbols):
    return check(symbols, given.freestanding, given.no_assert)


source.run(check_as_given, read_symbols(given.nm, given.list_file), PLANTED, INNOCENT[:-1])
