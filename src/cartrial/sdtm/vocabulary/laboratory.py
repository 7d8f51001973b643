"""Which words of what was found mean the same? Tests, specimens, methods, results, reasons, disease outside the marrow: terms and words."""

from __future__ import annotations

from cartrial.study.criteria.specimens import CEREBROSPINAL

__all__ = ["CNS", "LESION_LIKE", "LESION_TESTS", "METHODS", "OBJECTS", "REASONS", "RESULTS", "SPECIMENS", "TESTS"]


def _blood_of(kind: str) -> tuple[str, ...]:
    return f"{kind} BLOOD", f"BLOOD {kind}", f"BLOOD, {kind}"


TESTS: dict[str, tuple[str, ...]] = {
    "BLAST": (
        "BLASTCE",
        "BLASTLE",
        "BLASTLM",
        "BLSTLY",
        "BLSTLYLE",
        "BLSTLYCE",
        "BLASTS",
        "BLASTS/TOTAL CELLS",
        "BLASTS/LEUKOCYTES",
        "LEUKEMIC BLASTS",
        "LYMPHOBLASTS",
        "LYMPHOBLASTS/LEUKOCYTES",
    ),
    "NEUT": ("ANC", "NEUTROPHILS"),
    "PLAT": ("PLT", "PLATELETS", "PLATELET COUNT"),
    "MRD": ("MINIMAL RESIDUAL DISEASE", "MEASURABLE RESIDUAL DISEASE"),
    "CARTG": ("VCN", "TRANSGENE", "CAR TRANSGENE"),
    "CARTC": ("CAR-T CELLS", "CART CELLS", "CAR T CELLS"),
    "BCELL": ("CD19BC", "B CELLS", "B-CELLS", "CD19 B CELLS"),
    "IL6": ("INTLK6", "INTERLEUKIN 6", "IL-6"),
    "FERRITIN": ("FERR",),
    "CRP": ("C REACTIVE PROTEIN", "C-REACTIVE PROTEIN"),
    "LDH": ("LACTATE DEHYDROGENASE",),
}
"""Tests that a rule or a table reads."""

SPECIMENS: dict[str, tuple[str, ...]] = {
    "BONE MARROW": (
        "MARROW",
        "BM",
        "BMA",
        "BONE MARROW ASPIRATE",
        "BONE MARROW, ASPIRATE",
        "ASPIRATE, BONE MARROW",
        "MARROW ASPIRATE",
        "BONE MARROW BIOPSY",
        "BONE MARROW CORE",
        "BONE MARROW TREPHINE",
        "BONE MARROW CLOT",
    ),
    "BLOOD": (
        "PERIPHERAL BLOOD",
        "BLOOD, PERIPHERAL",
        "BLOOD PERIPHERAL",
        "PB",
        "WHOLE BLOOD",
        "BLOOD, WHOLE",
        "BLOOD WHOLE",
        "EDTA BLOOD",
        "EDTA WHOLE BLOOD",
        "PERIPHERAL WHOLE BLOOD",
        *(word for kind in ("VENOUS", "CENTRAL VENOUS", "CAPILLARY", "ARTERIAL") for word in _blood_of(kind)),
    ),
    "PBMC": ("PBMCS", "PERIPHERAL BLOOD MONONUCLEAR CELLS", "PERIPHERAL BLOOD MONONUCLEAR CELL"),
    "CSF": CEREBROSPINAL,
    "URINE": (),
    "TISSUE": (),
    "LYMPH NODE": (),
    "TESTIS": (),
    "PLEURAL FLUID": (),
    "ASCITES": ("PERITONEAL FLUID", "ASCITES FLUID"),
    "STOOL": ("FECES", "FAECES"),
    "SALIVA": (),
    "SERUM": (),
    "PLASMA": (),
}
"""Specimens; whatever is of another one than a rule reads is listed."""

METHODS: dict[str, tuple[str, ...]] = {
    "FLOW CYTOMETRY": (
        "FLOW",
        "FCM",
        "MFC",
        "MPFC",
        "MULTIPARAMETER FLOW CYTOMETRY",
        "MULTIPARAMETRIC FLOW CYTOMETRY",
        "MULTICOLOR FLOW CYTOMETRY",
        "MULTICOLOUR FLOW CYTOMETRY",
        "NEXT GENERATION FLOW",
        "NEXT-GENERATION FLOW",
        "NGF",
    ),
    "NEXT GENERATION SEQUENCING": (
        "NGS",
        "NEXT-GENERATION SEQUENCING",
        "NEXT GENERATION TARGETED SEQUENCING",
        "MASSIVELY PARALLEL SEQUENCING",
        "HIGH-THROUGHPUT SEQUENCING",
        "HIGH THROUGHPUT SEQUENCING",
        "IMMUNE REPERTOIRE DEEP SEQUENCING",
        "CLONOSEQ",
    ),
    "QUANTITATIVE PCR": (
        "PCR",
        "QPCR",
        "RQ-PCR",
        "RT-QPCR",
        "ASO RQ-PCR",
        "REAL-TIME PCR",
        "QUANTITATIVE POLYMERASE CHAIN REACTION",
        "REAL-TIME POLYMERASE CHAIN REACTION",
        "DROPLET DIGITAL POLYMERASE CHAIN REACTION",
        "DIGITAL PCR",
        "DDPCR",
    ),
    "FLUORESCENT IN SITU HYBRIDIZATION": ("FISH", "FLUORESCENCE IN SITU HYBRIDIZATION", "FLUORESCENCE IN-SITU HYBRIDIZATION"),
    "KARYOTYPING": ("CYTOGENETICS", "CYTOGENETIC ANALYSIS", "CHROMOSOME BANDING", "GENETICS"),
}
"""Methods by which residual disease is looked for."""


def _of_marrow(number: int) -> tuple[str, ...]:
    return f"M{number} MARROW", f"M-{number}", f"M {number}", f"MARROW M{number}"


RESULTS: dict[str, tuple[str, ...]] = {
    **{f"M{number}": _of_marrow(number) for number in (1, 2, 3)},
    "NEGATIVE": (
        "NEG",
        "ND",
        "N.D.",
        "NOT DETECTED",
        "NOT DETECTABLE",
        "NON-DETECTABLE",
        "NONDETECTABLE",
        "NOT FOUND",
        "UNDETECTABLE",
        "NONE DETECTED",
        "NONE SEEN",
        "NOT SEEN",
        "NONE",
        "ABSENT",
        "UNDETECTED",
        "BELOW LIMIT OF DETECTION",
        "BELOW THE LIMIT OF DETECTION",
        "BELOW LOD",
        "<LOD",
        "< LOD",
        "BLD",
        "BLOD",
        "MRD NEGATIVE",
        "MRD-NEGATIVE",
        "MRD NEG",
    ),
    "BLQ": (
        "BLOQ",
        "BLLOQ",
        "LLOQ",
        "BELOW LLOQ",
        "< LLOQ",
        "< LOQ",
        "BELOW LOQ",
        "BELOW THE LIMIT OF QUANTIFICATION",
        "BELOW THE LIMIT OF QUANTITATION",
        "BELOW LOWER LIMIT OF QUANTIFICATION",
        "BELOW LOWER LIMIT OF QUANTITATION",
        "BELOW THE LOWER LIMIT OF QUANTIFICATION",
        "BELOW THE LOWER LIMIT OF QUANTITATION",
        "NOT QUANTIFIABLE",
        "UNQUANTIFIABLE",
        "<LLOQ",
        "<LOQ",
        "BELOW LIMIT OF QUANTIFICATION",
        "BELOW LIMIT OF QUANTITATION",
        "BELOW QUANTIFIABLE LIMIT",
        "BQL",
    ),
    "POSITIVE": (
        "POS",
        "DETECTED",
        "DETECTABLE",
        "PRESENT",
        "SEEN",
        "MRD POSITIVE",
        "MRD-POSITIVE",
        "MRD POS",
        "POSITIVE NOT QUANTIFIABLE",
        "DETECTED, NOT QUANTIFIABLE",
        "DETECTED NOT QUANTIFIABLE",
        "NON-QUANTIFIABLE MRD POSITIVITY",
        "POSITIVE BELOW LIMIT OF QUANTIFICATION",
    ),
}
"""Results in words; M1, M2 and M3 are of a marrow: below 5, 5 to below 25, and 25 % or more blasts."""


def _of_cns(number: int) -> tuple[str, ...]:
    return tuple(f"CNS{between}{number}{part}" for between in ("", "-", " ") for part in ("", "A", "B", "C") if number > 1 or not part)


CNS: dict[int, tuple[str, ...]] = {number: _of_cns(number) for number in (1, 2, 3)}
"""Words for the status of the central nervous system."""

REASONS: dict[str, tuple[str, ...]] = {
    "HEMODILUTE": ("HAEMODILUTE", "HEMODILUTED", "HAEMODILUTED", "HEMODILUTION", "HAEMODILUTION", "DILUTE", "DILUTED"),
    "ACELLULAR": ("APARTICULATE", "ASPICULAR", "NO CELLS"),
    "INADEQUATE": (
        "INADEQUATE SAMPLE",
        "INADEQUATE SPECIMEN",
        "INSUFFICIENT",
        "INSUFFICIENT SAMPLE",
        "NOT EVALUABLE",
        "DRY TAP",
        "CLOTTED",
    ),
}
"""Why a marrow could not be read."""

OBJECTS: dict[str, tuple[str, ...]] = {
    "EXTRAMEDULLARY DISEASE": (
        "EMD",
        "EXTRAMEDULLARY",
        "EXTRAMEDULLARY LESION",
        "EXTRAMEDULLARY LEUKEMIA",
        "EXTRAMEDULLARY LEUKAEMIA",
        "CNS DISEASE",
        "CNS STATUS",
        "CNS LEUKEMIA",
        "CNS LEUKAEMIA",
        "CENTRAL NERVOUS SYSTEM DISEASE",
    ),
    "TESTICULAR DISEASE": ("TESTIS", "TESTICLE", "TESTICULAR LEUKEMIA", "TESTICULAR LEUKAEMIA", "TESTICULAR ENLARGEMENT"),
    "MEDIASTINAL MASS": ("MEDIASTINAL TUMOR", "MEDIASTINAL TUMOUR", "MEDIASTINAL ENLARGEMENT", "THYMIC MASS", "MASS OF THE MEDIASTINUM"),
}
"""Objects of FA that a rule reads (FAOBJ)."""

LESION_TESTS: dict[str, tuple[str, ...]] = {
    "OCCUR": (
        *("OCCURRENCE", "OCCURRENCE INDICATOR", "OCCURRED", "PRESENCE", "PRESENCE INDICATOR", "PRESENCE/ABSENCE", "PRESENT", "PRES"),
        *("PRSNT", "PRESIND", "INVOLVED", "INVOLVEMENT", "STATUS", "DISEASE STATUS", "DISSTAT", "EMD", "EMDSTAT"),
    )
}
"""Tests of FA that say whether it is there (FATESTCD); how severe, how large or where it is says nothing of that."""

LESION_LIKE = (
    r"EXTRA-?\s?MEDULL|MYELOID SARCOMA|GRANULOCYTIC SARCOMA|CHLOROM|MYELOSARCOM|LYMPHOBLASTOMA|LEUK(A)?EMI[AC]? CUTIS|"
    r"(\bCNS\b|CENTRAL NERVOUS|CEREBR|MENING|CRANIAL|OCULAR|ORBIT|RETINA|TESTIC|TESTES|TESTIS|OVAR|SKIN|CUTANEOUS|RENAL|KIDNEY|NODAL|"
    r"BONE|BREAST|MEDIASTIN\w*).*(LEUK|INVOLV|INFILTRAT|DISEASE|RELAPSE|LESION|BLAST)|"
    r"(LEUK|INVOLV|INFILTRAT|DISEASE|RELAPSE|LESION|BLAST).*(\bCNS\b|CENTRAL NERVOUS|MENING|TESTIC|TESTES|TESTIS|EXTRAMED)|"
    r"LEUK(A)?EMI[AC] (INFILTRAT|MASS|MENING)|^CNS ?-?3|^(ZNS|SNC)\b|髓外|中枢神经|睾丸|粒细胞肉瘤"
)
"""Other words that read like it: a pattern of words in upper case."""
