"""Which words do investigators write in their cells, in their languages, and what do they mean?

Only what is written in sheets of hospitals and is no word of the source data itself: those stand in `cartrial.sdtm.vocabulary`.
"""

from __future__ import annotations

import re
import unicodedata

from cartrial.sdtm.vocabulary.terms import standard_term

__all__ = [
    "NO",
    "TOTALS",
    "YES",
    "is_missing_word",
    "is_unknown_word",
    "legend_of",
    "mrd_of",
    "plain",
    "response_of",
    "sex_of",
    "vital_of",
    "yes_no",
]

YES = frozenset(
    [
        "yes",
        "y",
        "ja",
        "j",
        "true",
        "1",
        "x",
        "oui",
        "o",
        "si",
        "sí",
        "sì",
        "sim",
        "positive",
        "+",
        "done",
        "是",
        "有",
        "已",
        "已做",
        "是的",
        "√",
        "✓",
        "✔",
        "はい",
    ]
)
NO = frozenset(
    [
        "no",
        "n",
        "nein",
        "false",
        "0",
        "non",
        "nao",
        "não",
        "none",
        "never",
        "keine",
        "kein",
        "否",
        "无",
        "無",
        "没有",
        "未",
        "未做",
        "不是",
        "いいえ",
    ]
)
_MISSING = frozenset(
    (
        *(
            "-",
            "--",
            "---",
            "–",
            "—",
            ".",
            "..",
            "?",
            "??",
            "/",
            "n/a",
            "#n/a",
            "n.a.",
            "n. a.",
            "k.a.",
            "k. a.",
            "n.d.",
            "n. d.",
            "nd",
            "keine angabe",
            "unbekannt",
        ),
        *("unknown", "unk", "not known", "missing", "not available", "not recorded", "non connu", "inconnu", "desconocido", "未知", "不详"),
        *("不明", "缺失", "tbd", "pending", "null", "nan", "not done", "not applicable"),
    )
)
# blanks, and what may say that there is nothing to write
_BLANK = frozenset(
    ("-", "--", "---", "–", "—", ".", "..", "/", "n/a", "#n/a", "n.a.", "n. a.", "not applicable", "not done", "null", "nan")
)
TOTALS = re.compile(
    r"^(grand |sub ?)?(total|totals|sum|mean|average|median|count|range|min|max|sd|std|n|gesamt|summe|mittelwert|mittel|anzahl|insgesamt|"
    r"moyenne|somme|media|总计|合计|小计|平均|平均值|均值|中位数|总数|总和|人数)\b ?[:=(]?.*$"
)

_COMPLETE = (
    *("vollremission", "komplette remission", "complete", "remission complète", "rémission complète", "réponse complète", "rc"),
    *("respuesta completa", "remisión completa", "remissione completa", "完全缓解", "完全反应", "完全緩解", "完全寛解"),
)
_INCOMPLETE = (
    *("cr i", "crp", "rci", "rcp", "rc i", "cr(i)", "cr with incomplete recovery", "vollremission mit inkompletter regeneration", "crn"),
    *("完全缓解伴血细胞不完全恢复", "完全缓解伴血细胞未完全恢复", "血细胞未恢复的完全缓解", "形态学完全缓解伴不完全血液学恢复"),
)
_WORDS = {
    **dict.fromkeys(_COMPLETE, "CR"),
    **dict.fromkeys(_INCOMPLETE, "CR with incomplete hematologic recovery"),
    **dict.fromkeys(
        ("teilremission", "partielle remission", "partial", "réponse partielle", "rp", "respuesta parcial", "部分缓解", "部分反应"), "PR"
    ),
    **dict.fromkeys(("stabile erkrankung", "stable", "maladie stable", "enfermedad estable", "疾病稳定", "稳定", "病情稳定"), "SD"),
    **dict.fromkeys(("progress", "progredient", "progression", "progressed", "疾病进展", "进展", "病情进展", "progressive"), "PD"),
    **dict.fromkeys(("rezidiv", "rückfall", "rechute", "recidiva", "复发", "復発", "再发", "relapse"), "RELAPSED"),
    **dict.fromkeys(
        (
            "kein ansprechen",
            "nonresponder",
            "non responder",
            "refraktär",
            "未缓解",
            "无缓解",
            "无效",
            "无反应",
            "未达缓解",
            "no cr",
            "failure",
            "échec",
            "echec",
            "pas de réponse",
            "sin respuesta",
        ),
        "NR",
    ),
    **dict.fromkeys(("nicht beurteilbar", "not evaluable", "无法评估", "不可评估", "未评估", "未评价", "n.e."), "NE"),
}
_NEGATIVE = (
    "negativ",
    "négatif",
    "négative",
    "negativo",
    "阴性",
    "阴",
    "陰性",
    "未检出",
    "转阴",
    "-",
    "(-)",
    "neg.",
    "mrd-",
    "mrd -",
    "mrd neg",
)
_POSITIVE = ("positiv", "positif", "positivo", "阳性", "阳", "陽性", "检出", "+", "(+)", "pos.", "mrd+", "mrd +", "mrd pos")
_MALE = frozenset(
    [
        "m",
        "male",
        "man",
        "mann",
        "männlich",
        "maennlich",
        "masculin",
        "homme",
        "h",
        "hombre",
        "masculino",
        "maschio",
        "男",
        "男性",
        "boy",
        "junge",
    ]
)
_FEMALE = frozenset(
    ["f", "female", "w", "woman", "weiblich", "frau", "féminin", "femme", "mujer", "femenino", "femmina", "女", "女性", "girl", "mädchen"]
)
_ALIVE = frozenset(["alive", "living", "lebend", "lebt", "vivant", "vivo", "存活", "生存", "健在", "活着", "活"])
_DEAD = frozenset(
    [
        "dead",
        "died",
        "deceased",
        "death",
        "verstorben",
        "tot",
        "gestorben",
        "décédé",
        "decede",
        "mort",
        "muerto",
        "fallecido",
        "exitus",
        "死亡",
        "已故",
        "去世",
        "死",
    ]
)
_MRD_PART = re.compile(
    r"[ ,;/(]*\b(?:mrd)?\s*(?:status)?[ :=]*(neg(?:ative|ativ)?\.?|pos(?:itive|itiv)?\.?|[-−–+]|阴性|阳性)\s*(?:mrd)?[ )]*", re.IGNORECASE
)


def plain(text: str) -> str:
    """Return a text as it is compared: width and case do not matter, nor do several blanks.

    Examples
    --------
    >>> from cartrial.start.sheet.words import plain
    >>> plain("  Ｂest  Response ")
    'best response'
    """
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def is_missing_word(text: str) -> bool:
    """Say whether a cell says that its value is not known."""
    return plain(text) in _MISSING


def is_unknown_word(text: str) -> bool:
    """Say whether a cell says that nobody knows, which is neither a blank nor *does not apply*.

    Examples
    --------
    >>> from cartrial.start.sheet.words import is_unknown_word
    >>> is_unknown_word("Unknown"), is_unknown_word("?"), is_unknown_word("n.a."), is_unknown_word("-")
    (True, True, False, False)
    """
    word = plain(text)
    return word in _MISSING and word not in _BLANK


def yes_no(text: str) -> bool | None:
    """Return what a word of an answer says; None where it is none.

    Examples
    --------
    >>> from cartrial.start.sheet.words import yes_no
    >>> yes_no("Nein"), yes_no("有"), yes_no("perhaps")
    (False, True, None)
    """
    word = plain(text)
    return True if word in YES else False if word in NO else None


def response_of(text: str) -> tuple[str, str | None] | None:
    """Return the response that a cell says, and what it says of residual disease; None where it is no response.

    Examples
    --------
    >>> from cartrial.start.sheet.words import response_of
    >>> response_of("MRD-neg CR"), response_of("疾病进展"), response_of("good")
    (('CR', 'NEGATIVE'), ('PD', None), None)
    """
    if (whole := _response(text)) is not None:
        return whole, None
    word = plain(text)
    if "mrd" not in word:
        # 完全缓解(CR): the same said twice
        inner = re.fullmatch(r"(.+?)\s*[(/]\s*(.+?)\)?", word)
        said = {_response(part) for part in inner.groups()} if inner else set()
        return (next(iter(said)) or "", None) if len(said) == 1 and None not in said else None
    found = re.search(
        r"mrd\s*[- :=]?\s*(negative|negativ|neg|positive|positiv|pos|阴性|阳性|[-−–+])|(negative|neg|positive|pos|[-−–+]|阴性|阳性)\s*mrd",
        word,
    )
    if found is None:
        return None
    sign = found[1] or found[2]
    rest = (word[: found.start()] + " " + word[found.end() :]).strip(" ,;/()-−–+.")
    status = _response(" ".join(rest.split()))
    return (status, "NEGATIVE" if sign[0] in "n-−–阴" else "POSITIVE") if status else None


# what is said of a response beside it, and says nothing of which it is: *CR (ongoing)*
_GOES_ON = re.compile(
    r"[ (,;/]*\b(still|ongoing|on-going|continuing|continued|sustained|maintained|persistent|anhaltend|andauernd|fortlaufend|en cours|"
    r"persistante?|continua|mantenida)\b\)?|[ (,;/]*(持续|维持)(中)?\)?"
)


def _response(text: str) -> str | None:
    word = plain(text)
    word = _GOES_ON.sub("", word).strip() or word
    return standard_term(_WORDS.get(word, word), "RSSTRESC") if word else None


def mrd_of(text: str) -> str | None:
    """Return NEGATIVE or POSITIVE where a cell says so in a word; None else."""
    word = plain(text)
    if word in _NEGATIVE:
        return "NEGATIVE"
    if word in _POSITIVE:
        return "POSITIVE"
    said = standard_term(word, "LBSTRESC")
    return said if said in ("NEGATIVE", "POSITIVE") else None


def sex_of(text: str) -> str | None:
    """Return M or F; None where a cell says neither in a word."""
    word = plain(text)
    return "M" if word in _MALE else "F" if word in _FEMALE else None


def vital_of(text: str) -> bool | None:
    """Say whether a cell says that the patient is dead; None where it says neither."""
    word = plain(text)
    return True if word in _DEAD else False if word in _ALIVE else None


def legend_of(header: str) -> dict[str, str]:
    """Return what the codes of a column mean where its header says so.

    Examples
    --------
    >>> from cartrial.start.sheet.words import legend_of
    >>> legend_of("Response (0 = NR, 1 = CR)")
    {'0': 'NR', '1': 'CR'}
    """
    found = re.findall(r"(?<![\w.])(\d{1,2})\s*[=:：＝]\s*([^,;|/()（），；、\d]+)", header)
    return {code: meaning.strip() for code, meaning in found if meaning.strip()} if len(found) > 1 else {}
