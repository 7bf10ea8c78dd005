import pytest
from esm.data import Alphabet

from bio_interp.errors import MismatchError, SequenceError
from bio_interp.models import ResidueTokens

ALPHABET = Alphabet.from_architecture("ESM-1b")
TOKENS = ResidueTokens(ALPHABET.to_dict())


@pytest.mark.parametrize("sequence", ["MKVLA", "M<mask>K", "<mask>", "UOBZX", "<mask><mask>W"])
def test_tokens_are_those_of_fair_esm(sequence):
    assert TOKENS.encode(sequence).tolist() == ALPHABET.encode(sequence)


def test_j_is_read_as_x():
    assert TOKENS.encode("MJ").tolist() == ALPHABET.encode("MX")


def test_masked_indices_hide_residues():
    assert TOKENS.encode("MKV", masked=[0, 2]).tolist() == ALPHABET.encode("<mask>K<mask>")


@pytest.mark.parametrize(
    ("sequence", "place"),
    [
        ("MkV", "'k' at position 2 of protein 8"),
        ("MK*", r"'\*' at position 3"),
        ("M<mask>1", "'1' at position 3"),
        ("M#K", "'#' at position 2"),
        ("MK\u03b1", "'\u03b1' at position 3"),
        ("<msk>", "'<' at position 1"),
    ],
)
def test_a_letter_without_a_token_is_named_with_its_position(sequence, place):
    with pytest.raises(SequenceError, match=place):
        TOKENS.encode(sequence, number=7)


@pytest.mark.parametrize("index", [-1, 3])
def test_masking_a_residue_the_protein_lacks_is_refused(index):
    with pytest.raises(MismatchError, match=f"got {index}"):
        TOKENS.encode("MKV", masked=[index])


def test_an_empty_sequence_has_no_tokens():
    assert len(TOKENS.encode("")) == 0
