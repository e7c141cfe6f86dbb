"""What scripts/coverage makes of what clang counts: which branches there are, what explains one, what is a failure."""
import importlib.machinery
import importlib.util
import sys

sys.dont_write_bytecode = True
import source

SCRIPT = str(source.ROOT / "scripts/coverage")
LOADER = importlib.machinery.SourceFileLoader("coverage", SCRIPT)
coverage = importlib.util.module_from_spec(importlib.util.spec_from_loader("coverage", LOADER))
LOADER.exec_module(coverage)

FILE = "src/base/a.c"
CODE = """int f(int a, int b) {
  if (a && b) return 1;
  switch (a) {
    case 1: return b;
    case 2:
    case 3: assert(false); break;
  }
  return 0;
}
""".splitlines()


def place_of(text, number):
    """Line and columns, from 1, of the first such text on that line."""
    column = CODE[number - 1].index(text) + 1
    return [number, column, number, column + len(text)]


def branch(text, number, taken, not_taken):
    return place_of(text, number) + [taken, not_taken, 0, 0, 4]


def report(*functions):
    """As llvm-cov export has it: each function with the path that the compiler was given, and its branches."""
    return {"data": [{"files": [{"filename": path, "segments": []} for path, _ in functions],
                      "functions": [{"name": "a.c:f", "filenames": [path], "branches": branches}
                                    for path, branches in functions]}]}


def read(*functions):
    branches, _ = coverage.read_report(report(*functions), coverage.Sources({FILE: CODE}))
    return branches


def untaken(branches):
    return [(each.text, side) for each in branches for side in each.untaken()]


COUNTED = [branch("a", 2, 5, 0), branch("b", 2, 3, 2), branch("a", 3, 0, 2), branch("case 1", 4, 2, 0),
           branch("case 2", 5, 0, 2), branch("case 3", 6, 0, 2)]

# A side not taken is missing. A switch's label has one side; what cannot be met, and the default that is not, have none.
assert untaken(read((f"/tree/{FILE}", COUNTED))) == [("a", "false")]
assert coverage.tally(read((f"/tree/{FILE}", COUNTED))) == (4, 5, 0, 1)

# The same code compiled in several places counts once, with the sum of what each has seen.
elsewhere = [branch("a", 2, 0, 1)] + COUNTED[1:]
assert untaken(read((f"/tree/{FILE}", COUNTED), (f"/tree/build/tests/../../{FILE}", elsewhere))) == []

# Code of other folders is not counted.
assert read(("/tree/src/net/a.c", COUNTED), ("/tree/tests/unit/base/a.c", COUNTED)) == []


def complaints(*ledger):
    return coverage.explain(read((f"/tree/{FILE}", COUNTED)), {"src/base": ledger})


GOOD = "a.c | f | a | false | a is never 0"
assert complaints("# a comment", "", "open 0", GOOD) == []
assert complaints("open 1") == []
assert "1 branches are open" in complaints("open 0")[0]
assert "1 branches are open" in complaints()[0]
for idle in (GOOD.replace("false", "true"), GOOD.replace(" f ", " g "), GOOD.replace("a.c", "b.c"), "a.c | f | a | false"):
    assert "tests/coverage/base:2: explains no branch" in complaints("open 1", idle)[0], idle
assert len(complaints(GOOD, GOOD)) == 1  # one line explains one branch

# A line ran if what reaches into it did, or what begins on it; one between two regions' ends is no code.
lines = dict(coverage.lines_of([[1, 1, 7, True, True, False], [3, 1, 0, True, True, False], [4, 2, 7, True, False, False],
                                [6, 2, 0, False, False, False], [9, 1, 0, True, True, False],
                                [10, 2, 0, False, False, False]]))
assert lines == {1: True, 2: True, 3: True, 4: False, 5: True, 6: True, 9: False, 10: False}, lines

print("all fine")
