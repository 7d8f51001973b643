"""Which integer-keyed tables do the rules read?"""

from cartrial.sdtm.records.derive import NO_CUTOFF, READERS, Records, derive_records

__all__ = ["NO_CUTOFF", "READERS", "Records", "derive_records"]
