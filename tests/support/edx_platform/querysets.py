"""Models, managers and querysets over rows in memory, as far as Django's are used."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from tests.support.edx_platform.keys import StandInKey

OPERATORS: Final = frozenset({"in", "gt"})


class FieldError(Exception):
    """`django.core.exceptions.FieldError`: there is no such field or lookup."""


class Error(Exception):
    """`django.db.Error`."""


class OperationalError(Error):
    """`django.db.OperationalError`."""


class RelatedObjectDoesNotExist(AttributeError):
    """What Django raises for a one-to-one relation without the other side."""


class Database:
    """Counts statements, and can be made to fail for one model."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.fails_for: str | None = None

    def execute(self, table: str) -> None:
        self.statements.append(table)
        if table == self.fails_for:
            raise OperationalError(2006, "server has gone away, asked about Ann Smith")


class Row:
    """One instance of a model; what it is related to is read when it is used, unless selected."""

    fields: ClassVar[frozenset[str]] = frozenset()
    relations: ClassVar[Mapping[str, "type[Row]"]] = {}

    def __init__(self, database: Database, **values: Any) -> None:
        allowed = {*self.fields, *self.relations}
        if unknown := values.keys() - allowed:
            raise TypeError(f"{type(self).__name__}() got unexpected keyword arguments: {unknown}")
        self._database = database
        self._values = values
        self._loaded: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name.endswith("_id") and name.removesuffix("_id") in self.relations:
            return self._values[name.removesuffix("_id")].id
        if name in self.relations:
            if name not in self._loaded:
                self._database.execute(self.relations[name].__name__)
            if self._values.get(name) is None:
                raise RelatedObjectDoesNotExist(f"{type(self).__name__} has no {name}.")
            return self._values[name]
        if name in self.fields:
            return self._values.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self._values[name] = value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.id == getattr(other, "id", None)

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def selected(self, relations: frozenset[str]) -> Self:
        """Return the same row as a query gives it that selected these relations."""
        row = type(self)(self._database, **self._values)
        row._values = self._values
        row._loaded = relations
        return row

    def look_up(self, path: Sequence[str]) -> Any:
        """Return the value at the end of a path, as a join finds it."""
        value: Any = self
        for step in path:
            value = value._values.get(step) if step in value.relations else getattr(value, step)
        return value


class Manager:
    """`Model.objects` of one model."""

    def __init__(self, database: Database, model: type[Row]) -> None:
        self.rows: list[Row] = []
        self._database = database
        self._model = model

    def add(self, **values: Any) -> Row:
        row = self._model(self._database, **values)
        self.rows.append(row)
        return row

    def filter(self, **lookups: Any) -> "QuerySet":
        return self.all().filter(**lookups)

    def all(self) -> "QuerySet":
        return QuerySet(self._database, self._model, self.rows)

    def get(self, **lookups: Any) -> Row:
        found: list[Row] = list(self.filter(**lookups))
        if not found:
            raise DoesNotExist(f"{self._model.__name__} matching query does not exist.")
        (row,) = found
        return row


class DoesNotExist(Exception):
    """`Model.DoesNotExist`."""


class QuerySet:
    """A query that is executed when it is iterated over, and then once."""

    def __init__(self, database: Database, model: type[Row], rows: Sequence[Row]) -> None:
        self._database = database
        self._model = model
        self._rows = rows
        self._order: tuple[str, ...] = ()
        self._selected: frozenset[str] = frozenset()
        self._values: tuple[str, ...] = ()
        self._flat = False
        self._limit: int | None = None
        self._result: list[Any] | None = None

    def filter(self, **lookups: Any) -> "QuerySet":
        if self._limit is not None:
            raise TypeError("Cannot filter a query once a slice has been taken.")
        conditions = [(*self._parse(name), value) for name, value in lookups.items()]
        rows = [
            row
            for row in self._rows
            if all(_holds(row.look_up(path), op, value) for path, op, value in conditions)
        ]
        return self._changed(_rows=rows)

    def select_related(self, *relations: str) -> "QuerySet":
        for relation in relations:
            if relation not in self._model.relations:
                raise FieldError(f"Invalid field name(s) given in select_related: {relation!r}")
        return self._changed(_selected=self._selected | set(relations))

    def order_by(self, *fields: str) -> "QuerySet":
        if self._limit is not None:
            raise TypeError("Cannot reorder a query once a slice has been taken.")
        for field in fields:
            self._parse(field)
        return self._changed(_order=fields)

    def values_list(self, *fields: str, flat: bool = False, named: bool = False) -> "QuerySet":
        if named or (flat and len(fields) != 1):
            raise TypeError("'flat' is not valid when values_list is called with several fields.")
        for field in fields:
            self._parse(field)
        return self._changed(_values=fields, _flat=flat)

    def __getitem__(self, part: slice) -> "QuerySet":
        if part.start or part.step or part.stop is None or part.stop < 0:
            raise ValueError("the stand-in has only [:limit]")
        return self._changed(_limit=part.stop)

    def __iter__(self) -> Iterator[Any]:
        if self._result is None:
            self._database.execute(self._model.__name__)
            self._result = self._executed()
        return iter(self._result)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _executed(self) -> list[Any]:
        # A database promises no order that was not asked for.
        rows = list(reversed(self._rows))
        for field in reversed(self._order):
            rows.sort(key=lambda row: row.look_up(field.split("__")))
        rows = rows[: self._limit]
        if self._values:
            found = [tuple(row.look_up(each.split("__")) for each in self._values) for row in rows]
            return [values[0] for values in found] if self._flat else found
        return [row.selected(self._selected) for row in rows]

    def _parse(self, lookup: str) -> tuple[Sequence[str], str]:
        path = lookup.split("__")
        operator = path.pop() if path[-1] in OPERATORS else "exact"
        model: type[Row] | None = self._model
        for step in path:
            if model is None:
                raise FieldError(f"Unsupported lookup in {lookup!r}")
            if step in model.relations:
                model = model.relations[step]
            elif step in model.fields or step.removesuffix("_id") in model.relations:
                model = None
            else:
                raise FieldError(f"Cannot resolve keyword {step!r} into field of {model.__name__}")
        return path, operator

    def _changed(self, **attributes: Any) -> "QuerySet":
        changed = QuerySet(self._database, self._model, self._rows)
        for name in ("_order", "_selected", "_values", "_flat", "_limit"):
            setattr(changed, name, getattr(self, name))
        for name, value in attributes.items():
            setattr(changed, name, value)
        return changed


def _holds(found: Any, operator: str, wanted: Any) -> bool:
    match operator:
        case "in":
            if isinstance(wanted, str | bytes):
                raise TypeError("__in needs a list")
            return any(_same(found, each) for each in wanted)
        case "gt":
            return bool(found > wanted)
        case _:
            return _same(found, wanted)


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, StandInKey):  # MySQL compares text without case
        return str(found).casefold() == str(wanted).casefold()
    return bool(found == wanted)
