"""What are variables called that no rule reads, and that a submission asks for? Labels of the SDTM Implementation Guide 3.3."""

from __future__ import annotations

__all__ = ["LABELS", "OTHER_DOMAINS"]

OTHER_DOMAINS = {
    "MH": "Medical History",
    "VS": "Vital Signs",
    "SV": "Subject Visits",
    "SE": "Subject Elements",
    "MB": "Microbiology Specimen",
}
"""Domains that are kept as they are."""

LABELS: dict[str, str] = {
    "SUBJID": "Subject Identifier for the Study",
    "RFENDTC": "Subject Reference End Date/Time",
    "RFXSTDTC": "Date/Time of First Study Treatment",
    "RFXENDTC": "Date/Time of Last Study Treatment",
    "RFPENDTC": "Date/Time of End of Participation",
    "RACE": "Race",
    "ETHNIC": "Ethnicity",
    "ARM": "Description of Planned Arm",
    "ACTARMCD": "Actual Arm Code",
    "ACTARM": "Description of Actual Arm",
    "ARMNRS": "Reason Arm and/or Actual Arm is Null",
    "DMDTC": "Date/Time of Collection",
    "DMDY": "Study Day of Collection",
    "VISITNUM": "Visit Number",
    "VISIT": "Visit Name",
    "VISITDY": "Planned Study Day of Visit",
    "EPOCH": "Epoch",
    "DSCAT": "Category for Disposition Event",
    "EXDOSFRM": "Dose Form",
    "EXDOSFRQ": "Dosing Frequency per Interval",
    "EXROUTE": "Route of Administration",
    "EXENDTC": "End Date/Time of Treatment",
    "EXENDY": "Study Day of End of Treatment",
    "CMDECOD": "Standardized Medication Name",
    "CMINDC": "Indication",
    "CMDOSE": "Dose per Administration",
    "CMDOSU": "Dose Units",
    "CMDOSFRQ": "Dosing Frequency per Interval",
    "CMROUTE": "Route of Administration",
    "CMENDTC": "End Date/Time of Medication",
    "CMENDY": "Study Day of End of Medication",
    "LBTEST": "Lab Test or Examination Name",
    "LBCAT": "Category for Lab Test",
    "LBLOBXFL": "Last Observation Before Exposure Flag",
    "RSTEST": "Assessment Name",
    "FATEST": "Findings About Test Name",
    "FALOBXFL": "Last Observation Before Exposure Flag",
    "AECONTRT": "Concomitant or Additional Trtmnt Given",
    "SSTEST": "Status Name",
    "DDTEST": "Death Detail Assessment Name",
    "SSORRES": "Result or Finding Original Result",
    "MHCAT": "Category for Medical History",
    "MHTERM": "Reported Term for the Medical History",
    "MHDECOD": "Dictionary-Derived Term",
    "MHPRESP": "Medical History Event Pre-Specified",
    "MHOCCUR": "Medical History Occurrence",
    "MHSEQ": "Sequence Number",
    "STUDYID": "Study Identifier",
    "DOMAIN": "Domain Abbreviation",
    "USUBJID": "Unique Subject Identifier",
}
"""Labels by name of the variable, at most 40 characters; those of `cartrial.sdtm.vocabulary.schema` come first."""
