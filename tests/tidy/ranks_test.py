"""Includes point downward only: a file sees lower ranks and its own folder, the command sees the public headers."""
import re

import source

RANKS = {"base": 0, "message": 1, "engine": 2, "rest": 3, "endpoint": 4, "net": 5}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
# string.h for memcpy, which is there without an operating system, too: compilers call it unasked.
PUBLIC_SYSTEM_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h"}
CORE_SYSTEM_HEADERS = PUBLIC_SYSTEM_HEADERS | {"assert.h", "limits.h", "stdalign.h"}


def check(files):
    complaints = []
    for path, text in files.items():
        for match in INCLUDE.finditer(text):
            own, system = match.groups()
            wrong = wrong_own_header(path, own) if own else wrong_system_header(path, system)
            if wrong:
                complaints.append(f"{path}:{source.line_of(text, match.start())}: {match.group().strip()}: {wrong}")
    return complaints + cycles(files)


def wrong_own_header(path, header):
    folder, target = folder_of(path), header.split("/")[0]
    if target == "copal":
        return None
    if path.startswith("include/"):
        return "a public header includes public headers only; move the declaration, or make the type opaque"
    if not path.startswith("src/"):
        is_neighbour = target in (folder, header)
        return None if is_neighbour else f"{folder}/ uses the public headers only; add what it needs to the public API"
    if folder not in RANKS:
        return f"src/{folder}/ has no rank; give it one in tests/tidy/ranks_test.py"
    if target not in RANKS:
        return 'write the folder too: "base/x.h"'
    if target != folder and RANKS[target] >= RANKS[folder]:
        return f"{folder} (rank {RANKS[folder]}) may not know {target} (rank {RANKS[target]}); let the caller pass it in"
    return None


def wrong_system_header(path, header):
    if path.startswith("include/") and header not in PUBLIC_SYSTEM_HEADERS:
        return f"public headers need no more of the system than {', '.join(sorted(PUBLIC_SYSTEM_HEADERS))}"
    if source.is_core(path) and header not in CORE_SYSTEM_HEADERS:
        return "ranks 0 to 4 run without an operating system; what needs one belongs into src/net/"
    return None


def folder_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def cycles(files):
    """Headers that include each other in a circle, each circle told once."""
    graph = {}
    for path, text in files.items():
        if path.endswith(".h"):
            name = path.split("/", 1)[1]
            graph[name] = [own for own, _ in INCLUDE.findall(text) if own]
    complaints, finished = [], set()

    def visit(name, trail):
        if name in trail:
            circle = " -> ".join(trail[trail.index(name):] + [name])
            complaints.append(f"headers include each other: {circle}; split what they share into a third")
        elif name not in finished:
            for target in graph.get(name, []):
                visit(target, trail + [name])
            finished.add(name)

    for name in graph:
        visit(name, [])
    return complaints


PLANTED = {
    "engine (rank 2) may not know rest (rank 3)": {"src/engine/a.c": '#include "rest/b.h"\n'},
    "headers include each other: base/a.h -> base/b.h -> base/a.h": {
        "src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n'},
    "write the folder too": {"src/base/a.c": '#include "b.h"\n'},
    "has no rank": {"src/gateway/a.c": '#include "base/b.h"\n'},
    "cli/ uses the public headers only": {"cli/a.c": '#include "net/udp.h"\n'},
    "examples/ uses the public headers only": {"examples/a.c": '#include "base/b.h"\n'},
    "a public header includes public headers only": {"include/copal/a.h": '#include "base/b.h"\n'},
    "public headers need no more of the system": {"include/copal/a.h": "#include <sys/socket.h>\n"},
    "belongs into src/net/": {"src/rest/a.c": "#include <time.h>\n"},
}
INNOCENT = {
    "src/rest/a.c": '#include "rest/a.h"\n#include <string.h>\n#include "copal/rest.h"\n#include "base/b.h"\n',
    "src/net/a.c": "#include <sys/socket.h>\n",
    "cli/a.c": '#include <stdio.h>\n#include "copal/net.h"\n#include "cli/options.h"\n',
    "examples/a.c": '#include "b.h"\n',
    "include/copal/a.h": '#include <stdint.h>\n#include "copal/error.h"\n',
}

source.run(check, source.read_tree((".c", ".h"), ("include", "src", "cli", "examples")), PLANTED, INNOCENT)
