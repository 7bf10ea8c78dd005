"""The page of benchmarks says what the kept results say."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _script():
    spec = importlib.util.spec_from_file_location("page", ROOT / "benchmarks/page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_results() -> None:
    script = _script()
    assert script.PAGE.read_text() == script.page(script.read())


def test_a_figure_of_a_result_is_on_the_page() -> None:
    figures = {
        "ours_topk_rows_per_second": 51_234,
        "sparsify_topk_rows_per_second": 17_000,
        "ours_topk_times_faster_than_sparsify_topk": 3.01,
    }
    lines = _script()._speeds(figures)
    assert "| 51,234 | - | - | 17,000 | - | 3.0 to 3.0 x |" in lines[2]
