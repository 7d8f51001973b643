"""What does an endpoint do with a transplant, a re-infusion and a new therapy, in the numbers that the kernels read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartrial.endpoints.rules.codes import STRATEGY_CODES

if TYPE_CHECKING:
    from cartrial.study.endpoint import Endpoint

__all__ = ["strategy_codes"]


def strategy_codes(endpoint: Endpoint) -> tuple[int, int, int]:
    """Return the strategies for transplant, re-infusion and new therapy, in the order of `ICES`."""
    strategies = endpoint.strategies
    return STRATEGY_CODES[strategies.hsct], STRATEGY_CODES[strategies.re_infusion], STRATEGY_CODES[strategies.new_therapy]
