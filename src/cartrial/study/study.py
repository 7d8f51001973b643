"""The study as one frozen object: loading, its variants, its hash, what in it is an assumption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, ValidationError, field_validator, model_validator

from cartrial.errors import InputError
from cartrial.faults import combined
from cartrial.shown import Shown
from cartrial.study.charter.review import Review
from cartrial.study.consistent import Parts, misfits, parts_of
from cartrial.study.criteria.families import RULE_EVENT
from cartrial.study.eligibility import Eligibility
from cartrial.study.endpoint import Endpoint, Variant, resolve_variant
from cartrial.study.model import Characteristic, Disease, Events, Identity, Kinetics, Product, Readers, Safety
from cartrial.study.planned import Design, Interval, Testing
from cartrial.study.submission import Submission
from cartrial.study.virtual import Virtual, beside, is_file_name
from cartrial.yamlfile import Part, nearest, raise_all, read_as, wrong

__all__ = ["RULES", "Study", "builtin_studies"]

ASSUMPTION = "assumption"
RULES: Final = 2
"""Version of the rules."""
LAST_OF_1: Final = "0.1.0"
"""The last version of cartrial that derived by version 1 of the rules."""


def builtin_studies() -> dict[str, Path]:
    """Return the built-in studies: name to file.

    Examples
    --------
    >>> from cartrial.study import builtin_studies
    >>> sorted(builtin_studies())
    ['allo-cd19', 'cnct19-nhl', 'inaticel', 'inaticel-children']
    """
    folder = resources.files("cartrial.study") / "builtin"
    return {Path(str(file)).stem: Path(str(file)) for file in sorted(folder.iterdir(), key=str) if str(file).endswith(".yaml")}


_MOST_KEPT = 256
_VARIANTS: dict[tuple[int, str], tuple[Endpoint, tuple[Variant, ...]]] = {}
"""The variants of endpoints that were asked for, by the endpoint's number and the primary reader."""


class Study(Shown, Part):
    """A study file.

    The only place where a rule is stated: derivations, results, footnotes and shells read it.

    Parameters
    ----------
    rules : int
        Version of the rules that values are derived by.
    partial_day_0 : str, optional
        `15th`: an infusion of which the day is not known was given on the 15th.
    emd : str, optional
        `absent`: extramedullary disease that was never recorded was absent.
    events : Events
        What is assumed of a source that records events alone.
    virtual : Virtual
        Which virtual patients the study asks for.
    submission : Submission
        As what the study leaves the house.
    review : Review, optional
        What the charter of the review committee says; read by the committee's workspace alone.
    """

    schema_version: Literal[1] = Field(alias="schema")
    rules: Literal[2] = RULES
    study: Identity
    product: Product
    eligibility: Eligibility | None = None
    partial_day_0: Literal["15th"] | None = Field(default=None, alias="partial-day-0")
    disease: Disease
    emd: Literal["absent"] | None = None
    events: Events = Events()
    readers: Readers
    testing: Testing | None = None
    design: Design | None = None
    baseline: tuple[Characteristic, ...] = ()
    subgroups: tuple[str, ...] = ()
    kinetics: Kinetics = Kinetics()
    safety: Safety = Safety()
    endpoints: tuple[Endpoint, ...] = ()
    unclear: tuple[str, ...] = ()
    virtual: Virtual = Virtual()
    submission: Submission = Submission()
    review: Review | None = None
    # of the study file, kept only where a population's file stands beside it
    _folder: Path | None = PrivateAttr(default=None)

    @field_validator("rules", mode="before")
    @classmethod
    def _version(cls, value: Any) -> Any:
        if not isinstance(value, bool) and value in (1, "1"):
            what = f"this version of cartrial derives values by version {RULES} of the rules alone"
            raise wrong(what, right=f"Write rules: {RULES}; cartrial {LAST_OF_1} is the last that derives by version 1")
        if isinstance(value, bool) or value not in (RULES, str(RULES)):
            raise wrong("there is no such version of the rules", right=f"Write rules: {RULES}")
        return RULES

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            study = handler(data)
        except ValidationError as error:
            keys = [field.alias or name for name, field in cls.model_fields.items()]
            more = misfits(parts_of(data, [special.id for special in Safety().special], keys)) if isinstance(data, dict) else ()
            raise combined(cls.__name__, error, more) from None
        raise_all(misfits(study._parts()))
        return study._counting()

    def _counting(self) -> Self:
        """Return the study with what its family counts where a response rate does not say, and with its event where samples end by one."""
        counted, named = self.disease.family.counted, self.disease.family.named_events
        if named((RULE_EVENT,)) == (RULE_EVENT,):
            return self
        endpoints: list[Endpoint] = []
        for item in self.endpoints:
            change: dict[str, Any] = {}
            if item.type == "response-rate" and "response" not in item.model_fields_set:
                change["response"] = counted
            if item.samples:
                change["analysis"] = item.analysis.model_copy(update={"competing": named(item.analysis.competing)})
            endpoints.append(item.model_copy(update=change) if change else item)
        return self.model_copy(update={"endpoints": tuple(endpoints)})

    def _parts(self) -> Parts:
        return Parts(
            endpoints=list(enumerate(self.endpoints)),
            ids=[endpoint.id for endpoint in self.endpoints],
            times=[endpoint.id for endpoint in self.endpoints if endpoint.type == "time-to-event"],
            visits=[visit.name for visit in self.disease.visits],
            characteristics=[characteristic.id for characteristic in self.baseline],
            subgroups=list(self.subgroups),
            order=list(self.testing.order) if self.testing else [],
            strata=list(self.testing.strata) if self.testing else [],
            events=[special.id for special in self.safety.special],
            design=self.design,
            pages=list(self.submission.sap.pages) if self.submission.sap else [],
            bare=not self.endpoints and not self.study.listing_only,
            family=self.disease.family,
        )

    @classmethod
    def load(cls, name: str | Path) -> Study:
        """Load a study.

        Parameters
        ----------
        name : str or Path
            A built-in name, a YAML file, or a folder that holds `study.yaml`.

        Raises
        ------
        InputError
            Naming the line and the key of everything that is wrong.

        Examples
        --------
        >>> from cartrial import Study
        >>> study = Study.load("inaticel")
        >>> study.study.registry, study.endpoints[0].id
        ('NCT04684147', 'ORR3')
        """
        path = Path(name)
        if path.is_dir():
            path = path / "study.yaml"
            if not path.is_file():
                raise InputError("the folder holds no study.yaml", file=str(path.parent), right="`cartrial new` makes a study folder")
        elif not path.is_file():
            known = builtin_studies()
            if str(name) not in known:
                near = nearest(str(name), list(known))
                raise InputError(
                    f"there is no study file, folder or built-in study called '{name}'" + (f"; the nearest is '{near}'" if near else ""),
                    right=f"Built in are: {', '.join(known)}",
                )
            path = known[str(name)]
        study = read_as(cls, path, keep=True)[0]
        if study.virtual.population is not None and is_file_name(study.virtual.population):
            study = study.model_copy()  # the kept one is of a text, not of a place
            study._folder = path.parent
        return study

    def named_population(self) -> str | Path | None:
        """Return the virtual patients that the study file names: a built-in name, the path of a file, or None.

        Raises
        ------
        InputError
            If there is no such file beside the study file.

        Examples
        --------
        >>> from cartrial import Study
        >>> Study.load("inaticel").named_population() is None
        True
        """
        name = self.virtual.population
        return beside(name, self._folder) if name is not None and is_file_name(name) else name

    @property
    def committee(self) -> Review:
        """What the charter of the review committee says; where it is silent, the safest reading."""
        return self.review or Review()

    def visit(self, name: str) -> Any:
        """Return the visit of that name.

        Examples
        --------
        >>> from cartrial import Study
        >>> visit = Study.load("inaticel").visit("month 3")
        >>> visit.day, visit.minus, visit.plus
        (90, 14, 14)
        """
        return next(visit for visit in self.disease.visits if visit.name == name)

    def variants(self, endpoint: Endpoint) -> tuple[Variant, ...]:
        """Return the main analysis of an endpoint and its sensitivity variants, readers filled in where an assessment is read.

        Examples
        --------
        >>> from cartrial import Study
        >>> study = Study.load("inaticel")
        >>> [variant.name for variant in study.variants(study.endpoints[0])][:3]
        ['', 'hsct=treatment-policy', 'population=assessed']
        """
        # asked for some hundred times a report; of the very same endpoint and reader the answer is the same
        key = (id(endpoint), self.readers.primary)
        kept = _VARIANTS.get(key)
        if kept is None:
            found = [Variant(name="", endpoint=endpoint), *(resolve_variant(endpoint, change) for change in endpoint.sensitivity)]
            # the endpoint stays beside its variants, so that no other one takes its number
            kept = endpoint, tuple(Variant(name=variant.name, endpoint=self._with_reader(variant.endpoint)) for variant in found)
            if len(_VARIANTS) >= _MOST_KEPT:
                _VARIANTS.clear()
            _VARIANTS[key] = kept
        return kept[1]

    @property
    def interval(self) -> Interval:
        """Method and level of the intervals beside estimates."""
        return self.testing.interval if self.testing else Interval()

    def _with_reader(self, endpoint: Endpoint) -> Endpoint:
        reader = (endpoint.reader or self.readers.primary) if endpoint.read else None
        return endpoint.model_copy(update={"reader": reader})

    @property
    def hash(self) -> str:
        """SHA-256 of the content: the same for any order of keys, comments and layout.

        It leaves out what changes no value: whose data they are (`provenance`), and as what the study leaves the house (`submission`).
        """
        # not kept: a changed copy would carry it along
        content = self.model_dump(mode="json", by_alias=True)
        del content["study"]["provenance"], content["submission"]
        if self.review is None:
            # a study without a charter is what it was before there were any
            del content["review"]
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()

    def assumptions(self) -> list[tuple[str, str]]:
        """Return every rule whose source is an assumption: where it stands, what is said."""
        content = self.model_dump(mode="json", by_alias=True)
        if self.disease.marrow is None:
            # residual disease is read of a remission
            del content["disease"]["mrd"]
        return [*self._assumed_of_sources(), *_assumed(content, "")]

    def _assumed_of_sources(self) -> Iterator[tuple[str, str]]:
        """Yield what is assumed of what a source did not record."""
        if self.partial_day_0:
            yield "partial-day-0", f"{ASSUMPTION}: an infusion of which the day is not known was given on the 15th"
        if self.emd:
            yield "emd", f"{ASSUMPTION}: extramedullary disease that was never recorded was absent"
        if self.events.relapse_free_until:
            yield (
                "events.relapse-free-until",
                f"{ASSUMPTION}: a responder without an event was free of {self.disease.family.names.event} until the last contact",
            )


def _assumed(node: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        source = node.get("source")
        if isinstance(source, str) and ASSUMPTION in source.lower():
            name = node.get("id") if at.startswith("endpoints") else None
            yield str(name or at), source
        for key, value in node.items():
            yield from _assumed(value, f"{at}.{key}" if at else key)
    elif isinstance(node, list):
        for item in node:
            named = item if isinstance(item, dict) else {}
            label = next((named[key] for key in ("id", "name", "event", "endpoint") if named.get(key)), None)
            yield from _assumed(item, f"{at}.{label}" if label else at)
