"""All routes of claims."""

from fastapi import APIRouter

from services.claims.api.door import Door
from services.claims.api.editions import edition_routes
from services.claims.api.members import benefit_routes, member_routes, staff_routes
from services.claims.api.settlements import feed_routes, hospital_routes


def routes(door: Door) -> APIRouter:
    """Give the routes of claims."""
    router = APIRouter()
    hospital_routes(router, door)
    feed_routes(router, door)
    member_routes(router, door)
    benefit_routes(router, door)
    staff_routes(router, door)
    edition_routes(router, door)
    return router
