"""The words of docs/known-annotations.md that do not depend on the figures."""

# ruff: noqa: E501 - lines of the page
HEAD = """# Features against known annotations

What do the features of the shipped atlases know of what biologists have labelled, and do they know more than the
model's own neurons? Every figure here comes from one program and is kept in
[benchmarks/results/known_annotations.json](../benchmarks/results/known_annotations.json):

```
{command}
python benchmarks/known_annotations/page.py
```

`--quick` does the same with the reference model, 60 proteins of two sets, in a minute. ({made}.)

**Annotations.** Secondary structure (FLIP, from NetSurfP-2.0; CB513), membrane topology (TMbed, from OPM and UniProt),
conservation (FLIP, from ConSurf), cleavage sites of three proteases, long disordered regions and solvent
accessibility (aaanalysis), and curated features of UniProt (the proteome of *S. cerevisiae*, and 733 reviewed
entries with their evidence). A residue is a negative only where its source looked: residues that are not resolved,
not in the mask, or of unknown topology count neither way. The sources are *closed world*, except cleavage sites and
most UniProt features, where a residue without an annotation may still be one; precision there is a lower bound.

**Sources of features.** The SAE of the atlas, beside the model's neurons, its principal components (both with both
signs, so that a direction that is low counts too), random directions (as many as the SAE has features, the k highest
on), the letters and words of two and three letters around a residue, the SAE of a *twin* of the model whose
weights were permuted, and the SAE against permuted labels, which is what chance gives.

**Choosing and reporting.** For each concept one feature and one threshold were chosen on the *select* proteins and
scored on the *test* proteins, once. The same number of choices was open to no two sources: a source with more
features has more to choose from, and more ways to be lucky on *select*; only *test* is shown.
"""

READING = """## How to read the tables

- **F1 > 0.5**: concepts whose residue F1 on test is above one half, with a 95 % interval.
- **residue F1**: harmonic mean of precision and recall of residues, the mean over concepts. **AUROC**: of the
  feature of highest AUROC on select; threshold-free; one half is chance.
- **locator F1**: half of a run of firing residues lies in a span. **delineator F1**: runs one to one with spans at
  50 % reciprocal overlap (for single residues: the exact residue).
- Concepts count that at least {least} clusters of test bear. A concept for which nothing can be chosen counts 0.
  Intervals resample homology clusters.
- **every residue**: residue F1 of calling every residue, 2p / (1 + p) where p is the prevalence: what is below
  it has found little, whatever it beats.
- **q**: residue F1 of the SAE's best feature against {null} permutations of the labels, by Benjamini-Hochberg over the
  concepts of the set, on *select*.
- A conserved, exposed or cleaved residue is an annotation of its own; helices, strands, coils, membrane segments
  and disordered regions are spans. Conserved is ConSurf class 8 or 9, variable 1 or 2; the classes between are
  negatives of both.
"""

WHY = """Why: a feature of these SAEs is sparse, on in k of d_sae residues on average (1.6 % of the residues for the reference
atlas, 0.8 % for UniRep's). A helix, a conserved or an exposed residue is *common*: a fifth to a half of all residues.
Few single features are on in so many; the SAE has many features for helices, each for some of them, and this benchmark
takes one, which F1 makes one of the densest rather than one of the most precise. A neuron or component is dense, both its signs are tried and its threshold may be put
anywhere, so one of them can cover half of all residues by a weak trend. Residue F1 rewards that: where a third of the
residues bear a label, calling *every* residue has F1 0.5 (the row *every residue* in the tables), and no source is
much above it. AUROC suffers in the same way: residues where a sparse feature is off are all ranked alike. In such sets
read precision beside prevalence, and locator F1, which does not ask for all residues.
"""

ALONE = """## What has seen these proteins

The atlases' split was frozen before anything was trained. Proteins that came later were searched in it (MMseqs2,
30 % identity over half of the shorter sequence) and clustered among themselves at the same level. A cluster with a
relative in a training cluster is not used at all; one with relatives in several folds is not either; one with relatives in
*select* or *calibrate* serves to choose, in *test* to report (for accessibility, where few proteins are left, *calibrate*
reports too); clusters without relatives are dealt by hash. Sequences
beyond 1,022 residues are left out, as in the atlases. UniProt's proteins are in the split themselves, with its *select*
and *test*.
"""

EVIDENCE = """## How much evidence UniProt's features have

The yeast table states no evidence; the flat files do. As more evidence is asked for, the features below the bar
become unknown (they are no negatives), and few concepts stay testable. What is left in *test*:
"""

TWIN = """## The twin

The twin is the same network with each weight tensor permuted within itself (seeded): the same architecture and the
same distribution of weights, and nothing learned. An SAE with the sizes of the atlas's was trained on its activations
of fit proteins. What the twin's SAE finds as well as the atlas's does not show that the model learned it: local
composition passes through any network.
"""
