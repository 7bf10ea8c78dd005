from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import Architecture, SaeConfig, TrainConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm, outlier_severity
from bio_interp.sae._rows import RowSource
from bio_interp.sae._train import OnStep, train

__all__ = [
    "Architecture",
    "InputNorm",
    "OnStep",
    "RowSource",
    "SaeConfig",
    "SparseAutoencoder",
    "SparseCodes",
    "TrainConfig",
    "outlier_severity",
    "train",
]
