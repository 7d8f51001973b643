"""What do the published models of CAR-T cells say? Six of them, each as its authors wrote it, to learn from and to compare with.

None is the engine of the virtual trials: each module is one paper's equations and numbers, with what is doubtful about them.
"""

from cartrial.virtual.published.chaudhury2020 import simulate_chaudhury2020
from cartrial.virtual.published.hardiansyah2019 import simulate_hardiansyah2019
from cartrial.virtual.published.kimmel2021 import simulate_kimmel2021
from cartrial.virtual.published.leon_triana2021 import simulate_leon_triana2021
from cartrial.virtual.published.mueller_schoell2021 import simulate_mueller_schoell2021, simulate_mueller_schoell2021_parameters
from cartrial.virtual.published.registry import MODELS, show_model
from cartrial.virtual.published.stein2019 import derive_stein2019_exposure, simulate_stein2019, simulate_stein2019_parameters
from cartrial.virtual.published.tables import Model, Parameter, read_model

__all__ = [
    "MODELS",
    "Model",
    "Parameter",
    "derive_stein2019_exposure",
    "read_model",
    "show_model",
    "simulate_chaudhury2020",
    "simulate_hardiansyah2019",
    "simulate_kimmel2021",
    "simulate_leon_triana2021",
    "simulate_mueller_schoell2021",
    "simulate_mueller_schoell2021_parameters",
    "simulate_stein2019",
    "simulate_stein2019_parameters",
]
