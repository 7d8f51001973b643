"""How does a spreadsheet become SDTM?"""

from cartrial.sdtm.mapping.apply import Mapping, read_mapped, read_mapping

__all__ = ["Mapping", "read_mapped", "read_mapping"]
