"""Which documents go with the files: what must a reviewer know, and which sections of a protocol does the study file fill?"""

from cartrial.submission.guide.protocol import write_protocol
from cartrial.submission.guide.reviewer import write_guide

__all__ = ["write_guide", "write_protocol"]
