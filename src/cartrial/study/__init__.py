"""What does the protocol say? The study file as frozen objects, and the built-in studies."""

from cartrial.study.criteria.families import Family
from cartrial.study.criteria.sets import CRITERIA, FAMILIES, Bound, CallCriteria, CallOptions, Criteria, Options
from cartrial.study.endpoint import Endpoint, Strategies, Variant, Window
from cartrial.study.model import Characteristic, Disease, Product, Readers, Visit
from cartrial.study.study import Study, builtin_studies
from cartrial.study.words import describe_endpoint, reader_words, strategies_text, window_text

__all__ = [
    "CRITERIA",
    "FAMILIES",
    "Bound",
    "CallCriteria",
    "CallOptions",
    "Characteristic",
    "Criteria",
    "Disease",
    "Endpoint",
    "Family",
    "Options",
    "Product",
    "Readers",
    "Strategies",
    "Study",
    "Variant",
    "Visit",
    "Window",
    "builtin_studies",
    "describe_endpoint",
    "reader_words",
    "strategies_text",
    "window_text",
]
