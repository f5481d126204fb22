"""Kafka edge: enrollment listens to nobody; what it tells leaves by the relay."""

from services.common.kit.db import Database
from services.common.kit.health import Health
from services.common.kit.kafka import Cluster
from services.common.kit.relay import Relay
from services.enrollment.settings import Settings


def relay(settings: Settings, database: Database, cluster: Cluster, health: Health) -> Relay:
    return Relay(settings, database, cluster, health)
