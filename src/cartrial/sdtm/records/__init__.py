"""Which integer-keyed tables do the rules read?"""

from cartrial.sdtm.records.codes import NO_CUTOFF, READERS
from cartrial.sdtm.records.derive import Records, derive_records
from cartrial.sdtm.records.recorded import Recorded

__all__ = ["NO_CUTOFF", "READERS", "Recorded", "Records", "derive_records"]
