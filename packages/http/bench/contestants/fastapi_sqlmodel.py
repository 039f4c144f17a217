"""The plan that this project started from: FastAPI, SQLModel and psycopg2, as their tutorials teach."""

import os
from datetime import datetime, timezone
from typing import List, Literal, Optional
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Query, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from sqlalchemy import Column, FetchedValue, String, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, Session, SQLModel, create_engine, select

# One connection for each of the 40 worker threads. With the default of 15, threads wait up to 30 seconds for a connection.
engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1), pool_size=40, max_overflow=0)
app = FastAPI()


def now() -> datetime:
    return datetime.now(timezone.utc)


class Todo(SQLModel, table=True):
    __tablename__ = "todos"
    __table_args__ = {"schema": "bench"}

    owner_id: str = Field(primary_key=True)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    title: str
    description: Optional[str] = None
    priority: str = "none"
    due: Optional[dict] = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    tags: List[str] = Field(default_factory=list, sa_column=Column(ARRAY(String)))
    list_id: Optional[UUID] = None
    position: Optional[str] = Field(default=None, sa_column=Column(String, FetchedValue()))
    revision: int = 1
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    completed_at: Optional[datetime] = None
    deleted_at: Optional[datetime] = None

    @property
    def completed(self) -> bool:
        return self.completed_at is not None


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


class Camel(SQLModel):
    class Config:
        alias_generator = camel
        allow_population_by_field_name = True


class TodoRead(Camel):
    id: UUID
    title: str
    description: Optional[str]
    completed: bool
    completed_at: Optional[datetime]
    priority: str
    due: Optional[dict]
    tags: List[str]
    list_id: Optional[UUID]
    position: str
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted_at: Optional[datetime]


class TodoUpdate(Camel):
    title: Optional[str] = Field(default=None, min_length=1, max_length=500)
    description: Optional[str] = Field(default=None, max_length=10_000)
    completed: Optional[bool] = None
    priority: Optional[Literal["none", "low", "medium", "high"]] = None
    due: Optional[dict] = None
    tags: Optional[List[str]] = None
    list_id: Optional[UUID] = None


class TodoCreate(TodoUpdate):
    title: str = Field(min_length=1, max_length=500)


class Page(SQLModel):
    items: List[TodoRead]


class Operation(Camel):
    op: Literal["update"]
    id: UUID
    patch: TodoUpdate
    if_revision: Optional[int] = None


class Batch(SQLModel):
    operations: List[Operation]


class Result(SQLModel):
    index: int
    todo: TodoRead


class Results(SQLModel):
    results: List[Result]


class Changes(Camel):
    changes: List[TodoRead]
    next_cursor: datetime
    has_more: bool


def get_session():
    with Session(engine) as session:
        yield session


def get_user(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> str:
    try:
        payload = jwt.decode(
            credentials.credentials,
            os.environ["TODO_JWT_SECRET"],
            algorithms=["HS256"],
            issuer=os.environ["TODO_JWT_ISSUER"],
            audience=os.environ["TODO_JWT_AUDIENCE"],
        )
    except JWTError:
        raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED)
    return payload["sub"]


def find(session: Session, user: str, id: UUID) -> Todo:
    todo = session.get(Todo, (user, id))
    if todo is None or todo.deleted_at is not None:
        raise HTTPException(status_code=404)
    return todo


def change(session: Session, user: str, id: UUID, patch: TodoUpdate, expected: Optional[int]) -> Todo:
    todo = find(session, user, id)
    if expected is not None and expected != todo.revision:
        raise HTTPException(status_code=412)
    for name, value in patch.dict(exclude_unset=True, exclude={"completed"}).items():
        setattr(todo, name, value)
    if patch.completed is not None:
        todo.completed_at = now() if patch.completed else None
    todo.revision += 1
    todo.updated_at = now()
    session.add(todo)
    return todo


@app.get("/v1/todos/{id}", response_model=TodoRead)
def read_todo(id: UUID, session: Session = Depends(get_session), user: str = Depends(get_user)):
    return find(session, user, id)


@app.get("/v1/todos", response_model=Page)
def read_todos(
    completed: Optional[bool] = None,
    priority: Optional[str] = None,
    q: Optional[str] = Query(default=None, max_length=200),
    sort: Literal["position", "-createdAt"] = "position",
    limit: int = Query(default=50, ge=1, le=200),
    session: Session = Depends(get_session),
    user: str = Depends(get_user),
):
    query = select(Todo).where(Todo.owner_id == user, Todo.deleted_at == None)  # noqa: E711
    if completed is not None:
        query = query.where((Todo.completed_at != None) == completed)  # noqa: E711
    if priority is not None:
        query = query.where(Todo.priority == priority)
    if q is not None:
        query = query.where(literal_column("search").op("@@")(func.websearch_to_tsquery("simple", q)))
    if sort == "position":
        query = query.order_by(Todo.position)
    else:
        query = query.order_by(Todo.created_at.desc(), Todo.id.desc())
    return {"items": session.exec(query.limit(limit)).all()}


@app.post("/v1/todos", response_model=TodoRead, status_code=201)
def create_todo(body: TodoCreate, session: Session = Depends(get_session), user: str = Depends(get_user)):
    todo = Todo(owner_id=user, **body.dict(exclude_unset=True, exclude={"completed"}))
    if body.completed:
        todo.completed_at = now()
    session.add(todo)
    session.commit()
    session.refresh(todo)
    return todo


@app.patch("/v1/todos/{id}", response_model=TodoRead)
def update_todo(
    id: UUID,
    body: TodoUpdate,
    if_match: Optional[str] = Header(default=None),
    session: Session = Depends(get_session),
    user: str = Depends(get_user),
):
    expected = None if if_match is None else int(if_match.strip('"'))
    todo = change(session, user, id, body, expected)
    session.commit()
    session.refresh(todo)
    return todo


@app.post("/v1/todos/batch", response_model=Results)
def update_todos(body: Batch, session: Session = Depends(get_session), user: str = Depends(get_user)):
    todos = [change(session, user, step.id, step.patch, step.if_revision) for step in body.operations]
    session.commit()
    for todo in todos:
        session.refresh(todo)
    return {"results": [{"index": index, "todo": todo} for index, todo in enumerate(todos)]}


@app.get("/v1/changes", response_model=Changes)
def read_changes(
    since: datetime = datetime(1970, 1, 1, tzinfo=timezone.utc),
    limit: int = Query(default=100, ge=1, le=500),
    session: Session = Depends(get_session),
    user: str = Depends(get_user),
):
    query = select(Todo).where(Todo.owner_id == user, Todo.updated_at > since).order_by(Todo.updated_at).limit(limit)
    todos = session.exec(query).all()
    next_cursor = todos[-1].updated_at if todos else since
    return {"changes": todos, "next_cursor": next_cursor, "has_more": len(todos) == limit}
