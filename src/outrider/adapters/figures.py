"""What is counted of commands and vehicles, for Prometheus. Never by VIN or person."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from outrider.domain.lane import Command

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class Figures:
    """Counts into a registry; `/metrics` shows it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._broken = Counter(
            "outrider_contract_broken",
            "Messages of vehicles that broke the contract",
            ["reason"],
            registry=self.registry,
        )
        self._settled = Counter(
            "outrider_commands_settled", "Commands that were settled", ["service", "state"], registry=self.registry
        )
        self._seconds = Histogram(
            "outrider_command_seconds",
            "From acceptance to executed, vehicle time included",
            ["service"],
            registry=self.registry,
            buckets=_BUCKETS,
        )

    def broken(self, reason: str) -> None:
        """A vehicle said something that breaks the contract."""
        self._broken.labels(reason).inc()

    def settled(self, command: Command) -> None:
        """A command was settled, or an unconfirmed one got its late end."""
        self._settled.labels(command.service, command.state.value).inc()
        if command.settled_at is not None and command.outcome is not None:
            self._seconds.labels(command.service).observe(command.settled_at - command.accepted_at)
