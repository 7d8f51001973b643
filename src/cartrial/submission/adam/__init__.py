"""How do the engine's sets become ADaM as it is submitted?"""

from cartrial.submission.adam.shape import Shaped, shape_adam

__all__ = ["Shaped", "shape_adam"]
