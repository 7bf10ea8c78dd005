"""Fail where a module is over 300 lines or a function over 40 (docstring not counted)."""

import ast
import sys
from pathlib import Path

MODULE, FUNCTION = 300, 40
ROOTS = ("bio_interp", "plugins", "benchmarks", "examples", "scripts")


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_text and isinstance(first.value.value, str):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def problems(path: Path) -> list[str]:
    """List what is too long in one file."""
    text = path.read_text()
    found = []
    if len(text.splitlines()) > MODULE:
        found.append(f"{path}: {len(text.splitlines())} lines, at most {MODULE}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = body_lines(node)
            if lines > FUNCTION:
                found.append(f"{path}:{node.lineno}: {node.name}: {lines} lines, max {FUNCTION}")
    return found


if __name__ == "__main__":
    files = [path for root in ROOTS for path in sorted(Path(root).rglob("*.py"))]
    found = [line for path in files for line in problems(path)]
    print("\n".join(found) or f"{len(files)} files within {MODULE} and {FUNCTION} lines")
    sys.exit(bool(found))
