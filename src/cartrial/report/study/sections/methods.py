"""By which methods was this computed, and where are they described?"""

from __future__ import annotations

from markupsafe import Markup, escape

from cartrial.report.page.blocks import Block, Section, Table, Text
from cartrial.report.study.data import ReportData

__all__ = ["CITATIONS", "build"]

# What a method's name or an analysis holds: the words, the citation, the DOI.
CITATIONS: tuple[tuple[str, str, str, str], ...] = (
    (
        "clopper",
        "Exact (Clopper–Pearson) interval of a rate",
        "Clopper CJ, Pearson ES. Biometrika 1934;26:404–413",
        "10.1093/biomet/26.4.404",
    ),
    ("wilson", "Wilson interval of a rate", "Wilson EB. J Am Stat Assoc 1927;22:209–212", "10.1080/01621459.1927.10502953"),
    ("mid-p", "Mid-p interval or test of a rate", "Lancaster HO. J Am Stat Assoc 1961;56:223–234", "10.1080/01621459.1961.10482105"),
    ("kaplan", "Kaplan–Meier estimate", "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457–481", "10.1080/01621459.1958.10501452"),
    (
        "kaplan",
        "Greenwood's variance; limits on the log(−log) scale",
        "Greenwood M. Reports on Public Health and Medical Subjects 33. London: HMSO; 1926",
        "",
    ),
    ("kaplan", "Limits of a median survival time", "Brookmeyer R, Crowley J. Biometrics 1982;38:29–41", "10.2307/2530286"),
    (
        "reverse",
        "Follow-up by the reverse Kaplan–Meier estimate",
        "Schemper M, Smith TL. Control Clin Trials 1996;17:343–346",
        "10.1016/0197-2456(96)00075-X",
    ),
    ("aalen", "Cumulative incidence with competing events", "Aalen OO, Johansen S. Scand J Stat 1978;5:141–150", ""),
    ("gray", "Test of cumulative incidences across groups", "Gray RJ. Ann Stat 1988;16:1141–1154", "10.1214/aos/1176350951"),
    ("fine", "Subdistribution hazards", "Fine JP, Gray RJ. J Am Stat Assoc 1999;94:496–509", "10.1080/01621459.1999.10474144"),
    ("holm", "P-values adjusted for several endpoints", "Holm S. Scand J Stat 1979;6:65–70", ""),
    ("hochberg", "P-values adjusted for several endpoints", "Hochberg Y. Biometrika 1988;75:800–802", "10.1093/biomet/75.4.800"),
    (
        "fixed-sequence",
        "P-values of endpoints tested in a fixed sequence",
        "Maurer W, Hothorn LA, Lehmacher W. In: Vollmar J, ed. Biometrie in der chemisch-pharmazeutischen Industrie 6. Stuttgart: Gustav "
        "Fischer; 1995:3–18",
        "",
    ),
    ("log-rank", "Log-rank test", "Mantel N. Cancer Chemother Rep 1966;50:163–170", ""),
    ("logrank", "Log-rank test", "Mantel N. Cancer Chemother Rep 1966;50:163–170", ""),
    ("cox", "Proportional hazards", "Cox DR. J R Stat Soc B 1972;34:187–202", "10.1111/j.2517-6161.1972.tb00899.x"),
    (
        "firth",
        "Penalised likelihood where events are few",
        "Heinze G, Schemper M. Biometrics 2001;57:114–119",
        "10.1111/j.0006-341X.2001.00114.x",
    ),
    ("rmst", "Restricted mean survival time", "Royston P, Parmar MKB. BMC Med Res Methodol 2013;13:152", "10.1186/1471-2288-13-152"),
    (
        "restricted mean",
        "Restricted mean survival time",
        "Royston P, Parmar MKB. BMC Med Res Methodol 2013;13:152",
        "10.1186/1471-2288-13-152",
    ),
    ("kappa", "Agreement beyond chance", "Cohen J. Educ Psychol Meas 1960;20:37–46", "10.1177/001316446002000104"),
    ("fleiss", "Limits of Cohen's kappa", "Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323–327", "10.1037/h0028106"),
)
ESTIMANDS = ("Estimands and intercurrent events", "ICH E9(R1) addendum on estimands and sensitivity analysis in clinical trials. 2019", "")
ASTCT = ("Grading of CRS and ICANS", "Lee DW et al. Biol Blood Marrow Transplant 2019;25:625–638", "10.1016/j.bbmt.2018.12.758")


def build(data: ReportData) -> Section:
    """Return the methods that this run used, with their sources."""
    used = {method.lower().replace("–", "-") for method in data.rows.methods()}
    used |= {row["statistic"] for row in data.rows.all if row["statistic"] in ("kappa", "rmst")}
    rows: list[tuple[str, str]] = [
        (words, _cite(text, doi)) for key, words, text, doi in CITATIONS if any(key in method for method in used)
    ]
    rows = list(dict.fromkeys(rows))
    blocks: list[Block] = []
    if data.rows.where("response") or data.rows.where("survival"):
        rows.insert(0, (ESTIMANDS[0], _cite(*ESTIMANDS[1:])))
    scales = {item.scale for item in data.study.safety.special}
    if "ASTCT" in scales and any(row["endpoint"] in ("CRS", "ICANS") for row in data.rows.where("safety")):
        rows.append((ASTCT[0], _cite(*ASTCT[1:])))
    rows.append((f"Response criteria ({data.study.disease.criteria.name})", data.study.disease.criteria.source))
    blocks.append(Table(("Method", "Source"), rows, "Methods that this run used", small=True))
    if data.study.study.references:
        blocks.append(Table(("Source",), [(reference,) for reference in data.study.study.references], "Sources of the study", small=True))
    blocks.append(
        Text(
            "Durations are event date − origin date + 1, in days. A month is 30.4375 days on this page: axes, landmarks (at whole "
            "days), medians and follow-up; visits alone are nominal, day 30 times the month. Day 0 is the first infusion."
        )
    )
    blocks.append(
        Text(
            "Every statistic of this page is a row of results.json: its number (from 0) stands in the attribute "
            "data-key of the page's source."
        )
    )
    return Section("methods", "Methods and sources", blocks, "Methods")


def _cite(text: str, doi: str) -> Markup:
    return Markup('{}. <a href="https://doi.org/{}">doi:{}</a>').format(text, doi, doi) if doi else escape(text + ".")
