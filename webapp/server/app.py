"""create_app: the page and the HTTP interface of one workspace as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader

import foundation
import webapp
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from webapp.access.gate import API, Gate, Refusal, client_address
from webapp.access.tokens import Access, TooManyTriesError
from webapp.api import faces, history, jobs, people, photos, session, workspace
from webapp.api.context import Context
from webapp.api.models import ErrorAnswer
from webapp.finding import by_photo, find, photo
from webapp.live import cameras, visit_answers
from webapp.naming import doubts, groups, questions, threshold, why
from webapp.programs import enrol, events, forget, recognize
from webapp.server.error_answers import add_handlers

STATIC = Path(webapp.__file__).parent / "static"

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    workspace.router,
    people.router,
    faces.router,
    photos.router,
    history.router,
    jobs.router,
    groups.router,
    questions.router,
    why.router,
    doubts.router,
    threshold.router,
    recognize.router,
    enrol.router,
    events.router,
    forget.router,
    cameras.router,
    visit_answers.router,
    find.router,
    by_photo.router,
    photo.router,
)
"""All subjects of the interface, in the order of its document."""

PAGES = (
    "/",
    "/groups",
    "/questions",
    "/questions/together",
    "/people",
    "/people/{person}",
    "/history",
    "/try",
    "/enrol",
    "/forget",
    "/threshold",
    "/live",
    "/find",
    "/photos/{photo}",
)
"""Addresses of the page; `static/app.js` decides what each shows."""

_DESCRIPTION = "Who is on the photos of a workspace: everything that the page does, for other programs."


def create_app(
    workspace: Workspace, access: Access | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> FastAPI:
    """Return the application for a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its store is made if it has none.
    access : Access, optional
        Who may use it; default: who has a new start token.
    host : str
        The address that it will be bound to.
    port : int
        Tells its cookie from those of other servers on this machine.

    Raises
    ------
    StoreError
        If the decisions are damaged.
    OSError
        If the workspace cannot be read.
    """
    _check_store(workspace)
    chosen = Access() if access is None else access
    context = Context(workspace, chosen, cookie=f"facetable-{port}")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await cameras.live_cameras(context).stop_all()
        context.pool.close()

    app = FastAPI(
        title="Facetable",
        description=_DESCRIPTION,
        version=foundation.__version__,
        openapi_url=f"{API}openapi.json",
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    errors = {"model": ErrorAnswer, "description": "Why it was not done"}
    for router in ROUTERS:
        app.include_router(router, prefix=API.rstrip("/"), responses={"4XX": errors, "5XX": errors, 422: errors})
    add_handlers(app)
    _add_page(app, context)
    app.add_middleware(Gate, access=chosen, host=host, cookie=context.cookie)
    return app


def _check_store(workspace: Workspace) -> None:
    """Open the decisions once, so that a damaged store is told before anybody looks at the page."""
    if workspace.store.exists():
        with Context(workspace, Access(), cookie="").pool.reader():
            return
    PeopleStore(workspace.store, create=True).close()


def _add_page(app: FastAPI, context: Context) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    shell = Environment(loader=FileSystemLoader(STATIC), autoescape=True).get_template("index.html")

    def show_page(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is None:
            return Response(shell.render(version=foundation.__version__), media_type="text/html")
        rest = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != "token"])
        response = RedirectResponse(request.url.path + (f"?{rest}" if rest else ""), 303)
        try:
            if context.access.opens_session(token, client_address(request.scope)):
                session.set_session_cookie(response, context)
        except TooManyTriesError as error:
            raise Refusal.too_many_tries(error.wait_s) from None
        return response

    for address in PAGES:
        app.add_api_route(address, show_page, methods=["GET"], include_in_schema=False, response_class=Response)
