"""Bad files given to every command that reads one: what ends in a traceback or a silent cut.

A case fails where it shows a traceback, hangs, exits with a code other than 0 or 1 as the design
says, has no message of three parts that names the file, sends control characters to the terminal,
leaves something out without saying so, or loses what was finished. Pipes, signals, permissions,
full disks and bombs are real processes (``_live.py``); the other commands run in this process.
"""

import contextlib
import importlib
import io
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from _account import Outcome, cut_silently
from _cases import Case
from _harness import finish, parse, record
from _live import live_cases
from make_corpus import make_corpus

import bio_interp.atlas
from bio_interp.cli._app import run
from bio_interp.errors import BioInterpError

SECONDS = 30  # of processor time; ten times as much on the clock
FAULTS = ("traceback", "hang", "wrong_code", "message", "raw_control", "silent_cut", "lost")


def main() -> None:
    options = parse(__doc__)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    start = time.perf_counter()
    table: dict[str, Counter[str]] = {}
    failures: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        cases = make_corpus(Path(name), options.seed, share=0.1 if options.quick else 1.0)
        _share_atlases()
        for number, case in enumerate(cases):
            faults = examine(case, Path(name) / "out" / str(number))
            _count(table, failures, case.kind, case.name, faults)
        for kind, case_name, faults in live_cases(Path(name), quick=options.quick):
            _count(table, failures, kind, case_name, faults)
    _show(table)
    total = sum((counts for counts in table.values()), Counter[str]())
    figures: dict[str, Any] = {
        **{fault: total[fault] for fault in ("cases", "failed", *FAULTS)},
        "seconds": round(time.perf_counter() - start, 1),
        "kinds": {kind: dict(counts) for kind, counts in table.items()},
        "failures": failures,
    }
    packages = ("bio-interp", "torch", "polars", "pyhmmer")
    finish(record("bad_input", options, figures, packages=packages), options)
    sys.exit(1 if failures else 0)


def examine(case: Case, out: Path) -> dict[str, str]:
    """Run one case and find what is wrong with how it ended."""
    out.parent.mkdir(exist_ok=True)
    for alarm in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(alarm, _alarm)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(10 * SECONDS)
    try:
        ended = _called(case, out) if case.call else _commanded(case, out)
    except TimeoutError:
        return {"hang": f"after {SECONDS} s"}
    except Exception as error:  # the very thing that is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return {"traceback": f"{type(error).__name__}: {error} ({last.name}, line {last.lineno})"}
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return judge(case, ended)


def judge(case: Case, ended: Outcome) -> dict[str, str]:
    """Judge code, message and account of a run that ended by itself."""
    faults: dict[str, str] = {}
    right = {True: (0,), False: (1,), None: (0, 1)}[case.accepted]
    if ended.code not in right:
        faults["wrong_code"] = f"{ended.code}, not {right}: {ended.err[-200:]}"
    if ended.code == 1:
        said = ended.err.rpartition("bio-interp: ")[2]
        if not re.match(r"(?s)Wanted .+; got .+\. \S.+", said):
            faults["message"] = f"not of three parts: {said[:200]}"
        elif case.path.name not in said and str(case.path) not in said:
            faults["message"] = f"does not name {case.path.name}: {said[:300]}"
    raw = sorted({c for c in ended.err + ended.out if not c.isprintable()} - {"\n", "\t"})
    if raw:
        faults["raw_control"] = repr(raw)
    cut = cut_silently(case.counter, case.path, ended)
    return {**faults, "silent_cut": cut} if cut else faults


def _commanded(case: Case, out: Path) -> Outcome:
    streams = io.StringIO(), io.StringIO()
    tokens = [token.replace("{out}", str(out)) for token in case.tokens]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = run(tokens)
    return Outcome(code, streams[0].getvalue(), streams[1].getvalue(), out)


def _called(case: Case, out: Path) -> Outcome:
    module, _, names = case.call.partition(":")
    function: Any = importlib.import_module(module)
    for name in names.split("."):
        function = getattr(function, name)
    try:
        function(case.path)
    except BioInterpError as error:
        return Outcome(1, "", f"bio-interp: {error}\n", out)
    return Outcome(0, "", "", out)


def _alarm(*_: object) -> None:
    raise TimeoutError


def _share_atlases() -> None:
    """Load an atlas folder once; the files of a run are not its atlas."""
    bio_interp.atlas.load_atlas = cache(bio_interp.atlas.load_atlas)  # type: ignore[assignment]


def _count(
    table: dict[str, Counter[str]],
    failures: list[dict[str, str]],
    kind: str,
    name: str,
    faults: dict[str, str],
) -> None:
    counts = table.setdefault(kind, Counter({"cases": 0, "failed": 0}))
    counts.update(["cases", *(["failed"] if faults else []), *faults])
    if faults:
        failures.append({"case": name, **faults})
        print(f"FAILED {name}: {faults}", file=sys.stderr, flush=True)


def _show(table: dict[str, Counter[str]]) -> None:
    columns = ("cases", "failed", *FAULTS)
    print(f"{'kind':22}" + "".join(f"{column:>13}" for column in columns), file=sys.stderr)
    for kind, counts in table.items():
        cells = "".join(f"{counts[column]:>13}" for column in columns)
        print(f"{kind:22}{cells}", file=sys.stderr)


if __name__ == "__main__":
    main()
