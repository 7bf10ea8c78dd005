"""What becomes of a model's guesses when its activations are changed.

Features are edited with `bio_interp.models.Spliceable.splice`. Here is what that costs: how much
worse a model guesses residues when it has the reconstruction of an SAE in place of its
activations, next to no activations at all (zeros) and the same for every residue (the mean).

All losses are cross-entropies in nats a residue, over the 20 amino acids. A masked model is asked
for residues that it does not see; special tokens are never touched; the unit of the intervals is
the protein, or a cluster of them. See `Fidelity` for the fields.
"""

from bio_interp.interventions._fidelity import Fidelity, fidelity, fidelity_many

__all__ = ["Fidelity", "fidelity", "fidelity_many"]
