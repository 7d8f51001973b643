"""What did the calibration of the virtual patients do with a published figure? Told by the figure itself, whatever its id."""

from __future__ import annotations

from cartrial.predict.figures import Figure
from cartrial.predict.known import load_known, load_words
from cartrial.virtual.calibration.targets import Target, load_evaluation, load_targets

__all__ = ["USES", "is_kept", "use_of"]

USES = ("fit", "consulted", "held-out", "not")
"""What the calibration of the virtual patients did with a figure."""

# measure of a target: statistic of the figure, and what it is of
_RATES = ("response", "complete-response", "response-month-3", "mrd-negative", "mrd-negative-of-responders")
_MEASURES = {
    **dict.fromkeys(_RATES, ("rate", "RATE")),
    **{"remission-free-of-relapse": ("survival", "RFS"), "remission-median": ("median", "RFS")},
    **{"event-free": ("survival", "EFS"), "event-free-median": ("median", "EFS")},
    **{"alive": ("survival", "OS"), "survival-median": ("median", "OS")},
    **{"relapse-of-responders": ("rate", "relapse"), "transplanted-of-responders": ("rate", "hsct")},
    **{"infused-of-enrolled": ("rate", "infused"), "failed-of-enrolled": ("rate", "product-failure")},
    **{"severe-crs": ("rate", "CRS 3"), "severe-crs-penn": ("rate", "CRS 3"), "severe-icans": ("rate", "ICANS 3")},
}
# Least difference that the printing of a value leaves open. Unit: per cent, or months.
_PRINTED = 0.05
# The last day of the calibration stands for 60 months: 36 days before it. Unit: days.
_DAYS = 37.0
_MONTH = 30.4375


def use_of(figure: Figure) -> tuple[str, list[str]]:
    """Return what the calibration did with a figure, one of `USES`, and what to say of it.

    Notes
    -----
    A target is the same figure where both have one number, and the id is the one under which the target is known; or where trial,
    endpoint, statistic, time and number of patients agree too. Of several targets the one counts that stands first in `USES`.
    """
    consulted = load_known().consulted
    if figure.id in consulted:
        return "consulted", [f"set from it: {consulted[figure.id]}"]
    uses = {target.use for target in load_targets().targets if _is_target(figure, target)}
    return next((use for use in USES if use in uses), "not"), []


def is_kept(figure: Figure) -> bool:
    """Say whether a figure is one of those kept for evaluation alone."""
    kept = load_evaluation().get(("registry", figure.id))
    return kept is not None and kept[0] == figure.trial


def _is_target(figure: Figure, target: Target) -> bool:
    """Say whether a target of the calibration is this figure."""
    if not _same_number(figure, target):
        return False
    known = load_known()
    if known.targets.get(figure.id) == target.id:
        return True
    trial = known.trials.get(figure.trial)
    alike = trial is not None and target.trial in trial.calibration and target.blasts is None
    return alike and _MEASURES.get(target.measure) == _asked(figure) and target.of in (None, figure.n)


def _same_number(figure: Figure, target: Target) -> bool:
    value = target.published[0] * (100 if target.scale == "share" else 1)
    # written so that a figure without a number is the same as none
    if not abs(figure.value - value) <= max(figure.half, _PRINTED) * 1.001:
        return False
    return figure.time is None or abs(target.at - figure.time * _MONTH) <= _DAYS


def _asked(figure: Figure) -> tuple[str, str] | None:
    """Return the statistic of a figure and what it is of, as `_MEASURES` has them."""
    word = load_words().find(figure.endpoint)
    if word is None:
        return None
    if word.ends:
        return figure.statistic, word.ends[0]
    what = {"DOR": "RFS"}.get(word.endpoint or "", word.endpoint) or word.flow or f"{word.toxicity} {word.grade}"
    return figure.statistic, what
