"""How often are we right, and which product reaches more patients? Virtual trials through the endpoints and estimates of real ones."""

from cartrial.design.compare import compare_supply, published_of
from cartrial.design.stream import read_trials, stream_trials

__all__ = ["compare_supply", "published_of", "read_trials", "stream_trials"]
