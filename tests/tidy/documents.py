"""What the tests of documents share: the names that the library has, and compiling the C that a document shows."""
import os
import re
import subprocess

import source

HEADERS = source.read_tree((".h",), ("include",))
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter")
COMPILER = os.environ.get("CC", "cc")
FUNCTION = re.compile(r"^(?:COPAL_API\b|static inline\b)[^;({]*?\b(copal_\w+)\s*\(", re.MULTILINE)
ERROR = re.compile(r'^\s*X\((\w+), (-\d+), "([^"]*)"\)', re.MULTILINE)
LIST = re.compile(r"#define COPAL_(ERR|OPTION|SCHEME|COD|COUNTER)\w*\(X\)(.*?)\n\n", re.DOTALL)
NAME = re.compile(r"\b(?:copal|COPAL)_\w+")


def functions(headers=None):
    """All public functions, those that a header defines included."""
    code = "\n".join(source.blank_comments_and_strings(text) for text in (headers or HEADERS).values())
    return sorted(set(FUNCTION.findall(code)))


def errors(headers=None):
    """{COPAL_ERR_NAME: its text}."""
    header = next(text for path, text in (headers or HEADERS).items() if path.endswith("error.h"))
    return {f"COPAL_ERR_{name}": text for name, _, text in ERROR.findall(header)}


def names():
    """Every name that a program may use: what stands in the headers, and what their lists expand to."""
    found = set()
    for text in HEADERS.values():
        found |= set(NAME.findall(source.blank_comments_and_strings(text)))
        for prefix, items in LIST.findall(text):
            middle = "" if prefix == "COD" else prefix + "_"
            found |= {f"COPAL_{middle}{item}" for item in re.findall(r"X\((\w+),", items)}
    return found


def variables():
    """The command's environment variables, which look like names of the library's."""
    sources = source.read_tree((".c",), ("cli",)).values()
    return {name for text in sources for name in re.findall(r'"(COPAL_[A-Z_]+)[="]', text)}


def unknown_names(path, text):
    """Complaints about names of the library's kind that it does not have."""
    known = names() | variables()
    return [f"{path}:{source.line_of(text, match.start())}: {match.group()} is not in the public headers"
            for match in NAME.finditer(text) if match.group() not in known and not match.group().endswith("_")]


def compile_errors(path, line, code):
    """Complaints of the compiler about a program, or about declarations and functions, that begin at a line."""
    command = [COMPILER, *FLAGS, "-x", "c", f"-I{source.ROOT / 'include'}", "-c", "-o", os.devnull, "-"]
    result = subprocess.run(command, input=f'#line {line} "{path}"\n{code}\n', capture_output=True, text=True)
    wrong = [text for text in result.stderr.splitlines() if re.search(r"\berror\b", text)]
    return wrong or ([f"{path}:{line}: does not compile: {result.stderr}"] if result.returncode else [])


def fenced(text, language):
    """(line, code) of each block of a Markdown text that is fenced as this language."""
    blocks = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(source.line_of(text, block.start(1)), block.group(1)) for block in blocks]
