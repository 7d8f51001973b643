"""What was the disease's status at each visit, by each reader?"""

from cartrial.response.arrays import Calls
from cartrial.response.assess import assess_response
from cartrial.response.codes import MRD
from cartrial.response.flags import FLAGS, flag_names
from cartrial.response.lab import records_used

__all__ = ["FLAGS", "MRD", "Calls", "assess_response", "flag_names", "records_used"]
