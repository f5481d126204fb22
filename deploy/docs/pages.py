"""Every generated page and its text; the same code gives the same bytes."""

import json

import yaml

from deploy.docs import change_page, lines_and_metrics, openapi, settings_page
from deploy.docs.schemes import pages as schemes
from deploy.local.settings import ROOT
from services.common.contracts import asyncapi
from services.common.schemes.load import schema


def generated() -> dict[str, str]:
    """Give the pages by their path in the repository."""
    return {
        "docs/asyncapi.yaml": _yaml(asyncapi.document()),
        **{
            f"docs/openapi/{name}.json": _json(document)
            for name, document in openapi.documents().items()
        },
        **schemes.pages(),
        "docs/schemes-how-to-change.md": change_page.text(),
        "services/common/schemes/scheme.schema.json": _json(schema()),
        "docs/settings.md": settings_page.text(),
        "docs/metrics.md": lines_and_metrics.metrics_text(),
        "docs/logs.md": lines_and_metrics.logs_text(ROOT),
    }


def _yaml(document: object) -> str:
    # By way of JSON, which knows no shared objects: otherwise YAML would write anchors for them.
    plain = json.loads(json.dumps(document))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
