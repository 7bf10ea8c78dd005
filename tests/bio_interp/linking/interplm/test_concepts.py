"""Which annotations are concepts of InterPLM, and under which names."""

import numpy as np
import polars as pl
import pytest

from bio_interp.linking.interplm import (
    Defects,
    Rules,
    interplm_concepts,
    is_residue_level,
    lay_truth,
)


def codes(*accessions: str, residues: int = 40) -> dict[str, np.ndarray]:
    return {accession: np.zeros((residues, 2)) for accession in accessions}


def names(table) -> dict[str, str]:
    return dict(table.concepts.select("concept", "name").iter_rows())


def both(kind: str, head: str, *places: tuple[str, int, int]) -> list[tuple[str, int, int, str]]:
    """A kind and its sub-concept at some places, as the uniprot plugin gives them."""
    return [(*p, c) for p in places for c in (f"uniprot:{kind}", f"uniprot:{kind}/{head}")]


def test_concepts_get_the_names_of_interplm(world):
    places = [("v1", 3, 3)]
    spans = [
        *both("BINDING", "ATP", *places),
        *both("MOD_RES", "Phosphoserine", *places),
        *both("SIGNAL", "Or 24", *places),
        *both("LIPID", "N-myristoyl glycine", *places),
        ("v1", 1, 9, "uniprot:STRAND"),
        ("v1", 1, 9, "uniprot:CHAIN"),
        ("v1", 1, 9, "pfam:PF00001"),
    ]
    _, table, _ = world(codes("v1"), spans)
    assert names(interplm_concepts(table, Rules(min_named=1))) == {
        "uniprot:BINDING": "Binding site_any",
        "uniprot:BINDING/ATP": "Binding site_ATP",
        "uniprot:MOD_RES/Phosphoserine": "Modified residue_Phosphoserine",
        "uniprot:SIGNAL": "Signal peptide_any",
        "uniprot:SIGNAL/Or 24": "Signal peptide_Or 24",
        "uniprot:LIPID": "Lipidation",
        "uniprot:STRAND": "Beta strand",
    }


def test_five_catch_alls_are_removed_and_six_are_kept(world):
    kinds = ("REGION", "MOD_RES", "DOMAIN", "COMPBIAS", "MOTIF")
    kept = ("ACT_SITE", "BINDING", "CARBOHYD", "TRANSIT", "ZN_FING", "SIGNAL")
    _, table, _ = world(codes("v1"), [("v1", 1, 2, f"uniprot:{k}") for k in kinds + kept])
    assert set(names(interplm_concepts(table))) == {f"uniprot:{k}" for k in kept}


def test_a_sub_concept_needs_enough_instances_and_a_slash_in_its_name_is_kept(world):
    spans = both("DOMAIN", "SH2/SH3", *(("v1", 2 * i + 1, 2 * i + 2) for i in range(3)))
    _, table, _ = world(codes("v1"), spans)
    assert names(interplm_concepts(table, Rules(min_named=3))) == {
        "uniprot:DOMAIN/SH2/SH3": "Domain_SH2/SH3"
    }
    assert names(interplm_concepts(table, Rules(min_named=4))) == {}


def test_concepts_of_other_sources_take_part_where_asked(world):
    _, table, _ = world(codes("v1"), [("v1", 1, 9, "pfam:PF00001")])
    assert names(interplm_concepts(table)) == {}
    found = interplm_concepts(table, Rules(other_sources=True))
    assert names(found) == {"pfam:PF00001": "pfam:PF00001"}


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("Active site_any", True),
        ("Glycosylation_N-linked (GlcNAc...) asparagine", True),
        ("Modified residue_Phosphoserine", True),
        ("Disulfide bond", True),
        ("amino_acid_C", True),
        ("Cofactor_Zn(2+)", True),
        ("Binding site_ATP", False),
        ("Lipidation", False),
        ("Signal peptide_any", False),
        ("Motif_Nuclear localization signal", False),
        ("Zinc finger_C2H2-type", False),
        ("Region_Active site lid", True),  # the rule looks anywhere in the name
    ],
)
def test_the_level_of_a_concept_is_told_from_its_name(name, level):
    assert is_residue_level(name) is level


def test_only_the_two_cysteines_of_a_bond_are_positive(world):
    store, table, folds = world(codes("v1"), [("v1", 5, 30, "uniprot:DISULFID")])
    rules = Rules(min_residues=1)
    truth = lay_truth(table, store.accessions, store.lengths, folds=folds, rules=rules)
    assert np.flatnonzero(truth.labels.positives.mask(40)).tolist() == [4, 29]
    assert truth.residue_level.tolist() == [True]
    ranged = lay_truth(
        table,
        store.accessions,
        store.lengths,
        folds=folds,
        rules=rules,
        defects=Defects(bonds_as_ranges=True),
    )
    assert ranged.residues["valid"].tolist() == [26]


def test_a_concept_counts_with_enough_instances_or_residues_on_both_folds_together(world):
    spans = [
        *[("v1", 3 * i + 1, 3 * i + 1, "uniprot:ACT_SITE") for i in range(2)],
        ("t1", 1, 1, "uniprot:ACT_SITE"),  # 3 instances, 3 residues
        ("v1", 1, 5, "uniprot:HELIX"),
        ("t1", 1, 6, "uniprot:HELIX"),  # 2 instances, 11 residues
        ("v1", 1, 5, "uniprot:TURN"),
        ("v1", 4, 8, "uniprot:TURN"),  # 2 instances that overlap: 8 residues
        *[("v1", i, 40 - i, "uniprot:DISULFID") for i in range(1, 4)],  # 6 residues
    ]
    store, table, folds = world(codes("v1", "t1"), spans)

    def kept(instances: int, residues: int) -> set[str]:
        rules = Rules(min_instances=instances, min_residues=residues)
        truth = lay_truth(table, store.accessions, store.lengths, folds=folds, rules=rules)
        return set(truth.labels.concepts["concept"])

    assert kept(2, 10) == {"uniprot:ACT_SITE", "uniprot:HELIX"}  # more than, not as many as
    assert kept(3, 11) == set()
    assert kept(9, 7) == {"uniprot:HELIX", "uniprot:TURN"}  # overlaps count once
    assert kept(1, 99) == {"uniprot:ACT_SITE", "uniprot:HELIX", "uniprot:TURN"}  # no bonds
    assert kept(99, 5) == {"uniprot:DISULFID", "uniprot:HELIX", "uniprot:TURN"}


def test_numbers_of_kept_concepts_follow_the_kept_rows(world):
    spans = [
        ("v1", 1, 9, "uniprot:COILED"),
        ("v1", 1, 2, "uniprot:HELIX"),
        ("v1", 11, 20, "uniprot:TURN"),
    ]
    store, table, folds = world(codes("v1"), spans)
    rules = Rules(min_residues=5)
    truth = lay_truth(table, store.accessions, store.lengths, folds=folds, rules=rules)
    labels = truth.labels
    assert labels.concepts["concept"].to_list() == ["uniprot:COILED", "uniprot:TURN"]
    starts = dict(zip(labels.positives.label, labels.positives.start, strict=True))
    assert starts == {0: 0, 1: 10}
    assert isinstance(labels.concepts, pl.DataFrame)


def test_every_residue_without_an_annotation_is_a_negative(world):
    store, table, folds = world(codes("v1", "t1"), [("v1", 1, 9, "uniprot:COILED")])
    rules = Rules(min_residues=1)
    labels = lay_truth(table, store.accessions, store.lengths, folds=folds, rules=rules).labels
    assert labels.looked.mask(80).all()
    assert len(labels.unknowns) == 0
    assert labels.coverage_class.tolist() == [0]
