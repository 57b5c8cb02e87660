"""Distance along roads: a graph of given lines, the places where points stand beside it, and the ways between them."""

from gridmap.domain.roads import Measure, RoadLines
from gridmap.planning.network.graph import RoadGraph, road_graph
from gridmap.planning.network.routing import NetworkReach

__all__ = ["Measure", "NetworkReach", "RoadGraph", "RoadLines", "road_graph"]
