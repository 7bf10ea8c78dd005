"""Activations: a model reads proteins, and rows of many proteins are mixed for training.

A row is what a model holds of one residue at one site: ``(d_model,)``, float32. `read_rows` yields
them protein by protein (`read_sites` at several sites at once), `shuffled_rows` mixes them in
bounded memory, and `ModelRows` does both in one; `outlier_severity` says how much all rows share.
An `ActivationStore` keeps them on disk; `map_rows` takes a file of your own.
"""

from bio_interp.activations._files import map_rows
from bio_interp.activations._rows import check_sites, read_rows, read_sites
from bio_interp.activations._shuffle import buffer_bytes, shuffled_rows
from bio_interp.activations._store import ActivationStore
from bio_interp.activations._stream import ModelRows
from bio_interp.sae import outlier_severity

__all__ = [
    "ActivationStore",
    "ModelRows",
    "buffer_bytes",
    "check_sites",
    "map_rows",
    "outlier_severity",
    "read_rows",
    "read_sites",
    "shuffled_rows",
]
