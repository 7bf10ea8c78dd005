"""Features that separate two sets of proteins, or spans from the rest of their proteins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Bool
from numpy import ndarray

from bio_interp.discovery._comparison import Comparison
from bio_interp.discovery._contrasted import Contrast
from bio_interp.discovery._halves import cluster_proteins, deal_halves
from bio_interp.discovery._matching import BALANCE, Match, balance, covariates, match_rows
from bio_interp.discovery._read import Evidence, GivenProteins, Tick, read_residues, read_whole
from bio_interp.discovery._scored import SCORES, Halves, score_baselines, score_features
from bio_interp.discovery._spans import GivenSpans, LabelledSpan, by_protein, read_spans
from bio_interp.errors import InputError, MismatchError
from bio_interp.sequences import Protein, Split, as_proteins

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas

FEWEST = 5  # clusters of each label in each half
FEWEST_PERMUTATIONS = 199


@dataclass(frozen=True, slots=True)
class ContrastOptions:
    """How a contrast is made.

    Attributes
    ----------
    match
        What positives and negatives are matched in: ``"composition"`` (length and the shares of
        the amino acids), ``"length"``, or ``"none"``. Residues are not matched: those of the same
        protein are compared.
    features
        So many features are scored on the second half.
    permutations
        Labellings without meaning that the scores are compared with; 199 or more.
    seed
        Of the halves and the permutations.
    """

    match: Match = "composition"
    features: int = 20
    permutations: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        if self.match not in ("composition", "length", "none"):
            raise InputError("match: composition, length or none", repr(self.match), "Choose one.")
        if self.features < 1:
            raise InputError("1 feature or more", str(self.features), "Ask for more.")
        if self.permutations < FEWEST_PERMUTATIONS:
            got = str(self.permutations)
            raise InputError(f"{FEWEST_PERMUTATIONS} permutations or more", got, "Ask for more.")


_DEFAULTS = ContrastOptions()


@dataclass(frozen=True, slots=True)
class _How:
    """What the steps of a contrast need beside the proteins."""

    atlas: Atlas
    split: Split | None
    options: ContrastOptions
    tick: Tick


def contrast(
    atlas: Atlas,
    positives: GivenProteins,
    negatives: GivenProteins | None = None,
    *,
    residues: GivenSpans | None = None,
    split: Split | None = None,
    options: ContrastOptions = _DEFAULTS,
    tick: Tick = lambda _: None,
) -> Contrast:
    """Find the features that separate two sets of proteins, or spans from what is around them.

    All proteins are clustered by homology together. A cluster with proteins of both sets is left
    out whole: it has no label. The other clusters are dealt into two halves. Features are chosen
    on one and scored on the other, where no relative of what chose them is. A cluster counts once,
    however many members it has.

    Parameters
    ----------
    atlas
        Model and features.
    positives, negatives
        The two sets; see `bio_interp.sequences.as_proteins`.
    residues
        In place of negatives: compare the residues in these spans of the positives with those
        outside, protein by protein. A file or tuples; see `read_spans`.
    split
        Where the clusters come from; made from the proteins where None.
    options
        Matching, features, permutations, seed.
    tick
        Called with the number of proteins read.

    Raises
    ------
    InputError
        A set is empty, or there are fewer than 5 clusters of a label in a half.
    MismatchError
        A protein (its accession or its sequence) is in both sets.
    AnnotationError
        A span is malformed, or of no protein given.
    """
    if (negatives is None) == (residues is None):
        got = "neither" if negatives is None else "both"
        raise InputError("negatives, or residues of the positives", got, "Give one of the two.")
    how = _How(atlas, split, options, tick)
    proteins = _read(positives, "positives")
    if residues is not None:
        return _contrast_residues(how, proteins, read_spans(residues))
    assert negatives is not None
    return _contrast_proteins(how, proteins, _read(negatives, "negatives"))


def _read(given: GivenProteins, which: str) -> list[Protein]:
    proteins = list(as_proteins(given))
    if not proteins:
        raise InputError(f"{which}: one protein or more", "none", "Check how the set was made.")
    return proteins


def _contrast_proteins(
    how: _How, positives: Sequence[Protein], negatives: Sequence[Protein]
) -> Contrast:
    _refuse_shared(positives, negatives)
    proteins, options = [*positives, *negatives], how.options
    label = np.repeat([True, False], [len(positives), len(negatives)])
    names, method = cluster_proteins(proteins, how.split)
    pure = _pure(names, label)
    facts: dict[str, Any] = {
        "level": "protein",
        "positives": len(positives),
        "negatives": len(negatives),
        "clusters_by": method,
        "in_mixed_clusters": int((~pure).sum()),
    }
    proteins = [p for p, keep in zip(proteins, pure, strict=True) if keep]
    names, label = [n for n, keep in zip(names, pure, strict=True) if keep], label[pure]
    dealt = deal_halves(names, dict(zip(names, label.tolist(), strict=True)), options.seed)
    select = np.array([dealt[name] == "select" for name in names], dtype=bool)
    cluster = np.unique(names, return_inverse=True)[1]
    whole = Comparison("protein", label, cluster, np.zeros(len(label), dtype=np.int64))
    _refuse_few(Halves(whole, select), "Give more proteins, or less alike ones.")
    kept, balanced = _matched(proteins, Halves(whole, select), options.match)
    facts |= {"match": options.match, "unmatched": int((~kept).sum())}
    chosen = [p for p, keep in zip(proteins, kept, strict=True) if keep]
    halves = Halves(whole.where(kept), select[kept])
    _refuse_few(halves, "Give more negatives like the positives, or match='length' or 'none'.")
    evidence = read_whole(how.atlas, chosen, how.tick)
    return _report(how, chosen, halves, evidence, (facts, balanced))


def _contrast_residues(
    how: _How, proteins: Sequence[Protein], spans: Sequence[LabelledSpan]
) -> Contrast:
    known = by_protein(spans, {p.accession: p for p in proteins})
    masks = {p.accession: _inside(p, known.get(p.accession, ())) for p in proteins}
    chosen = [p for p in proteins if 0 < masks[p.accession].sum() < len(p)]
    if not chosen:
        raise InputError(
            "proteins with residues inside and outside of spans", "none", "Check the spans."
        )
    inside = [masks[p.accession] for p in chosen]
    names, method = cluster_proteins(chosen, how.split)
    dealt = deal_halves(names, dict.fromkeys(names, 0), how.options.seed)
    lengths = [len(p) for p in chosen]
    cluster = np.unique(names, return_inverse=True)[1]
    whole = Comparison(
        "residue",
        np.concatenate(inside),
        np.repeat(cluster, lengths),
        np.repeat(np.arange(len(chosen)), lengths),
    )
    halves = Halves(whole, np.repeat([dealt[name] == "select" for name in names], lengths))
    _refuse_few(halves, "Give spans of more proteins, or of less alike ones.")
    facts: dict[str, Any] = {
        "level": "residue",
        "positives": int(whole.positive.sum()),
        "negatives": int((~whole.positive).sum()),
        "clusters_by": method,
        "proteins_left_out": len(proteins) - len(chosen),
    }
    evidence = read_residues(how.atlas, chosen, inside, how.tick)
    return _report(how, chosen, halves, evidence, (facts, pl.DataFrame(schema=BALANCE)))


def _report(
    how: _How,
    proteins: Sequence[Protein],
    halves: Halves,
    evidence: Evidence,
    about: tuple[dict[str, Any], pl.DataFrame],
) -> Contrast:
    (facts, balanced), atlas, options = about, how.atlas, how.options
    rows, limit = score_features(
        evidence,
        halves,
        features=options.features,
        permutations=options.permutations,
        seed=options.seed,
    )
    names = atlas.feature_concepts()
    for row in rows:
        known = names.get(int(row["what"]))
        row |= {"what": f"{atlas.name}/f{row['what']}", "known": known.name if known else ""}
    scores = pl.DataFrame([*rows, *score_baselines(evidence, halves)], schema=SCORES)
    select, test = (half.clusters() for half in halves.parts)
    seen = sum(atlas.pricer.exposure(p.sequence) == "seen" for p in proteins)
    facts |= {
        "proteins": len(proteins),
        "seen_by_atlas": seen,
        "select_clusters": list(select),
        "test_clusters": list(test),
        "prevalence": float(_prevalence(halves.parts[1])),
        "permutations": options.permutations,
        "permuted_best_95": limit,
        "seed": options.seed,
    }
    return Contrast(atlas.name, facts, scores, balanced)


def _prevalence(test: Comparison) -> float:
    return float(test.row_shares[test.positive].sum() / test.row_shares.sum())


def _matched(
    proteins: Sequence[Protein], halves: Halves, match: Match
) -> tuple[Bool[ndarray, "proteins"], pl.DataFrame]:
    """Match within each half; tell which proteins stay, and the balance."""
    table, label = covariates([p.sequence for p in proteins]), halves.whole.positive
    kept = np.ones(len(label), dtype=bool)
    for half in (halves.select, ~halves.select) if match != "none" else ():
        used = table[half, :1] if match == "length" else table[half]
        kept[half] = match_rows(used, label[half])
    return kept, balance(table, label, kept)


def _pure(names: Sequence[str], label: Bool[ndarray, "proteins"]) -> Bool[ndarray, "proteins"]:
    """Mark the proteins whose cluster is of one set."""
    sides: dict[str, set[bool]] = {}
    for name, side in zip(names, label.tolist(), strict=True):
        sides.setdefault(name, set()).add(side)
    return np.array([len(sides[name]) == 1 for name in names], dtype=bool)


def _inside(protein: Protein, spans: Sequence[LabelledSpan]) -> Bool[ndarray, "residues"]:
    mask = np.zeros(len(protein), dtype=bool)
    for span in spans:
        mask[span.start - 1 : span.end] = True
    return mask


def _refuse_shared(positives: Sequence[Protein], negatives: Sequence[Protein]) -> None:
    names = {p.accession: p.accession for p in positives}
    texts = {p.sequence: p.accession for p in positives}
    for protein in negatives:
        other = names.get(protein.accession) or texts.get(protein.sequence)
        if other:
            same = "" if other == protein.accession else f", the same sequence as {other}"
            raise MismatchError(
                "every protein in one of the two sets",
                f"{protein.accession} of the negatives{same} in the positives too",
                "Take it out of one of them.",
            )


def _refuse_few(halves: Halves, todo: str) -> None:
    for half, name in zip(halves.parts, ("chosen on", "scored on"), strict=True):
        counts = half.clusters() if len(half.positive) else (0, 0)
        if min(counts) < FEWEST:
            raise InputError(
                f"{FEWEST} homology clusters or more of positives and of negatives in each half",
                f"{counts[0]} and {counts[1]} in the half that is {name}",
                todo,
            )
