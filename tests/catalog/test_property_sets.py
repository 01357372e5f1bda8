"""Property sets of IFC: told where the extra is installed, and a clear word where it is not."""

import importlib.util
from collections.abc import Callable, Sequence

import httpx
import pytest
from fastapi import FastAPI

from services.catalog.app import create_app
from services.catalog.ifc.rules import Edition, PropertySet, TemplateProperty, parted
from services.catalog.ifc.templates import TemplatesNotInstalledError, UnknownEntityError, WheelTemplates
from services.catalog.settings import Settings
from shared.database import Database
from shared.identity import TokenVerifier
from tests.catalog.conftest import taxonomy_document

INSTALLED = importlib.util.find_spec("ifcopenshell") is not None
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra `bim` is not installed")


class TwoSets:
    """Templates of one entity in one edition."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def sets(self, *, edition: Edition, entity: str, predefined: str) -> Sequence[PropertySet]:
        self.asked.append((edition, entity, predefined))
        if entity != "IfcSlab":
            raise UnknownEntityError(entity)
        rating = TemplateProperty(
            name="FireRating", description="rating", kind="P_SINGLEVALUE", measure="IfcLabel", values=["R30"]
        )
        whole = TemplateProperty(name="InPlane", description=None, kind="P_COMPLEX", measure=None, properties=[rating])
        return [PropertySet(name="Pset_SlabCommon", description=None, applies_to="IfcSlab", properties=[rating, whole])]

    def source(self) -> str:
        return "a table in a test"


class NotThere(TwoSets):
    """An installation without the extra."""

    def sets(self, *, edition: Edition, entity: str, predefined: str) -> Sequence[PropertySet]:
        raise TemplatesNotInstalledError


Serve = Callable[[TwoSets], httpx.AsyncClient]


@pytest.fixture
def served(database: Database, verifier: TokenVerifier, http_to: Callable[[FastAPI], httpx.AsyncClient]) -> Serve:
    def serve(templates: TwoSets) -> httpx.AsyncClient:
        settings = Settings(database_url="", system_database_url="")
        return http_to(create_app(settings, database=database, verifier=verifier, property_sets=templates))

    return serve


async def test_the_sets_of_a_types_ifc_class_are_told(served: Serve):
    templates = TwoSets()
    answer = await served(templates).get("/catalog/types/pc-slab/property-sets", params={"edition": "IFC4"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["type_code"], told["entity"], told["predefined_type"], told["source"]) == (
        "PC-SLAB", "IfcSlab", "FLOOR", "a table in a test",
    )  # fmt: skip
    assert templates.asked == [("IFC4", "IfcSlab", "FLOOR")]
    (shown,) = told["sets"]
    assert [each["name"] for each in shown["properties"]] == ["FireRating", "InPlane"]
    assert shown["properties"][1]["properties"][0]["values"] == ["R30"]


async def test_without_the_extra_the_answer_says_what_to_install(served: Serve):
    answer = await served(NotThere()).get("/catalog/types/PC-SLAB/property-sets")
    assert (answer.status_code, answer.json()["code"]) == (501, "PropertySetsNotInstalled")
    assert "dougong[bim]" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/catalog/types/XX-NONE/property-sets", 404, "NoIfcClass"),
        ("/catalog/types/RB-HRB/property-sets", 404, "NoIfcClass"),
        ("/catalog/types/PC-SLAB/property-sets?edition=IFC9", 422, "MalformedRequest"),
    ],
)
async def test_what_has_no_ifc_class_is_told(served: Serve, path: str, status: int, code: str):
    answer = await served(TwoSets()).get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.skipif(INSTALLED, reason="the extra `bim` is installed")
def test_the_wheels_absence_is_noticed():
    with pytest.raises(TemplatesNotInstalledError):
        WheelTemplates().sets(edition=Edition.IFC4, entity="IfcSlab", predefined="")


@needs_extra
@pytest.mark.parametrize("edition", list(Edition))
def test_the_wheel_knows_every_class_of_ours(edition: Edition):
    templates = WheelTemplates()
    slab = {each.name: each for each in templates.sets(edition=edition, entity="IfcSlab", predefined="FLOOR")}
    assert {"Pset_SlabCommon", "Qto_SlabBaseQuantities", "Pset_ManufacturerTypeInformation"} <= slab.keys()
    status = next(each for each in slab["Pset_SlabCommon"].properties if each.name == "Status")
    assert (status.kind, status.measure) == ("P_ENUMERATEDVALUE", "IfcLabel")
    assert "DEMOLISH" in status.values
    for entry in taxonomy_document()["components"]:
        ifc = entry["ifc"]
        entity, predefined = parted(f"{ifc['class']}.{ifc['predefined_type']}")
        assert templates.sets(edition=edition, entity=entity, predefined=predefined), entry["code"]
    with pytest.raises(UnknownEntityError):
        templates.sets(edition=edition, entity="IfcNonsense", predefined="")
    assert "CC BY-ND" in templates.source()


def test_a_predefined_type_that_says_nothing_is_none():
    assert (parted("IfcSlab.NOTDEFINED"), parted("IfcSlab"), parted("IfcSlab.FLOOR")) == (
        ("IfcSlab", ""), ("IfcSlab", ""), ("IfcSlab", "FLOOR"),
    )  # fmt: skip
