"""What checks go by; above all, up to when the log is certain to hold the causes of things."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.batch import Batch
from audit.book import Book
from audit.findings import Findings
from audit.marks import micros

TOGETHER: Final = timedelta(seconds=10)
"""What was decided at once goes to several topics, one of which may be this much behind."""


@dataclass(frozen=True, slots=True)
class Scene:
    findings: Findings
    book: Book
    batches: tuple[Batch, ...]
    """Numbered as in the book."""
    cut: datetime
    """What happened later may have causes beyond the ends that were read."""
    apart: int = 0
    """Microseconds by which the clocks of two services may differ."""

    def owes_its_cause(self, at: int) -> bool:
        """Whatever it was decided from was in the log before it happened."""
        return at <= micros(self.cut)

    def owes_its_like(self, at: int) -> bool:
        """So was whatever was said together with it."""
        return at <= micros(self.cut - TOGETHER)
