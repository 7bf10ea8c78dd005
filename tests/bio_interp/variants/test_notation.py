"""Mutations in the field's notations, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.errors import InputError, MismatchError
from bio_interp.variants import (
    LETTERS,
    Mutation,
    Variant,
    all_substitutions,
    log_likelihood_ratios,
    parse_variant,
)

SEQUENCE = "MKVLAGSTFW"
NAMES = (
    *("Ala", "Cys", "Asp", "Glu", "Phe", "Gly", "His", "Ile", "Lys", "Leu"),
    *("Met", "Asn", "Pro", "Gln", "Arg", "Ser", "Thr", "Val", "Trp", "Tyr"),
)
THREE = dict(zip(LETTERS, NAMES, strict=True))
sequences = st.text(LETTERS, min_size=1, max_size=40)


@st.composite
def variants(draw) -> tuple[str, Variant]:
    sequence = draw(sequences)
    places = draw(st.sets(st.integers(1, len(sequence)), max_size=5))
    mutants = st.sampled_from(LETTERS)
    made = tuple(Mutation(p, sequence[p - 1], draw(mutants)) for p in sorted(places))
    return sequence, Variant(made)


def long(mutation: Mutation) -> str:
    return f"{THREE[mutation.wild_type]}{mutation.position}{THREE[mutation.mutant]}"


@given(variants())
def test_what_is_written_is_read_again(pair):
    sequence, variant = pair
    assert parse_variant(str(variant), sequence) == variant


@given(variants(), st.sampled_from([":", ",", ";", ", "]), st.randoms())
def test_all_notations_and_orders_say_the_same(pair, between, random):
    sequence, variant = pair
    parts = list(variant.mutations)
    random.shuffle(parts)
    if parts:
        assert parse_variant(between.join(map(str, parts)), sequence) == variant
        assert parse_variant(between.join("p." + long(m) for m in parts), sequence) == variant
        joined = ";".join(map(long, parts))
        assert parse_variant(f"p.[{joined}]", sequence) == variant


@given(variants())
def test_applying_changes_the_named_positions_only(pair):
    sequence, variant = pair
    mutant = variant.apply(sequence)
    wanted = {m.position - 1: m.mutant for m in variant.mutations}
    assert len(mutant) == len(sequence)
    assert all(new == wanted.get(i, sequence[i]) for i, new in enumerate(mutant))


def test_every_substitution_comes_once():
    texts = [str(v) for v in all_substitutions(SEQUENCE)]
    assert len(set(texts)) == len(texts) == 19 * len(SEQUENCE)
    assert {v.apply(SEQUENCE) for v in all_substitutions(SEQUENCE)}.isdisjoint({SEQUENCE})


def test_brackets_wild_type_and_no_change_are_read():
    assert parse_variant("p.(Lys2Arg)", SEQUENCE) == parse_variant("Lys2Arg", SEQUENCE)
    assert parse_variant(" wt ", SEQUENCE) == Variant()
    assert parse_variant("p.Lys2=", SEQUENCE).apply(SEQUENCE) == SEQUENCE
    assert str(parse_variant("X2A", "MXK")) == "X2A"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("K2del", "a deletion"),
        ("p.Lys2del", "a deletion"),
        ("K2-", "a deletion"),
        ("p.Lys2_Val3insGln", "an insertion"),
        ("p.Lys2delinsGlnArg", "a deletion and insertion"),
        ("p.Lys2dup", "a duplication"),
        ("p.Lys2fs", "a frameshift"),
        ("K2*", "a stop"),
        ("p.Lys2Ter", "a stop"),
        ("p.Ter11LysextTer9", "an extension"),
        ("K2X", "not the notation"),
        ("K2", "not the notation"),
        ("", "not the notation"),
        ("K2R::V3A", "not the notation"),
        ("k2r", "not the notation"),
        ("Foo2Arg", "not the notation"),
        ("K²R", "not the notation"),
    ],
)
def test_what_is_no_substitution_is_refused_by_its_kind(text, kind):
    with pytest.raises(InputError, match="substitutions by one of the 20") as caught:
        parse_variant(text, SEQUENCE)
    assert kind in caught.value.got


def test_another_wild_type_names_position_wanted_and_got():
    with pytest.raises(MismatchError, match="Wanted A at position 2") as caught:
        parse_variant("V3A:A2R", SEQUENCE)
    assert caught.value.got == "K at position 2 of the sequence"


@pytest.mark.parametrize("text", ["A0G", "A11G"])
def test_positions_outside_the_sequence_are_refused(text):
    with pytest.raises(MismatchError, match="outside the 10 residues"):
        parse_variant(text, SEQUENCE)


def test_two_substitutions_of_one_residue_are_refused():
    with pytest.raises(InputError, match="position 2 twice"):
        parse_variant("K2R:K2A", SEQUENCE)


def test_a_variant_of_another_protein_is_refused_wherever_it_comes_from(toy_model):
    variant = Variant((Mutation(1, "K", "A"),))
    with pytest.raises(MismatchError, match="Wanted K at position 1"):
        log_likelihood_ratios(toy_model("causal"), SEQUENCE, [variant])
