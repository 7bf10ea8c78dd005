"""Sparse autoencoders: activations in, sparse features out, and training.

This package knows tensors only: no proteins, no text, no model. Importing it imports torch and
nothing heavier; Lightning is imported when `train` runs.

================== ================================ ==============================================
tensor             shape                            meaning
================== ================================ ==============================================
``W_enc``          ``(d_model, d_sae)``             encoder
``b_enc``          ``(d_sae,)``                     encoder bias
``W_dec``          ``(d_sae, d_model)``             decoder, rows of unit norm
``b_dec``          ``(d_model,)``                   decoder bias, in normalised units
``feature_maxima`` ``(d_sae,)``                     largest activation seen at the end of training
``input_mean``     ``(d_model,)``                   subtracted from inputs, put back after decoding
================== ================================ ==============================================

Feature activations are in normalised units: inputs are ``(x - input_mean) * scale`` with a mean
square of 1 on the training rows. `SparseCodes` holds them row by row; features count from 0.
`fold_input_norm` gives tensors that need no normalisation, for other tools; `fold_decoder_norms`
gives the decoder of an SAE from elsewhere rows of unit norm.
"""

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import Architecture, SaeConfig, TrainConfig
from bio_interp.sae._fingerprint import check_fingerprint, fingerprint
from bio_interp.sae._fold import fold_decoder_norms, fold_input_norm
from bio_interp.sae._match import Match, match
from bio_interp.sae._metrics import MetricSums, SaeMetrics, measure
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm, outlier_severity
from bio_interp.sae._product import has_bf16_units
from bio_interp.sae._rows import RowSource, StartableRows
from bio_interp.sae._runs import SaeRun
from bio_interp.sae._stability import SeedStability, seed_stability
from bio_interp.sae._train import OnStep, OnSteps, train, train_many
from bio_interp.sae.ground_truth import PlantedFeatures, Recovery, recovery

__all__ = [
    "Architecture",
    "InputNorm",
    "Match",
    "MetricSums",
    "OnStep",
    "OnSteps",
    "PlantedFeatures",
    "Recovery",
    "RowSource",
    "SaeConfig",
    "SaeMetrics",
    "SaeRun",
    "SeedStability",
    "SparseAutoencoder",
    "SparseCodes",
    "StartableRows",
    "TrainConfig",
    "check_fingerprint",
    "fingerprint",
    "fold_decoder_norms",
    "fold_input_norm",
    "has_bf16_units",
    "match",
    "measure",
    "outlier_severity",
    "recovery",
    "seed_stability",
    "train",
    "train_many",
]
