"""No #if inside a function of ranks 0 to 4: what differs between machines is another file, not another branch."""
import re

import source

CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|else)\b.*", re.MULTILINE)


def check(files):
    complaints = []
    for path, text in files.items():
        bodies = list(source.functions(text))
        for match in CONDITIONAL.finditer(source.blank_comments_and_strings(text)):
            line = source.line_of(text, match.start())
            for name, first, last in bodies:
                if first < line < last:
                    complaints.append(f"{path}:{line}: {match.group().strip()} in {name}(): put the variants into files "
                                      "of their own and choose by linking, or by a value in the configuration")
    return complaints


PLANTED = {
    "src/base/a.c:3: #ifdef SMALL in f(): put": {
        "src/base/a.c": "int f(int a,\n      int b) {\n#ifdef SMALL\n  return a;\n#endif\n  return b;\n}\n"},
    "src/base/a.c:4: #if 1 in g(): put": {
        "src/base/a.c": 'int f(void) { return \'{\'; }\nint g(void) {\n  if (1) {\n#if 1\n  }\n#endif\n}\n'},
}
INNOCENT = {
    "src/base/a.h": '#ifndef A_H\n#define A_H\n#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n'
                    "#ifdef __cplusplus\n}\n#endif\n#endif\n",
    "src/base/a.c": "int f(void) { return 1; }\n#ifdef X\nint g(void) {\n  return 2; /*\n#if in a comment */\n}\n"
                    "#endif\n",
}

CORE_FOLDERS = [f"src/{folder}" for folder in source.CORE]
source.run(check, source.read_tree((".c", ".h"), CORE_FOLDERS), PLANTED, INNOCENT)
