"""Tests of the local Sphere Engine's default seed, and of the command that starts it alone."""

from playground.sphere import build


def test_the_default_seed():
    server = build()
    assert set(server.credentials["projects"]) >= {"Console Python", "Broken image", "Broken initialisation"}
    assert {one.phase for one in server.state.workspaces.values()} == {"running", "stopped"}
    assert build().credentials["access_token"] != server.credentials["access_token"]


def test_the_ready_line_says_where_pages_load_the_sdk():
    server = build()
    assert server.ready_credentials("https://acme.example")["sdk_base"] == "acme.example"
    assert server.ready_credentials("https://acme.example")["sdk_https"] is True
