"""How does a design page say what a response is? The tested endpoint in full, in the study's own words."""

from __future__ import annotations

from cartrial.design.protocol.inputs import Inputs

__all__ = ["define_endpoint"]


def define_endpoint(inputs: Inputs) -> str:
    """Return the definition of the tested endpoint as one sentence.

    Parameters
    ----------
    inputs : Inputs

    Returns
    -------
    str
        Response categories with their criteria, window with its days, reader, population, and the strategy for each intercurrent event.
    """
    from cartrial.study import describe_endpoint

    words = describe_endpoint(inputs.study, inputs.study.variants(inputs.endpoint)[0])
    plan, endpoint_window = inputs.study.design, inputs.endpoint.window
    window = words["window"]
    if plan is not None and plan.analysis is not None and endpoint_window is not None and endpoint_window.best:
        window += f" (that is {plan.analysis.day} days after the last infusion)"
    return f"{words['variable']}, {window}, as assessed by {words['reader']}, among {words['population']}; {words['strategies']}."
