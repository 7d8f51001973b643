"""What happens in a patient's body after infusion?"""

from cartrial.virtual.engine.course import Course, Draws, Events, compiled, infuse, simulate_course

__all__ = ["Course", "Draws", "Events", "compiled", "infuse", "simulate_course"]
