"""docs/rfc-coverage.md is what scripts/rfc-coverage would write now: each statement of the RFCs is satisfied and tested
where it says, or has its reason; no quote is wrong, and no exception is stale."""
import importlib.machinery
import importlib.util

import source


def load(path):
    """A script is a module without a suffix."""
    loader = importlib.machinery.SourceFileLoader("rfc_coverage", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


coverage = load(source.ROOT / "scripts" / "rfc-coverage")


def check(files):
    statements, excepted, complaints = coverage.account(files)
    if not complaints and coverage.document(statements, excepted) != files.get(coverage.DOCUMENT):
        complaints = [f"{coverage.DOCUMENT} is not up to date: run scripts/rfc-coverage"]
    return complaints


STATEMENTS = "1 #1 | MUST | A server MUST echo the token of a request.\n1 #2 | MAY | A server MAY sing while it works.\n"
QUOTE = '/* RFC 7252 1: "A server MUST echo the token". */\nvoid echo(void) {\n}\n'
FILES = {"tests/rfc/7252.txt": STATEMENTS, "src/a.c": QUOTE, "tests/a_test.c": QUOTE.replace("echo(", "echo_test("),
         coverage.EXCEPTIONS: "7252 1 #2 | not used | it is silent\n"}


def with_page(files):
    statements, excepted, _ = coverage.account(files)
    return {**files, coverage.DOCUMENT: coverage.document(statements, excepted)}


def excepting(line):
    return {**FILES, coverage.EXCEPTIONS: FILES[coverage.EXCEPTIONS] + line + "\n"}


PLANTED = {
    "7252 1 #1: no test": {**FILES, "tests/a_test.c": ""},
    "7252 1 #1: no code and no test": {**FILES, "tests/a_test.c": "", "src/a.c": ""},
    "7252 1 #2: no code and no test": {**FILES, coverage.EXCEPTIONS: ""},
    "does not say: A server MUST sing": {**FILES, "src/b.c": QUOTE.replace("echo the token", "sing")},
    "there is no tests/b_test.c": excepting("7252 1 #1 | covered | src/a.c:echo tests/b_test.c:echo_test"),
    "tests/a_test.c has no sing": {**excepting("7252 1 #1 | covered | tests/a_test.c:sing"), "tests/a_test.c": ""},
    "not needed, code and tests quote it": excepting("7252 1 #1 | not ours | somebody else's"),
    "not needed: 7252 1 #3": excepting("7252 1 #3 | not ours | there is no such statement"),
    "not a permission": {**excepting("7252 1 #1 | not used | no"), "src/a.c": ""},
    "no such decision": excepting("7252 1 #1 | deviates | 0099 it does not"),
    "no such kind": excepting("7252 1 #1 | forgotten | why"),
    "is not up to date": {**FILES, coverage.DOCUMENT: "# RFC coverage\n"},
}

TREE = coverage.read_files()
TREE[coverage.DOCUMENT] = (source.ROOT / coverage.DOCUMENT).read_text(encoding="utf-8")
source.run(check, TREE, PLANTED, with_page(FILES))
