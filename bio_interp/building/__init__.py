"""From proteins and annotations of your own to an atlas: a recipe, and the stages it runs.

========== ============================ ===================
stage      in -> out                    folder of the work folder
========== ============================ ===================
split      sequences -> folds           ``split``
concepts   files -> AnnotationTable     ``annotations``
sample     -> which proteins are read   ``sample``
harvest    model -> ActivationStore     ``activations``
train      activations -> SAE           ``sae``
encode     SAE -> FeatureStore          ``codes``
link       -> LinkTable, calibration    ``links``
pack       -> Atlas                     ``pack``, ``atlas``
========== ============================ ===================

Every stage keeps what it finished, and refuses to go on with other settings. `harvest_file` and
`train_file` are stages without a recipe; `sweep` trains and measures SAEs of many sites, widths and
k in one pass of a model, see `SWEEP_COLUMNS` for its table.
"""

from bio_interp.building._build import build, make_job
from bio_interp.building._direct import harvest_file, train_file
from bio_interp.building._grid import Sweep
from bio_interp.building._job import Job
from bio_interp.building._plan import Plan, plan
from bio_interp.building._recipe import Recipe, load_recipe
from bio_interp.building._stages import Shard, encode, harvest, link, train
from bio_interp.building._sweep import sweep
from bio_interp.building._sweep_table import SWEEP_COLUMNS

__all__ = [
    "SWEEP_COLUMNS",
    "Job",
    "Plan",
    "Recipe",
    "Shard",
    "Sweep",
    "build",
    "encode",
    "harvest",
    "harvest_file",
    "link",
    "load_recipe",
    "make_job",
    "plan",
    "sweep",
    "train",
    "train_file",
]
