"""The evidence base as data: what sprx carries, what a user adds, and the rules that both keep."""

from sprx.evidence.base import TABLES, add_file, base_summary, effects_with_studies, read_base, typed, write_base
from sprx.evidence.making import evidence_record, with_record
from sprx.evidence.rules import Problem, check_base, with_std_errors

__all__ = ["TABLES", "Problem", "add_file", "base_summary", "check_base", "effects_with_studies", "evidence_record", "read_base", "typed", "with_record", "with_std_errors", "write_base"]
