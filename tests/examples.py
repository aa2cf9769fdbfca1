"""How many examples: few that are always the same, or many that nobody has seen."""

from hypothesis import HealthCheck, Phase, settings

SEARCHES = settings.default is not None and not settings.default.derandomize


def examples(few: int, many: int) -> settings:
    """Of a test that asks a running service; it has deadlines of its own."""
    return settings(
        max_examples=many if SEARCHES else few,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink one takes minutes here
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
