"""The widget's files: found anew soon, kept for good, small on the way, and no way out of them."""

import gzip

import pytest
from django.test import Client

from saleor_nudges.asgi import files

SCRIPT = b"/*! the script */" + b"let a = 1;" * 100
VIEW = b"export const view = 1;" * 100


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "widget").mkdir()
    (tmp_path / "widget.js").write_bytes(SCRIPT)
    (tmp_path / "widget" / "view.0123456789.js").write_bytes(VIEW)
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "widget" / "notes.txt").write_text("secret")
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    return tmp_path


def get(path, **headers):
    return Client().get(f"/v1/{path}", headers=headers)


@pytest.mark.parametrize(
    ("path", "content", "cache"),
    [
        ("widget.js", SCRIPT, "public, max-age=300"),
        ("widget/view.0123456789.js", VIEW, "public, max-age=31536000, immutable"),
    ],
)
def test_a_file_is_served_as_it_was_built(path, content, cache):
    got = get(path)
    assert (got.status_code, got.content) == (200, content)
    assert got["Content-Type"] == "text/javascript; charset=utf-8"
    assert got["Cache-Control"] == cache
    # a module is asked for with CORS, from any page
    assert got["Access-Control-Allow-Origin"] == "*"
    assert got["X-Content-Type-Options"] == "nosniff"
    assert "Content-Encoding" not in got


def test_it_is_packed_for_whoever_can_unpack_it():
    got = get("widget.js", accept_encoding="br, gzip")
    assert gzip.decompress(got.content) == SCRIPT
    assert got["Content-Encoding"] == "gzip"
    assert got["Vary"] == "Accept-Encoding"
    assert int(got["Content-Length"]) == len(got.content) < len(SCRIPT) / 4


def test_what_a_browser_has_is_not_sent_again(folder):
    # given
    first = get("widget.js", accept_encoding="gzip")

    # when
    again = get("widget.js", if_none_match=first["ETag"])
    (folder / "widget.js").write_bytes(b"another")
    changed = get("widget.js", if_none_match=first["ETag"])

    # then
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["Access-Control-Allow-Origin"] == "*"
    assert (changed.status_code, changed.content) == (200, b"another")
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize(
    "name",
    [
        "view.9876543210.js",
        "notes.txt",
        "..%2Fsecret.js",
        "..%2fwidget.js",
        "%2e%2e%2fsecret.js",
        "../secret.js",
        "",
        ".",
    ],
)
def test_nothing_else_is_served(name):
    got = get(f"widget/{name}")
    assert got.status_code == 404
    assert b"secret" not in got.content.replace(name.encode(), b"")


def test_a_part_of_another_version_is_asked_for_again():
    got = get("widget/view.9876543210.js")
    assert (got.status_code, got["Cache-Control"]) == (404, "no-store")
    assert got["Access-Control-Allow-Origin"] == "*"


def test_what_is_not_built_says_so(folder):
    (folder / "widget.js").unlink()
    got = get("widget.js")
    assert (got.status_code, got.content) == (404, b"// The widget is not built: make widget")


def test_files_are_only_read():
    assert Client().post("/v1/widget.js").status_code == 405
    assert Client().post("/v1/widget/view.0123456789.js").status_code == 405
