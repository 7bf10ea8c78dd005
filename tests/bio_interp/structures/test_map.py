"""Hard cases: every one has a known answer, and none may be mapped wrongly."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.sequences import Protein
from bio_interp.structures import Chain, map_chain, map_structure, read_structure, recorded_maps

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"
PROTEIN = Protein("P12345", SEQUENCE)
OTHER = Protein("Q99999", "GSHWCDPLNTEYRMVKWACDFGHPQRNSTVWYEEKLLMNCDHGFPRWAY")


def chain_of(content: bytes, name: str = "A") -> Chain:
    return read_structure(content).chain(name)


def test_a_fragment_with_its_own_numbers_is_placed_by_its_letters(made):
    found = map_chain(chain_of(made.pdb({"A": made.items(SEQUENCE[20:50], -4)})), PROTEIN)
    assert found.how == "alignment"
    assert found.positions == tuple(range(21, 51))
    assert (found.identity, found.coverage, found.differences) == (1.0, 1.0, ())


def test_b16_numbers_of_residues_are_not_taken_for_positions(made):
    """Numbers that would fit the protein, and mean other residues of it."""
    structure = read_structure(made.pdb({"A": made.items(SEQUENCE[30:60], 1)}))
    found = map_structure(structure, [PROTEIN])
    assert [found.position("A", n).position for n in (1, 30)] == [31, 60]
    assert found.authors("P12345", 1) == []


def test_a_missing_loop_splits_at_the_break_and_not_at_the_letters(made):
    # ...L|GLIE..: the loop GLIEVQAP is missing; letters alone let L28 lie at either end
    before, after = SEQUENCE[:27], SEQUENCE[36:60]
    protein = Protein("P12345", before + "LGLIEVQAPL" + after)
    whole = [*made.items(before + "L"), None, *made.items(after, 38)]
    found = map_chain(chain_of(made.pdb({"A": whole})), protein)
    assert found.positions == (*range(1, 29), *range(38, 62))
    moved = [*made.items(before, 101), None, *made.items("L" + after, 201)]
    found = map_chain(chain_of(made.pdb({"A": moved})), protein)
    assert found.positions == (*range(1, 28), *range(37, 62))


def test_a_long_loop_that_is_missing_does_not_cost_the_rest_of_the_chain(made):
    protein = Protein("P1", SEQUENCE + "QWERTYIPASDFGHKLCVNM" * 12 + OTHER.sequence)
    ends = [*made.items(SEQUENCE[40:]), None, *made.items(OTHER.sequence[:25], 400)]
    found = map_chain(chain_of(made.pdb({"A": ends})), protein)
    assert found.positions == (*range(41, 71), *range(311, 336))


def test_missing_residues_of_a_known_sequence_have_positions_and_no_coordinates(made):
    seen = [*made.items(SEQUENCE[2:20], 3), None, *made.items(SEQUENCE[29:60], 30)]
    content = made.pdb({"A": seen}, seqres={"A": SEQUENCE[:60]})
    chain = chain_of(content)
    assert [r.label_seq for r in chain.residues if not r.resolved] == [1, 2, *range(21, 30)]
    found = map_chain(chain, PROTEIN)
    assert found.positions == tuple(range(1, 61))
    assert found.coverage == 1.0


def test_insertion_codes_keep_residues_apart(made):
    numbers = [(n, "") for n in range(1, 20)] + [(19, "A"), (19, "B")]
    numbers += [(n, "") for n in range(20, 40)]
    pairs = zip(SEQUENCE, numbers, strict=False)
    residues = [(made.three(letter), number, code) for letter, (number, code) in pairs]
    structure = read_structure(made.pdb({"A": residues}))
    found = map_structure(structure, [PROTEIN])
    assert [found.position("A", 19, code).position for code in ("", "A", "B")] == [19, 20, 21]
    assert found.position("A", 20).position == 22
    assert found.authors("P12345", 21) == [("A", 19, "B")]


def test_dbref_places_the_chain_and_leaves_its_tag_out(made):
    tagged = made.items("GSHM" + SEQUENCE[9:40], 6)
    head = [made.dbref("A", 10, 40, "P12345", 10, 40)]
    found = map_chain(chain_of(made.pdb({"A": tagged}, head=head)), PROTEIN)
    assert (found.how, found.note) == ("dbref", "")
    assert found.positions == (None,) * 4 + tuple(range(10, 41))
    assert found.coverage == pytest.approx(31 / 35)


def test_a_tag_is_listed_with_the_words_of_the_file(made):
    head = [made.dbref("A", 10, 40, "P12345", 10, 40)]
    head += [made.seqadv("HIS", "A", 8, "P12345", "", None, "EXPRESSION TAG")]
    content = made.pdb({"A": made.items("GSHM" + SEQUENCE[9:40], 6)}, head=head)
    (tag,) = map_chain(chain_of(content), PROTEIN).differences
    assert (tag.author, tag.letter, tag.expected, tag.kind) == (8, "H", "", "expression tag")


def test_a_tag_without_a_record_is_not_mapped(made):
    found = map_chain(chain_of(made.pdb({"A": made.items("HHHHHH" + SEQUENCE[9:40])})), PROTEIN)
    assert found.positions == (None,) * 6 + tuple(range(10, 41))


def test_a_tag_does_not_find_its_letters_far_away(made):
    protein = Protein("P1", SEQUENCE + "QWERTYIPASDFGKLCVNMW" * 6 + "HHHHHH")
    content = made.pdb({"A": made.items(SEQUENCE[9:50] + "HHHHHH")})
    found = map_chain(chain_of(content), protein)
    assert found.positions == tuple(range(10, 51)) + (None,) * 6


def test_an_engineered_mutation_is_mapped_and_listed(made):
    letters = SEQUENCE[:14] + "W" + SEQUENCE[15:40]
    head = [made.dbref("A", 1, 40, "P12345", 1, 40)]
    head += [made.seqadv("TRP", "A", 15, "P12345", "VAL", 15, "ENGINEERED MUTATION")]
    found = map_chain(chain_of(made.pdb({"A": made.items(letters)}, head=head)), PROTEIN)
    assert found.positions == tuple(range(1, 41))
    assert found.identity == pytest.approx(39 / 40)
    (change,) = found.differences
    assert (change.letter, change.expected, change.position) == ("W", "V", 15)
    assert change.kind == "engineered mutation"


def test_a_mutation_that_no_record_lists_is_unrecorded(made):
    letters = SEQUENCE[:14] + "W" + SEQUENCE[15:40]
    (change,) = map_chain(chain_of(made.pdb({"A": made.items(letters)})), PROTEIN).differences
    assert (change.position, change.kind) == (15, "unrecorded")


def test_a_wrong_dbref_is_not_trusted_and_said(made):
    head = [made.dbref("A", 1, 40, "P12345", 1, 40)]  # it is 2-41: the first methionine is cut
    found = map_chain(chain_of(made.pdb({"A": made.items(SEQUENCE[1:41])}, head=head)), PROTEIN)
    assert found.how == "alignment"
    assert found.positions == tuple(range(2, 42))
    assert "dbref contradicts" in found.note


def test_a_dbref_that_is_wrong_behind_a_deletion_is_not_trusted(made):
    letters = SEQUENCE[:40] + SEQUENCE[42:60]
    head = [made.dbref("A", 1, 58, "P12345", 1, 58)]
    found = map_chain(chain_of(made.pdb({"A": made.items(letters)}, head=head)), PROTEIN)
    assert found.how == "alignment"
    assert found.positions == (*range(1, 41), *range(43, 61))


def test_a_short_end_behind_an_unlisted_deletion_has_no_place_rather_than_a_wrong_one(made):
    letters = SEQUENCE[:50] + SEQUENCE[52:60]
    head = [made.dbref("A", 1, 58, "P12345", 1, 58)]
    found = map_chain(chain_of(made.pdb({"A": made.items(letters)}, head=head)), PROTEIN)
    assert found.positions == (*range(1, 51), *[None] * 8)


def test_single_residues_between_breaks_are_not_put_beside_each_other(made):
    protein = Protein("P1", SEQUENCE[:30] + "QQ" + SEQUENCE[30:])
    kept = [n for n in range(1, 73) if n not in (31, 33, 34)]  # 32 alone, and it looks like 31
    residues = []
    for n in kept:
        residues += [None] * (n in (32, 35))
        residues.append((made.three(protein.sequence[n - 1]), n, ""))
    found = map_chain(chain_of(made.pdb({"A": residues})), protein)
    pairs = zip(found.positions, kept, strict=True)
    assert [(p, n) for p, n in pairs if p not in (n, None)] == []


def test_a_dbref_beyond_the_protein_is_not_trusted(made):
    head = [made.dbref("A", 1, 40, "P12345", 100, 139)]
    found = map_chain(chain_of(made.pdb({"A": made.items(SEQUENCE[:40])}, head=head)), PROTEIN)
    assert found.positions == tuple(range(1, 41))
    assert "outside of 70 residues" in found.note


def test_a_record_without_room_for_an_insertion_is_not_guessed_at(made):
    letters = SEQUENCE[:20] + "GGP" + SEQUENCE[20:40]
    head = [made.dbref("A", 1, 43, "P12345", 1, 40)]
    found = map_chain(chain_of(made.pdb({"A": made.items(letters)}, head=head)), PROTEIN)
    assert found.positions == (*range(1, 21), None, None, None, *range(21, 41))
    assert "insertions or deletions" in found.note


def test_modified_and_d_residues_count_as_what_they_were_made_from(made):
    residues = made.items(SEQUENCE[:30])
    residues[0] = ("MSE", 1, "")
    residues[12] = ("SEP", 13, "")
    residues[3] = ("DAL", 4, "")
    chain = chain_of(made.pdb({"A": residues}))
    found = map_chain(chain, PROTEIN)
    assert found.positions == tuple(range(1, 31))
    assert (found.identity, found.differences) == (1.0, ())
    assert [(r.name, r.parent, r.letter) for r in chain.residues if r.is_modified] == [
        ("MSE", "MET", "M"),
        ("DAL", "ALA", "A"),
        ("SEP", "SER", "S"),
    ]
    assert [r.label_seq for r in chain.residues if r.is_d] == [4]


def test_two_chains_of_different_proteins_go_each_to_its_own(made):
    chains = {"A": made.items(SEQUENCE[5:45], 6), "B": made.items(OTHER.sequence[3:40], 101)}
    found = map_structure(read_structure(made.pdb(chains)), [PROTEIN, OTHER])
    assert [(m.chain, m.accession) for m in found.maps] == [("A", "P12345"), ("B", "Q99999")]
    assert found.position("A", 6) == ("P12345", 6)
    assert found.position("B", 101) == ("Q99999", 4)
    assert found.refused == {}


def test_a_peptide_in_the_chain_of_its_protein_is_another_chain(made):
    rows = made.cif_rows(SEQUENCE[:40])
    for i, letter in enumerate(OTHER.sequence[:12], 1):
        place = f"{3.8 * i:.1f} 50 0 1 20 {900 + i} A 1"
        rows.append(f"ATOM {100 + i} C CA . {made.three(letter)} B 2 {i} ? {place}")
    structure = read_structure(made.cif(rows))
    assert [(c.name, c.label, len(c)) for c in structure.chains] == [("A", "A", 40), ("A", "B", 12)]
    found = map_structure(structure, [PROTEIN, OTHER])
    assert found.position("A", 7) == ("P12345", 7)
    assert found.position("A", 903) == ("Q99999", 3)
    assert found.coordinates("Q99999")[2].tolist() == pytest.approx([11.4, 50, 0])
    with pytest.raises(NotFoundError, match="41"):
        found.position("A", 41)
    with pytest.raises(NotFoundError, match="P12345"):
        found.coordinates("P00000")


def test_coordinates_are_of_the_chain_that_shows_most_and_never_mixed(made):
    chains = {"A": made.items(SEQUENCE[:20]), "B": made.items(SEQUENCE[:30], 101)}
    found = map_structure(read_structure(made.pdb(chains)), [PROTEIN])
    rows = found.coordinates("P12345")
    assert rows.shape == (70, 3)
    assert [i for i in range(70) if rows[i, 0] == rows[i, 0]] == list(range(30))
    assert found.best_chain("P12345") == "B"
    assert found.coordinates("P12345", "A")[25, 0] != found.coordinates("P12345", "A")[25, 0]
    assert found.authors("P12345", 10) == [("A", 10, ""), ("B", 110, "")]


def test_a_chain_that_is_none_of_the_proteins_is_named_with_the_reason(made):
    found = map_structure(read_structure(made.pdb({"A": made.items(OTHER.sequence)})), [PROTEIN])
    assert found.maps == ()
    assert "identity" in found.refused["A"]
    assert found.residues("P12345") == []
    assert found.best_chain("P12345") is None


def test_a_chain_of_two_proteins_has_a_map_for_each(made):
    letters = SEQUENCE[:30] + OTHER.sequence[:20]
    head = [made.dbref("A", 1, 30, "P12345", 1, 30), made.dbref("A", 31, 50, "Q99999", 1, 20)]
    structure = read_structure(made.pdb({"A": made.items(letters)}, head=head))
    found = map_structure(structure, [PROTEIN, OTHER])
    assert [found.position("A", n) for n in (30, 31)] == [("P12345", 30), ("Q99999", 1)]
    assert [round(m.coverage, 2) for m in found.maps] == [0.6, 0.4]


def test_a_structure_of_another_protein_is_refused_with_the_figures(made):
    chain = chain_of(made.pdb({"A": made.items(OTHER.sequence)}))
    with pytest.raises(MismatchError, match=r"at least 0\.9.*coverage") as error:
        map_chain(chain, PROTEIN)
    assert "identity" in error.value.got


def test_a_relative_is_refused_unless_the_limits_say_otherwise(made):
    changed = {5: "W", 12: "D", 20: "G", 27: "P", 33: "C"}
    letters = "".join(changed.get(i, letter) for i, letter in enumerate(SEQUENCE[:40]))
    chain = chain_of(made.pdb({"A": made.items(letters)}))
    with pytest.raises(MismatchError):
        map_chain(chain, PROTEIN)
    assert map_chain(chain, PROTEIN, min_identity=0.8).identity == pytest.approx(35 / 40)


def test_a_short_peptide_is_refused(made):
    with pytest.raises(MismatchError, match="5 residues"):
        map_chain(chain_of(made.pdb({"A": made.items(SEQUENCE[10:15])})), PROTEIN)


@pytest.mark.parametrize("copies", [2, 5])
@pytest.mark.parametrize("change", [(3, "W"), None])
def test_a_repeat_that_fits_several_places_is_refused(made, copies, change):
    unit = SEQUENCE[:35]
    letters = unit if change is None else unit[:3] + "W" + unit[4:]
    chain = chain_of(made.pdb({"A": made.items(letters)}))
    with pytest.raises(MismatchError, match="several that are as good"):
        map_chain(chain, Protein("P1", unit * copies))


def test_a_record_says_which_repeat_it_is(made):
    unit = SEQUENCE[:35]
    head = [made.dbref("A", 1, 35, "P1", 36, 70)]
    found = map_chain(
        chain_of(made.pdb({"A": made.items(unit)}, head=head)), Protein("P1", unit * 3)
    )
    assert (found.how, found.positions) == ("dbref", tuple(range(36, 71)))


def test_a_nucleic_chain_and_an_empty_one_are_refused(made):
    bases = [(name, i, "") for i, name in enumerate(["DA", "DC", "DG", "DT"] * 3, 1)]
    chain = chain_of(made.pdb({"A": bases}))
    assert (chain.kind, chain.sequence) == ("nucleic", "ACGT" * 3)
    with pytest.raises(MismatchError, match="which is nucleic"):
        map_chain(chain, PROTEIN)
    with pytest.raises(MismatchError, match="which is empty"):
        map_chain(Chain("A", "A", "1", "protein", ()), PROTEIN)
    found = map_structure(read_structure(made.pdb({"A": bases})), [PROTEIN])
    assert (found.maps, found.refused) == ((), {})


STRUCT_REF = """loop_
_struct_ref.id
_struct_ref.db_name
_struct_ref.pdbx_db_accession
_struct_ref.entity_id
1 UNP P12345 1
loop_
_struct_ref_seq.align_id
_struct_ref_seq.ref_id
_struct_ref_seq.pdbx_strand_id
_struct_ref_seq.seq_align_beg
_struct_ref_seq.seq_align_end
_struct_ref_seq.db_align_beg
_struct_ref_seq.db_align_end
1 1 A 1 30 11 40
"""
SIFTS = [f"pdbx_sifts_xref_db_{name}" for name in ("name", "acc", "num", "res")]


def test_struct_ref_is_read_by_label_and_not_by_number(made):
    content = made.cif(made.cif_rows(SEQUENCE[10:40], first=900), STRUCT_REF)
    found = map_chain(chain_of(content), PROTEIN)
    assert (found.how, found.positions) == ("struct_ref", tuple(range(11, 41)))


def test_sifts_comes_before_struct_ref(made):
    repeat = Protein("P12345", SEQUENCE[10:40] * 3)  # letters fit both records
    rows = made.cif_rows(SEQUENCE[10:40])
    rows = [f"{row} UNP P12345 {60 + i} {SEQUENCE[9 + i]}" for i, row in enumerate(rows, 1)]
    content = made.cif(rows, STRUCT_REF, columns=[*made.COLUMNS, *SIFTS])
    found = map_chain(chain_of(content), repeat)
    assert (found.how, found.positions) == ("sifts", tuple(range(61, 91)))


def test_sifts_of_missing_residues_is_read_where_the_file_has_it(made):
    rows = made.cif_rows(SEQUENCE[:30])
    del rows[10:15]
    table = "\n".join(f"A {i} P12345 {i}" for i in range(1, 31))
    names = ("asym_id", "seq_id", "unp_acc", "unp_num")
    head = "".join(f"_pdbx_sifts_xref_db.{name}\n" for name in names)
    content = made.cif(rows, f"loop_\n{head}{table}\n")
    found = map_chain(chain_of(content), PROTEIN)
    assert (found.how, found.positions) == ("sifts", tuple(range(1, 31)))


def test_records_alone_map_to_what_they_name(made):
    head = [made.dbref("A", 1, 30, "P12345", 11, 40), made.dbref("A", 31, 50, "Q99999", 1, 20)]
    content = made.pdb({"A": made.items(SEQUENCE[10:40] + OTHER.sequence[:20])}, head=head)
    one, two = recorded_maps(chain_of(content))
    assert (one.accession, one.positions) == ("P12345", (*range(11, 41), *[None] * 20))
    assert (two.accession, two.positions) == ("Q99999", (*[None] * 30, *range(1, 21)))


def random_letters(seed: int) -> str:
    # drawn evenly: of AAAA... no alignment could tell the place
    rng = random.Random(seed)
    return "".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=rng.randint(70, 140)))


@settings(deadline=None, max_examples=80)
@given(
    sequence=st.integers(0, 10**9).map(random_letters),
    cuts=st.lists(st.integers(12, 130), max_size=3, unique=True),
    loop=st.integers(1, 25),
    shift=st.integers(-50, 500),
    tag=st.sampled_from(["", "GSHM", "MHHHHHHSSG"]),
    mutation=st.integers(0, 60),
)
def test_no_residue_is_mapped_wrongly(made, sequence, cuts, loop, shift, tag, mutation):
    missing = {p for cut in cuts for p in range(cut, cut + loop)}
    kept = [p for p in range(5, len(sequence) + 1) if p not in missing]
    residues = [None, *made.items(tag, 5 + shift - len(tag))]
    before = 4
    for p in kept:
        if p != before + 1:
            residues.append(None)
        letter = "W" if p == kept[0] + mutation else sequence[p - 1]
        residues.append((made.three(letter), p + shift, ""))
        before = p
    chain = chain_of(made.pdb({"A": residues}))
    try:
        found = map_chain(chain, Protein("P1", sequence))
    except MismatchError:
        return  # a refusal is no wrong position
    truth = [None] * len(tag) + kept
    pairs = list(zip(found.positions, truth, strict=True))
    assert [pair for pair in pairs if None not in pair and pair[0] != pair[1]] == []
