"""How does a study file become USDM 4.0? Identity, population, visits, endpoints, and an estimand each with its strategies.

What the model has no place for (criteria sets, readers, rules of windows, origins and events) stands in the words of the endpoint, from
which nobody reads it back. CDISC's Unified Study Definitions Model 4.0; the shape is that of CDISC's pilot study.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

from cartrial.report.study.sections.primary import estimand_items
from cartrial.study import Endpoint, Study, Variant, describe_endpoint, strategies_text
from cartrial.study.words import EVENTS
from cartrial.submission.usdm.codes import EVENT_STRATEGIES, LEVELS, PHASES, SYSTEM, TERMS, VERSION

__all__ = ["make_usdm", "write_usdm"]

Instance = dict[str, Any]
# what a version of a study may hold and a study file has nothing of
_EMPTY = (
    *("documentVersionIds", "dateValues", "amendments", "businessTherapeuticAreas", "referenceIdentifiers", "eligibilityCriterionItems"),
    *("narrativeContentItems", "abbreviations", "roles", "administrableProducts", "medicalDevices", "productOrganizationRoles"),
    *("biomedicalConcepts", "bcCategories", "bcSurrogates", "dictionaries", "conditions", "notes"),
)
DAY_0 = "day 0"
"""Name of the visit of the first infusion, from which all days are counted."""


def write_usdm(study: Study, folder: str | Path) -> None:
    """Write a study as ``usdm.json`` into a folder that is there; equal studies give equal bytes.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.submission.usdm import write_usdm
    >>> with TemporaryDirectory() as folder:
    ...     write_usdm(Study.load("inaticel"), folder)
    ...     json.loads(Path(folder, "usdm.json").read_text(encoding="utf-8"))["usdmVersion"]
    '4.0.0'
    """
    Path(folder, "usdm.json").write_text(json.dumps(make_usdm(study), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def make_usdm(study: Study) -> Instance:
    """Return a study as an object of USDM 4.0.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.submission.usdm import make_usdm
    >>> design = make_usdm(Study.load("inaticel"))["study"]["versions"][0]["studyDesigns"][0]
    >>> len(design["estimands"]), design["estimands"][0]["intercurrentEvents"][0]["name"]
    (10, 'hsct')
    """
    make, identity = _Maker(), study.study
    product = make("StudyIntervention", name=study.product.name, **_said(study.product.name, "The study product"))
    product |= {"role": make.code("experimental product"), "type": make.code("biological"), "minimumResponseDuration": None}
    product |= {"codes": [], "administrations": [], "notes": []}
    owners = [_organization(make, "sponsor", "not stated in the study file", "none")]
    identifiers = [make("StudyIdentifier", text=identity.id, scopeId=owners[0]["id"])]
    if identity.registry:
        owners.append(_organization(make, "registry", "ClinicalTrials.gov", "CT-GOV"))
        identifiers.append(make("StudyIdentifier", text=identity.registry, scopeId=owners[1]["id"]))
    title = make("StudyTitle", text=identity.title, type=make.code("official title"))
    version = make("StudyVersion", versionIdentifier=study.hash[:12], rationale="Written by cartrial from the study file")
    version |= {name: [] for name in _EMPTY}
    version |= {"titles": [title], "studyIdentifiers": identifiers, "organizations": owners, "studyInterventions": [product]}
    version |= {"studyDesigns": [_design(make, study, product)]}
    # without an id of its own, as in CDISC's pilot study
    top = {"id": None, "name": identity.id, "description": identity.design, "label": identity.title, "versions": [version]}
    top |= {"documentedBy": [], "instanceType": "Study"}
    system = {"systemName": "cartrial", "systemVersion": metadata.version("cartrial")}
    return {"study": top, "usdmVersion": "4.0.0", **system}


class _Maker:
    """Makes instances, each with an id of its class and number."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def __call__(self, kind: str, **values: Any) -> Instance:
        self._made[kind] += 1
        return {"id": f"{kind}_{self._made[kind]}", "extensionAttributes": [], **values, "instanceType": kind}

    def code(self, term: str | tuple[str, str]) -> Instance:
        code, decode = TERMS[term] if isinstance(term, str) else term
        return self("Code", code=code, codeSystem=SYSTEM, codeSystemVersion=VERSION, decode=decode)

    def alias(self, term: str | tuple[str, str]) -> Instance:
        return self("AliasCode", standardCode=self.code(term), standardCodeAliases=[])


def _said(label: str, description: str = "") -> dict[str, str]:
    return {"label": label, "description": description or label}


def _organization(make: _Maker, kind: str, name: str, scheme: str) -> Instance:
    values = {"name": name, "label": name, "type": make.code(kind), "identifierScheme": scheme, "identifier": name}
    return make("Organization", **values, legalAddress=None, managedSites=[])


def _design(make: _Maker, study: Study, product: Instance) -> Instance:
    identity = study.study
    label = identity.design or "design not stated"
    lists = ("therapeuticAreas", "characteristics", "activities", "biospecimenRetentions", "documentVersionIds", "eligibilityCriteria")
    design = make("InterventionalStudyDesign", name=identity.id, **_said(label), rationale="not stated in the study file")
    design |= {name: [] for name in (*lists, "notes", "subTypes")}
    arm = make("StudyArm", name=study.product.name, **_said(study.product.name), type=make.code("experimental arm"))
    arm |= {"dataOriginDescription": "Data of the study", "dataOriginType": make.code("collected"), "populationIds": [], "notes": []}
    phase = PHASES.get(identity.phase or "")
    design |= {"studyType": make.code("interventional"), "studyPhase": make.alias(phase) if phase else None, "arms": [arm]}
    words = label.lower()
    design |= {"model": make.code("single group"), "intentTypes": [make.code("treatment")]}
    design |= {"blindingSchema": make.alias("open label") if "open-label" in words else None}
    indication = make("Indication", name=study.disease.name, **_said(study.disease.name), codes=[], isRareDisease=False, notes=[])
    design |= {"indications": [indication], "studyInterventionIds": [product["id"]], "population": _population(make, study)}
    design |= _schedule(make, study, arm)
    objectives, endpoints = _objectives(make, study)
    populations, estimands = _estimands(make, study, product, endpoints)
    return design | {"objectives": objectives, "analysisPopulations": populations, "estimands": estimands}


def _population(make: _Maker, study: Study) -> Instance:
    words = f"Subjects with {study.disease.name}"
    population = make("StudyDesignPopulation", name="subjects", **_said(words), includesHealthySubjects=False)
    population |= {"plannedEnrollmentNumber": None, "plannedCompletionNumber": None, "plannedSex": [make.code("both")], "criterionIds": []}
    age = study.eligibility.age if study.eligibility else None
    limits = [None if age is None else age.from_, None if age is None else age.to]
    ends = [None if limit is None else make("Quantity", value=float(limit), unit=make.alias("year")) for limit in limits]
    span = make("Range", minValue=ends[0], maxValue=ends[1], isApproximate=False) if all(ends) else None
    return population | {"plannedAge": span, "notes": [], "cohorts": []}


def _schedule(make: _Maker, study: Study, arm: Instance) -> Instance:
    """Return the epochs and the visits, each some days after the first infusion with its window."""
    epochs = [
        make("StudyEpoch", name=name, **_said(name), type=make.code(f"{name} epoch"), notes=[]) for name in ("treatment", "follow-up")
    ]
    elements = [
        make("StudyElement", name=epoch["name"], **_said(epoch["name"]), transitionStartRule=None, transitionEndRule=None)
        for epoch in epochs
    ]
    cells = []
    for place, (epoch, element) in enumerate(zip(epochs, elements, strict=True)):
        epoch |= {"previousId": epochs[place - 1]["id"] if place else None, "nextId": None if place else epochs[1]["id"]}
        element |= {"studyInterventionIds": [], "notes": []}
        cells.append(make("StudyCell", armId=arm["id"], epochId=epoch["id"], elementIds=[element["id"]]))
    names = [DAY_0, *(visit.name for visit in study.disease.visits)]
    encounters = [make("Encounter", name=name, **_said(name), type=make.code("visit")) for name in names]
    instances = [make("ScheduledActivityInstance", name=name, **_said(name)) for name in names]
    for place, (encounter, instance) in enumerate(zip(encounters, instances, strict=True)):
        later = place + 1 < len(names)
        encounter |= {
            "previousId": encounters[place - 1]["id"] if place else None,
            "nextId": encounters[place + 1]["id"] if later else None,
        }
        encounter |= {"scheduledAtId": None, "environmentalSettings": [], "contactModes": [], "transitionStartRule": None}
        encounter |= {"transitionEndRule": None, "notes": []}
        instance |= {"defaultConditionId": instances[place + 1]["id"] if later else None, "epochId": epochs[bool(place)]["id"]}
        instance |= {"timelineId": None, "timelineExitId": None, "activityIds": [], "encounterId": encounter["id"]}
    timings = [_timing(make, instances, place, study) for place in range(len(names))]
    leave = make("ScheduleTimelineExit")
    instances[-1]["timelineExitId"] = leave["id"]
    line = make("ScheduleTimeline", name="assessments", **_said("Assessments of the disease"), mainTimeline=True)
    line |= {"entryCondition": "First infusion of the study product", "entryId": instances[0]["id"], "exits": [leave]}
    line |= {"timings": timings, "instances": instances, "plannedDuration": None}
    return {"epochs": epochs, "elements": elements, "studyCells": cells, "encounters": encounters, "scheduleTimelines": [line]}


def _timing(make: _Maker, instances: list[Instance], place: int, study: Study) -> Instance:
    own, first = instances[place], instances[0]
    visit = study.disease.visits[place - 1] if place else None
    day, window = (visit.day, (visit.minus, visit.plus)) if visit else (0, None)
    timing = make("Timing", name=own["name"], **_said(own["name"]), type=make.code("after" if visit else "fixed"), value=f"P{day}D")
    timing |= {"valueLabel": f"day {day}", "relativeToFrom": make.code("start to start")}
    timing |= {"relativeFromScheduledInstanceId": own["id"], "relativeToScheduledInstanceId": first["id"]}
    limits = (f"P{window[0]}D", f"P{window[1]}D") if window else (None, None)
    label = f"-{window[0]} to +{window[1]} days" if window else ""
    return timing | {"windowLower": limits[0], "windowUpper": limits[1], "windowLabel": label}


def _objectives(make: _Maker, study: Study) -> tuple[list[Instance], dict[str, Instance]]:
    """Return an objective an endpoint, and the endpoints by id."""
    objectives, endpoints = [], {}
    for endpoint in study.endpoints:
        goal, level = LEVELS[endpoint.role if endpoint.role in LEVELS else "secondary"]
        words = describe_endpoint(study, study.variants(endpoint)[0])
        text = " ".join(f"{name}: {said.rstrip('.')}." for name, said in estimand_items(study, study.variants(endpoint)[0]))
        made = make("Endpoint", name=endpoint.id, **_said(endpoint.label, words["variable"]), text=text, dictionaryId=None, notes=[])
        made |= {"purpose": "Efficacy", "level": make.code(level)}
        endpoints[endpoint.id] = made
        aim = make(
            "Objective", name=f"objective {endpoint.id}", **_said(f"To estimate: {endpoint.label}"), text=f"To estimate: {endpoint.label}"
        )
        objectives.append(aim | {"dictionaryId": None, "notes": [], "level": make.code(goal), "endpoints": [made]})
    return objectives, endpoints


def _estimands(make: _Maker, study: Study, product: Instance, endpoints: dict[str, Instance]) -> tuple[list[Instance], list[Instance]]:
    """Return the populations that are analysed, and an estimand a main analysis."""
    populations: dict[str, Instance] = {}
    estimands = []
    for endpoint in study.endpoints:
        variant = study.variants(endpoint)[0]
        words = describe_endpoint(study, variant)
        if endpoint.population not in populations:
            text = {"text": words["population"], "subsetOfIds": [], "notes": []}
            populations[endpoint.population] = make("AnalysisPopulation", name=endpoint.population, **_said(endpoint.population), **text)
        estimand = make("Estimand", name=endpoint.id, **_said(endpoint.label, words["strategies"]))
        estimand |= {"populationSummary": words["summary"].removeprefix("Summary: "), "interventionIds": [product["id"]], "notes": []}
        estimand |= {"analysisPopulationId": populations[endpoint.population]["id"], "variableOfInterestId": endpoints[endpoint.id]["id"]}
        estimands.append(estimand | {"intercurrentEvents": _events(make, endpoint, variant)})
    return list(populations.values()), estimands


def _events(make: _Maker, endpoint: Endpoint, variant: Variant) -> list[Instance]:
    """Return the intercurrent events of an estimand with their strategies."""
    found = [piece.partition("=") for piece in strategies_text(variant.endpoint).split("; ")]
    return [
        make("IntercurrentEvent", name=name, **_said(EVENTS[name]), text=EVENTS[name], dictionaryId=None, notes=[])
        | {"strategy": EVENT_STRATEGIES[strategy]}
        for name, _, strategy in found
        if name in EVENTS
    ]
