"""Values as scripts: whatever is in them, the script hands over the same value and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.reports.site import data_script

from .conftest import handed_over

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_comes_back_from_one_line_of_ascii_without_tags(value):
    script = data_script("index", value)
    assert handed_over(script) == ["index", value]
    assert script.isascii()
    assert script.count("\n") == 1
    assert "<" not in script


def test_numbers_that_json_has_not_become_null_at_any_depth():
    script = data_script("f0", {"a": [float("nan"), (float("inf"), 1.5)]})
    assert handed_over(script) == ["f0", {"a": [None, [None, 1.5]]}]


@pytest.mark.parametrize(("value", "shown"), [(1 / 3, 0.33333), (123456.7, 123460.0), (2.0, 2.0)])
def test_fractions_keep_five_digits(value, shown):
    assert handed_over(data_script("f0", value))[1] == shown
