"""Nothing half-done and nothing of anybody's machine stays in the tree: marks, tabs, blanks at line ends, paths."""
import re

import source

MARKS = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3))
TAB = re.compile(r"\t")
RULES = (
    (re.compile(rf"\b(?:{MARKS})\b"), "do it, or write an issue"),
    (TAB, "a tab: use spaces"),
    (re.compile(r"[ \t\r]$"), "blanks at the end of the line: remove them"),
    (re.compile(r"(?<![\w.}])/(?:work|root|home/\w+)/"), "a path of one machine: make it relative"),
)
SUFFIXES = (".c", ".h", ".py", ".sh", ".txt", ".cmake", ".in", ".md", ".json", ".js", ".mjs", ".yml",
            "Makefile", "run", "demo", "conformance", "fuzz", "format", "run-tests", "valgrind", "install-dependencies",
            "rfc-coverage", "rfc-statements", "exceptions", "coverage", "mutants")
TABS_ALLOWED = ("Makefile",)
GENERATED = ("package-lock.json",)


def check(files):
    complaints = []
    for path, text in files.items():
        if path.endswith(GENERATED):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, advice in RULES:
                if pattern.search(line) and not (pattern is TAB and path.endswith(TABS_ALLOWED)):
                    complaints.append(f"{path}:{number}: {advice}: {line.strip()}")
    return complaints


PLANTED = {
    "a.c:2: do it, or write an issue": {"a.c": "\n/* TO" + "DO: later */\n"},
    "a.c:1: a tab": {"a.c": "\tint a;\n"},
    "a.c:1: blanks at the end": {"a.c": "int a; \n"},
    "a.c:1: a path of one machine": {"a.c": '#include "/' + 'home/me/b.h"\n'},
}
INNOCENT = {"Makefile": "all:\n\tcc\n", "a.c": 'const char *a = "coap://host/' + 'work/b";\n'}

source.run(check, source.read_tree(SUFFIXES, (".",)), PLANTED, INNOCENT)
