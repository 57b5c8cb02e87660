"""The rules of the field, each evaluated on a plan.

A result names what breaks the rule, most serious first; ``checked`` counts what it was asked of and is 0 where it could
not be asked at all (no villages given, no capacity known, no limit set). The wording of ``rule`` is ``rules.RULE`` in
the catalogue, with what would mend it.
"""

from gridmap.planning.rules.evaluation import evaluate

__all__ = ["evaluate"]
