"""Which words may a coded variable hold, and which of them mean the same?

One map. Submission values and synonyms are those of the CDISC SDTM Controlled Terminology of 2024-03-29 (code lists ONCRSR C96785, EVAL
C78735, NCOMPLT C66727, PROTMLST C114118, OUT C66768, NY C66742, SEX C66731, LBTESTCD C65047) where it has them, else the sponsor terms
that this product reads.
Case, underscores, repeated blanks and the width of a letter (Ｎ, N) do not matter.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from cartrial.sdtm.vocabulary.laboratory import CNS, LESION_TESTS, METHODS, OBJECTS, REASONS, RESULTS, SPECIMENS, TESTS

__all__ = ["CODE_LISTS", "CodeList", "canonical", "normalised", "standard_term", "value_of"]


@dataclass(frozen=True)
class CodeList:
    """A code list.

    Parameters
    ----------
    name : str
        Its name in the schema.
    terms : dict of str to tuple of str
        Term used inside, and the words that mean it.
    closed : bool
        True: a word outside the list is an error in a field the rules need. False: sponsors add their own; only a likely misspelling is
        doubtful.
    """

    name: str
    terms: dict[str, tuple[str, ...]]
    closed: bool = True

    @cached_property
    def lookup(self) -> dict[str, str]:
        """Normalised word to term."""
        return {_plain(word): term for term, words in self.terms.items() for word in (term, *words)}

    @cached_property
    def columns(self) -> tuple[pl.Series, pl.Series]:
        """Words and their terms, as columns made once: rules ask for them hundreds of times."""
        return pl.Series(list(self.lookup), dtype=pl.String), pl.Series(list(self.lookup.values()), dtype=pl.String)

    def nearest(self, word: str, cutoff: float = 0.75) -> str | None:
        """Return the term whose words are nearest to a word, or None. Letters that changed places (DAETH) are as near as can be."""
        letters = sorted(_plain(word))
        for known, term in self.lookup.items():
            if len(letters) > 3 and sorted(known) == letters:
                return term
        near = difflib.get_close_matches(_plain(word), list(self.lookup), n=1, cutoff=cutoff)
        return self.lookup[near[0]] if near else None


def _plain(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).upper().replace("_", " ").split())


_NOT_EVALUABLE = (
    "NOT EVALUABLE",
    "UNEVALUABLE",
    "NOT ASSESSABLE",
    "NOT ASSESSED",
    "NOT DONE",
    "ND",
    "UNKNOWN",
    "NA",
    "NOT APPLICABLE",
    "MISSING",
)


# what --STAT and --MOOD say of a record: in the words of sites, in their languages; Y, N and numbers do not say which of both they mean
_NOT_DONE = (
    *(
        "ND",
        "NOTDONE",
        "NOT-DONE",
        "UNDONE",
        "NOT PERFORMED",
        "NOT COLLECTED",
        "NOT OBTAINED",
        "NOT TAKEN",
        "NOT GIVEN",
        "NOT ADMINISTERED",
    ),
    *("NOT ASSESSED", "NOT EXAMINED", "NOT EVALUATED", "NOT COMPLETED", "NOT STARTED", "NOT TESTED", "NOT MEASURED", "NOT ANSWERED"),
    *("MISSED", "OMITTED", "SKIPPED", "CANCELLED", "CANCELED", "WITHHELD"),
    *("NICHT DURCHGEFÜHRT", "NICHT ERFOLGT", "NICHT GEMACHT", "NICHT GEGEBEN", "NON FAIT", "NON EFFECTUÉ", "NON RÉALISÉ"),
    *(
        "NO REALIZADO",
        "NO HECHO",
        "NON ESEGUITO",
        "NÃO REALIZADO",
        "未做",
        "未检",
        "未查",
        "未进行",
        "未执行",
        "未完成",
        "未实施",
        "未実施",
    ),
)
_DONE = (
    *("COMPLETED", "COMPLETE", "PERFORMED", "COLLECTED", "OBTAINED", "TAKEN", "GIVEN", "ADMINISTERED", "ASSESSED", "EXAMINED"),
    *("EVALUATED", "TESTED", "MEASURED", "ANSWERED", "FINAL", "FINISHED"),
    *("DURCHGEFÜHRT", "ERFOLGT", "GEMACHT", "GEGEBEN", "FAIT", "EFFECTUÉ", "RÉALISÉ", "REALIZADO", "HECHO", "ESEGUITO"),
    *("已做", "已检", "已查", "已进行", "已执行", "已完成", "完成", "已实施", "実施"),
)
_PLANNED = (
    *("PLANNED", "PLAN", "INTENDED", "INTENT", "ORDERED", "PROPOSED", "REQUESTED", "GEPLANT", "PRÉVU", "PLANIFIÉ"),
    *("PLANIFICADO", "PROGRAMADO", "PREVISTO", "PLANEJADO", "计划", "已计划", "拟", "預定", "予定", "計画"),
)


def _of_reader(number: int) -> tuple[str, ...]:
    """Return how the reader of a number is called beside READER 1 and 2; of three the third adjudicates. A bare 3 is no name."""
    names = ("READER", "RADIOLOGIST", "REVIEWER", "RATER", "ASSESSOR", "EVALUATOR")
    spelt = (f"{name}{between}{number}" for name in names for between in ("", " ", "-", " - ", " #"))
    return (*(word for word in spelt if number == 3 or word != f"READER {number}"), f"R{number}", *((str(number),) if number < 3 else ()))


def _of_grade(grade: int) -> tuple[str, ...]:
    """Return how sites write a grade: with the word for it before or after, in Arabic or Roman figures, as a number with a decimal."""
    figures = (str(grade), "０１２３４５"[grade], *(figures[grade - 1] for figures in _FIGURES if grade))
    before = ("GRADE", "GRAD", "GRADO", "GR", "GR.", "G", "CTCAE GRADE", "ASTCT GRADE")
    spelt = [f"{word}{between}{figure}" for figure in figures for word in before for between in ("", " ", "-")]
    spelt += [f"{figure}{between}{word}" for figure in figures for word in ("级", "級", "度", "°") for between in ("", " ")]
    return (*figures[1:], f"{grade}.0", f"{grade}.00", f"{grade},0", *spelt, *_GRADES[grade])


_NO_EVENT = ("NONE", "NO", "NO EVENT", "KEINE", "KEIN", "NEIN", "NON", "AUCUN", "AUCUNE", "NINGUNO", "NESSUNO", "无", "無")
_GRADES = (_NO_EVENT, ("MILD",), ("MODERATE",), ("SEVERE",), ("LIFE THREATENING",), ("FATAL",))
# of grades 1 to 5
_FIGURES = (("I", "II", "III", "IV", "V"), tuple("ⅠⅡⅢⅣⅤ"), tuple("一二三四五"))

_CALLS = {"OVRLRESP": ("OVERALL RESPONSE", "OVRRESP"), "METBRESP": ("METABOLIC RESPONSE",), "ANATRESP": ("ANATOMIC RESPONSE",)}
_LISTS = (
    CodeList("SEX", {"M": ("MALE",), "F": ("FEMALE",), "U": ("UNK", "UNKNOWN"), "INTERSEX": ("UNDIFFERENTIATED",)}),
    CodeList("NY", {"Y": ("YES", "TRUE", "1"), "N": ("NO", "FALSE", "0"), "U": ("UNK", "UNKNOWN"), "NA": ("NOT APPLICABLE",)}),
    CodeList("DTHFL", {"Y": ("YES", "TRUE", "DEAD", "1"), "N": ("NO", "FALSE", "0")}),
    CodeList("STAT", {"NOT DONE": _NOT_DONE, "DONE": _DONE}),
    CodeList("MOOD", {"PERFORMED": ("DONE", "ACTUAL", *(word for word in _DONE if word != "PERFORMED")), "SCHEDULED": _PLANNED}),
    CodeList(
        "RSSTRESC",
        {
            "CR": (
                "COMPLETE REMISSION",
                "COMPLETE RESPONSE",
                "MORPHOLOGIC CR",
                "MORPHOLOGIC COMPLETE REMISSION",
                "MORPHOLOGIC COMPLETE RESPONSE",
            ),
            "CRh": ("CR WITH PARTIAL HEMATOLOGIC RECOVERY", "COMPLETE REMISSION WITH PARTIAL HEMATOLOGIC RECOVERY", "MORPHOLOGIC CRH"),
            "CRi": (
                "MORPHOLOGIC CRI",
                "CR WITH INCOMPLETE HEMATOLOGIC RECOVERY",
                "COMPLETE REMISSION WITH INCOMPLETE BLOOD COUNT RECOVERY",
                "COMPLETE REMISSION WITH INCOMPLETE HEMATOLOGIC RECOVERY",
                "COMPLETE RESPONSE WITH INCOMPLETE BONE MARROW RECOVERY",
                "MORPHOLOGIC COMPLETE REMISSION WITH INCOMPLETE BLOOD COUNT RECOVERY",
                "MORPHOLOGIC COMPLETE REMISSION WITH INCOMPLETE BONE MARROW RECOVERY",
            ),
            "MLFS": (
                "MORPHOLOGIC LEUKEMIA-FREE STATE",
                "MORPHOLOGIC LEUKAEMIA-FREE STATE",
                "MORPHOLOGIC LEUKEMIA FREE STATE",
                "NO EVIDENCE OF LEUKEMIA",
                "NEL",
            ),
            "NR": (
                "NO RESPONSE",
                "NON-RESPONSE",
                "NON RESPONSE",
                "NONRESPONSE",
                "MR",
                "MINIMAL RESPONSE",
                "MINOR RESPONSE",
                "TREATMENT FAILURE",
                "REFRACTORY",
                "REFRACTORY DISEASE",
            ),
            "PD": ("PROGRESSIVE DISEASE", "DISEASE PROGRESSION", "PROGRESSION"),
            "RELAPSE": (
                "RELAPSED DISEASE",
                "RELAPSED DISEASE FROM CR",
                "RELAPSED DISEASE FROM CR OR PR",
                "RELAPSED DISEASE FROM COMPLETE RESPONSE",
                "RELAPSE FROM CR",
                "RECURRENT DISEASE",
                "DISEASE RELAPSE",
                "CLINICAL RELAPSE",
                "RELAPSED",
                "RD",
            ),
            "MRD RELAPSE": ("MOLECULAR RELAPSE", "MRD RELAPSED", "MINIMAL RESIDUAL DISEASE RELAPSE", "MEASURABLE RESIDUAL DISEASE RELAPSE"),
            "INDETERMINATE": ("INDETERMINATE RESPONSE", "INCONCLUSIVE", "EQUIVOCAL"),
            "PR": ("PARTIAL REMISSION", "PARTIAL RESPONSE"),
            "SD": ("STABLE DISEASE", "STABLE"),
            "IR": ("IR1", "IR2", "IR2A", "IR2B", "IR3"),
            "NE": _NOT_EVALUABLE,
        },
    ),
    CodeList("RSTESTCD", {**_CALLS, "RDIORESP": ("RADIOLOGIC RESPONSE",)}, closed=False),
    CodeList(
        "RSEVAL",
        {
            "INVESTIGATOR": ("INV", "PRINCIPAL INVESTIGATOR", "SUBINVESTIGATOR", "LOCAL INVESTIGATOR", "LOCAL", "SITE"),
            "INDEPENDENT ASSESSOR": (
                "IRC",
                "BICR",
                "IRRC",
                "ICR",
                "INDEPENDENT REVIEW COMMITTEE",
                "INDEPENDENT REVIEW",
                "INDEPENDENT REVIEWER",
                "INDEPENDENT RATER",
                "CENTRAL",
                "CENTRAL REVIEW",
                "BLINDED INDEPENDENT CENTRAL REVIEW",
            ),
            "ADJUDICATOR": ("ADJUDICATION COMMITTEE", "ADJUDICATION"),
        },
    ),
    CodeList(
        "RSEVALID",
        {
            "READER 1": _of_reader(1),
            "READER 2": _of_reader(2),
            "ADJUDICATOR": ("ADJUDICATION COMMITTEE", "ADJUDICATION", "ADJUDICATING RADIOLOGIST", "ADJUDICATOR 1", *_of_reader(3)),
        },
    ),
    CodeList("RSACPTFL", {"Y": ("YES", "TRUE", "ACCEPTED", "1"), "N": ("NO", "FALSE", "NOT ACCEPTED", "0")}),
    CodeList("LBTESTCD", TESTS, closed=False),
    CodeList("LBSPEC", SPECIMENS, closed=False),
    CodeList("LBMETHOD", METHODS, closed=False),
    CodeList("LBSTRESC", RESULTS, closed=False),
    CodeList("LBREASND", REASONS, closed=False),
    CodeList("FAOBJ", OBJECTS, closed=False),
    CodeList("FATESTCD", LESION_TESTS, closed=False),
    CodeList(
        "FASTRESC",
        {
            "PRESENT": ("Y", "YES", "POSITIVE", *CNS[3]),
            "ABSENT": ("N", "NO", "NEGATIVE", "NONE", *CNS[1], *CNS[2]),
            "NOT DONE": ("ND", "NE", "U", "UNKNOWN", "NOT EVALUABLE", "NOT ASSESSED"),
        },
    ),
    CodeList("SSTESTCD", {"SURVSTAT": ("SURVIVAL STATUS", "SURVIVAL")}, closed=False),
    CodeList(
        "SSSTRESC",
        {"ALIVE": ("LIVING", "A"), "DEAD": ("DECEASED", "DIED", "DEATH", "D"), "UNKNOWN": ("U", "UNK", "LOST TO FOLLOW-UP", "NOT DONE")},
    ),
    CodeList("AETOXGR", {str(grade): _of_grade(grade) for grade in range(6)}),
    CodeList(
        "AEOUT",
        {
            "FATAL": ("DEATH", "GRADE 5"),
            "NOT RECOVERED/NOT RESOLVED": ("NOT RECOVERED", "NOT RESOLVED", "ONGOING"),
            "RECOVERED/RESOLVED": ("RECOVERED", "RESOLVED"),
            "RECOVERED/RESOLVED WITH SEQUELAE": ("RECOVERED WITH SEQUELAE", "RESOLVED WITH SEQUELAE"),
            "RECOVERING/RESOLVING": ("RECOVERING", "RESOLVING"),
            "UNKNOWN": ("U", "UNK"),
        },
    ),
    CodeList(
        "DSDECOD",
        {
            "INFORMED CONSENT OBTAINED": ("INFORMED CONSENT", "CONSENTED"),
            "ENROLLED": (
                "ENTERED INTO TRIAL",
                "SUBJECT ENTERED INTO TRIAL",
                "ENROLMENT",
                "ENROLLMENT",
            ),
            "PRODUCT RELEASED": ("PRODUCT RELEASE", "CAR-T PRODUCT RELEASED"),
            "PRODUCT FAILURE": ("MANUFACTURING FAILURE", "PRODUCT MANUFACTURING FAILURE", "PRODUCT NOT RELEASED"),
            "WITHDRAWAL BY SUBJECT": (
                "WITHDRAWAL OF CONSENT",
                "WITHDREW CONSENT",
                "CONSENT WITHDRAWN",
                "INFORMED CONSENT WITHDRAWN",
                "STUDY CONSENT WITHDRAWN",
                "WITHDRAWAL BY PARENT/GUARDIAN",
                "DROPOUT",
            ),
            "LOST TO FOLLOW-UP": ("LOST TO FOLLOW UP", "LTFU"),
            "DEATH": ("DEAD", "DIED"),
        },
        closed=False,
    ),
    CodeList(
        "PRTRT",
        {
            "LEUKAPHERESIS": ("APHERESIS", "LEUCAPHERESIS"),
            "ALLOGENEIC STEM CELL TRANSPLANT": (
                "ALLOGENEIC HSCT",
                "ALLO-HSCT",
                "ALLOHSCT",
                "ALLO HSCT",
                "ALLO-SCT",
                "HSCT",
                "ALLOGENEIC STEM CELL TRANSPLANTATION",
                "ALLOGENEIC HEMATOPOIETIC STEM CELL TRANSPLANT",
                "ALLOGENEIC HEMATOPOIETIC STEM CELL TRANSPLANTATION",
                "ALLOGENEIC HAEMATOPOIETIC STEM CELL TRANSPLANTATION",
                "ALLOGENEIC BONE MARROW TRANSPLANT",
                "ALLOGENEIC BONE MARROW TRANSPLANTATION",
                "ALLOGENEIC TRANSPLANT",
                "ALLOGENEIC TRANSPLANTATION",
            ),
            "CONDITIONING": ("TRANSPLANT CONDITIONING", "HSCT CONDITIONING", "CONDITIONING REGIMEN"),
            "PLATELET TRANSFUSION": (
                *("PLATELETS TRANSFUSION", "PLATELET TRANSFUSIONS", "TRANSFUSION OF PLATELETS", "THROMBOCYTE TRANSFUSION"),
            ),
            "RED BLOOD CELL TRANSFUSION": (
                "RED CELL TRANSFUSION",
                "RBC TRANSFUSION",
                "PACKED RED BLOOD CELL TRANSFUSION",
                "PACKED RED CELL TRANSFUSION",
                "ERYTHROCYTE TRANSFUSION",
                "RED BLOOD CELL TRANSFUSIONS",
                "TRANSFUSION OF RED BLOOD CELLS",
            ),
        },
        closed=False,
    ),
    CodeList(
        "CMCAT",
        {
            "SUBSEQUENT ANTICANCER THERAPY": (
                "NEW ANTICANCER THERAPY",
                "SUBSEQUENT ANTI-CANCER THERAPY",
                "NEW ANTI-CANCER THERAPY",
                "NEW THERAPY",
                "SUBSEQUENT THERAPY",
            ),
            "BRIDGING THERAPY": ("BRIDGING", "BRIDGING CHEMOTHERAPY"),
            "CONDITIONING": ("TRANSPLANT CONDITIONING", "HSCT CONDITIONING"),
            "INTRATHECAL PROPHYLAXIS": ("CNS PROPHYLAXIS", "INTRATHECAL CHEMOTHERAPY PROPHYLAXIS"),
            "GROWTH FACTOR": (
                "GROWTH FACTORS",
                "HEMATOPOIETIC GROWTH FACTOR",
                "HAEMATOPOIETIC GROWTH FACTOR",
                "G-CSF",
                "GRANULOCYTE COLONY STIMULATING FACTOR",
                "GRANULOCYTE COLONY-STIMULATING FACTOR",
            ),
            "CYTOKINE RELEASE SYNDROME TREATMENT": ("CRS TREATMENT", "TREATMENT OF CYTOKINE RELEASE SYNDROME", "TREATMENT OF CRS"),
            "NEUROTOXICITY TREATMENT": ("ICANS TREATMENT", "TREATMENT OF ICANS", "TREATMENT OF NEUROTOXICITY"),
        },
        closed=False,
    ),
)

CODE_LISTS: dict[str, CodeList] = {codes.name: codes for codes in _LISTS}


def normalised(column: pl.Expr) -> pl.Expr:
    """Return a text column in upper case, with underscores as blanks, blanks single, and letters of full width as plain ones (NFKC)."""
    return column.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[_\s]+", " ").str.strip_chars()


def canonical(column: pl.Expr, codes: str) -> pl.Expr:
    """Return the term of a code list that each word means, null where it means none."""
    return normalised(column).replace_strict(*CODE_LISTS[codes].columns, default=None, return_dtype=pl.String)


def standard_term(word: str, codes: str) -> str | None:
    """Return the term of a code list that one word means, or None."""
    return CODE_LISTS[codes].lookup.get(_plain(word))


def value_of(frame: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Expr:
    """Return a column, null where the frame lacks it."""
    return pl.col(name).cast(dtype, strict=False) if name in frame.columns else pl.lit(None, dtype=dtype)
