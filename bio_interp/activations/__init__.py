"""Activations: a model reads proteins, and rows of many proteins are mixed for training.

A row is what a model holds of one residue at one site: ``(d_model,)``, float32. `read_rows` yields
them protein by protein (`read_sites` at several sites at once), `shuffled_rows` mixes them in
bounded memory, `outlier_severity` says how much all rows share. An `ActivationStore` keeps them
on disk.
"""

from bio_interp.activations._rows import read_rows, read_sites
from bio_interp.activations._shuffle import buffer_bytes, shuffled_rows
from bio_interp.activations._store import ActivationStore
from bio_interp.sae import outlier_severity

__all__ = [
    "ActivationStore",
    "buffer_bytes",
    "outlier_severity",
    "read_rows",
    "read_sites",
    "shuffled_rows",
]
