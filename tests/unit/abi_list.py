#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lists every constant, type, structure and field of the ABI headers as an X-list for tests/unit/abi.c.

The list is made at build time, so nothing in the headers is left out of the comparison by forgetting a row.
The parser knows only the plain C that these headers are written in, and stops at whatever it does not
understand: a construct it would silently skip is a hole in the test.

usage: abi_list.py HEADER... > abi_list.h
"""
import re
import sys

# Ours alone; everything else must exist in libxen-dev's headers, or abi_xen.c does not compile.
OURS = {
    "XEN_EINTR": "declared only inside the hypervisor there",
    "XEN_SYSCTL_hauch_last_crash": "an operation that only Hauch has",
    "XEN_ERESTART": "declared only inside the hypervisor there",
    "guest_handle_t": "there a typed pointer; its size is asserted in abi/xen.h",
}
TOKEN = re.compile(r'\s*([A-Za-z_]\w*|0[xX][0-9a-fA-F]+\w*|\d+\w*|"(?:[^"\\]|\\.)*"|<<|>>|==|[^\s\w])')


class Parser:
    def __init__(self, path):
        self.path, self.rows = path, []
        text = open(path, encoding="utf-8").read()
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
        plain = []
        for line in text.split("\n"):
            if line.lstrip().startswith("#"):
                self.directive(line.strip())
            else:
                plain.append(line)
        code = "\n".join(plain).rstrip()
        self.tokens, at = [], 0
        while at < len(code):
            found = TOKEN.match(code, at)
            if not found:
                self.fail(code[at:at + 40])
            self.tokens.append(found.group(1))
            at = found.end()
        self.at = 0

    def fail(self, what):
        sys.exit(f"{self.path}: abi_list.py does not understand: {what}")

    def directive(self, line):
        if re.match(r"#\s*(include|ifdef|ifndef|endif|error)\b", line):
            return
        found = re.match(r"#define\s+(\w+)(\()?\s*(.*)$", line)
        if not found:
            self.fail(line)
        name, is_function, value = found.groups()
        if is_function or (not value and name.startswith(("HAUCH_ABI_", "__XEN_PUBLIC_"))):
            return
        if not value:
            self.fail(line)
        self.row("TEXT" if '"' in value else "CONST", name)

    def row(self, kind, *names):
        if names[0].split()[-1] not in OURS:
            self.rows.append(f"{kind}({', '.join(names)})")

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *wanted):
        token = self.peek()
        if token is None or (wanted and token not in wanted):
            self.fail(" ".join(self.tokens[max(0, self.at - 8):self.at + 3]) + f" (expected {wanted})")
        self.at += 1
        return token

    def skip_past(self, end):
        while self.take() != end:
            pass

    def file(self):
        while self.peek() is not None:
            token = self.take("typedef", "struct", "union", "enum", "_Static_assert")
            if token == "typedef":
                self.typedef()
            elif token == "_Static_assert":
                self.skip_past(";")
            elif token == "enum":
                self.enum()
            else:
                name = self.take()
                self.aggregate(f"{token} {name}", [f"{token} {name}"], "")
                self.take(";")
        return self.rows

    def typedef(self):
        if self.peek() == "struct":
            self.take()
            self.take("{")
            self.skip_past("}")
        else:
            self.take()
        self.row("TYPE", self.take())
        self.skip_past(";")

    def enum(self):
        self.take()
        self.take("{")
        while self.peek() != "}":
            self.row("CONST", self.take())
            self.take("=")
            self.take()
            self.take(",")
        self.take("}")
        self.take(";")

    def aggregate(self, tag, roots, prefix):
        """Members of a body; roots is the structure that paths start from, prefix the path to here."""
        if tag:
            self.row("AGGREGATE", tag)
        self.take("{")
        while self.peek() != "}":
            self.member(roots, prefix)
        self.take("}")

    def member(self, roots, prefix):
        body = None
        word = self.take()
        if word in ("struct", "union"):
            tag = None
            if self.peek() != "{":
                tag = f"{word} {self.take()}"
            if self.peek() == "{":
                body = self.at
                if tag:
                    self.aggregate(tag, [tag], "")
                else:
                    self.skip_body()
        if body is not None and self.peek() == ";":
            self.again(body, roots, prefix)
        while self.peek() != ";":
            self.declarator(body, roots, prefix)
            if self.peek() == ",":
                self.take()
        self.take(";")

    def skip_body(self):
        depth = 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
            if depth == 0:
                return

    def again(self, body, roots, prefix):
        """Parses an inner body once more, as part of the path to it."""
        here, self.at = self.at, body
        self.aggregate(None, roots, prefix)
        self.at = here

    def declarator(self, body, roots, prefix):
        name = self.take()
        if not re.match(r"[A-Za-z_]\w*$", name):
            self.fail(name)
        kind = "FIELD"
        if self.peek() == ":":  # a bit-field has no offset; its structure's size is compared
            self.take()
            self.take()
            return
        if self.peek() == "[":
            self.take()
            if self.peek() == "]":
                kind = "FLEXIBLE"
            self.skip_past("]")
        self.row(kind, roots[0], prefix + name)
        if body is not None:
            self.again(body, roots, prefix + name + ".")


def main():
    for path in sys.argv[1:]:
        print(f"/* {path} */")
        print("\n".join(Parser(path).file()))


if __name__ == "__main__":
    main()
