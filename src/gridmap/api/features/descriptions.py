"""Collections described: titles, extents, systems, links, the schema of their features."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from gridmap import catalogue
from gridmap.api.answers import GEOJSON, JSON, link
from gridmap.api.features import remembered
from gridmap.api.features.collection_ids import CollectionId
from gridmap.api.formats import HTML
from gridmap.domain.crs import CRS84
from gridmap.domain.layers import Layer
from gridmap.store.filters import queryables_of
from gridmap.store.protocols import PlanInfo, Status, VersionInfo
from gridmap.store.reading import LayerReader

SCHEMA = "application/schema+json"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"


def layer_title(layer: str, lang: catalogue.Language) -> str:
    """Name of a layer in words."""
    return catalogue.text(f"features.layer_{layer}", lang)


def title_of(plan: PlanInfo, name: CollectionId, version: VersionInfo, lang: catalogue.Language) -> str:
    """Title of a collection: the plan, the layer, and the version where the name says one or it is none in force."""
    title = f"{plan.name} · {layer_title(name.layer, lang)}"
    if version.status is Status.DRAFT:
        return catalogue.text("features.title_of_draft", lang, title=title, number=version.number)
    if name.number is None:
        return title
    return catalogue.text("features.title_of_version", lang, title=title, number=version.number)


def collection_document(
    request: Request, plan: PlanInfo, name: CollectionId, reader: LayerReader, layer: Layer, lang: catalogue.Language
) -> dict[str, Any]:
    """Describe a collection as OGC API has it."""
    own, version = f"/collections/{name}", reader.version
    document: dict[str, Any] = {
        "id": str(name),
        "title": title_of(plan, name, version, lang),
        "description": catalogue.text(f"features.about_{name.layer}", lang),
        "itemType": "feature",
        "crs": [one.uri for one in remembered.offered(request, reader)],
        "storageCrs": CRS84.uri,
        "plan": name.plan_id,
        "version": version.number,
        "status": version.status.value,
        "links": [
            link(request, "self", own),
            link(request, "alternate", f"{own}?f=html", kind=HTML, title="HTML"),
            link(request, "items", f"{own}/items", kind=GEOJSON, title="GeoJSON"),
            link(request, "items", f"{own}/items?f=html", kind=HTML, title="HTML"),
            link(request, QUERYABLES_REL, f"{own}/queryables", kind=SCHEMA),
            link(request, SCHEMA_REL, f"{own}/schema", kind=SCHEMA),
            link(request, "describedby", f"{own}/schema", kind=SCHEMA),
        ],
    }
    if _has_tiles(request) and layer.geometry is not None:
        rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
        document["links"].append(link(request, rel, f"{own}/tiles", kind=JSON))
    if name.number is None:
        document["links"].append(link(request, "canonical", f"/collections/{name.pinned_to(version)}"))
    box = remembered.extent(request, reader, layer)
    if box is not None:
        document["extent"] = {"spatial": {"bbox": [list(box)], "crs": CRS84.uri}}
    return document


def _has_tiles(request: Request) -> bool:
    return "/collections/{collection_id}/tiles" in request.app.state.paths


def schema_document(request: Request, name: CollectionId, layer: Layer, title: str, kind: str) -> dict[str, Any]:
    """JSON Schema of the properties of the features of a collection; as ``queryables`` that of what filters may ask."""
    document = queryables_of(layer)
    if kind == "schema":
        # Features may bear nothing else, but a schema that says so keeps clients from reading newer ones.
        del document["additionalProperties"]
        for place, one in enumerate(document["properties"].values(), start=1):
            one["x-ogc-propertySeq"] = place
    address = link(request, "self", f"/collections/{name}/{kind}")["href"]
    return {**document, "$id": address, "title": title}
