"""cartrial: a CAR-T cell therapy trial from its protocol to its report, through one definition of every endpoint."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.analysis import analyse
    from cartrial.endpoints import Adam, derive
    from cartrial.errors import InputError
    from cartrial.report import write_report
    from cartrial.sdtm import check_sdtm, read_sdtm, write_sdtm
    from cartrial.study import Study

__all__ = ["Adam", "InputError", "Study", "analyse", "check_sdtm", "derive", "read_sdtm", "write_report", "write_sdtm"]

_HOMES = {
    "Adam": "cartrial.endpoints",
    "InputError": "cartrial.errors",
    "Study": "cartrial.study",
    "analyse": "cartrial.analysis",
    "check_sdtm": "cartrial.sdtm",
    "derive": "cartrial.endpoints",
    "load_ipython_extension": "cartrial.report.notebook.makers",
    "read_sdtm": "cartrial.sdtm",
    "write_report": "cartrial.report",
    "write_sdtm": "cartrial.sdtm",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        try:
            return metadata.version("cartrial")
        except metadata.PackageNotFoundError:  # run from its sources
            return "not installed"
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cartrial' has no attribute '{name}'")
