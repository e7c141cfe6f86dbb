"""docs/threats.md names a test for each of its rows: one that exists, is run, and carries the row's number in its name,
in the comment above it, or within. No test carries a number that the page lacks."""
import re

import source

PAGE = "docs/threats.md"
ROW = re.compile(r"^\| T(\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
FILE = re.compile(r"`([\w/]+_test\.c)`: ((?:`\w+`(?:, )?)+)")
TEST = re.compile(r"((?:/\*(?:[^*]|\*(?!/))*\*/\n)?)^static void (\w+)\(void \*\*state\) \{(.*?)^\}",
                  re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\bT(\d+)\b(?!:\d)")
NAMED = re.compile(r"(?:^|_)t(\d\d)(?=_)")
# What begins with a T and a number in these is no threat.
OTHERS = ("tests/unit/cli/dissect_test.c", "tests/plugtest/")


def check(files):
    rows = ROW.findall(files[PAGE])
    tests = {path: carried(text) for path, text in files.items() if path.endswith("_test.c")}
    complaints = [f"{PAGE}: no rows"] if not rows else []
    for number, cell in rows:
        complaints += check_row(int(number), cell, tests, files)
    known = {int(number) for number, _ in rows}
    for path, numbers in tests.items():
        if not path.startswith(OTHERS):
            complaints += [f"{path}: {name} carries T{number}, which {PAGE} has not"
                           for name, found in numbers.items() for number in sorted(found - known)]
    return complaints


def carried(text):
    """{test: the numbers that it carries}."""
    return {name: {int(number) for number in NUMBER.findall(comment + body) + NAMED.findall(name)}
            for comment, name, body in TEST.findall(text)}


def check_row(number, cell, tests, files):
    named = [(f"tests/{path}", name) for path, names in FILE.findall(cell) for name in re.findall(r"`(\w+)`", names)]
    if not named or FILE.sub("", cell).strip("; "):
        return [f"{PAGE}: T{number}: name its tests as `folder/file_test.c`: `test`, `test`; …"]
    complaints = []
    for path, name in named:
        if name not in tests.get(path, {}):
            complaints.append(f"{PAGE}: T{number}: there is no {name} in {path}")
        elif number not in tests[path][name]:
            complaints.append(f"{path}: {name} does not carry T{number}: say so above it")
        elif len(re.findall(rf"\b{name}\b", files[path])) < 2:
            complaints.append(f"{path}: {name} is not run")
    return complaints


def planted(cell, test, run="cmocka_unit_test(t01_short)"):
    return {PAGE: f"| # | a | b | test |\n| T1 | short | silence | {cell} |\n", "tests/unit/a_test.c": f"{test}\n{run}\n"}


GOOD_CELL = "`unit/a_test.c`: `t01_short`"
GOOD_TEST = "static void t01_short(void **state) {\n  call();\n}\n"
PLANTED = {
    "T1: name its tests": planted("a test", GOOD_TEST),
    "there is no t01_long": planted("`unit/a_test.c`: `t01_short`, `t01_long`", GOOD_TEST),
    "short does not carry T1": planted("`unit/a_test.c`: `short`", GOOD_TEST.replace("t01_short", "short")),
    "t01_short is not run": planted(GOOD_CELL, GOOD_TEST, ""),
    "t02_other carries T2": planted(GOOD_CELL, GOOD_TEST + GOOD_TEST.replace("t01_short", "t02_other")),
    "no rows": {PAGE: "# Threats\n"},
}
INNOCENT = planted("`unit/a_test.c`: `t01_short`; `unit/a_test.c`: `other`",
                   GOOD_TEST + "/* T1 and more,\n * T1. */\n" + GOOD_TEST.replace("t01_short", "other"),
                   "cmocka_unit_test(t01_short), cmocka_unit_test_setup(other, setup)")

FILES = source.read_tree(("_test.c",), ("tests",))
FILES[PAGE] = (source.ROOT / PAGE).read_text(encoding="utf-8")
source.run(check, FILES, PLANTED, INNOCENT)
