"""Which integer-keyed tables do the rules read?"""

from cartrial.sdtm.records.codes import NO_CUTOFF, READERS
from cartrial.sdtm.records.derive import Records, derive_records

__all__ = ["NO_CUTOFF", "READERS", "Records", "derive_records"]
