"""The manual pages know what there is, and only that: libcopal(3) all public functions, errors, limits and counters,
copal(1) all subcommands, options and exit statuses. Their C compiles, and they render without a warning."""
import os
import re
import shutil
import subprocess

import documents
import source

LIBRARY, COMMAND = "docs/man/libcopal.3", "docs/man/copal.1"
CONTRACT = "include/copal/copal.h"
ESCAPES = {r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(lq": "“", r"\(rq": "”", r"\&": "", r"\e": "\\"}
# Of the command itself, in cli/main.c: the page may tell them.
OWN_OPTIONS = {"version"}


def plain(text):
    """A page without its macros and escapes, line by line."""
    text = re.sub(r"\\f(?:\w|\[\w*\])", "", text)
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return re.sub(r"^\.(?:BR|BI|IR|RB|RI|IB|B|I|TP|IP|SH|SS|EX|EE)\b ?", "", text, flags=re.MULTILINE)


def check(files):
    complaints = []
    for path, page in files.items():
        if path == LIBRARY:
            complaints += check_library(path, page, files)
        if path == COMMAND:
            complaints += check_command(path, plain(page), files)
        if path in (LIBRARY, COMMAND):
            complaints += [f"{path}: {warning}" for warning in warnings(page)]
    return complaints


def check_library(path, page, files):
    text = plain(page)
    headers = {name: code for name, code in files.items() if name.startswith("include/")} or None
    complaints = [f"{path}: {name} is missing: say in a line what it does" for name in documents.functions(headers)
                  if not re.search(rf"\b{name}\b", text)]
    complaints += [f"{path}: {name} is missing, or its text is not “{meaning}”"
                   for name, meaning in documents.errors(headers).items()
                   if not re.search(rf"^{name}[ \d]*\n{re.escape(meaning)}$", text, re.MULTILINE)]
    contract = (headers or documents.HEADERS)[CONTRACT]
    for kind, names in (("limit", limits(contract)), ("counter", counters(contract))):
        complaints += [f"{path}: the {kind} {name} is missing" for name in names
                       if not re.search(rf"\b{name}\b", text)]
    if headers is None:
        complaints += documents.unknown_names(path, text)
    for match in re.finditer(r"^\.EX\n(.*?)^\.EE$", page, re.MULTILINE | re.DOTALL):
        complaints += documents.compile_errors(path, source.line_of(page, match.start(1)), plain(match.group(1)))
    return complaints


def limits(header):
    config = re.search(r"^typedef struct copal_config \{(.*?)^\}", header, re.MULTILINE | re.DOTALL)
    return re.findall(r"^  uint32_t (\w+);", config.group(1), re.MULTILINE)


def counters(header):
    listed = re.search(r"#define COPAL_COUNTERS\(X\)(.*?)\n\n", header, re.DOTALL)
    return re.findall(r"X\((\w+),", listed.group(1))


def check_command(path, text, files):
    sources = "\n".join(code for name, code in files.items() if name.startswith("cli/"))
    commands = set(re.findall(r'^ +\{"(\w+)",\s+"[^"]*",\s+"', sources, re.MULTILINE))
    options = set(re.findall(r'\{"([\w-]+)", (?:\'.\'|0), OPTION_', sources))
    statuses = set(re.findall(r'X\([A-Z_]+, (\d+), "', sources))
    exits = re.search(r"^EXIT STATUS\n(.*?)^ENVIRONMENT$", text, re.MULTILINE | re.DOTALL)
    complaints = [f"{path}: the subcommand {name} is missing" for name in sorted(commands)
                  if not re.search(rf"\b{name}\b", text)]
    told = set(re.findall(r"(?<![\w-])--([a-z][\w-]*)", text))
    complaints += [f"{path}: the option --{name} is missing" for name in sorted(options - told)]
    complaints += [f"{path}: no subcommand has an option --{name}" for name in sorted(told - options - OWN_OPTIONS)]
    told = set(re.findall(r"^(\d+)$", exits.group(1), re.MULTILINE)) if exits else set()
    return complaints + [f"{path}: exit status {number} is on one side only: the page, or cli/line/status.h"
                         for number in sorted(told ^ statuses)]


def warnings(page):
    """What the formatter says of a page, where there is one."""
    if shutil.which("man") is None:
        return []
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80")
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-"], input=page, env=environment,
                            capture_output=True, text=True)
    return result.stderr.splitlines()


HEADER = {"include/copal/error.h": '  X(SPACE, -20, "does not fit") \\\nCOPAL_API int copal_f(void);\n'
                                   "static inline int copal_g(void) { return 0; }\n",
          CONTRACT: "typedef struct copal_config {\n  uint32_t fish_max;\n} copal_config;\n\n"
                    "#define COPAL_COUNTERS(X) \\\n  X(fish_in, \"fish taken in\")\n\n"}
GOOD_LIBRARY = (".TH LIBCOPAL 3\n.SH ERRORS\n.TP\n.B COPAL_ERR_SPACE\ndoes not fit\n"
                ".SH FUNCTIONS\n.BR copal_f (),\n.BR copal_g ()\nfish_max\nfish_in\n.EX\nint one(void);\n.EE\n")
TABLES = {"cli/a.c": '    {"get", "URI", "Read"},\n    {"ping",\n     "URI",\n     "Tell"},\n'
                     "    {\"quiet\", 'q', OPTION_FLAG},\n", "cli/line/status.h": 'X(USAGE, 2, "bad usage")'}
GOOD_COMMAND = (".TH COPAL 1\n.SH COMMANDS\nget and ping take\n.B \\-\\-quiet\nand\n.BR \\-\\-version .\n"
                ".SH EXIT STATUS\n.TP\n.B 2\nBad usage.\n.SH ENVIRONMENT\n")


def changed(page, text, old, new):
    """The innocent files with one thing wrong."""
    assert old in text
    return {**(HEADER if page == LIBRARY else TABLES), page: text.replace(old, new)}


PLANTED = {
    "copal_f is missing": changed(LIBRARY, GOOD_LIBRARY, "copal_f", "copal_h"),
    "copal_g is missing": changed(LIBRARY, GOOD_LIBRARY, "copal_g", "copal_h"),
    "COPAL_ERR_SPACE is missing": changed(LIBRARY, GOOD_LIBRARY, "does not fit", "is too long"),
    "the limit fish_max is missing": changed(LIBRARY, GOOD_LIBRARY, "fish_max", "fish"),
    "the counter fish_in is missing": changed(LIBRARY, GOOD_LIBRARY, "fish_in", "fish"),
    "libcopal.3:12:": changed(LIBRARY, GOOD_LIBRARY, "one(void)", "one(gone)"),
    "the subcommand ping is missing": changed(COMMAND, GOOD_COMMAND, "ping", "pong"),
    "the option --quiet is missing": changed(COMMAND, GOOD_COMMAND, "quiet", "silent"),
    "no subcommand has an option --silent": changed(COMMAND, GOOD_COMMAND, "quiet", "silent"),
    "exit status 3 is on one side only": changed(COMMAND, GOOD_COMMAND, ".B 2", ".B 3"),
}
if shutil.which("man"):
    PLANTED["warning"] = changed(COMMAND, GOOD_COMMAND, "Bad usage.", ".NOSUCHMACRO")
INNOCENT = {**HEADER, **TABLES, LIBRARY: GOOD_LIBRARY, COMMAND: GOOD_COMMAND}

FILES = {page: (source.ROOT / page).read_text(encoding="utf-8") for page in (LIBRARY, COMMAND)}
source.run(check, {**FILES, **source.read_tree((".c", ".h"), ("cli",))}, PLANTED, INNOCENT)
