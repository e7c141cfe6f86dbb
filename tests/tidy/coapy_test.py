"""docs/coapy.md promises something for every row of the page that the library began with: each row is there, its C
compiles, and each test that it names exists and is run."""
import re

import documents
import source

PAGE = "docs/coapy.md"
ROWS = range(1, 60)
ROW = re.compile(r"^\| S(\d+) \|(.*)\|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def check(files):
    text = files[PAGE]
    rows = [(int(match.group(1)), source.line_of(text, match.start()), match.group(2).split(" | "))
            for match in ROW.finditer(text)]
    found = [number for number, _, _ in rows]
    complaints = documents.unknown_names(PAGE, text)
    complaints += [f"{PAGE}: S{number} is missing" for number in ROWS if number not in found]
    complaints += [f"{PAGE}: S{number} is there twice" for number in set(found) if found.count(number) > 1]
    for number, line, cells in rows:
        if len(cells) != 3:
            complaints.append(f"{PAGE}:{line}: S{number} needs the page's promise, the C, and a test")
            continue
        complaints += wrong_tests(line, f"S{number}", cells[2], files)
    return complaints + compile_errors(text, rows)


def wrong_tests(line, row, cell, files):
    """The cell names a file, then tests in it, then perhaps another file."""
    complaints, path, count = [], None, 0
    for span in CODE.findall(cell):
        if re.search(r"\.(?:c|sh)$", span):
            path = f"tests/{span}"
            if path not in files:
                complaints.append(f"{PAGE}:{line}: {row}: {path} does not exist")
        elif path is None:
            complaints.append(f"{PAGE}:{line}: {row}: {span} is named before its file")
        else:
            count += 1
            if path in files and not has_test(path, files[path], span):
                complaints.append(f"{PAGE}:{line}: {row}: {path} has no test {span}")
    return complaints if complaints or count else [f"{PAGE}:{line}: {row} names no test"]


def has_test(path, text, name):
    if path.endswith(".sh"):
        return f'"{name}"' in text
    is_run = re.search(rf"\bcmocka_unit_test\w*\(\s*{re.escape(name)}\b", text)
    return is_run and any(function == name for function, _, _ in source.functions(text))


def compile_errors(text, rows):
    """Blocks with main are programs. Another one declares the names that the rows use: what ends in a semicolon there
    is a statement, and what begins with one of its names and a dot is an expression."""
    complaints = []
    for line, code in documents.fenced(text, "c"):
        if " main(" not in code:
            variables = set(re.findall(r"\b(\w+)(?:\[\d+\])?[;,]", code))
            for number, row_line, cells in rows:
                for position, span in enumerate(CODE.findall(cells[1]) if len(cells) > 1 else []):
                    statement = statement_of(span, variables)
                    if statement:
                        code += f'#line {row_line} "{PAGE}"\nvoid s{number}_{position}(void) {{ {statement} }}\n'
        complaints += documents.compile_errors(PAGE, line, code)
    return complaints


def statement_of(span, variables):
    if span.endswith(";"):
        return span
    return f"(void)({span});" if "." in span and span.split(".")[0] in variables else None


TESTS = {"tests/unit/a_test.c": "static void shows_it(void **state) {}\nstatic void is_not_run(void **state) {}\n"
                                "const struct CMUnitTest tests[] = {cmocka_unit_test(shows_it)};\n",
         "tests/b_test.sh": 'says "it is said" out x\n'}
PROLOGUE = "```c\n#include <copal/net.h>\ncopal_rx rx;\n```\n"
GOOD = "".join(f"| S{number} | promise | `rx.type` `(void)copal_now();` | `unit/a_test.c`: `shows_it`; "
               "`b_test.sh`: `it is said` |\n" for number in ROWS)


def changed(old, new):
    assert old in GOOD
    return {**TESTS, PAGE: PROLOGUE + GOOD.replace(old, new)}


PLANTED = {
    "S17 is missing": changed("| S17 |", "| T17 |"),
    "S18 is there twice": changed("| S17 |", "| S18 |"),
    "S1 needs the page's promise": changed("| S1 | promise |", "| S1 |"),
    "S1 names no test": changed("`unit/a_test.c`: `shows_it`; `b_test.sh`: `it is said`", "by hand"),
    "tests/unit/c_test.c does not exist": changed("unit/a_test.c", "unit/c_test.c"),
    "tests/unit/a_test.c has no test shows": changed("`shows_it`", "`shows`"),
    "tests/unit/a_test.c has no test is_not_run": changed("`shows_it`", "`is_not_run`"),
    "tests/b_test.sh has no test said": changed("`it is said`", "`said`"),
    "no member named": changed("`rx.type`", "`rx.kind`"),
    "docs/coapy.md:5": changed("`(void)copal_now();`", "`copal_now() = 1;`"),
    "copal_then is not in the public headers": changed("promise", "`copal_then`"),
}

source.run(check, {PAGE: (source.ROOT / PAGE).read_text(encoding="utf-8"),
                   **source.read_tree(("_test.c", "_test.sh"), ("tests",))},
           PLANTED, {**TESTS, PAGE: PROLOGUE + GOOD})
