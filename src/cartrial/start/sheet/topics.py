"""What is a column about, by the words of its header?"""

from __future__ import annotations

import re

from cartrial.start.sheet.words import plain

__all__ = ["GENERIC", "is_best", "is_first", "is_prior", "of_visit", "topic_of", "visit_of"]

# in this order: the first that fits is taken
_TOPICS: tuple[tuple[str, str], ...] = (
    ("birth", r"\bbirth\b|\bdob\b|\bgeburt\w*|naissance|nacimiento|出生|生日"),
    ("age", r"\bage\b|\balter\b|\bâge\b|\bedad\b|\betà\b|年龄|年齢"),
    ("sex", r"\bsex\b|\bgender\b|\bgeschl\w*|\bsexe\b|\bsexo\b|性别"),
    ("computed", r"\b(pfs|os|dor|rfs|efs|lfs|dfs|ttr|ttp|overall survival|time to)\b.*|(无进展|总|无事件|无复发)生存|缓解持续|überleben\b"),
    ("consent", r"consent|einwilligung|知情同意|consentement|consentimiento"),
    (
        "last-assessment",
        r"last (disease |response |tumou?r |remission )?(assessment|evaluation|restaging|marrow|scan|response)|letzte[rns]? "
        r"(beurteilung|untersuchung|knochenmark\w*)|(末次|最后)(一次)?(疗效)?(评估|评价)|(relapse|disease|progression) ?free until",
    ),
    ("cause", r"cause of|reason|ursache|原因|死因|\btodesursache"),
    (
        "end-date",
        r"(death|died|deceased|tod|verstorben|死亡).*(last|follow|contact|letzt|kontakt|随访)|"
        r"(last|follow|contact|letzt|kontakt|随访).*(death|died|deceased|\btod|verstorben|死亡)",
    ),
    (
        "last-contact",
        r"(last|latest|letzte\w*|derni[eè]re?s?|últim\w+|datum der letzten) *(date )?"
        r"(contact|follow ?up|fu|seen|visit|news|known|alive|kontakt|"
        r"nachsorge|vorstellung|nachbeobachtung|contacto|suivi|nouvelles)|\b(lfu|dlc|dolfu|fu date|follow ?up date|follow ?up)\b|"
        r"(末次|最后|最近)(一次)?(随访|联系|存活)|随访|最后存活",
    ),
    (
        "mrd-limit",
        r"(mrd|残留).*(limit|lod|sensitiv\w*|nachweisgrenze|检测下限|检测限|灵敏度)|(limit|lod|sensitivity|检测限|灵敏度).*(mrd|残留)",
    ),
    ("mrd", r"\bmrd\b|residual|微小残留|残留病|微量残留"),
    ("crs", r"\bcrs\b|cytokine release|细胞因子释放|zytokin"),
    ("icans", r"\bicans\b|\bcres\b|neurotox\w*|神经毒性|neurologic\w* tox"),
    ("failure", r"(product|manufactur\w*|production) fail\w*|herstellungsfehl\w*|(制备|生产)失败"),
    ("lymphodepletion", r"lympho ?deplet\w*|lymphodéplétion|\bld\b|\bflu ?/? ?cy\b|清淋|淋巴细胞清除|清除化疗"),
    ("apheresis", r"apheres\w*|\w*pherese\b|aphérèse|单采|采集日|采血"),
    ("enrolment", r"\benrol\w*|\binclusion\b|\beinschluss\w*|入组|入选"),
    (
        "autologous",
        r"^(?!.*(\ballo|\balo|异基因)).*(\bauto(log\w*)? ?(pb|h)?"
        r"(sct|hct|szt|bmt|kmt|tph|ssct|stem|stamm|hemat|häm|transplant|trasplant|trapiant|greffe)|"
        r"\bas[cz]t\b|自体.*移植|自体干细胞)|^auto(log\w*)?$",
    ),
    (
        "transplant",
        r"\ballo\w*|\balo ?(tph|sct|tmo|trasplant\w*)|\b(haplo|h)?(sct|hct|szt|ssct)\b|\bbmt\b|\btph\b|\btmo\b|transplant\w*|greffe|"
        r"trasplant\w*|trapiant\w*|stammzell(transplant|gabe)\w*|\bkmt\b|移植",
    ),
    (
        "therapy",
        r"(new|next|subsequent|further|other|salvage|post car ?t?) *(anti ?\w+ )?(therap\w*|treatment\w*|line)|"
        r"(neue|folge|weitere|nachfolge)\w* ?therapie|后续治疗|新的?(抗\w*)?治疗|挽救治疗|nouveau traitement",
    ),
    ("relapse", r"relaps\w*|rezidiv\w*|rückfall|rechute|recidiva|recurr\w*|复发|progress\w*|进展"),
    ("death", r"\bdeath\b|\bdied\b|\bdead\b|deceased|\bdod\b|verstorben|\btod\w*|décès|exitus|muerte|死亡|去世"),
    (
        "blood-blasts",
        r"(blast\w*|原始|幼稚|原幼).*(\bpb\b|blood|peripher\w*|circul\w*|\bblut\b|外周|血)|(\bpb\b|blood|peripher\w*|circul\w*|外周).*(blast|原始|幼稚)",
    ),
    ("blasts", r"\w*blast\w*|原始|幼稚|原幼"),
    ("neutrophils", r"\banc\b|neutro\w*|\bneut\b|\bgranuloz\w*|中性粒"),
    ("platelets", r"\bplt\b|platelet\w*|thrombo\w*|plaquettes|plaquetas|血小板"),
    ("emd", r"\bemd\b|extra ?medull\w*|髓外"),
    ("copies", r"\bvcn\b|transgene|copies|copy number|拷贝"),
    ("cells", r"\bcar ?t? ?\+? ?(t )?(cells|cell count|positive|expansion)\b|car ?t? ?细胞(数|计数|绝对)"),
    ("dose", r"\bdos(e|is|age)\b|cells ?/ ?kg|剂量"),
    (
        "study-day",
        r"^(study |visit |trial )?day$|^days? (after|from|since|post)( car ?t?| infusion| day 0| cell)*$|^tag$|^studientag$|"
        r"回输后(天数|日)|^天数$|^d$",
    ),
    (
        "infusion",
        r"infu[sz]\w*|infundiert|\breinfusion\w*|^car ?t( cells?)?( therapy| treatment| date| day)?$|\bday ?0\b|\bd0\b|回输|输注|perfusion",
    ),
    ("reader", r"\b(reader|assessor|assessed by|read by|reviewer|evaluator|befunder|beurteiler)\b|评估者|评价者|阅片"),
    (
        "response",
        r"respon[sd]\w*|remission\w*|\bbor\b|ansprechen|réponse|rémission|respuesta|remisión|risposta|\bcri?\b|disease status|efficacy|"
        r"疗效|缓解|评效|反应",
    ),
    (
        "vital",
        r"\balive\b|\bvital\b|survival|\bliving\b|\blebt\b|lebend|überlebensstatus|vivant|存活|生存|生死|^status$|转归|结局|^outcome$",
    ),
    ("visit", r"^(visit|time ?point|visite|zeitpunkt|assessment|访视|时间点|检查时间点|访视名称)( name| label)?$"),
    ("test", r"^(test|parameter|analyte|lab test|test name|untersuchung|检查项目|项目|指标|检验项目)$"),
    ("unit", r"^(units?|einheit|unité|unidad|单位)$"),
    (
        "name",
        r"\bname\b|surname|initials|initialen|nachname|vorname|\bnom\b|prénom|\bmrn\b|hospital (no|number|id)|姓名|住院号|病历号|身份证",
    ),
    ("site", r"\bsite\b|\bcent(re|er)\b|zentrum|\bhospital\b|klinik\b|centro|中心|医院"),
    (
        "subject",
        r"(patient|subject|\bpat|\bpt|\bsubj|participant|proband\w*|studien|study|\bscr(eening)?)s? ?(id|no|nr|nummer|number|code|n)\b|"
        r"^(patient|subject|pat|pt|participant|id|upn|usubjid|subjid|case|code|proband|paciente)s?$|"
        r"受试者|患者|病人|病例号|筛选号|入组号|^编号$|(code|numéro|n) (du )?patient",
    ),
    ("running", r"^(no|nr|nummer|lfd nr|lfd|s no|sn|n|number|row|zeile|序号|番号)$"),
    ("value", r"^(value|result|wert|ergebnis|resultat|valeur|结果|数值|检测值)$"),
    ("date", r"\bdate\b|datum\b|\w+datum\b|fecha|\bdata\b|日期|时间"),
)
GENERIC = frozenset(("date", "visit", "value", "unit", "test", "running", None))
"""Topics of a header that says nothing without the one above it."""

_PRIOR = re.compile(
    r"\b(prior|previous|before|pre|baseline|screening|vor|vorher\w*|frühere?\w*|vortherapie\w*|antérieur\w*|avant|previo|initial|diagnos\w*|"
    r"erstdiagnose)\b|既往|之前|治疗前|回输前|输注前|基线|初诊|移植史|复发次数|number of|anzahl"
)
_BEST = re.compile(r"\bbest\b|\bbeste[srn]?\b|\bbor\b|最佳|最好|meilleure?|mejor")
_FIRST = re.compile(r"\bfirst\b|\berste[srn]?\b|首次|première?|primera?")
# a visit, by the day that it is planned on: the unit, and how many days it makes
_VISITS = (
    (re.compile(r"\b(?:day|tag|jour|d)[ +]*(\d{1,4})\b|(?<![\d.])(\d{1,4}) ?(?:天|日|days?\b|tage?\b|d\b)"), 1),
    (re.compile(r"\b(?:week|woche|semaine|wk|w) ?(\d{1,3})\b|(?<![\d.])(\d{1,3}) ?(?:周|週|weeks?\b|wochen?\b|wks?\b|w\b)"), 7),
    (re.compile(r"\b(?:month|monat|mois|mes|mo|m) ?(\d{1,3})\b|(?<![\d.])(\d{1,3}) ?(?:个?月|months?\b|monate?n?\b|mois\b|mo\b|m\b)"), 30),
    (re.compile(r"\b(?:year|jahr|an|y) ?(\d{1,2})\b|(?<![\d.])(\d{1,2}) ?(?:年(?!\d)|years?\b|jahre?\b|y\b)"), 360),
)


def _words(text: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])(?=[a-z0-9])", " ", plain(text))
    return " ".join(re.sub(r"[\s_\-./:;,()\[\]{}#°*'\"+?|（）：，。；、]+", " ", parted).split())


def topic_of(path: tuple[str, ...]) -> str | None:
    """Return what a column is about, by its headers from top to bottom; None where no word is known.

    The lowest header counts; those above it where it says nothing by itself (*Date* below *Relapse*).

    Examples
    --------
    >>> from cartrial.start.sheet.topics import topic_of
    >>> topic_of(("Relapse", "Date")), topic_of(("Datum der Infusion",)), topic_of(("回输日期",)), topic_of(("Shoe size",))
    ('relapse', 'infusion', 'infusion', None)
    """
    names = [_words(name) for name in path if name.strip()]
    if not names:
        return None
    own = _first(names[-1])
    if own not in GENERIC or len(names) == 1:
        return own
    above = _first(" ".join(names[:-1]))
    return above if above not in GENERIC else own or above


def _first(words: str) -> str | None:
    return next((topic for topic, pattern in _TOPICS if re.search(pattern, words)), None)


def visit_of(path: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the visit that a header names and the day on which it is planned; None where it names none. Unit: days.

    A month is 30 days, the first one 28 (rules, paragraph 1).

    Examples
    --------
    >>> from cartrial.start.sheet.topics import visit_of
    >>> visit_of(("Month 3", "Response")), visit_of(("第28天疗效",)), visit_of(("Response",))
    (('month 3', 90), ('day 28', 28), None)
    """
    return of_visit(" ".join(path))


def of_visit(text: str) -> tuple[str, int] | None:
    """Return the visit that a text names, as `visit_of`."""
    words = _words(text)
    for pattern, days in _VISITS:
        if found := pattern.search(words):
            number = int(next(part for part in found.groups() if part))
            if days == 30:
                return f"month {number}", 28 if number == 1 else 30 * number
            name = {1: "day", 7: "week", 360: "month"}[days]
            return f"{name} {number * 12 if days == 360 else number}", number * days
    return None


def is_best(path: tuple[str, ...]) -> bool:
    """Say whether a header is of the best response."""
    return bool(_BEST.search(_words(" ".join(path))))


def is_first(path: tuple[str, ...]) -> bool:
    """Say whether a header is of the first response."""
    return bool(_FIRST.search(_words(" ".join(path))))


def is_prior(path: tuple[str, ...]) -> bool:
    """Say whether a header is of what was before the treatment."""
    return bool(_PRIOR.search(_words(" ".join(path))))
