"""Which design has the protocol already? Its looks and its boundaries, the key `own` of `design` in a study file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cartrial.yamlfile import Part, wrong

__all__ = ["Own", "Stops"]


class Stops(Part):
    """How the boundaries of one kind of stop are found: exactly one of these.

    Parameters
    ----------
    spending : {"obrien-fleming", "pocock"}
        Lan and DeMets' spending function of that type.
    gamma : float
        Of Hwang, Shih and DeCani's spending function.
    responders : tuple of int or None
        Numbers of responders, one a look; None: no such stop at this look.
    levels : tuple of float or None
        One-sided levels of the exact test, one a look; of efficacy alone.
    """

    spending: Literal["obrien-fleming", "pocock"] | None = None
    gamma: float | None = Field(default=None, ge=-100, le=100)
    responders: tuple[int | None, ...] | None = None
    levels: tuple[float | None, ...] | None = None

    @field_validator("responders", "levels", mode="before", json_schema_input_type=tuple[float | Literal["none"], ...] | None)
    @classmethod
    def _none(cls, values: Any) -> Any:
        return [None if value == "none" else value for value in values] if isinstance(values, list | tuple) else values

    @model_validator(mode="after")
    def _one(self) -> Stops:
        said = [name for name in ("spending", "gamma", "responders", "levels") if getattr(self, name) is not None]
        if len(said) != 1:
            what = f"{' and '.join(said)} stand together" if said else "nothing says where the boundaries lie"
            raise wrong(what, right="Write exactly one of spending, gamma, responders, levels")
        for i, level in enumerate(self.levels or ()):
            if level is not None and not 0 < level < 1:
                raise wrong(f"the level {level:g} is not between 0 and 1", "levels", i, right="Write one-sided levels such as 0.0057")
        return self

    @property
    def rule(self) -> str | float | None:
        """The spending function: its name or its gamma; None where the boundaries themselves are given."""
        return self.spending if self.spending is not None else self.gamma


class Own(Part):
    """The trial's own design: its looks and its boundaries as the protocol has them.

    Null and alternative stand in `test` of the endpoint, the type I error in `testing`.

    Parameters
    ----------
    at : tuple of int
        Subjects of the primary endpoint's population at each look; the last is the trial's size.
    efficacy, futility : Stops, optional
        Without one there is no such stop before the last look, at which the fewest responders that keep the type I error are a success.
    binding : bool
        Whether the type I error counts on the stops for futility.
    """

    at: tuple[int, ...] = Field(min_length=1, max_length=20)
    efficacy: Stops | None = None
    futility: Stops | None = None
    binding: bool = True
    source: str = "assumption"

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[int, ...]) -> tuple[int, ...]:
        if list(at) != sorted(set(at)) or at[0] < 1 or at[-1] > 500:
            what = "the looks are not numbers of subjects in rising order"
            raise wrong(what, right="Write whole numbers from 1 to 500, such as [50, 76]")
        return at

    @model_validator(mode="after")
    def _fits(self) -> Own:
        for kind in ("efficacy", "futility"):
            stops = getattr(self, kind)
            for key in ("responders", "levels") if stops else ():
                given = getattr(stops, key)
                if given is not None and len(given) != len(self.at):
                    what = f"{len(given)} boundaries stand beside {len(self.at)} look{'s' if len(self.at) > 1 else ''}"
                    raise wrong(what, kind, key, right="Write one a look, none where there is no such stop")
            for i, (size, most) in enumerate(zip(self.at, (stops.responders if stops else None) or (), strict=False)):
                low = 1 if kind == "efficacy" else 0
                if most is not None and not low <= most <= size:
                    raise wrong(f"{most} of {size} subjects cannot be a boundary", kind, "responders", i, right=f"Write {low} to {size}")
        if self.futility is not None and self.futility.levels is not None:
            raise wrong("levels of a test are of efficacy", "futility", "levels", right="Write spending, gamma or responders")
        self._ends()
        return self

    def _ends(self) -> None:
        """Refuse boundaries that meet before the last look, or leave it undecided."""
        high = self.efficacy.responders if self.efficacy else None
        low = self.futility.responders if self.futility else None
        last = (self.efficacy.responders or self.efficacy.levels) if self.efficacy else None
        if last is not None and last[-1] is None:
            key = "responders" if high is not None else "levels"
            raise wrong("the last look has no boundary of success", "efficacy", key, right="Write what a success is at the last look")
        for i, (stop, success) in enumerate(zip(low or (), high or (), strict=False)):
            if stop is not None and success is not None and stop >= success:
                what = f"look {i + 1} stops for futility at {stop} or fewer and for efficacy at {success} or more"
                raise wrong(what, "futility", "responders", i, right="Write fewer than are a success")
        if low and high and low[-1] is not None and low[-1] != (high[-1] or 0) - 1:
            what = f"the last look leaves {low[-1] + 1} to {(high[-1] or 0) - 1} responders undecided"
            raise wrong(what, "futility", "responders", right="Write none, or one less than a success")
