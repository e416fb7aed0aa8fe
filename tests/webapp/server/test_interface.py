"""Made-up requests after the document: the interface answers as it says, and never with an unexpected error."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.webapp.conftest import ADDRESS, TOKEN

CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ENDLESS = {"watch_decisions": {"timeout": 1.0}}
"""Operations whose answer goes on until nobody listens."""


def test_made_up_requests_are_answered_as_the_document_says(app):
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app

    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def answers_as_it_says(case):
            options = ENDLESS.get(case.operation.definition.raw["operationId"], {})
            case.call_and_validate(base_url=ADDRESS, headers=HEADERS, checks=CHECKS, **options)

        given(case=operation.as_strategy())(answers_as_it_says)()
