"""The shared library exports what the public headers declare with COPAL_API: all of it, and nothing else.

usage: exports_test.py LIBRARY
"""
import re
import subprocess
import sys

import source

# The linker's own, and what sanitizers leave in an instrumented library.
IGNORED = re.compile(r"_init|_fini|_edata|_end|__bss_start|__(asan|ubsan|odr_asan|sanitizer)\w*(\.\w+)*")


def declared(headers):
    names = set()
    for text in headers.values():
        code = source.blank_comments_and_strings(text)
        names |= set(re.findall(r"^COPAL_API\b[^;(]*?\b(\w+)\s*\(", code, re.MULTILINE))
    return names


def check(exported, headers=None):
    headers = source.read_tree((".h",), ("include",)) if headers is None else headers
    promised = declared(headers)
    return ([f"{name} is exported but no public header declares it: let it be static, or without COPAL_API"
             for name in sorted(set(exported) - promised) if not IGNORED.fullmatch(name)] +
            [f"{name} is declared with COPAL_API but not exported: implement it"
             for name in sorted(promised - set(exported))])


HEADERS = {"a.h": "/* COPAL_API int copal_no(void); */\n#define COPAL_API x\n"
                  "COPAL_API COPAL_MUST_CHECK int copal_f(int (*g)(void));\n"}
assert check(["copal_f", "_init"], HEADERS) == []
assert "leaked is exported but" in check(["copal_f", "leaked"], HEADERS)[0]
assert "copal_f is declared with COPAL_API but not exported" in check([], HEADERS)[0]

listing = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", sys.argv[1]],
                         check=True, capture_output=True, text=True).stdout
source.run(check, [line.split()[0] for line in listing.splitlines()],
           {"leaked is exported but": ["leaked"]}, sorted(declared(source.read_tree((".h",), ("include",)))))
