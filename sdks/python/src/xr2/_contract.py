"""Values against a prompt's variable contract: the same checks, in the same words, as the server's.

Values are never coerced. All problems are found, in the contract's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._pattern import found_in
from ._values import MAX_DEPTH, NotJson, to_text
from .errors import VariableProblem

Spec = Mapping[str, Any]
LONGEST_NAME_TO_COMPARE = 400


def as_json(value: Any, depth: int = 0) -> Any:
    """The value as plain JSON types (a tuple is a list, a mapping an object), or :class:`NotJson`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise NotJson(f"{value} is not a JSON number")
        return float(value)
    if depth >= MAX_DEPTH:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list | tuple):
        return [as_json(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise NotJson("an object's keys must be strings")
        return {str.__str__(name): as_json(item, depth + 1) for name, item in value.items()}
    raise NotJson(f"{type(value).__name__} has no JSON form")


def read_values(specs: Sequence[Spec], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[VariableProblem]]:
    """The given values in JSON types, with everything that is wrong with them. Undeclared ones are left out."""
    values: dict[str, Any] = {}
    problems: list[VariableProblem] = []
    for spec in specs:
        name = spec["name"]
        if name not in given:
            if spec.get("required") and spec.get("default") is None and not spec.get("discovered"):
                problems.append(_problem(spec, "missing", _type(spec)))
            continue
        try:
            values[name] = as_json(given[name])
        except NotJson as error:
            expected = "any JSON value" if spec.get("discovered") or _type(spec) == "any" else _type(spec)
            problems.append(_problem(spec, "wrong_type", f"{expected} ({error})"))
            continue
        if spec.get("discovered") or (values[name] is None and not spec.get("required")):
            continue
        problem = check_value(spec, values[name])
        if problem is not None:
            problems.append(problem)
    return values, problems


def check_value(spec: Spec, value: Any) -> VariableProblem | None:
    """The first thing wrong with a value, if any."""
    if not accepts(_type(spec), value):
        return _problem(spec, "wrong_type", _type(spec))
    return (
        _check_items(spec, value)
        or _check_choice(spec, value)
        or _check_number(spec, value)
        or _check_length(spec, value)
        or _check_pattern(spec, value)
    )


def accepts(kind: str, value: Any) -> bool:
    """Whether a value is of a type; 3.0 is an integer, true is no number."""
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "array":
        return isinstance(value, list)
    if kind == "object":
        return isinstance(value, dict)
    if kind == "number":
        return _is_number(value)
    if kind == "integer":
        return _is_number(value) and (isinstance(value, int) or value.is_integer())
    return True


def same_value(left: Any, right: Any) -> bool:
    """Equal as JSON means it: 1 is 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_value, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_value(left[name], right[name]) for name in left)
    return bool(left == right)


def _check_items(spec: Spec, value: Any) -> VariableProblem | None:
    items = spec.get("items")
    if isinstance(items, Mapping):
        items = items.get("type")
    if not isinstance(items, str) or not isinstance(value, list) or all(accepts(items, item) for item in value):
        return None
    return _problem(spec, "item_wrong_type", f"array of {items}")


def _check_choice(spec: Spec, value: Any) -> VariableProblem | None:
    choices = spec.get("enum")
    if not isinstance(choices, list) or any(same_value(choice, value) for choice in choices):
        return None
    return _problem(spec, "not_in_enum", f"one of: {', '.join(map(to_text, choices))}")


def _check_number(spec: Spec, value: Any) -> VariableProblem | None:
    if not _is_number(value):
        return None
    least, most = spec.get("min"), spec.get("max")
    if least is not None and value < least:
        return _problem(spec, "too_small", f"at least {to_text(least)}")
    if most is not None and value > most:
        return _problem(spec, "too_large", f"at most {to_text(most)}")
    return None


def _check_length(spec: Spec, value: Any) -> VariableProblem | None:
    if not isinstance(value, str | list):
        return None
    least, most = spec.get("min_length"), spec.get("max_length")
    unit = "character" if isinstance(value, str) else "item"
    if least is not None and len(value) < least:
        return _problem(spec, "too_short", f"at least {_counted(least, unit)}")
    if most is not None and len(value) > most:
        return _problem(spec, "too_long", f"at most {_counted(most, unit)}")
    return None


def _check_pattern(spec: Spec, value: Any) -> VariableProblem | None:
    pattern = spec.get("pattern")
    if not isinstance(pattern, str) or not isinstance(value, str) or found_in(pattern, value):
        return None
    return _problem(spec, "pattern_mismatch", f"match {pattern}")


def _problem(spec: Spec, problem: str, expected: str) -> VariableProblem:
    return {"name": spec["name"], "problem": problem, "expected": expected}


def _type(spec: Spec) -> str:
    return str(spec.get("type") or "string")


def _counted(limit: int, unit: str) -> str:
    return f"{limit} {unit}" if limit == 1 else f"{limit} {unit}s"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def unknown_values(given: Iterable[str], known: Sequence[str]) -> list[dict[str, str]]:
    """A warning for each value nobody declared, with the name that was probably meant."""
    return [_unknown(name, nearest(name, known)) for name in given if name not in known]


def _unknown(name: str, meant: str | None) -> dict[str, str]:
    hint = f" Did you mean `{meant}`?" if meant else ""
    warning = {
        "code": "UNKNOWN_VARIABLE",
        "message": f"The prompt has no variable `{name}`; the value was ignored.{hint}",
        "variable": name,
    }
    return {**warning, "nearest": meant} if meant else warning


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name with the fewest edits; none when nothing is near enough to be meant."""
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME_TO_COMPARE:
        return None
    best: tuple[int, str] | None = None
    for candidate in known:
        longer = max(len(name), len(candidate))
        distance = _edit_distance(name, candidate)
        if distance <= max(longer // 3, 2) and distance < longer and (best is None or distance < best[0]):
            best = (distance, candidate)
    return best[1] if best else None


def _edit_distance(left: str, right: str) -> int:
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right):
            current.append(min(previous[column] + (a != b), previous[column + 1] + 1, current[column] + 1))
        previous = current
    return previous[-1]
