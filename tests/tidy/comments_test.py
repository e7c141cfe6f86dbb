"""Every C file opens by saying what it is for, every public declaration says what it does, no comment is empty."""
import re

import source

EMPTY = re.compile(r"/\*[\s*]*\*/|//[ \t]*$", re.MULTILINE)
DECLARATION = re.compile(r"^(?:COPAL_API|typedef|static inline|extern) ", re.MULTILINE)


def check(files):
    complaints = []
    for path, text in files.items():
        if not re.match(r"/\*\s*\w", text):
            complaints.append(f"{path}:1: open the file with a comment: its job, and what it must not know")
        for match in EMPTY.finditer(text):
            complaints.append(f"{path}:{source.line_of(text, match.start())}: empty comment: say why, or remove it")
        if path.startswith("include/"):
            complaints += undocumented(path, text)
    return complaints


def undocumented(path, text):
    """Declarations without a comment: at the top of their paragraph, or behind them on the line."""
    complaints, offset = [], 0
    for paragraph in re.split(r"(\n\n+)", text):
        if DECLARATION.match(paragraph) and not re.match(r"[^\n]*;\s*/\*", paragraph):
            line = source.line_of(text, offset)
            name = paragraph.split("\n")[0]
            complaints.append(f"{path}:{line}: {name}: one sentence above it: what it does, and what the name does not "
                              "tell (units, NULL, lifetime, errors)")
        offset += len(paragraph)
    return complaints


PLANTED = {
    "src/base/a.c:1: open the file with a comment": {"src/base/a.c": "#include <stdint.h>\n"},
    "src/base/b.c:2: empty comment": {"src/base/b.c": "/* A job. */\n/** */\nint a;\n"},
    "include/copal/a.h:4: COPAL_API int f(void);: one sentence above it": {
        "include/copal/a.h": "/* A job. */\n#define A\n\nCOPAL_API int f(void);\n"},
    "include/copal/a.h:3: typedef struct a {: one sentence above it": {
        "include/copal/a.h": "/* A job. */\n\ntypedef struct a {\n  int b; /* b */\n} a;\n"},
}
INNOCENT = {
    "include/copal/a.h": "/* A job. */\n\n/* Does f. */\nCOPAL_API int f(void);\nCOPAL_API int g(void);\n\n"
                         "typedef int a; /* seconds */\n\n#define B 1\n",
}

source.run(check, source.read_tree((".c", ".h")), PLANTED, INNOCENT)
