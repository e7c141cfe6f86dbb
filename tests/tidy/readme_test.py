"""What README.md and the pages in docs/ say is there: their C compiles, their links and paths lead somewhere, the
commands that they type exist, and their tables name real files."""
import re
import sys

import documents
import source

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
SUFFIX = re.compile(r"\.(?:c|h|py|md|sh|cmake|txt|1|3)$")
# What a path is relative to, beside the page's own folder.
FOLDERS = (".", "src", "include/copal", "tests")
# Not in the tree before something is built or installed.
MADE = re.compile(r"build(?:/.*)?")


def check(files):
    return [complaint for path, text in files.items() for complaint in check_page(path, text)]


def check_page(path, text):
    complaints = documents.unknown_names(path, text)
    for line, code in documents.fenced(text, "c"):
        complaints += documents.compile_errors(path, line, code)
    if path == "README.md" and not documents.fenced(text, "c"):
        complaints.append(f"{path}: shows no C: the five-line server and the three-line client belong there")
    prose = re.sub(r"^```.*?^```$", lambda block: re.sub(r"[^\n]", " ", block.group()), text,
                   flags=re.MULTILINE | re.DOTALL)
    for pattern, is_wrong in ((LINK, is_dead_link), (CODE, is_dead_path)):
        complaints += [f"{path}:{source.line_of(prose, match.start())}: {match.group(1)} does not exist"
                       for match in pattern.finditer(prose) if is_wrong(path, match.group(1))]
    return complaints + wrong_targets(path, text) + rows_without_files(path, prose)


def is_dead_link(page, target):
    is_elsewhere = "://" in target or target.startswith(("#", "mailto:"))
    return not is_elsewhere and not (source.ROOT / page).parent.joinpath(target.split("#")[0]).exists()


def is_dead_path(page, code):
    looks_like_one = PATH.fullmatch(code) and ("/" in code or SUFFIX.search(code))
    if not looks_like_one or MADE.fullmatch(code):
        return False
    folders = [(source.ROOT / page).parent] + [source.ROOT / folder for folder in FOLDERS]
    return not any((folder / code).exists() for folder in folders)


def wrong_targets(path, text):
    """Complaints about `make` targets that the Makefile lacks."""
    targets = re.findall(r"^([\w-]+):(?!=)", (source.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    typed = re.finditer(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
    return [f"{path}:{source.line_of(text, match.start())}: the Makefile has no target {match.group(1)}"
            for match in typed if match.group(1) not in targets]


def rows_without_files(path, text):
    """Complaints about rows whose column `file` names none; that those which it names exist is checked everywhere."""
    complaints, column = [], None
    for number, line in enumerate(text.split("\n"), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            column = None
        elif "file" in cells:
            column = cells.index("file")
        elif column is not None and not set(line) <= set("|- :"):
            if column >= len(cells) or not CODE.search(cells[column]):
                complaints.append(f"{path}:{number}: this row names no file")
    return complaints


PROGRAM = "```c\n#include <copal/net.h>\nint main(void) { return copal_run(NULL); }\n```\n"
PLANTED = {
    "README.md:3": {"README.md": PROGRAM.replace("NULL", "0 0")},
    "unused": {"README.md": PROGRAM.replace("return", "copal_get(0, 0); return")},
    "README.md: shows no C": {"README.md": "no code"},
    "docs/gone.md does not exist": {"README.md": PROGRAM + "[gone](docs/gone.md)"},
    "engine/gone.c does not exist": {"a.md": "`engine/gone.c`"},
    "gone.h does not exist": {"a.md": "`gone.h`"},
    "copal_gone is not in the public headers": {"a.md": "call `copal_gone`"},
    "no target dinner": {"a.md": "```sh\nmake dinner\n```\n"},
    "a.md:3: this row names no file": {"a.md": "| table | file |\n| --- | --- |\n| peers | 24 bytes |\n"},
}
INNOCENT = {
    "README.md": PROGRAM + "`build/copal` [RFC](https://www.rfc-editor.org/rfc/rfc7252) [the contract](#top) `make test`",
    "docs/a.md": "[up](../README.md) `engine/peers.c` `error.h` `put/get` is no path, `4.xx (4)` neither",
    "a.md": "| table | file |\n| --- | --- |\n| peers | `engine/peers.c` |\n\n| a | b |\n",
}
INNOCENT["docs/a.md"] = INNOCENT["docs/a.md"].replace("`put/get`", "put/get")

# Decisions stay what they were, and name what was decided against.
PAGES = {path: text for path, text in source.read_tree((".md",), (".",)).items()
         if re.fullmatch(r"README\.md|docs/\w+\.md", path)}
if "README.md" not in PAGES:
    sys.exit("README.md is missing: it is what a stranger reads first")
source.run(check, PAGES, PLANTED, INNOCENT)
