"""One concept a file, one thing a function: at most 600 lines and 80 lines. Each exception is listed with its reason."""
import source

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80

# "path" or "path:function" -> why it is as long as it is.
EXCUSED = {}


def check(files, excused=None):
    excused = EXCUSED if excused is None else excused
    long = {}
    for path, text in files.items():
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            long[path] = f"{path}: {lines} lines, {FILE_LINES_MAX} are the limit: which second concept can move out?"
        if path.endswith((".c", ".h")):
            for name, first, last in source.functions(text):
                if last - first + 1 > FUNCTION_LINES_MAX:
                    long[f"{path}:{name}"] = (f"{path}:{first}: {name}() has {last - first + 1} lines, "
                                              f"{FUNCTION_LINES_MAX} are the limit: let it decide and move the work out")
    complaints = [complaint for key, complaint in long.items() if key not in excused]
    return complaints + [f"{key} is excused but no longer too long: take it off the list in tests/tidy/lengths_test.py"
                         for key in excused if key not in long and files.keys() & {key.split(":")[0]}]


LONG_FUNCTION = "int f(void) {\n" + "  call();\n" * 79 + "}\n"
PLANTED = {
    "src/base/a.c: 601 lines": {"src/base/a.c": "\n" * 601},
    "src/base/a.c:2: f() has 81 lines": {"src/base/a.c": "\n" + LONG_FUNCTION},
}
INNOCENT = {
    "src/base/a.c": "\n" * 600,
    "src/base/b.c": LONG_FUNCTION.replace("  call();\n", "", 1),
    "src/base/c.c": "static const int table[] = {\n" + "  1,\n" * 100 + "};\n",
}
assert check({"a.c": "\n" * 601}, {"a.c": "a table"}) == []
assert "no longer" in check({"a.c": ""}, {"a.c": "a table"})[0]

source.run(check, source.read_tree((".c", ".h", ".py", ".sh")), PLANTED, INNOCENT)
