"""Requirements that a benchmark must meet, such as ``sae.interplm.mean_f1 >= 0.5``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

import polars as pl

from bio_interp.benchmarking._bench import BenchTable
from bio_interp.errors import InputError, MismatchError

_FORM = re.compile(
    r"\s*(?P<source>\w+)(?:-(?P<other>\w+))?\.(?P<score>\w+)\.(?P<figure>\w+)\s*"
    r"(?P<sign>>=|<=|>|<|==)\s*(?P<number>[-+0-9.eE]+)\s*"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip


def require(table: BenchTable, expressions: Sequence[str]) -> None:
    """Refuse a benchmark that does not reach what is asked.

    Parameters
    ----------
    table
        The benchmark.
    expressions
        ``SOURCE.SCORE.FIGURE >= NUMBER`` with a column of `SUMMARY`, or
        ``sae-BASELINE.SCORE.FIGURE > NUMBER`` with one of `PAIRED`.

    Raises
    ------
    InputError
        An expression that cannot be read, or that names a source, score or figure there is not.
    MismatchError
        Requirements that are not met; the message lists all.
    """
    failed = [text for text in map(_failure(table), expressions) if text]
    if failed:
        raise MismatchError(
            "a benchmark that meets all requirements",
            "; ".join(failed),
            "Look at the table, or lower what --require asks.",
        )


def check_expressions(expressions: Sequence[str]) -> None:
    """Refuse expressions that cannot be read, before hours are spent."""
    for text in expressions:
        _parsed(text)


def _parsed(text: str) -> re.Match[str]:
    match = _FORM.fullmatch(text)
    if not match or _number(match["number"]) is None:
        raise InputError(
            "a requirement such as 'sae.interplm.mean_f1 >= 0.5' or "
            "'sae-neurons.interplm.mean_f1_low > 0'",
            repr(text),
            "Write SOURCE.SCORE.FIGURE, a comparison and a number.",
        )
    return match


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _failure(table: BenchTable) -> Callable[[str], str]:
    def check(text: str) -> str:
        match = _parsed(text)
        frame = table.paired if match["other"] else table.summary
        source = match["other"] or match["source"]
        found = frame.filter((pl.col("source") == source) & (pl.col("score") == match["score"]))
        if not match["other"]:
            found = found.filter(protocol="strict")
        figure = match["figure"]
        backwards = match["other"] and match["source"] != "sae"
        if backwards or not found.height or figure not in frame.columns:
            raise InputError(
                f"sources {sorted(set(frame['source']))}, scores {sorted(set(frame['score']))} and "
                f"figures {frame.columns[2:]}",
                repr(text),
                "Name one of each.",
            )
        value = found[figure][0]
        wanted = float(match["number"])
        met = value is not None and _SIGNS[match["sign"]](float(value), wanted)
        return "" if met else f"{text.strip()} (it is {value})"

    return check
