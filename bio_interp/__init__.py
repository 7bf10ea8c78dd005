"""An MRI for biology models: from protein sequences to named, calibrated features."""

from bio_interp.errors import BioInterpError

__version__ = "0.1.0"
__all__ = ["BioInterpError"]
