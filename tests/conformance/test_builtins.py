"""The six methods every zerorpc service has."""

import pytest


def test_a_service_lists_its_methods_without_the_hidden_ones(suite, client):
    methods = client.call("_zerorpc_list")
    assert {suite.listed("peer", name) for name in ("echo", "count", "boom")} <= set(methods)
    assert not any(name.startswith("_") for name in methods)


def test_a_ping_is_answered_with_the_name_of_the_service(client):
    assert client.call("_zerorpc_ping") == ["pong", client.call("_zerorpc_name")]


@pytest.mark.ours
def test_the_name_of_the_math_service_is_math(suite, python_math, node_math):
    assert python_math.call("_zerorpc_name") == node_math.call("_zerorpc_name") == suite.shown("math")


@pytest.mark.ours
def test_the_math_service_offers_its_documented_methods_and_no_other(suite, python_math):
    offered = [name for name in python_math.call("_zerorpc_list") if not name.startswith("proxy.")]
    assert offered == sorted(suite.listed("math", name) for name in [
        "add", "subtract", "multiply", "divide", "floor_divide", "modulo", "power", "sum", "mean", "dot", "gcd",
        "factorial", "echo", "range", "primes", "fibonacci", "count_primes"])


@pytest.mark.ours
def test_inspection_tells_arguments_defaults_and_documentation(suite, client):
    methods = client.call("_zerorpc_inspect")["methods"]
    typed = methods[suite.listed("peer", "typed")]["args"]
    assert [arg["name"] for arg in typed] == list("abcdefgh")
    assert typed[7] == {"name": "h", "default": 5}
    assert "default" not in typed[0]
    assert all(set(method) >= {"args", "doc"} for method in methods.values())
    assert list(methods) == sorted(methods)
    assert methods[suite.listed("peer", "none")]["args"] == []


@pytest.mark.ours
def test_every_method_of_the_math_service_has_a_documentation(python_math):
    for name in python_math.call("_zerorpc_list"):
        assert python_math.call("_zerorpc_help", name), name


@pytest.mark.ours
def test_args_are_answered_in_the_shape_of_a_python_server(client):
    assert client.call("_zerorpc_args", "boom") == [["name", "message"], None, None, None]
    names, varargs, keywords, defaults = client.call("_zerorpc_args", "typed")
    assert (names, varargs, keywords) == (list("abcdefgh"), None, None)
    assert defaults == [None, 5]


@pytest.mark.ours
def test_a_method_is_also_found_under_the_name_of_its_service(python_math, node_math):
    assert python_math.call("math.add", 1, 2) == node_math.call("math.add", 1, 2) == 3
    assert python_math.error("lock.add", 1, 2).name == "NameError"


def test_a_built_in_takes_no_argument_it_does_not_know(client):
    assert client.error("_zerorpc_ping", 1).name == "TypeError"
    assert client.error("_zerorpc_help").name == "TypeError"
