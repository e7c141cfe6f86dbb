"""Mutants: deliberate bugs, one in each file of this folder, which the tests must catch. A file reads

    what is wrong, in the RFCs' terms
    src/engine/transmit.c
    --- correct
    lines as they stand there, exactly once
    --- mutant
    what stands there instead; nothing where they are left out

so that it is good as long as those lines are. This module reads such files; what is done with them is told in
scripts/mutants and tests/tidy/mutants_test.py."""
import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent
FORM = re.compile(r"(?P<title>[^\n]+)\n(?P<file>[^\n]+)\n--- correct\n(?P<correct>.+?)\n--- mutant\n(?P<mutant>.*)",
                  re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    title: str
    file: str
    correct: str
    mutant: str

    def put_into(self, text):
        """The text with the bug in it."""
        assert text.count(self.correct) == 1
        return text.replace(self.correct, self.mutant)


def parse(name, text):
    """A mutant, or None where that is none."""
    match = FORM.fullmatch(text)
    return match and Mutant(name, match["title"], match["file"], match["correct"], match["mutant"].removesuffix("\n"))


def read_all():
    """All mutants, by the numbers that their names begin with."""
    paths = sorted(FOLDER.glob("*.mutant"), key=lambda path: int(path.name.split("-")[0]))
    return [parse(path.stem, path.read_text(encoding="utf-8")) for path in paths]
