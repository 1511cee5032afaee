"""Values judged by users' JSON Schemas: at once where that is quick, else in children (0015)."""

from services.judging.judges import NOT_TOLD, Judges, Unjudged
from services.judging.quick import Faults, quick_faults

__all__ = ["NOT_TOLD", "Faults", "Judges", "Unjudged", "quick_faults"]
