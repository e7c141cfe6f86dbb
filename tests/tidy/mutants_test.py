"""Each mutant still is one: the lines that it changes are there exactly once, and docs/mutants.md knows it."""
import pathlib
import re
import sys

import source

sys.path.insert(0, str(source.ROOT / "tests" / "mutants"))
import mutants  # noqa: E402

PAGE = "docs/mutants.md"


def check(files):
    complaints, numbers = [], {}
    rows = re.findall(r"^\| (\d[^ ]*) \| (.*?) \|", files.get(PAGE, ""), re.MULTILINE)
    names = {}
    for path, text in files.items():
        if not path.endswith(".mutant"):
            continue
        name = pathlib.PurePosixPath(path).stem
        mutant = mutants.parse(name, text)
        names[name] = mutant
        complaints += [f"{path}: {words}" for words in faults(mutant, files)]
        if numbers.setdefault(name.split("-")[0], name) != name:
            complaints.append(f"{path}: {numbers[name.split('-')[0]]} has this number")
        if mutant and (name, mutant.title) not in rows:
            complaints.append(f"{path}: it is not in {PAGE} as it is: make mutants")
    return complaints + [f"{PAGE}: there is no mutant {name}: make mutants" for name, _ in rows if name not in names]


def faults(mutant, files):
    if mutant is None:
        return ["this is no mutant: tests/mutants/mutants.py says how one is written"]
    if not re.fullmatch(r"\d\d+-[a-z0-9-]+", mutant.name):
        return ["its name is a number and words"]
    if mutant.file not in files:
        return [f"there is no {mutant.file}"]
    count = files[mutant.file].count(mutant.correct)
    if count != 1:
        return [f"what it changes is {count} times in {mutant.file}: let it follow the code"]
    return ["it changes nothing"] if mutant.correct == mutant.mutant else []


def mutant(correct, wrong="b();", title="wrong", file="src/a.c"):
    return f"{title}\n{file}\n--- correct\n{correct}\n--- mutant\n{wrong}\n"


CODE = {"src/a.c": "a();\nc();\nc();\n"}
FOLDER = "tests/mutants/"
LISTED = {PAGE: "| 01-a | wrong | | |\n"}
PLANTED = {
    "01-a.mutant: this is no mutant": CODE | {FOLDER + "01-a.mutant": "wrong\nsrc/a.c\n"},
    "what it changes is 0 times": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("d();")},
    "what it changes is 2 times": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("c();")},
    "it changes nothing": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("a();", "a();")},
    "there is no src/b.c": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("a();", file="src/b.c")},
    "its name is a number": CODE | LISTED | {FOLDER + "a.mutant": mutant("a();")},
    "01-b.mutant: 01-a has this number": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("a();"),
                                                          FOLDER + "01-b.mutant": mutant("a();")},
    "01-a.mutant: it is not in": CODE | {FOLDER + "01-a.mutant": mutant("a();")},
    "01-a.mutant: it is not in docs": CODE | LISTED | {FOLDER + "01-a.mutant": mutant("a();", title="Wrong")},
    "there is no mutant 01-a": CODE | LISTED,
}
INNOCENT = CODE | LISTED | {FOLDER + "01-a.mutant": mutant("a();", "")}

FILES = source.read_tree((".c", ".h"), ("src",)) | source.read_tree((".mutant",), ("tests",)) | \
    source.read_tree(("mutants.md",), ("docs",))
source.run(check, FILES, PLANTED, INNOCENT)
