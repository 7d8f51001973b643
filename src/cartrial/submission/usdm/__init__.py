"""How does a protocol come in and go out as USDM, the protocol as data?"""

from cartrial.submission.usdm.draft import draft_protocol
from cartrial.submission.usdm.read import Protocol, read_usdm
from cartrial.submission.usdm.write import make_usdm, write_usdm

__all__ = ["Protocol", "draft_protocol", "make_usdm", "read_usdm", "write_usdm"]
