"""What the tidy tests share: reading the tree, blanking what is no code, finding functions, and telling the result.

A check is a function from {path: text} to a list of complaints. So it can be shown to work on files that exist only in
its test: every tidy test plants its violations first, and only then looks at the tree.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("include", "src", "cli", "examples", "bench", "tests")
CORE = ("base", "message", "engine", "rest", "endpoint")
SKIPPED_FOLDERS = re.compile(r"^(\.git|build|build-.*|node_modules|__pycache__|corpus)$")


def read_tree(suffixes, folders=CODE_FOLDERS):
    """All files with one of the suffixes below the folders, as {path relative to the root: text}."""
    files = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.is_file() and path.name.endswith(suffixes) and not is_skipped(relative):
                files[relative.as_posix()] = path.read_text(encoding="utf-8")
    return files


def is_skipped(relative):
    return any(SKIPPED_FOLDERS.match(part) for part in relative.parts)


def is_core(path):
    """Whether a file belongs to ranks 0 to 4."""
    parts = path.split("/")
    return parts[0] == "src" and parts[1] in CORE


NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank_comments_and_strings(text):
    """The code alone: everything else becomes spaces, so that lines and columns stay where they are."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)


def functions(text):
    """Yields (name, first line, last line) for each function that is defined in text, counting lines from 1."""
    code = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), blank_comments_and_strings(text))
    code = re.sub(r"\bextern\s+\{", lambda match: " " * len(match.group()), code)
    depth, head_start, start = 0, 0, None
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group() == "{":
            head = code[head_start:at]
            if depth == 0 and head.rstrip().endswith(")"):
                start = head_start + len(head) - len(head.lstrip())
                name = re.search(r"(\w+)\s*\(", head).group(1)
            depth += 1
        elif match.group() == "}":
            depth = max(depth - 1, 0)
            if depth == 0 and start is not None:
                yield name, line_of(code, start), line_of(code, at)
                start = None
        if depth == 0:
            head_start = at + 1


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def run(check, files, planted, innocent):
    """Ends the test: check must find each of planted, {words of the complaint: {path: text}}, nothing in innocent,
    {path: text}, and then nothing in files."""
    for words, violation in planted.items():
        complaints = check(violation)
        if not any(words in complaint for complaint in complaints):
            sys.exit(f"this test does not work: it should complain of “{words}”, but says {complaints}")
    if check(innocent):
        sys.exit(f"this test does not work: it complains of what is allowed: {check(innocent)}")
    if not files:
        sys.exit("this test found no files to look at")
    complaints = check(files)
    print("\n".join(complaints) or f"looked at {len(files)}: all fine")
    sys.exit(1 if complaints else 0)
