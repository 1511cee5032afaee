"""What SWITCH and INLINE evaluate: JavaScript, or the value of one input parameter."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.values import Choice, holds_expression

EVALUATORS = Choice(("javascript", "graaljs", "value-param"), never=("python",))


def check_expression(task: Document, holder: Document, at: Place) -> None:
    """Collects the script of ``holder``, or tells that the parameter it names is not there.

    ``holder`` has ``evaluatorType`` and ``expression``: it is the task or its input, at ``at``.
    """
    expression = holder.get("expression")
    if not isinstance(expression, str) or not expression:
        return
    if holder.get("evaluatorType", "javascript") != "value-param":
        # What an execution resolves first is checked when it is known.
        if holder is task or not holds_expression(expression):
            (at / "expression").script(expression)
        return
    given = names_given(task)
    if expression not in given and not holds_expression(expression):
        hint = at.guess(expression, given)
        (at / "expression").fault(f"{shown(expression)} is not in inputParameters{hint}")


def names_given(task: Document) -> frozenset[str]:
    """The keys that its input has, as far as the task itself says."""
    return _keys(task, "inputParameters") | _template_keys(task)


def _keys(task: Document, name: str) -> frozenset[str]:
    value = task.get(name)
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _template_keys(task: Document) -> frozenset[str]:
    definition = task.get("taskDefinition")
    return _keys(definition, "inputTemplate") if isinstance(definition, dict) else frozenset()
