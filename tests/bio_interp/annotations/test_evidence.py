import pytest

from bio_interp.annotations import (
    ECO_LEVELS,
    EVIDENCE_LEVELS,
    evidence_level,
    strongest_evidence,
)


@pytest.mark.parametrize(
    ("level", "numbers"),
    [
        ("experimental", ["0000269"]),
        ("combinatorial", ["0007744", "0007829", "0000244", "0000213"]),
        ("similarity", ["0000250"]),
        ("sequence_model", ["0000255", "0000256", "0000259"]),
        ("curator", ["0000303", "0000305", "0000312"]),
    ],
)
def test_each_code_of_uniprot_has_its_level(level: str, numbers: list[str]) -> None:
    assert {evidence_level(f"ECO:{number}") for number in numbers} == {level}


@pytest.mark.parametrize("code", ["", "ECO:9999999", "0000269", "experimental", "ECO:0000313"])
def test_no_code_or_another_one_is_unknown_and_never_experimental(code: str) -> None:
    assert evidence_level(code) == "unknown"


def test_the_strongest_of_several_codes_is_kept() -> None:
    weak_to_strong = ["", "ECO:0000305", "ECO:0000255", "ECO:0000250", "ECO:0007744", "ECO:0000269"]
    for last in range(1, len(weak_to_strong)):
        assert strongest_evidence(weak_to_strong[: last + 1]) == weak_to_strong[last]
    assert strongest_evidence([]) == ""


def test_every_level_of_the_table_is_ranked() -> None:
    assert set(ECO_LEVELS.values()) | {"unknown"} == set(EVIDENCE_LEVELS)
