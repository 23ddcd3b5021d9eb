"""Judges JSON by the schemas in docs/schema.

Reads a line {"schema": NAME, "lines": BOOL, "text": TEXT} at a time and answers with a JSON
string: empty if TEXT (or each of its lines) is a valid instance, else what is wrong.
"""

import json
import pathlib
import sys

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema"
validators = {}


def validator(name):
    if name not in validators:
        schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    return validators[name]


def verdict(question):
    texts = question["text"].splitlines() if question["lines"] else [question["text"]]
    for text in texts:
        try:
            value = json.loads(text)
        except ValueError as error:
            return f"no JSON: {error}"
        error = jsonschema.exceptions.best_match(validator(question["schema"]).iter_errors(value))
        if error is not None:
            return f"{error.json_path}: {error.message}"
    return ""


for line in sys.stdin:
    print(json.dumps(verdict(json.loads(line))), flush=True)
